/** What looking needs stays with its index: crops by content, projections by key; counted, pruned, and gone when the index goes. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { sampleImages, sampleIndex } from './sampleBatch.ts';

let folder: string;
let store: Store;
let index: IndexId;

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const plain = (key: string, layer = 1, size = 10) => ({ key, layer, method: 'deconvnet', seed: 'one', control: 'none', record: { key }, picture: bytes(size, layer) });

beforeEach(async () => {
  folder = temporaryFolder('kept');
  store = await openStore(join(folder, 'workspace'), { mode: 'write', create: true });
  index = (await store.indexes.create(sampleIndex, sampleImages(8))).id;
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Images 1, 3, 5 and 7 hold hits; 5 and 7 have the same bytes. */
async function fill(hitImages: readonly number[] = [7, 5, 3, 1]): Promise<void> {
  await store.hits.commitBatch({
    indexId: index,
    cursor: 8,
    hashes: Array.from({ length: 8 }, (_, image) => [image, image === 7 ? 'hash5' : `hash${image}`] as const),
    skipped: [],
    channels: [0, 1].map((channel) => ({ layer: 1, channel, hits: hitImages.map((image, at) => ({ image, score: 9 - at, y: 0, x: 0 })) })),
    statistics: [],
  });
}

describe('crops', () => {
  it('are wanted of images that hold hits, one for each content, and found by content', async () => {
    await fill();
    expect(await store.crops.missing(index)).toEqual([1, 3, 5]);
    await store.crops.put(index, [{ contentHash: 'hash5', picture: bytes(100, 5) }, { contentHash: 'hash1', picture: bytes(50, 1) }]);
    await store.crops.put(index, [{ contentHash: 'hash5', picture: bytes(7, 9) }]);
    expect(await store.crops.missing(index)).toEqual([3]);
    expect(await store.crops.size(index)).toEqual({ images: 3, kept: 2, bytes: 150 });
    expect([...(await store.crops.get(index, 'hash5'))!.subarray(0, 2)], 'the first stays').toEqual([5, 5]);
    expect(await store.crops.get(index, 'hash3')).toBeNull();
  });

  it('go when their image holds no hit any more, and with their index, which gets none after that', async () => {
    await fill();
    await store.crops.put(index, ['hash1', 'hash3', 'hash5'].map((contentHash) => ({ contentHash, picture: bytes(10, 0) })));
    await fill([3]);
    await store.crops.prune(index);
    expect(await store.crops.size(index)).toEqual({ images: 1, kept: 1, bytes: 10 });
    await store.indexes.delete(index);
    await store.crops.put(index, [{ contentHash: 'hash1', picture: bytes(10, 0) }]);
    expect(await store.crops.size(index)).toEqual({ images: 0, kept: 0, bytes: 0 });
  });
});

describe('kept projections', () => {
  it('are found by key from any index, counted by layer and method, and never replaced', async () => {
    await store.keptProjections.put(index, [plain('a'), plain('b', 2, 20), { ...plain('c'), method: 'guided' }, { ...plain('d'), seed: 'value' }, { ...plain('e'), control: 'randomWeights' }]);
    await store.keptProjections.put(index, [plain('a', 9, 99)]);
    const found = await store.keptProjections.get<{ key: string }>(['b', 'none', 'a', 'd']);
    expect([...found.keys()].sort()).toEqual(['a', 'b', 'd']);
    expect([found.get('b')!.record, [...found.get('b')!.picture]]).toEqual([{ key: 'b' }, Array.from({ length: 20 }, () => 2)]);
    expect([...(await store.keptProjections.has(['c', 'none', 'e']))].sort()).toEqual(['c', 'e']);
    const record = JSON.stringify({ key: 'a' }).length;
    expect(await store.keptProjections.sizes(index), 'other seeds and controls are not part of the atlas').toEqual([
      { layer: 1, method: 'deconvnet', kept: 1, bytes: record + 10 },
      { layer: 1, method: 'guided', kept: 1, bytes: record + 10 },
      { layer: 2, method: 'deconvnet', kept: 1, bytes: record + 20 },
    ]);
  });

  it('lose what is no hit any more, and only that', async () => {
    await store.keptProjections.put(index, [plain('a'), plain('old'), plain('other layer', 2), { ...plain('other seed'), seed: 'value' }]);
    await store.keptProjections.prune(index, 1, 'deconvnet', ['a']);
    expect([...(await store.keptProjections.has(['a', 'old', 'other layer', 'other seed']))].sort()).toEqual(['a', 'other layer', 'other seed']);
  });

  it('go with their index, in pieces, and leave those of another', async () => {
    const other = (await store.indexes.create({ ...sampleIndex, key: 'other' }, sampleImages(1))).id;
    await store.keptProjections.put(index, Array.from({ length: 1200 }, (_, at) => plain(`mine ${at}`)));
    await store.keptProjections.put(other, [plain('theirs')]);
    await store.indexes.delete(index);
    expect([await store.keptProjections.sizes(index), (await store.keptProjections.sizes(other)).map(({ kept }) => kept)]).toEqual([[], [1]]);
    await store.keptProjections.put(index, [plain('late')]);
    expect([...(await store.keptProjections.has(['late', 'theirs']))]).toEqual(['theirs']);
  });
});
