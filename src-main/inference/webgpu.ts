/**
 * WebGPU in a Node process (Dawn, npm `webgpu`): what TensorFlow.js computes on, and how any engine learns which GPU it has. The package is loaded when first
 * asked for; `navigator.gpu` then stays for the life of the process, as TensorFlow.js looks for it there.
 */
import { createRequire } from 'node:module';
import { AppError } from '../../src-shared/errors.ts';
import type { GpuAdapter } from './engine.ts';

/** What to do where there is none, for every message that says so. */
export const noGpuAdvice = `WebGPU finds no GPU on this machine. ${
  { win32: 'It needs a Direct3D 12 device and its driver.', darwin: 'It needs a Metal device.' }[process.platform as string] ??
  'It needs a Vulkan loader (Debian: libvulkan1) and a Vulkan driver of the GPU (NVIDIA: the driver package; AMD and Intel: mesa-vulkan-drivers); `vulkaninfo --summary` shows what there is.'
}`;

/** Throws AppError UNAVAILABLE where the package does not load. */
function startWebgpu(): Gpu {
  started ??= start();
  return started;
}

/** The GPU that computing would use; null where there is none. Throws as startWebgpu. */
export async function webgpuAdapter(): Promise<GpuAdapter | null> {
  const adapter = await startWebgpu().requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return null;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const parts = [...new Set([description, vendor, architecture, device].filter((part) => part !== ''))];
  const driver = parts.join(', ');
  return { driver, software: isFallbackAdapter === true || playedByProcessor.test(driver) };
}

/** Names under which software renderers go: SwiftShader, Mesa's lavapipe and llvmpipe, Microsoft's WARP. */
const playedByProcessor = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|\bcpu\b/i;

/** The little of WebGPU's interface that is used here. */
interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<{
    readonly info: { readonly vendor: string; readonly architecture: string; readonly device: string; readonly description: string; readonly isFallbackAdapter?: boolean };
  } | null>;
}

let started: Gpu | undefined;

function start(): Gpu {
  try {
    const { create, globals } = createRequire(import.meta.url)('webgpu') as { create(options: readonly string[]): Gpu; globals: object };
    const gpu = create([]);
    Object.assign(globalThis, globals);
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
    return gpu;
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
    throw new AppError('UNAVAILABLE', `WebGPU is not here because the package webgpu does not load (${reason}); run "npm ci" to repair the installation.`, {}, error);
  }
}
