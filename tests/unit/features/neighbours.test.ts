/** Neighbours where there are few rows, equal rows or odd ones, and an index that is kept. */
import { describe, expect, it } from 'vitest';
import { sourceOf, type Matrix } from '../../../src-main/features/matrix.ts';
import { exactNeighbourGraph } from '../../../src-main/features/neighbours/exactGraph.ts';
import { neighbourGraph } from '../../../src-main/features/neighbours/neighbourGraph.ts';
import { indexBytes, indexFromBytes } from '../../../src-main/features/neighbours/keptIndex.ts';
import { measuredRows } from '../../../src-main/features/neighbours/measuredRows.ts';
import { buildNeighbourIndex, searchNeighbourIndex, type NeighbourIndex } from '../../../src-main/features/neighbours/neighbourIndex.ts';
import { nearestOf, nearestRows } from '../../../src-main/features/neighbours/nearestRows.ts';
import { clusters } from '../../support/clusters.ts';

const line: Matrix = { rows: 5, dimensions: 1, data: Float32Array.of(0, 10, 2, 12, 1) };
const rows = clusters({ rows: 800, dimensions: 12, groups: 5, seed: 9 });

describe('of one row', () => {
  it('come nearest first, without the row itself', async () => {
    const { rows: found, distances } = await nearestRows(sourceOf(line), Float32Array.of(10), { k: 3, metric: 'l2', except: 1 });
    expect([...found]).toEqual([3, 2, 4]);
    expect([...distances]).toEqual([2, 8, 9]);
  });

  it('are fewer where there are fewer rows', async () => {
    const found = await nearestRows(sourceOf(line), Float32Array.of(10), { k: 99, metric: 'l2' });
    expect([...found.rows]).toEqual([1, 3, 2, 4, 0]);
    expect((await nearestRows(sourceOf({ ...line, rows: 0 }), Float32Array.of(10), { k: 3, metric: 'l2' })).rows).toHaveLength(0);
    expect((await nearestRows(sourceOf(line), Float32Array.of(10), { k: 0, metric: 'l2' })).rows).toHaveLength(0);
  });

  it('come by row number where they are equally far, and never where they are no numbers', async () => {
    const odd: Matrix = { rows: 4, dimensions: 2, data: Float32Array.of(1, 0, NaN, 0, 1, 0, 0, 0) };
    const found = await nearestRows(sourceOf(odd), Float32Array.of(2, 0), { k: 4, metric: 'l2' });
    expect([...found.rows]).toEqual([0, 2, 3]);
  });

  it('by cosine: the angle alone; a row of zeros is at distance 1', async () => {
    const angles: Matrix = { rows: 4, dimensions: 2, data: Float32Array.of(0, 0, 5, 0, 0, 3, -2, 0) };
    const { rows: found, distances } = await nearestRows(sourceOf(angles), Float32Array.of(0.5, 0), { k: 4, metric: 'cosine' });
    expect([...found]).toEqual([1, 0, 2, 3]);
    expect([...distances]).toEqual([0, 1, 1, 2]);
  });

  it('stop when they are no longer wanted', async () => {
    await expect(nearestRows(sourceOf(line), Float32Array.of(1), { k: 1, metric: 'l2', signal: AbortSignal.abort() })).rejects.toThrow('This operation was aborted');
  });

  it('take rows block by block, wherever they come from', async () => {
    const wide: Matrix = { rows: 9, dimensions: 2 ** 20, data: new Float32Array(9 * 2 ** 20) };
    for (let row = 0; row < 9; row++) wide.data[row * 2 ** 20] = row;
    const asked: number[] = [];
    const source = { rows: 9, dimensions: 2 ** 20, read: (first: number, count: number) => (asked.push(count), Promise.resolve(sourceOf(wide).read(first, count))) };
    const found = await nearestRows(source, new Float32Array(2 ** 20), { k: 3, metric: 'l2' });
    expect([...found.rows]).toEqual([0, 1, 2]);
    expect(asked).toEqual([2, 2, 2, 2, 1]);
  });
});

describe('of all rows', () => {
  it('are written out for five of them', () => {
    const { k, neighbours, distances } = exactNeighbourGraph(line, 2);
    expect(k).toBe(2);
    expect([...neighbours]).toEqual([4, 2, 3, 2, 4, 0, 1, 2, 0, 2]);
    expect([...distances]).toEqual([1, 2, 2, 8, 1, 2, 2, 10, 1, 1]);
  });

  it('are all others where more are asked for, and none where there is one row or none', () => {
    expect(exactNeighbourGraph(line, 99).k).toBe(4);
    for (const few of [0, 1]) expect(exactNeighbourGraph({ ...line, rows: few }, 3)).toMatchObject({ rows: few, k: 0, neighbours: new Int32Array(0) });
    for (const few of [0, 1]) expect(neighbourGraph({ ...line, rows: few }, 3, 1, undefined, -1)).toMatchObject({ rows: few, k: 0, neighbours: new Int32Array(0) });
  });

  it('of equal rows are at distance 0, by number', () => {
    const { neighbours, distances } = exactNeighbourGraph({ rows: 200, dimensions: 3, data: new Float32Array(600).fill(0.1) }, 3);
    expect([...neighbours.subarray(0, 9)]).toEqual([1, 2, 3, 0, 2, 3, 0, 1, 3]);
    expect(distances.every((distance) => distance === 0)).toBe(true);
  });

  it('by the index never hold the row itself or one twice, and are as many as asked for, also among equal rows', () => {
    // Half of the rows are the same one.
    const crowded = { ...rows, data: rows.data.map((value, at) => (at < 400 * 12 ? 1 : value)) };
    const { k, neighbours, distances } = neighbourGraph(crowded, 10, 1, undefined, 0);
    expect(k).toBe(10);
    for (let row = 0; row < 800; row++) {
      const own = neighbours.subarray(10 * row, 10 * row + 10);
      expect(new Set([...own, row]).size).toBe(11);
      for (let at = 1; at < 10; at++) expect(distances[10 * row + at]!).toBeGreaterThanOrEqual(distances[10 * row + at - 1]!);
    }
    const exact = exactNeighbourGraph(crowded, 10);
    const worse = distances.filter((distance, at) => distance > exact.distances[at]! + 1e-4).length;
    expect(worse / distances.length).toBeLessThan(0.05);
  });
});

describe('an index', () => {
  it('is the same for the same seed, and finds the same when it was kept', () => {
    for (const metric of ['l2', 'cosine'] as const) {
      const index = buildNeighbourIndex(rows, metric, 4);
      expect(buildNeighbourIndex(rows, metric, 4)).toEqual(index);
      const kept = indexFromBytes(indexBytes(index), measuredRows(rows, metric), metric);
      const query = rows.data.slice(0, 12).map((value) => value + 0.01);
      expect(searchNeighbourIndex(kept, query, 5)).toEqual(searchNeighbourIndex(index, query, 5));
    }
  });

  it.each(['l2', 'cosine'] as const)('finds by %s at least 95 of 100 of what a search of all rows finds, also for vectors from between the groups', (metric) => {
    const index = buildNeighbourIndex(rows, metric, 4);
    let hits = 0;
    for (let query = 0; query < 60; query++) {
      const [one, other] = [12 * ((query * 37) % 800), 12 * ((query * 91 + 1) % 800)];
      const between = Float32Array.from({ length: 12 }, (_, d) => (rows.data[one + d]! + rows.data[other + d]!) / 2);
      const [found, exact] = [searchNeighbourIndex(index, between, 10), nearestOf(rows, between, { k: 10, metric })];
      hits += found.rows.filter((row) => exact.rows.includes(row)).length;
      expect(found.distances[0]).toBeCloseTo(exact.distances[0]!, 3);
    }
    expect(hits / 600).toBeGreaterThan(0.95);
  });

  it('by cosine holds a row of zeros at distance 1', () => {
    const angles: Matrix = { rows: 5, dimensions: 2, data: Float32Array.of(0, 0, 5, 0, 0, 3, -2, 0, 0, 0) };
    const found = searchNeighbourIndex(buildNeighbourIndex(angles, 'cosine', 1), Float32Array.of(2, 1), 5);
    expect([...found.rows]).toEqual([1, 2, 0, 4, 3]);
    expect([...found.distances]).toEqual([0.1056, 0.5528, 1, 1, 1.8944].map((distance) => expect.closeTo(distance, 3) as number));
  });

  it('of no rows finds none; of one, that one', () => {
    const empty = buildNeighbourIndex({ rows: 0, dimensions: 2, data: new Float32Array(0) }, 'l2', 1);
    expect(searchNeighbourIndex(empty, Float32Array.of(1, 2), 3).rows).toHaveLength(0);
    const single = buildNeighbourIndex({ rows: 1, dimensions: 2, data: Float32Array.of(1, 2) }, 'l2', 1);
    expect(searchNeighbourIndex(single, Float32Array.of(1, 3), 3)).toEqual({ rows: Int32Array.of(0), distances: Float32Array.of(1) });
  });

  it('never finds the row that is asked for, nor rows that are no numbers, by either distance', () => {
    const odd: Matrix = { rows: 7, dimensions: 2, data: Float32Array.of(NaN, 1, 1, 0, 2, 0, Infinity, 0, 3, 0, 1, 0, 0, 4) };
    for (const metric of ['l2', 'cosine'] as const) {
      const index = buildNeighbourIndex(odd, metric, 1);
      const query = Float32Array.of(1, 0);
      expect([...searchNeighbourIndex(index, query, 7, { except: 1 }).rows].sort((a, b) => a - b)).toEqual([2, 4, 5, 6]);
      expect([...searchNeighbourIndex(index, query, 7, { except: 1 }).rows].sort((a, b) => a - b)).toEqual([...nearestOf(odd, query, { k: 7, metric, except: 1 }).rows].filter((row) => row !== 3).sort((a, b) => a - b));
      expect(searchNeighbourIndex(index, Float32Array.of(NaN, 0), 3).rows).toHaveLength(0);
    }
  });

  it('is refused for other rows, and where its bytes were cut off, changed, or are of something else', () => {
    const bytes = indexBytes(buildNeighbourIndex(rows, 'l2', 4));
    const open = (from: Uint8Array, of = rows) => () => indexFromBytes(from, of, 'l2');
    expect(open(bytes)).not.toThrow();
    expect(open(bytes, { ...rows, rows: 799 })).toThrow('The kept index of neighbours belongs to other data or other settings (neighbours 2, 800 rows of 12, l2, 16 links, ');
    const one = rows.data.slice();
    one[4711] = 1e-3;
    expect(open(bytes, { ...rows, data: one })).toThrow('belongs to other data');
    expect(open(bytes.slice(0, bytes.length / 2))).toThrow('were written: delete it and start anew.');
    expect(open(new TextEncoder().encode('something else'))).toThrow('does not begin with a line that says what it holds');
    const flipped = bytes.slice();
    flipped[bytes.length >> 1] = flipped[bytes.length >> 1]! ^ 64;
    expect(open(flipped)).toThrow('The kept index of neighbours is damaged: it has to be built anew.');
  });

  it('with links that lead nowhere is refused, though its seal is right', () => {
    for (const spoil of [
      (index: NeighbourIndex) => (index.base[1] = 800),
      (index: NeighbourIndex) => (index.base[0] = 33),
      (index: NeighbourIndex) => (index.nextEqual[5] = 3),
      (index: NeighbourIndex) => (index.upperStarts[799] = 1_000_000),
      (index: NeighbourIndex) => (index.levels[10] = 9),
    ]) {
      const index = buildNeighbourIndex(rows, 'l2', 4);
      spoil(index);
      expect(() => indexFromBytes(indexBytes(index), rows, 'l2')).toThrow('is damaged');
    }
  });
});
