/** A network that somebody made to do harm: it runs, but its names are markup, scripts, terminal codes, paths and very long. */
import { writeFileSync } from 'node:fs';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { writeOnnx } from '../../src-main/importers/onnx/write.ts';
import { randomTensor, seededRandom, windowOf } from './graphs.ts';

export const hostileNames = [
  '<img src=x onerror="window.owned=1"><script>window.owned=1</script>',
  'line\nbreak\u0000null\u001b]0;owned\u0007\u001b[31mred\u202ereversed',
  `long ${'x'.repeat(990)}`,
  '{{ constructor.constructor("window.owned=1")() }} ${window.owned=1} %3Cscript%3E',
  '../../../../etc/passwd',
] as const;

/** Writes the network: pictures of 16 x 16 pixels, one convolution with four channels and its ReLU per name. */
export function writeHostileModel(path: string, names: readonly string[] = hostileNames): void {
  const random = seededRandom(7);
  const builder = createGraphBuilder('"><script>window.owned=1</script>');
  builder.input('image', 'float32', ['batch', 3, 16, 16]);
  let [input, channels] = ['image', 3];
  for (const [position, name] of names.entries()) {
    const weights = builder.tensor(randomTensor(random, `weights ${position}`, [4, channels, 3, 3], 0.5));
    builder.add('Conv', [input, weights, ''], { ...windowOf([3, 3]), group: 1 }, { name, outputs: [`convolved ${position}`] });
    builder.add('Relu', [`convolved ${position}`], {}, { outputs: [name] });
    [input, channels] = [name, 4];
  }
  writeFileSync(path, writeOnnx(builder.finish([input])));
}
