/** Compiles the kernel of the resampler. Run (`node tests/support/compileKernel.ts`), it writes what the program loads; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openWabt from 'wabt';
import { repositoryRoot } from './testData.ts';

const folder = join(repositoryRoot, 'src-main/dataset');
const kernel = join(folder, 'resampleKernel.ts');

export const keptKernel = (): string => readFileSync(kernel, 'utf8');

/** The module that holds the compiled kernel. */
export async function compiledKernel(): Promise<string> {
  const wabt = await openWabt();
  const parsed = wabt.parseWat('resampleCubic.wat', readFileSync(join(folder, 'resampleCubic.wat'), 'utf8'), { simd: true });
  try {
    const { buffer } = parsed.toBinary({});
    return `/** resampleCubic.wat, compiled (tests/support/compileKernel.ts writes this). */\nexport const resampleKernel = '${Buffer.from(buffer).toString('base64')}';\n`;
  } finally {
    parsed.destroy();
  }
}

if (import.meta.main) writeFileSync(kernel, await compiledKernel());
