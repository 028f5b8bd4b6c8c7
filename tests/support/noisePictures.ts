/** Pictures of seeded noise, for tests that need images and no photograph. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { seededRandom } from './graphs.ts';

/** Writes `picture-0.png` and so on, 24 x 24 pixels. */
export async function writeNoisePictures(into: string, count: number): Promise<void> {
  mkdirSync(into, { recursive: true });
  const random = seededRandom(count);
  for (let number = 0; number < count; number += 1) {
    const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, () => 256 * random());
    writeFileSync(join(into, `picture-${number}.png`), await encodePng(pixels, 24, 24, 3));
  }
}
