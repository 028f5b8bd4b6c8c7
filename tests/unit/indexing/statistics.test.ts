/** Numbers of a channel over all images: written out on small ones, and the same under any split and through the store's bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addRows, addStatistics, channelStatistics, createStatistics, packStatistics, unpackStatistics, type LayerStatistics } from '../../../src-main/indexing/statistics.ts';

const add = (statistics: LayerStatistics, scores: readonly number[], images = scores.map((_, at) => at)) =>
  addRows(statistics, { images, score: Float32Array.from(scores), position: new Int32Array(scores.length) });
function of(scores: readonly number[]) {
  const statistics = createStatistics(1);
  add(statistics, scores);
  return channelStatistics(statistics, 0);
}

describe('one channel', () => {
  it('counts, averages and finds its extremes; NaN is counted apart', () => {
    expect(of([1, -2, NaN, 4, 0])).toMatchObject({ count: 4, nanCount: 1, min: -2, max: 4, mean: 0.75, shareAboveZero: 0.5 });
  });
  it('is all zero without rows', () => {
    expect(of([])).toMatchObject({ count: 0, nanCount: 0, min: 0, max: 0, mean: 0, shareAboveZero: 0, histogram: { from: 0, counts: [] } });
    expect(of([NaN])).toMatchObject({ count: 0, nanCount: 1, mean: 0 });
  });
  it('leaves padding and skipped images out', () => {
    const statistics = createStatistics(1);
    add(statistics, [1, 100], [0, -1]);
    expect(channelStatistics(statistics, 0)).toMatchObject({ count: 1, max: 1 });
  });
  it('keeps channels apart', () => {
    const statistics = createStatistics(2);
    addRows(statistics, { images: [0, 1], score: Float32Array.of(1, 10, 3, 30), position: new Int32Array(4) });
    expect([channelStatistics(statistics, 0).mean, channelStatistics(statistics, 1).mean]).toEqual([2, 20]);
  });
});

describe('the histogram', () => {
  it('has bins of a power of two anchored at 0, empty ends left out', () => {
    // 31.9 needs 32 bins of width 1 on its side of 0.
    expect(of([0, 0.5, 1, 2.25, 31.9]).histogram).toEqual({ from: 0, binWidth: 1, counts: [2, 1, 1, ...new Array<number>(28).fill(0), 1] });
    expect(of([-1, -0.25, 0.75, 31]).histogram).toMatchObject({ from: -1, binWidth: 1, counts: [2, 1, ...new Array<number>(30).fill(0), 1] });
  });
  it('widens when a larger score comes, into the same bins as if it had come first', () => {
    expect(of([1, 2, 3, 1000]).histogram).toEqual(of([1000, 3, 2, 1]).histogram);
    expect(of([1, 2, 3, 1000]).histogram).toMatchObject({ from: 0, binWidth: 32 });
    expect(of([1, 2, 3, -1000]).histogram).toMatchObject({ binWidth: 32, from: -1024 });
  });
  it('holds every finite score once; infinities are in the extremes only', () => {
    const { histogram, max, count } = of([Infinity, 3.4e38, -3.4e38, 1e-45, 0]);
    expect([histogram.counts.reduce((a, b) => a + b, 0), max, count]).toEqual([4, Infinity, 5]);
  });
});

describe('bytes for the store', () => {
  it('come back as they went, also from a view into larger memory', () => {
    const statistics = createStatistics(3);
    addRows(statistics, { images: [0], score: Float32Array.of(1, NaN, -7), position: new Int32Array(3) });
    const bytes = packStatistics(statistics);
    expect(unpackStatistics(bytes)).toEqual(statistics);
    const memory = Buffer.concat([Buffer.from('odd'), bytes]);
    expect(unpackStatistics(memory.subarray(3))).toEqual(statistics);
  });
  it('must be whole', () => {
    expect(() => unpackStatistics(new Uint8Array(10))).toThrow('10 bytes are no layer statistics');
    expect(() => unpackStatistics(new Uint8Array(16))).toThrow('16 bytes are no layer statistics');
  });
});

it('is the same under any split and any interruption', () => {
  const scores = fc.array(fc.oneof(fc.float(), fc.constantFrom(0, -0, NaN, 1, 2)), { maxLength: 40 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 9 }), fc.nat(8), (all, batchSize, interruptedAfter) => {
      const whole = createStatistics(1);
      add(whole, all);
      let split = createStatistics(1);
      for (let start = 0, batch = 0; start < all.length; start += batchSize, batch++) {
        if (batch === interruptedAfter) split = unpackStatistics(packStatistics(split));
        add(split, all.slice(start, start + batchSize));
      }
      expect(packStatistics(split)).toEqual(packStatistics(whole));
    }),
    { seed: 1311, numRuns: 300 },
  );
});

const shuffled = (all: readonly number[]) => all.map((score, at) => ({ score, key: (at * 2654435761) % 4294967296 })).sort((a, b) => a.key - b.key).map(({ score }) => score);
const finiteScores = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 });

it('has the same bytes under any order: sums are exact', () => {
  fc.assert(
    fc.property(finiteScores, (all) => {
      const [forth, back] = [createStatistics(1), createStatistics(1)];
      add(forth, all);
      add(back, shuffled(all));
      expect(packStatistics(back)).toEqual(packStatistics(forth));
    }),
    { seed: 2901, numRuns: 300 },
  );
  // In row order 1e8 + 1 - 1e8 is 0 in float32 and 1 + 2^-60 loses its tail in float64; here nothing is lost.
  expect(of([2 ** 100, 1, 2 ** -100, -(2 ** 100), -1]).mean).toBe(2 ** -100 / 5);
});

it('adds up to the same bytes in any parts, put together in any order', () => {
  fc.assert(
    fc.property(finiteScores, fc.integer({ min: 1, max: 5 }), (all, size) => {
      const whole = createStatistics(1);
      add(whole, all);
      const parts: LayerStatistics[] = [];
      for (let start = 0; start < all.length; start += size) {
        parts.push(createStatistics(1));
        add(parts.at(-1)!, all.slice(start, start + size));
      }
      for (const order of [parts, parts.toReversed()]) {
        const sum = createStatistics(1);
        for (const part of order) addStatistics(sum, unpackStatistics(packStatistics(part)));
        expect(packStatistics(sum)).toEqual(packStatistics(whole));
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});

it('refuses parts of another layer', () => {
  expect(() => addStatistics(createStatistics(2), createStatistics(3))).toThrow('addStatistics: 2 and 3 channels are not the same layer');
});
