/** Scans that stream into the store, and passes over an index: what is taken over, what is left alone until the end, and what takes its place. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManifestImage } from '../../src-main/store/images.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { sampleIndex } from './sampleBatch.ts';

const image = (path: string, rest: Partial<ManifestImage> = {}): ManifestImage => ({ path, file: path, sizeBytes: 1, modifiedMs: 1, className: null, ...rest });
const hit = (number: number, score: number, y = 0, x = 0) => ({ image: number, score, y, x });

let root = '';
let store: Store;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'switchback-passes-'));
  store = await openStore(join(root, 'w'), { mode: 'write', create: true });
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

async function scan(images: readonly ManifestImage[]): Promise<void> {
  await store.scans.begin();
  for (const each of images) await store.scans.add([each]);
  await store.scans.finish();
}

describe('a scan', () => {
  it('is numbered by the bytes of its paths, whatever order it came in', async () => {
    // U+FF5A comes after U+1F600 in UTF-16, before it in UTF-8.
    await scan(['b/2.png', '\u{1F600}.png', 'b/10.png', '\uFF5A.png', 'B.png'].map((path) => image(path)));
    const { id, images } = await store.indexes.create(sampleIndex);
    expect(images).toBe(5);
    expect((await store.images.page(id, 0, 9)).map(({ number, path }) => [number, path])).toEqual([[0, 'B.png'], [1, 'b/10.png'], [2, 'b/2.png'], [3, '\uFF5A.png'], [4, '\u{1F600}.png']]);
  });

  it('keeps one of several files with the same path, and names the others', async () => {
    await store.scans.begin();
    await store.scans.add([image('é.png', { file: 'e\u0301.png', sizeBytes: 7 }), image('é.png', { file: '\u00e9.png', sizeBytes: 8 })]);
    expect(await store.scans.finish()).toEqual({ images: 1, collisions: [{ path: 'é.png', file: '\u00e9.png' }] });
    const { id } = await store.indexes.create(sampleIndex);
    expect(await store.images.get(id, 0)).toMatchObject({ file: 'e\u0301.png', sizeBytes: 7 });
  });

  it('can be cut to a part, numbered from 0', async () => {
    await scan(['a', 'b', 'c', 'd', 'e'].map((path) => image(path)));
    await store.scans.keep(1, 4);
    const { id } = await store.indexes.create(sampleIndex);
    expect((await store.images.page(id, 0, 9)).map(({ number, path }) => [number, path])).toEqual([[0, 'b'], [1, 'c'], [2, 'd']]);
  });

  it('tells how it differs from an index', async () => {
    const { id } = await store.indexes.create(sampleIndex, ['a', 'b', 'c', 'd'].map((path) => image(path)));
    await scan([image('a'), image('b', { sizeBytes: 2 }), image('c', { modifiedMs: 2 }), image('x'), image('y'), image('z')]);
    expect(await store.scans.compare(id)).toEqual({ added: 3, changed: 2, removed: 1, unchanged: 1 });
  });
});

describe('the classes of an index', () => {
  it('become those of a scan of the same images', async () => {
    const { id } = await store.indexes.create(sampleIndex, [image('a', { className: 'old', classIndex: 3 }), image('b'), image('c', { className: 'same' })]);
    const other = await store.indexes.create({ ...sampleIndex, key: 'other' }, [image('a', { className: 'old' })]);
    await scan([image('a', { className: 'new', classIndex: 4, classWnid: 'n00000004' }), image('b', { className: 'first' }), image('c', { className: 'same' })]);
    await store.scans.updateClasses(id);
    expect((await store.images.page(id, 0, 9)).map(({ path, className }) => [path, className])).toEqual([['a', 'new'], ['b', 'first'], ['c', 'same']]);
    expect((await store.classes.list(id)).map(({ index, wnid, name }) => [index, wnid, name])).toContainEqual([4, 'n00000004', 'new']);
    expect((await store.images.get(other.id, 0)).className).toBe('old');
  });
});

describe('a pass', () => {
  it('names old images as sources, and brings along what is sure of them', async () => {
    const base = await filled();
    await scan([image('a'), image('b', { sizeBytes: 2 }), image('broken'), image('new'), image('z')]);
    const pass = await store.passes.stageRescan(base, 3);
    expect((await store.images.page(pass.id, 0, 9)).map(({ path, source, contentHash, skipped }) => [path, source, contentHash, skipped])).toEqual([
      ['a', 0, 'hash a', null],
      ['b', 1, null, null],
      ['broken', 2, null, 'it is broken'],
      ['new', null, null, null],
      ['z', null, null, null], // beyond the rows that may be taken over
    ]);
    expect(pass).toMatchObject({ stagedFor: base.id, stagedKind: 'rescan', images: 5, cursor: 0, skipped: 1, matrixFolder: pass.id, versionBase: 5 });
    expect((await store.indexes.list()).map(({ id }) => id), 'it is hidden').toEqual([base.id]);
    await expect(store.passes.stageRescan(base, 3)).rejects.toThrow('UNIQUE');
  });

  it('takes the place of the old rows at once, under the old name; lists of the same units of the same pictures keep their version', async () => {
    const base = await filled();
    await scan([image('0 first'), image('a'), image('z')]);
    const pass = await store.passes.stageRescan(base, 4);
    await store.hits.commitBatch({
      indexId: pass.id, cursor: 3, hashes: [[0, 'hash first'], [1, 'hash a'], [2, 'hash z']], skipped: [],
      channels: [{ layer: 1, channel: 0, hits: [hit(1, 5, 1, 2)], changedAt: 2 }, { layer: 1, channel: 1, hits: [hit(0, 9)], changedAt: 1 }], statistics: [{ layer: 1, data: Uint8Array.of(2) }],
    });
    expect((await store.hits.ofChannel(base.id, 1, 0)).map(({ path }) => path)).toEqual(['a']);
    await store.passes.adopt(await store.indexes.get(pass.id));
    await store.indexes.finishDeletions();
    expect(await store.indexes.list()).toMatchObject([{ id: base.id, key: base.key, images: 3, cursor: 3, skipped: 0, matrixFolder: pass.id, stagedFor: null }]);
    expect((await store.images.page(base.id, 0, 9)).map(({ path, source }) => [path, source])).toEqual([['0 first', null], ['a', null], ['z', null]]);
    expect((await store.hits.ofLayer(base.id, 1)).map(({ channel, path, score }) => [channel, path, score])).toEqual([[0, 'a', 5], [1, '0 first', 9]]);
    expect((await store.hits.summaries(base.id, 1)).map(({ changedAt }) => changedAt)).toEqual([4, 6]);
    expect(await store.statistics.read(base.id, 1)).toEqual(Buffer.from([2]));
    expect(await store.passes.of(base.id)).toBeNull();
  });

  it('finds positions where the old lists have them, and takes the others one by one', async () => {
    const base = await filled();
    await scan([image('0 first'), image('a'), image('z')]);
    const pass = await store.passes.stageRescan(base, 4);
    await store.hits.commitBatch({
      indexId: pass.id, cursor: 3, hashes: [], skipped: [], statistics: [],
      channels: [{ layer: 1, channel: 0, hits: [hit(1, 5, -1, -1), hit(2, 4, -1, -1), hit(0, 1, 3, 3)] }],
    });
    await store.hits.placeFromSource(pass.id, base.id);
    expect(await store.hits.unplaced(pass.id, 8)).toEqual([{ image: 2, layer: 1, channel: 0, rank: 2 }]);
    await store.hits.place(pass.id, [{ layer: 1, channel: 0, rank: 2, y: 7, x: 8 }]);
    expect((await store.hits.ofChannel(pass.id, 1, 0)).map(({ image: number, y, x }) => [number, y, x])).toEqual([[1, 1, 2], [2, 7, 8], [0, 3, 3]]);
    expect(await store.hits.unplaced(pass.id, 8)).toEqual([]);
  });

  it('adds layers beside those that are there', async () => {
    const { id } = await filled();
    await store.indexes.recordPlacement(id, way(3));
    const base = await store.indexes.get(id);
    const added = { ...sampleIndex.layers[0]!, name: 'relu9', number: 2 };
    const pass = await store.passes.stageLayers(base, [added]);
    expect((await store.images.page(pass.id, 0, 2)).map(({ path, contentHash }) => [path, contentHash])).toEqual([['a', 'hash a'], ['b', 'hash b']]);
    expect(pass.placementChanges).toEqual([]);
    await store.indexes.recordPlacement(pass.id, way(1));
    await store.hits.commitBatch({ indexId: pass.id, cursor: 4, hashes: [], skipped: [], channels: [{ layer: 2, channel: 0, hits: [hit(3, 1)] }], statistics: [{ layer: 2, data: Uint8Array.of(9) }] });
    await store.passes.adopt(await store.indexes.get(pass.id));
    await store.indexes.finishDeletions();
    const after = await store.indexes.get(base.id);
    expect(after).toEqual({ ...base, layers: [...base.layers, added], placementChanges: [way(1), way(3)] });
    expect((await store.hits.ofLayer(base.id, 2)).map(({ path }) => path)).toEqual(['z']);
    expect((await store.hits.ofLayer(base.id, 1)).map(({ path }) => path)).toEqual(['a']);
  });

  it('goes with its index', async () => {
    const base = await filled();
    await scan([image('a')]);
    const pass = await store.passes.stageRescan(base, 4);
    await store.indexes.delete(base.id);
    await expect(store.indexes.get(pass.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.images.page(pass.id, 0, 9)).toEqual([]);
  });
});

describe('the way rows are computed', () => {
  it('is recorded from an image on; what a kill took back is forgotten', async () => {
    const { id } = await store.indexes.create(sampleIndex, ['a', 'b', 'c', 'd'].map((path) => image(path)));
    await store.hits.commitBatch({ indexId: id, cursor: 2, hashes: [], skipped: [], channels: [], statistics: [] });
    for (const from of [1, 3, 2]) await store.indexes.recordPlacement(id, way(from));
    expect((await store.indexes.get(id)).placementChanges).toEqual([way(1), way(2)]);
    await store.indexes.forgetPlacements(id);
    expect((await store.indexes.get(id)).placementChanges).toEqual([way(1)]);
  });
});

const way = (fromImage: number) => ({ fromImage, engine: 'tensorflow', device: 'cpu', batchSize: 2, description: 'tensorflow', reason: `from ${fromImage}` });

/** Images a, b, broken, z; channel 0 of layer 1 has a as its hit. */
async function filled() {
  const { id } = await store.indexes.create({ ...sampleIndex, matrix: 'float32' }, ['a', 'b', 'broken', 'z'].map((path) => image(path)));
  await store.hits.commitBatch({
    indexId: id, cursor: 4, hashes: [[0, 'hash a'], [1, 'hash b'], [3, 'hash z']], skipped: [[2, 'it is broken']],
    channels: [{ layer: 1, channel: 0, hits: [hit(0, 5, 1, 2)] }], statistics: [{ layer: 1, data: Uint8Array.of(1) }],
  });
  return store.indexes.get(id);
}
