/** Lists without duplicates: which hits are hidden, what takes their places, and what is said where the list stays short. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceClient } from '../../../src-main/inference/worker/client.ts';
import { createDuplicateService, type DuplicateService } from '../../../src-main/services/duplicates.ts';
import { createIndexingService } from '../../../src-main/services/indexing.ts';
import { createScoreService } from '../../../src-main/services/scores.ts';
import { createWorkspaceService } from '../../../src-main/services/workspaces.ts';
import { openDatabase } from '../../../src-main/store/driver.ts';
import { openStore } from '../../../src-main/store/open.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { makeSyntheticIndex } from '../../support/syntheticIndex.ts';

const root = temporaryFolder('duplicates');
const noInference = {} as InferenceClient; // nothing here is forwarded: the workspace is open for reading

/** A workspace in which the images of these ranks of layer 1, channel 0 have the hashes of the given rank. */
async function makeWithCopies(name: string, copies: Readonly<Record<number, number>>, matrix: 'float32' | 'none' = 'float32') {
  const folder = join(root, name);
  const index = await makeSyntheticIndex(folder, { change: { matrix } });
  const store = await openStore(folder, { mode: 'read' });
  const hits = await store.hits.ofChannel(index.id, 1, 0);
  await store.close();
  const database = await openDatabase(join(folder, 'workspace.sqlite'), 'write');
  for (const [rank, of] of Object.entries(copies)) {
    await database.run('UPDATE images SET perceptual_hash = (SELECT perceptual_hash FROM images WHERE number = ?) WHERE number = ?', [hits[of - 1]!.image, hits[Number(rank) - 1]!.image]);
  }
  await database.close();
  return { folder, index: index.id, hits };
}

async function opened<T>(folder: string, work: (duplicates: DuplicateService, indexing: ReturnType<typeof createIndexingService>) => Promise<T>): Promise<T> {
  const workspaces = createWorkspaceService({ folders: { config: join(root, 'config'), data: join(root, 'data'), cache: join(root, 'cache') }, mode: 'read', runners: () => ({}) });
  const indexing = createIndexingService(workspaces, noInference);
  await workspaces.open(folder);
  try {
    return await work(createDuplicateService(workspaces, indexing, createScoreService(workspaces, noInference)), indexing);
  } finally {
    await workspaces.close();
  }
}

let copied: Awaited<ReturnType<typeof makeWithCopies>>;
beforeAll(async () => {
  copied = await makeWithCopies('copied', { 3: 1, 5: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a list of hits', () => {
  it('says which hits repeat a stronger one, and hides none by itself', async () => {
    const detail = await opened(copied.folder, (_, indexing) => indexing.channel(copied.index, 1, 0));
    expect(detail.hits.map(({ rank, duplicateOf }) => [rank, duplicateOf])).toEqual([[1, null], [2, null], [3, 1], [4, null], [5, 1]]);
    expect(detail.unique).toBeNull();
  });

  it('without duplicates keeps the strongest of each photograph; further images need a known position', async () => {
    const { hits, unique } = await opened(copied.folder, (duplicates) => duplicates.channel(copied.index, 1, 0));
    expect(hits.map(({ image, rank }) => [image, rank])).toEqual([0, 1, 3].map((at, place) => [copied.hits[at]!.path, place + 1]));
    expect(unique).toEqual({ hidden: 2, shorter: '2 further images excite the channel, but where is not known: the workspace is open for reading only.' });
  });

  it('is filled up with the next images of the score matrix where their positions are known', async () => {
    const store = await openStore(copied.folder, { mode: 'write' });
    const index = await store.indexes.get(copied.index);
    const images = await store.images.page(index.id, 0, index.images);
    await store.positions.put(index.id, 1, images.filter(({ contentHash }) => contentHash !== null).map(({ contentHash }) => ({ contentHash: contentHash!, positions: Int32Array.from({ length: 5 }, () => 7) })));
    await store.close();
    const { hits, unique } = await opened(copied.folder, (duplicates) => duplicates.channel(copied.index, 1, 0));
    expect(unique).toEqual({ hidden: 2, shorter: null });
    expect(hits.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5]);
    expect(hits.slice(0, 3).map(({ image }) => image)).toEqual([0, 1, 3].map((at) => copied.hits[at]!.path));
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(hits.slice(3).map(({ y, x }) => [y, x])).toEqual([[1, 2], [1, 2]]);
    expect(hits.slice(3).some(({ image }) => copied.hits.some(({ path }) => path === image))).toBe(false);
  });

  it('stays short where no score matrix is kept, and says so', async () => {
    const without = await makeWithCopies('without', { 2: 1 }, 'none');
    const list = await opened(without.folder, (duplicates) => duplicates.list(without.index, 1, 0));
    expect([list.hits.length, list.hidden, list.shorter]).toEqual([4, 1, 'No score matrix is kept, so nothing is known of the images after the stored hits. Index the folder with --matrix float32 to fill the list up.']);
  });

  it('without any duplicate is the stored list', async () => {
    const plain = await makeWithCopies('plain', {});
    const lists = await opened(plain.folder, (duplicates) => duplicates.hits(plain.index, 1));
    expect(lists[0]!.hits.map(({ image }) => image)).toEqual(plain.hits.map(({ path }) => path));
    expect(lists.map(({ unique }) => unique)).toEqual(Array.from({ length: 5 }, () => ({ hidden: 0, shorter: null })));
  });
});
