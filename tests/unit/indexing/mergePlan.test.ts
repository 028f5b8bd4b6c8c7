/** Parts of a listing fit together: written out on small ones, and for random overlapping parts every place is taken once and lands where it belongs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describePlaces, isWholeTaken, planMerge, type MergePlan } from '../../../src-main/indexing/mergePlan.ts';
import { partOf, shardRange, type PlaceRange } from '../../../src-main/indexing/shards.ts';

describe('shards', () => {
  it('are runs of the listing that differ in size by one at most', () => {
    expect([1, 2, 3].map((number) => shardRange(10, { number, of: 3 }))).toEqual([[0, 3], [3, 6], [6, 10]]);
  });
  it('are empty where there are more of them than images', () => {
    expect([1, 2, 3].map((number) => shardRange(2, { number, of: 3 }))).toEqual([[0, 0], [0, 1], [1, 2]]);
  });
  it('record what they cover; one shard alone is no part', () => {
    expect(partOf(10, 'abc', { number: 2, of: 3 })).toEqual({ images: 10, listing: 'abc', ranges: [[3, 6]] });
    expect(partOf(10, 'abc', { number: 1, of: 1 })).toBeNull();
  });
});

const plan = (images: number, ...sources: readonly (readonly PlaceRange[])[]): MergePlan => planMerge(sources.map((ranges) => ({ ranges })), images);

describe('a merge', () => {
  it('puts parts one behind the other, whatever order they are given in', () => {
    const { order, ranges, missing, images, sources } = plan(10, [[4, 10]], [[0, 4]]);
    expect({ ranges, missing, images }).toEqual({ ranges: [[0, 10]], missing: [], images: 10 });
    expect(order).toEqual([
      { source: 1, piece: { from: 0, to: 4, shift: 0 } },
      { source: 0, piece: { from: 0, to: 6, shift: 4 } },
    ]);
    expect(sources.map(isWholeTaken)).toEqual([true, true]);
  });
  it('names what is missing and closes the gap in the numbers', () => {
    const { order, ranges, missing, images } = plan(10, [[7, 9]], [[1, 3]]);
    expect({ ranges, missing, images }).toEqual({ ranges: [[1, 3], [7, 9]], missing: [[0, 1], [3, 7], [9, 10]], images: 4 });
    expect(order.map(({ source, piece: { shift } }) => [source, shift])).toEqual([[1, 0], [0, 2]]);
    expect(describePlaces(missing)).toBe('1, 4 to 7, 10');
  });
  it('takes each place once: what others contain is left out, what overlaps is cut', () => {
    const { order, sources } = plan(10, [[0, 6]], [[2, 5]], [[4, 10]]);
    expect(order).toEqual([
      { source: 0, piece: { from: 0, to: 6, shift: 0 } },
      { source: 2, piece: { from: 2, to: 6, shift: 4 } },
    ]);
    expect(sources.map(isWholeTaken)).toEqual([true, false, false]);
    expect(sources[1]).toEqual({ pieces: [{ from: 0, to: 3, shift: 2 }], taken: [] });
  });
  it('understands parts that are merges of parts themselves', () => {
    const { order } = plan(9, [[0, 3], [6, 9]], [[3, 6]]);
    expect(order).toEqual([
      { source: 0, piece: { from: 0, to: 3, shift: 0 } },
      { source: 1, piece: { from: 0, to: 3, shift: 3 } },
      { source: 0, piece: { from: 3, to: 6, shift: 3 } },
    ]);
  });
});

it('sends every image of every part to the number of its place, and takes each number once', () => {
  const images = 30;
  const part = fc.uniqueArray(fc.nat(images), { minLength: 2, maxLength: 6 }).map((edges) => {
    const sorted = edges.sort((a, b) => a - b);
    return sorted.flatMap((from, at): PlaceRange[] => (at % 2 === 0 && at + 1 < sorted.length ? [[from, sorted[at + 1]!]] : []));
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const merged = plan(images, ...parts);
      const places = (ranges: readonly PlaceRange[]) => ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, at) => from + at));
      const covered = places(merged.ranges);
      parts.forEach((ranges, source) => {
        const numbers = merged.sources[source]!.pieces.flatMap(({ from, to, shift }) => Array.from({ length: to - from }, (_, at) => [from + at, from + at + shift]));
        expect(numbers).toEqual(places(ranges).map((place, local) => [local, covered.indexOf(place)]));
      });
      expect(merged.order.flatMap(({ piece: { from, to, shift } }) => Array.from({ length: to - from }, (_, at) => from + at + shift))).toEqual(covered.map((_, number) => number));
      expect(places(merged.missing).concat(covered).sort((a, b) => a - b)).toEqual(Array.from({ length: images }, (_, place) => place));
    }),
    { seed: 64, numRuns: 300 },
  );
});
