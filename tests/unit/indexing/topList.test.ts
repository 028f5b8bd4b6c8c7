/** The ranking (method.md section 2) against a slow twin that keeps everything and sorts; and what must not matter: split, order, repetition, interruption. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTopLists, hitsOf, offer, restore, type ListedHit, type ScoreRows, type TopLists } from '../../../src-main/indexing/topList.ts';

interface Row { readonly image: number; readonly scores: readonly number[]; readonly positions: readonly number[] }

const rowsOf = (rows: readonly Row[]): ScoreRows => ({
  images: rows.map((row) => row.image),
  score: Float32Array.from(rows.flatMap((row) => row.scores)),
  position: Int32Array.from(rows.flatMap((row) => row.positions)),
});
const one = (image: number, score: number, position = 0): ScoreRows => rowsOf([{ image, scores: [score], positions: [position] }]);
const lists = (top: number, nonNegative = false, channels = 1): TopLists => createTopLists(channels, top, nonNegative);
const listed = (state: TopLists, channel = 0) => hitsOf(state, channel).map(({ image, score }) => [image, score]);

/** Keeps every row, filters, sorts, cuts. */
function slowTwin(rows: readonly Row[], channel: number, top: number, nonNegative: boolean): ListedHit[] {
  return rows
    .filter(({ image, scores }) => image >= 0 && !Number.isNaN(scores[channel]!) && (!nonNegative || scores[channel]! > 0))
    .map(({ image, scores, positions }) => ({ image, score: Math.fround(scores[channel]!), position: positions[channel]! }))
    .sort((a, b) => (a.score === b.score ? a.image - b.image : a.score > b.score ? -1 : 1))
    .slice(0, top);
}

describe('the order', () => {
  it('is score descending, ties by image number whichever came first', () => {
    const state = lists(3);
    for (const [image, score] of [[7, 1], [3, 2], [9, 2], [2, 1], [5, 1]] as const) offer(state, one(image, score));
    expect(listed(state)).toEqual([[3, 2], [9, 2], [2, 1]]);
  });
  it('never ranks NaN', () => {
    const state = lists(3);
    expect(offer(state, one(0, NaN))).toEqual([]);
    offer(state, one(1, -5));
    expect(listed(state)).toEqual([[1, -5]]);
  });
  it('wants a score above 0 in a non-negative layer: a channel without one is dead', () => {
    const state = lists(3, true);
    expect(offer(state, rowsOf([{ image: 0, scores: [0], positions: [0] }, { image: 1, scores: [-0], positions: [0] }]))).toEqual([]);
    expect(hitsOf(state, 0)).toEqual([]);
    expect(offer(state, one(2, 1e-30))).toEqual([0]);
  });
  it('ranks zeros and negative scores in any other layer, -0 and 0 as a tie', () => {
    const state = lists(4);
    for (const [image, score] of [[4, -0], [3, 0], [2, -1], [1, -0]] as const) offer(state, one(image, score));
    expect(listed(state).map(([image]) => image)).toEqual([1, 3, 4, 2]);
  });
  it('keeps the position of each score, also as int64', () => {
    const state = lists(2, false, 2);
    offer(state, { images: [5], score: Float32Array.of(1, 2), position: BigInt64Array.of(11n, 12n) });
    expect([hitsOf(state, 0), hitsOf(state, 1)]).toEqual([[{ image: 5, score: 1, position: 11 }], [{ image: 5, score: 2, position: 12 }]]);
  });
});

describe('a batch', () => {
  it('names the channels that changed, and no others', () => {
    const state = lists(1, false, 3);
    expect(offer(state, rowsOf([{ image: 0, scores: [1, 1, NaN], positions: [0, 0, 0] }]))).toEqual([0, 1]);
    expect(offer(state, rowsOf([{ image: 1, scores: [0, 2, NaN], positions: [0, 0, 0] }]))).toEqual([1]);
  });
  it('may be taken twice', () => {
    const state = lists(2);
    const batch = rowsOf([{ image: 0, scores: [3], positions: [1] }, { image: 1, scores: [5], positions: [2] }, { image: 2, scores: [4], positions: [3] }]);
    offer(state, batch);
    const before = hitsOf(state, 0);
    expect(offer(state, batch)).toEqual([]);
    expect(hitsOf(state, 0)).toEqual(before);
  });
  it('has no hits of padding and skipped images', () => {
    const state = lists(3);
    offer(state, rowsOf([{ image: -1, scores: [100], positions: [0] }, { image: 4, scores: [1], positions: [0] }]));
    expect(listed(state)).toEqual([[4, 1]]);
  });
});

describe('any images, split and order', () => {
  const channels = 2;
  /** Few distinct scores, so that ties are the rule. */
  const score = fc.oneof(fc.constantFrom(-1, -0, 0, 1e-30, 0.5, 1, 2, NaN), fc.float({ noDefaultInfinity: true }));
  const manifest = fc.array(fc.record({ scores: fc.tuple(score, score), positions: fc.tuple(fc.nat(100), fc.nat(100)), skipped: fc.boolean() }), { maxLength: 30 });

  it('give the lists of the slow twin, and go on from stored hits', () => {
    fc.assert(
      fc.property(manifest, fc.array(fc.nat(1000), { minLength: 30, maxLength: 30 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 5 }), fc.boolean(), fc.nat(10), (images, keys, batchSize, top, nonNegative, interruptedAfter) => {
        const rows: Row[] = images.map(({ scores, positions, skipped }, image) => ({ image: skipped ? -1 : image, scores, positions }));
        const shuffled = rows.map((row, at) => [keys[at]!, row] as const).sort((a, b) => a[0] - b[0]).map(([, row]) => row);
        let state = createTopLists(channels, top, nonNegative);
        let batches = 0;
        for (let start = 0; start < shuffled.length; start += batchSize, batches++) {
          if (batches === interruptedAfter) {
            const resumed = createTopLists(channels, top, nonNegative);
            for (let channel = 0; channel < channels; channel++) restore(resumed, channel, hitsOf(state, channel));
            state = resumed;
          }
          offer(state, rowsOf(shuffled.slice(start, start + batchSize)));
        }
        for (let channel = 0; channel < channels; channel++) expect(hitsOf(state, channel)).toEqual(slowTwin(rows, channel, top, nonNegative));
      }),
      { seed: 20131112, numRuns: 500 },
    );
  });
});
