/**
 * A GPU for tests on machines that have none: SwiftShader, a Vulkan device played by the processor, which Debian's chromium package brings. It must be named
 * before anything loads Vulkan, so import this first. Where VK_ICD_FILENAMES is set already (a real GPU's driver, say) it stays.
 */
import { existsSync } from 'node:fs';
import { webgpuAdapter } from '../../src-main/inference/webgpu.ts';

const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Why WebGPU cannot be tested here, or null where it can. */
export async function missingGpu(): Promise<string | null> {
  if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(swiftshader)) process.env['VK_ICD_FILENAMES'] = swiftshader;
  const adapter = await webgpuAdapter().catch((error: unknown) => String(error));
  if (typeof adapter === 'string') return adapter;
  return adapter === null ? `there is no WebGPU device; install Debian's chromium (for ${swiftshader}) and libvulkan1` : null;
}
