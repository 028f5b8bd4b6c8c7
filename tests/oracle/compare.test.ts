/** Compare against a twin that says it plainly: Pearson's over the images that both have, sums in float64 over whole columns; best partners by looking at every pair; z-scores one by one. */
import { describe, expect, it } from 'vitest';
import { correlate } from '../../src-main/indexing/queries/correlation.ts';
import { largestDifferences } from '../../src-main/indexing/queries/differences.ts';
import { bestPartners } from '../../src-main/services/compare.ts';
import { seededRandom } from '../support/graphs.ts';

type Columns = readonly (readonly number[])[];

/** NaN where one of them always says the same. */
function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0);
  const [saa, sbb, sab] = [sum((i) => (a[i]! - ma) ** 2), sum((i) => (b[i]! - mb) ** 2), sum((i) => (a[i]! - ma) * (b[i]! - mb))];
  return saa > 0 && sbb > 0 ? sab / Math.sqrt(saa * sbb) : NaN;
}

function transposed(rows: Float32Array, count: number, channels: number): Columns {
  return Array.from({ length: channels }, (_, channel) => Array.from({ length: count }, (__, row) => rows[row * channels + channel]!));
}

/** Seeded scores; the right layer holds noisy copies of some left channels, one channel of each never changes. */
function layers(images: number, left: number, right: number) {
  const next = seededRandom(7);
  const a = Float32Array.from({ length: images * left }, (_, at) => (at % left === 2 ? 4 : 1000 + next() * (1 + (at % left))));
  const b = Float32Array.from({ length: images * right }, (_, at) => {
    const [row, channel] = [Math.floor(at / right), at % right];
    return channel === 1 ? -3 : channel < 4 ? a[row * left + channel]! - 1000 + 0.1 * next() : next();
  });
  return { a, b };
}

describe('compare', () => {
  it('finds the partners that the plain twin finds, whatever the blocks', async () => {
    const [images, left, right] = [301, 9, 7];
    const { a, b } = layers(images, left, right);
    const plain = transposed(a, images, left).map((x) => transposed(b, images, right).map((y) => pearson(x, y)));
    for (const atOnce of [1, 64, 301]) {
      const blocks = async function* () {
        for (let from = 0; from < images; from += atOnce) {
          const rows = Math.min(atOnce, images - from);
          yield await Promise.resolve({ rows, left: a.subarray(from * left, (from + rows) * left), right: b.subarray(from * right, (from + rows) * right) });
        }
      };
      const found = await correlate(blocks(), { left, right });
      plain.flat().forEach((expected, at) => (Number.isNaN(expected) ? expect(found.values[at]).toBeNaN() : expect(found.values[at]).toBeCloseTo(expected, 5)));
      const best = bestPartners(found.values, left, right);
      const bestOf = (values: readonly number[]) => values.reduce<number | null>((at, value, i) => (Number.isNaN(value) || (at !== null && value <= values[at]!) ? at : i), null);
      expect(best.left.map(({ partner }) => partner)).toEqual(plain.map(bestOf));
      expect(best.right.map(({ partner }) => partner)).toEqual(Array.from({ length: right }, (_, j) => bestOf(plain.map((row) => row[j]!))));
      expect([best.left[2], best.left[0]!.mutual, best.left[3]!.mutual]).toEqual([{ channel: 2, partner: null, correlation: null, mutual: false }, true, true]);
    }
  });

  it('says plainly which of a small table belong together', () => {
    // Rows: left channels 0 to 2; columns: right channels 0 and 1.
    expect(bestPartners(Float32Array.of(0.5, 0.25, 0.75, -1, NaN, NaN), 3, 2)).toEqual({
      left: [{ channel: 0, partner: 0, correlation: 0.5, mutual: false }, { channel: 1, partner: 0, correlation: 0.75, mutual: true }, { channel: 2, partner: null, correlation: null, mutual: false }],
      right: [{ channel: 0, partner: 1, correlation: 0.75, mutual: true }, { channel: 1, partner: 0, correlation: 0.25, mutual: false }],
    });
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const endless = async function* () {
      for (let block = 0; ; block++) {
        if (block === 3) stop.abort();
        yield await Promise.resolve({ rows: 200, left: new Float32Array(200 * 300).map((_, i) => i % 17), right: new Float32Array(200 * 300).map((_, i) => i % 13) });
      }
    };
    await expect(correlate(endless(), { left: 300, right: 300 }, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('differences of two channels', () => {
  it('are those of the z-scores, without images that have no finite score', async () => {
    // Means 2 and 20, deviations sqrt(2.5) and sqrt(250) over the four images that count.
    const left = Float32Array.of(0, 4, NaN, 3, 1, 5);
    const right = Float32Array.of(40, 10, 1, 0, 30, Infinity);
    const { images, correlation, leftMore, rightMore } = await largestDifferences({ left, right }, 9);
    expect(images).toBe(4);
    expect(correlation).toBeCloseTo(-1 * (2 * 20 + 2 * 10 + 1 * 20 + 1 * 10) / (4 * Math.sqrt(2.5 * 250)), 6);
    expect(leftMore.map(({ row }) => row)).toEqual([1, 3]);
    expect(rightMore.map(({ row }) => row)).toEqual([0, 4]);
    expect(leftMore[0]).toMatchObject({ leftScore: 4, rightScore: 10 });
    expect(leftMore[0]!.leftDeviations).toBeCloseTo(2 / Math.sqrt(2.5), 6);
    expect(leftMore[0]!.rightDeviations).toBeCloseTo(-10 / Math.sqrt(250), 6);
    expect((await largestDifferences({ left, right }, 1)).rightMore.map(({ row }) => row)).toEqual([0]);
  });

  it('are none where a channel never changes', async () => {
    const third = 1 / 3;
    expect(await largestDifferences({ left: Float32Array.of(third, third, third), right: Float32Array.of(1, 2, 3) }, 5)).toEqual({ images: 3, correlation: null, leftMore: [], rightMore: [] });
    expect(await largestDifferences({ left: new Float32Array(0), right: new Float32Array(0) }, 5)).toEqual({ images: 0, correlation: null, leftMore: [], rightMore: [] });
  });
});
