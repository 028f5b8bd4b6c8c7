/** A window of a picture holds the same numbers as the whole picture normalised, and zeros where the picture has ended. */
import { expect, it } from 'vitest';
import { createWindowCutter, normalizePixels } from '../../../src-main/dataset/normalize.ts';
import { channelOrders } from '../../../src-shared/domain/preprocessing.ts';
import { seededRandom } from '../../support/graphs.ts';

const [height, width] = [6, 7];
const random = seededRandom(5);
const pixels = Uint8Array.from({ length: height * width * 3 }, () => 256 * random());

it.each(channelOrders)('%s', (order) => {
  const preprocessing = { order, crop: [height, width], scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] } as const;
  const channels = order === 'grey' ? 1 : 3;
  const whole = normalizePixels(pixels, preprocessing, 1);
  const cut = createWindowCutter(preprocessing);
  for (const [top, left, rows, columns] of [[1, 2, 3, 4], [-2, -1, 4, 3], [4, 5, 4, 4], [-1, -1, 8, 9], [7, 0, 2, 2]] as const) {
    // What a buffer held before does not shine through.
    const target = new Float32Array(2 + channels * rows * columns).fill(9);
    cut(pixels, top, left, rows, columns, target, 2);
    const expected = Array.from({ length: channels * rows * columns }, (_, at) => {
      const [channel, y, x] = [Math.floor(at / (rows * columns)), top + (Math.floor(at / columns) % rows), left + (at % columns)];
      return y >= 0 && y < height && x >= 0 && x < width ? whole[(channel * height + y) * width + x] : 0;
    });
    expect([...target]).toEqual([9, 9, ...expected]);
  }
});
