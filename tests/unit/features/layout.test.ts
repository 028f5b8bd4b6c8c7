/** One map from rows to coordinates: the same for the same seed, whatever interrupts it; and the small and the degenerate ones. */
import { describe, expect, it } from 'vitest';
import { usualMethod, type LayoutCheckpoints, type LayoutMethod, type LayoutProgress, type LayoutRequest } from '../../../src-main/features/layout/request.ts';
import { runLayoutInThread } from '../../../src-main/features/layout/runInThread.ts';
import { runLayout } from '../../../src-main/features/layout/runLayout.ts';
import { sourceOf, type Matrix, type RowSource } from '../../../src-main/features/matrix.ts';
import { trustworthiness } from '../../../src-main/features/trustworthiness.ts';
import { clusters } from '../../support/clusters.ts';

const tsne: LayoutMethod = { kind: 'tsne', perplexity: 10, iterations: 160 };
const umap: LayoutMethod = { kind: 'umap', neighbours: 10, minDistance: 0.1, epochs: 60 };
const methods: readonly LayoutMethod[] = [{ kind: 'pca' }, tsne, umap];
const settlingMethods = [tsne, umap];

const rows = clusters({ rows: 300, dimensions: 60, groups: 4 });
const ask = (method: LayoutMethod, seed = 7): LayoutRequest => ({ method, metric: 'l2', seed });

describe.each(methods)('$kind', (method) => {
  it('gives the same coordinates for the same seed', async () => {
    const first = await runLayout(sourceOf(rows), ask(method));
    const second = await runLayout(sourceOf(rows), ask(method));
    expect(first.positions).toEqual(second.positions);
    expect(first.positions).toHaveLength(600);
  });

  it.each([0, 1, 2, 3, 5])('draws %i rows', async (count) => {
    const few: Matrix = { rows: count, dimensions: 60, data: rows.data.subarray(0, 60 * count) };
    const { positions, trustworthiness: trust } = await runLayout(sourceOf(few), ask(method));
    expect(positions).toHaveLength(2 * count);
    expect(positions.every(Number.isFinite)).toBe(true);
    expect(trust).toBeNull();
  });

  it('draws rows that are all equal, and rows of one dimension', async () => {
    for (const odd of [
      { rows: 40, dimensions: 3, data: new Float32Array(120).fill(2.5) },
      { rows: 40, dimensions: 3, data: new Float32Array(120) },
      { rows: 40, dimensions: 1, data: Float32Array.from({ length: 40 }, (_, at) => at) },
    ]) {
      for (const metric of ['l2', 'cosine'] as const) {
        const { positions } = await runLayout(sourceOf(odd), { ...ask(method), metric });
        expect(positions).toHaveLength(80);
        expect(positions.every(Number.isFinite)).toBe(true);
      }
    }
  });

  it('keeps groups together', async () => {
    const { positions, trustworthiness: trust } = await runLayout(sourceOf(rows), ask(method));
    expect(shareOfOwnGroup(positions, 4)).toBeGreaterThan(method.kind === 'pca' ? 0.8 : 0.98);
    expect(trust).toBeCloseTo(trustworthiness(rows, positions)!, 2);
  });

  it('refuses rows that are no numbers, by their number', async () => {
    const broken = { ...rows, data: rows.data.map((value, at) => (at === 60 * 123 + 4 ? NaN : value)) };
    await expect(runLayout(sourceOf(broken), ask(method))).rejects.toThrow('Row 123 of the features holds NaN or infinity, and no distance to it is known');
  });
});

it('follows the seed', async () => {
  const [first, second] = [await runLayout(sourceOf(rows), ask(umap, 1)), await runLayout(sourceOf(rows), ask(umap, 2))];
  expect(first.positions).not.toEqual(second.positions);
});

it('by cosine, does not see how long rows are', async () => {
  const longer = { ...rows, data: rows.data.map((value, at) => value * 2 ** (Math.floor(at / 60) % 3)) };
  const request: LayoutRequest = { method: { kind: 'pca' }, metric: 'cosine', seed: 1 };
  expect((await runLayout(sourceOf(longer), request)).positions).toEqual((await runLayout(sourceOf(rows), request)).positions);
});

describe.each(settlingMethods)('$kind, interrupted', (method) => {
  it('goes on from any checkpoint to the same coordinates', async () => {
    const kept: LayoutCheckpoints[] = [];
    const whole = await runLayout(sourceOf(rows), ask(method), { betweenCheckpointsMs: 0, onCheckpoint: (checkpoint) => kept.push(checkpoint) });
    const prepared = kept[0]!.prepared!;
    const settled = kept.slice(1).map((checkpoint) => checkpoint.settled!);
    expect(settled.length).toBe(whole.iterations);
    const unread: RowSource = { ...sourceOf(rows), read: () => expect.unreachable('a prepared map reads no rows') };
    for (const at of [0, 25, settled.length - 1]) {
      const again = await runLayout(unread, ask(method), { resumeFrom: { prepared, settled: settled[at]! } });
      expect(again.positions).toEqual(whole.positions);
      expect(again.trustworthiness).toBe(whole.trustworthiness);
    }
    expect((await runLayout(unread, ask(method), { resumeFrom: { prepared } })).positions).toEqual(whole.positions);
    expect((await runLayout(sourceOf(rows), ask(method), { resumeFrom: { settled: settled[3]! } })).positions).toEqual(whole.positions);
  });

  it('refuses what belongs to another request, and what is cut short', async () => {
    let prepared: Uint8Array<ArrayBuffer> | undefined;
    await runLayout(sourceOf(rows), ask(method), { onCheckpoint: (checkpoint) => (prepared ??= checkpoint.prepared) });
    await expect(runLayout(sourceOf(rows), ask(method, 8), { resumeFrom: { prepared } })).rejects.toThrow('The prepared graph of this map belongs to other data or other settings');
    await expect(runLayout(sourceOf(rows), ask(method), { resumeFrom: { prepared: prepared!.slice(0, 5000) } })).rejects.toThrow('The prepared graph of this map ends at byte 5000');
    await expect(runLayout(sourceOf(rows), ask(method), { resumeFrom: { prepared: new Uint8Array(100) } })).rejects.toThrow('does not begin with a line that says what it holds');
  });
});

describe('in a thread', () => {
  it('gives the coordinates that it gives anywhere, and reports as it goes', async () => {
    const seen: LayoutProgress[] = [];
    const shown: number[] = [];
    const there = await runLayoutInThread({
      rows: sourceOf(rows),
      request: ask(umap),
      signal: new AbortController().signal,
      onProgress: (progress) => seen.push(progress),
      onPositions: (positions, iteration) => shown.push(positions.length, iteration),
    });
    expect(there.positions).toEqual((await runLayout(sourceOf(rows), ask(umap))).positions);
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(['reducing', 'neighbours', 'weighing', 'settling']);
    expect(seen.at(-1)).toEqual({ stage: 'settling', done: 60, total: 60 });
    expect(shown.slice(-2)).toEqual([600, 60]);
  });

  it('ends at once when it is cancelled, and goes on later to the same coordinates', async () => {
    const long: LayoutMethod = { kind: 'umap', neighbours: 10, minDistance: 0.1, epochs: 700 };
    const stop = new AbortController();
    let prepared: Uint8Array<ArrayBuffer> | undefined;
    const run = runLayoutInThread({
      rows: sourceOf(rows),
      request: ask(long),
      signal: stop.signal,
      onCheckpoint: (checkpoint) => (prepared ??= checkpoint.prepared),
      onProgress: ({ stage, done }) => stage === 'settling' && done > 1 && stop.abort(),
    });
    await expect(run).rejects.toThrow('This operation was aborted');
    const rest = await runLayoutInThread({ rows: sourceOf(rows), request: ask(long), resumeFrom: { prepared }, signal: new AbortController().signal });
    expect(rest.positions).toEqual((await runLayout(sourceOf(rows), ask(long))).positions);
  });

  it('hands on what goes wrong with a row, on either side', async () => {
    const { signal } = new AbortController();
    const unreadable: RowSource = { rows: 3, dimensions: 2, read: () => Promise.reject(new Error('the disk is gone')) };
    await expect(runLayoutInThread({ rows: unreadable, request: ask(tsne), signal })).rejects.toThrow('the disk is gone');
    const broken: RowSource = sourceOf({ rows: 2, dimensions: 2, data: Float32Array.of(1, 2, 3, Infinity) });
    await expect(runLayoutInThread({ rows: broken, request: ask(tsne), signal })).rejects.toMatchObject({ code: 'UNSUPPORTED', data: { row: 1 } });
  });
});

it('knows what is usual', () => {
  expect(usualMethod('umap', 10_000)).toEqual({ kind: 'umap', neighbours: 15, minDistance: 0.1, epochs: 500 });
  expect(usualMethod('umap', 10_001)).toEqual({ kind: 'umap', neighbours: 15, minDistance: 0.1, epochs: 200 });
  expect(usualMethod('tsne', 5)).toEqual({ kind: 'tsne', perplexity: 30, iterations: 1000 });
});

/** Of each point's nearest neighbour in the map, how many are of its group (row number modulo groups). */
function shareOfOwnGroup(positions: Float32Array, groups: number): number {
  const points = positions.length / 2;
  let own = 0;
  for (let i = 0; i < points; i++) {
    let [nearest, best] = [-1, Infinity];
    for (let j = 0; j < points; j++) {
      const distance = Math.hypot(positions[2 * i]! - positions[2 * j]!, positions[2 * i + 1]! - positions[2 * j + 1]!);
      if (j !== i && distance < best) [nearest, best] = [j, distance];
    }
    if (nearest % groups === i % groups) own++;
  }
  return own / points;
}
