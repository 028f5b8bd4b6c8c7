/** Parts computed apart become the index of one run: the same rows and the same bytes in every file, whatever the number and order of the parts. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { createFeatureRows, rowImages } from '../../src-main/services/featureRows.ts';
import { mergeWorkspaces } from '../../src-main/services/merge.ts';
import { openDatabase, type Database } from '../../src-main/store/driver.ts';
import { openStore } from '../../src-main/store/open.ts';
import { growRowFile } from '../../src-main/store/rowFiles.ts';
import { scoreMatrixFolder } from '../../src-main/store/scoreMatrix.ts';
import { runCommand, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { readIndexRows, withoutVersions } from '../support/indexRows.ts';
import { eventually } from '../support/processes.ts';
import { makeSyntheticIndex, syntheticPath, type SyntheticOptions } from '../support/syntheticIndex.ts';

const root = temporaryFolder('merge');
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);

/** All that must not differ: rows of all tables, the bytes of the score matrix, and which pictures are kept. */
async function everythingOf(workspace: string) {
  const store = await openStore(workspace, { mode: 'read' });
  const crops = await store.crops.size((await store.indexes.list())[0]!.id).finally(() => store.close());
  return { ...(await readIndexRows(workspace)), crops };
}

async function make(name: string, options: SyntheticOptions): Promise<string> {
  await makeSyntheticIndex(at(name), options);
  return at(name);
}

let whole: Awaited<ReturnType<typeof everythingOf>>;
const shards = new Map<string, string>();
beforeAll(async () => {
  whole = await everythingOf(await make('whole', {}));
  for (const of of [1, 2, 5, 7]) for (let number = 1; number <= of; number++) shards.set(`${number}/${of}`, await make(`shard-${number}-${of}`, { shard: { number, of } }));
});
const parts = (of: number) => Array.from({ length: of }, (_, number) => shards.get(`${number + 1}/${of}`)!);

describe('merging', () => {
  it('the one run itself has rows, dead ends and matrices worth comparing', () => {
    expect(whole.images).toHaveLength(37);
    expect(whole.images.filter((image) => (image as { skipped: unknown }).skipped !== null)).toHaveLength(5);
    expect(whole.hits.length).toBeGreaterThan(30);
    expect(Object.keys(whole.matrix)).toEqual(['0001.npy', '0002.npy', 'images.json', 'images.npy', 'layers.json']);
    expect(whole.crops.kept).toBe(whole.crops.images);
  });

  it.each([1, 2, 5, 7])('%i shards in any order give the rows and bytes of one run', async (of) => {
    const orders = [parts(of), parts(of).reverse(), [...parts(of).slice(2), ...parts(of).slice(0, 2)]];
    for (const [turn, order] of orders.entries()) {
      const report = await mergeWorkspaces({ parts: order, into: at(`merged-${of}-${turn}`) });
      expect(report).toMatchObject({ images: 37, skipped: 5, missing: [], changed: true });
      expect(await everythingOf(at(`merged-${of}-${turn}`))).toEqual(whole);
    }
  });

  it('is associative: merges of merges give the same, also into a workspace that is there', async () => {
    const [a, b, c, d, e] = parts(5);
    await mergeWorkspaces({ parts: [b!, d!], into: at('left'), allowMissing: true });
    await mergeWorkspaces({ parts: [e!, a!], into: at('right'), allowMissing: true });
    await mergeWorkspaces({ parts: [at('right'), c!, at('left')], into: at('both') });
    expect(await everythingOf(at('both'))).toEqual(whole);

    const first = await mergeWorkspaces({ parts: [c!], into: at('growing'), allowMissing: true });
    expect(first.missing).toEqual([[0, 14], [22, 37]]);
    const second = await mergeWorkspaces({ parts: [e!, a!], into: at('growing'), allowMissing: true });
    const third = await mergeWorkspaces({ parts: [b!, d!], into: at('growing') });
    expect([second.index, third.index, third.missing]).toEqual([first.index, first.index, []]);
    expect(withoutVersions(await everythingOf(at('growing')))).toEqual(withoutVersions(whole));
  });

  it('is idempotent: what is there already changes nothing', async () => {
    await mergeWorkspaces({ parts: parts(5), into: at('twice') });
    const before = await everythingOf(at('twice'));
    const index = (await mergeWorkspaces({ parts: [...parts(5), ...parts(2)], into: at('twice') }));
    expect([index.changed, index.images]).toEqual([false, 37]);
    expect(await everythingOf(at('twice'))).toEqual(before);
    await mergeWorkspaces({ parts: [...parts(2), ...parts(7), at('twice')], into: at('overlapping') });
    expect(await everythingOf(at('overlapping'))).toEqual(whole);
  });

  it('takes parts that overlap in some images only', async () => {
    const overlapping = [await make('over-a', { range: [0, 20] }), await make('over-b', { range: [11, 30] }), await make('over-c', { range: [25, 37] })];
    await mergeWorkspaces({ parts: overlapping, into: at('over') });
    expect(await everythingOf(at('over'))).toEqual(whole);
  });

  it('keeps half-precision matrices bit for bit, and works without any', async () => {
    for (const matrix of ['float16', 'none'] as const) {
      const one = await everythingOf(await make(`whole-${matrix}`, { change: { matrix } }));
      for (const number of [1, 2, 3]) await make(`${matrix}-${number}`, { shard: { number, of: 3 }, change: { matrix } });
      await mergeWorkspaces({ parts: [3, 1, 2].map((number) => at(`${matrix}-${number}`)), into: at(`merged-${matrix}`) });
      expect(await everythingOf(at(`merged-${matrix}`))).toEqual(one);
    }
    await make('none-over', { range: [5, 30], change: { matrix: 'none' } });
    await expect(mergeWorkspaces({ parts: [at('none-over'), at('none-1'), at('none-3')], into: at('refused-none') })).rejects.toThrow(
      'none-3 overlaps another part in some images but not in all, and keeps no float32 score matrix to count them apart. Leave it out, or split the images without overlap.',
    );
  });

  it('carries over from where on a part was computed another way', async () => {
    const store = await openStore(await make('changed-2', { shard: { number: 2, of: 3 } }), { mode: 'write' });
    const change = { fromImage: 4, engine: 'onnxruntime', device: 'cpu', batchSize: 2, description: 'half', reason: 'out of memory' };
    await store.indexes.recordPlacement((await store.indexes.list())[0]!.id, change);
    await store.close();
    for (const number of [1, 3]) await make(`changed-${number}`, { shard: { number, of: 3 } });
    await mergeWorkspaces({ parts: [1, 2, 3].map((number) => at(`changed-${number}`)), into: at('changed') });
    const merged = await openStore(at('changed'), { mode: 'read' });
    expect((await merged.indexes.list())[0]!.placementChanges).toEqual([
      { ...change, fromImage: 16 },
      { fromImage: 24, engine: 'onnxruntime', device: 'cpu', batchSize: 4, description: 'onnxruntime cpu', reason: 'the next part was computed as the index says' },
    ]);
    await merged.close();
  });
});

describe('features', () => {
  /** A number for each image with a row, made of its path; the rows that lack it at the end are not there yet. */
  async function addFeatures(workspace: string, pooling: string, lacking = 0): Promise<void> {
    const store = await openStore(workspace, { mode: 'write' });
    const [index] = await store.indexes.list();
    const file = await store.rowFiles.claim(index!, { what: 'features', layer: 'r', title: 'conv1', pooling, shape: [2] });
    const array = await growRowFile(scoreMatrixFolder(store.folder, index!.matrixFolder), file);
    const numbers = [...(await rowImages(store, index!))].slice(0, -lacking || undefined);
    for (const [row, number] of numbers.entries()) await array.write(row, new Uint8Array(Float32Array.of(7, featureOf((await store.images.get(index!.id, number)).path)).buffer));
    await array.flush();
    await array.count(numbers.length);
    await array.close();
    await store.rowFiles.commit([{ id: file.id, rows: numbers.length }]);
    await store.close();
  }

  function featureOf(path: string): number {
    return [...path].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 0);
  }

  it.each(['float32', 'none'] as const)('of all parts are those of one index; what one of them lacks is left out (scores: %s)', async (matrix) => {
    const workspaces: string[] = [];
    for (const number of [1, 2, 3]) {
      const workspace = await make(`features-${matrix}-${number}`, { shard: { number, of: 3 }, change: { matrix } });
      await addFeatures(workspace, 'mean');
      await addFeatures(workspace, 'max', number === 2 ? 1 : 0);
      if (number !== 3) await addFeatures(workspace, 'flat');
      workspaces.push(workspace);
    }
    const { index } = await mergeWorkspaces({ parts: [workspaces[2]!, workspaces[0]!, workspaces[1]!], into: at(`features-${matrix}`) });
    const merged = await openStore(at(`features-${matrix}`), { mode: 'read' });
    const stored = await merged.indexes.get(index as IndexId);
    expect((await merged.rowFiles.list(stored.id)).map(({ pooling, rows, folder }) => [pooling, rows, folder])).toEqual([['mean', 32, stored.matrixFolder]]);
    const rows = (await createFeatureRows().open(merged, stored, { what: 'features', layer: 'r', pooling: 'mean' }))!;
    const paths = JSON.parse(readFileSync(join(merged.folder, 'activations', stored.matrixFolder, 'images.json'), 'utf8')) as readonly string[];
    expect([...(await rows.read(0, 32))]).toEqual(paths.flatMap((path) => [7, featureOf(path)]));
    await rows.close();
    await merged.close();
  });
});

describe('refusals', () => {
  const refused = (options: SyntheticOptions['change']) => async (name: string) => {
    await make(name, { shard: { number: 2, of: 2 }, ...(options ? { change: options } : {}) });
    return mergeWorkspaces({ parts: [shards.get('1/2')!, at(name)], into: at(`into-${name}`) });
  };
  it.each([
    ['model', { modelHash: 'cafe' }, 'The parts do not belong together: the model is feedbeef in shard-1-2, but cafe in with-other-model.'],
    ['batch', { batchSize: 8 }, 'The parts do not belong together: the batch size is 4 in shard-1-2, but 8 in with-other-batch.'],
    ['engine', { device: 'cuda' }, 'The parts do not belong together: the engine is onnxruntime on cpu in shard-1-2, but onnxruntime on cuda in with-other-engine.'],
    ['version', { computationVersion: 2 }, 'The parts do not belong together: the version of the computation is 1 in shard-1-2, but 2 in with-other-version.'],
    ['scale', { preprocessing: { order: 'rgb', crop: [2, 3], resize: { kind: 'exact' }, scale: 2, mean: [0, 0, 0], std: [1, 1, 1] } as never }, 'the preprocessing is {"order":"rgb","crop":[2,3]'],
  ])('of another %s, naming it and the parts', async (what, change, message) => {
    await expect(refused(change)(`with-other-${what}`)).rejects.toThrow(message);
    expect(existsSync(at(`into-with-other-${what}`))).toBe(false);
  });

  it('of a folder that changed between the jobs', async () => {
    await make('with-other-images', { shard: { number: 2, of: 2 }, listing: 'changed' });
    await expect(mergeWorkspaces({ parts: [shards.get('1/2')!, at('with-other-images')], into: at('mixed') })).rejects.toThrow(
      'The parts do not belong together: the list of images in the folder is listing in shard-1-2, but changed in with-other-images.',
    );
  });

  it('of missing shards, naming the places, unless that is wanted', async () => {
    await expect(mergeWorkspaces({ parts: [shards.get('2/5')!, shards.get('4/5')!], into: at('holes') })).rejects.toThrow(
      'The parts are not whole: 23 of 37 images are in none of them (numbers 1 to 7, 15 to 22, 30 to 37 of the listing). Finish the missing shards, or pass --allow-missing to merge what there is.',
    );
    const report = await mergeWorkspaces({ parts: [shards.get('2/5')!, shards.get('4/5')!], into: at('holes'), allowMissing: true });
    expect(report).toMatchObject({ images: 14, missing: [[0, 7], [14, 22], [29, 37]] });
  });

  it('of unfinished shards, naming them; what they have done can be merged', async () => {
    await make('half', { shard: { number: 1, of: 2 }, until: 8 });
    await expect(mergeWorkspaces({ parts: [at('half'), shards.get('2/2')!], into: at('of-half') })).rejects.toThrow(/half has (8|12) of its 18 images done/);
    const { images } = await mergeWorkspaces({ parts: [at('half'), shards.get('2/2')!], into: at('of-half'), allowMissing: true });
    expect(images).toBeLessThan(37);
    await mergeWorkspaces({ parts: [shards.get('1/2')!], into: at('of-half') });
    expect(withoutVersions(await everythingOf(at('of-half')))).toEqual(withoutVersions(whole));
  });

  it('of an unfinished run over all images; what it has done is a part as any other', async () => {
    await make('stopped', { until: 16 });
    await expect(mergeWorkspaces({ parts: [at('stopped')], into: at('of-stopped') })).rejects.toThrow(/stopped has (16|20) of its 37 images done/);
    await mergeWorkspaces({ parts: [at('stopped'), ...parts(5).slice(1)], into: at('of-stopped') });
    expect(await everythingOf(at('of-stopped'))).toEqual(whole);
    expect((await mergeWorkspaces({ parts: [at('stopped')], into: at('only-stopped'), allowMissing: true })).missing).toHaveLength(1);
  });

  it('of parts that contradict each other, naming the image', async () => {
    await make('altered', { range: [10, 30], altered: new Set([syntheticPath(12)]) });
    await expect(mergeWorkspaces({ parts: [shards.get('1/2')!, at('altered'), shards.get('2/2')!], into: at('torn') })).rejects.toThrow(/shard-1-2 and another part contradict each other in .* of class1\/0012\.png: the images changed between the jobs/);
    expect(existsSync(at('torn'))).toBe(false);
    expect(readdirSync(root).filter((name) => name.includes('merging'))).toEqual([]);
  });

  it('of a target that is something else, of a workspace without an index, and of nothing', async () => {
    mkdirSync(at('occupied'));
    writeFileSync(join(at('occupied'), 'thesis.txt'), 'mine');
    await expect(mergeWorkspaces({ parts: parts(2), into: at('occupied') })).rejects.toThrow('holds other files and no workspace: choose an empty or a new folder.');
    await (await openStore(at('bare'), { mode: 'write', create: true })).close();
    await expect(mergeWorkspaces({ parts: [at('bare')], into: at('nothing') })).rejects.toThrow('bare holds no index: the job that should have filled it has not begun.');
    await expect(mergeWorkspaces({ parts: [], into: at('nothing') })).rejects.toThrow('There is nothing to merge: name the workspaces of the parts.');
  });
});

describe('kill -9 in the middle of a merge', () => {
  const images = 1500;
  const change = { batchSize: 50 };
  const random = seededRandom(5);
  it('leaves no half workspace; the next merge is whole and clears away what was left', async () => {
    const one = await everythingOf(await make('large', { images, change }));
    for (const number of [1, 2, 3]) await make(`large-${number}`, { images, change, shard: { number, of: 3 } });
    const args = ['merge', ...[1, 2, 3].map((number) => at(`large-${number}`)), '--into', at('killed')];
    const startedMs = performance.now();
    expect(await runCommand(root, ...args.slice(0, -1), at('timed'))).toMatchObject({ code: 0, stderr: '' });
    const tookMs = performance.now() - startedMs;
    let killed = 0;
    for (let round = 0; round < 3 && !existsSync(at('killed')); round++) {
      const started = startCommand(root, args);
      // The first as soon as it writes, which no busy machine can miss; the others at any moment.
      if (round === 0) await eventually(async () => readdirSync(root).some((name) => name.includes('merging')) || undefined, 'a merge that writes');
      else await wait(tookMs * (0.35 + 0.5 * random()));
      started.process.kill('SIGKILL');
      killed += (await started.finished).code === null ? 1 : 0;
    }
    expect(killed).toBeGreaterThan(0);
    expect((await runCommand(root, ...args)).code).toBe(0);
    expect(await everythingOf(at('killed'))).toEqual(one);
    expect(readdirSync(root).filter((name) => name.includes('merging'))).toEqual([]);
  });

  it('leaves the rows of a workspace that was there, and nothing that stays hidden in it', async () => {
    const args = ['merge', at('large-1'), at('large-3'), '--into', at('grown')];
    let before: Awaited<ReturnType<typeof everythingOf>>;
    // They stand there for a twentieth of a second only: a busy machine may look too late, and begins anew.
    do {
      rmSync(at('grown'), { recursive: true, force: true });
      await mergeWorkspaces({ parts: [at('large-2')], into: at('grown'), allowMissing: true });
      before = await everythingOf(at('grown'));
    } while (!(await isKilledWhileHidden(args, at('grown'))));
    expect(await everythingOf(at('grown'))).toMatchObject({ indexes: before.indexes });
    expect((await runCommand(root, ...args)).code).toBe(0);
    expect(withoutVersions(await readIndexRows(at('grown')))).toEqual(withoutVersions(await readIndexRows(at('large'))));
    expect([await hiddenRows(at('grown')), readdirSync(join(at('grown'), 'activations')).length]).toEqual([0, 1]);
  });
});

/** Kills a merge as soon as rows stand there that nobody sees yet; false where it came further. */
async function isKilledWhileHidden(args: readonly string[], workspace: string): Promise<boolean> {
  // Opened once, so that looks follow each other quickly.
  const database = await openDatabase(join(workspace, 'workspace.sqlite'), 'read');
  try {
    const { process: merge, finished } = startCommand(root, args);
    while (merge.exitCode === null && (await hiddenRowsIn(database)) === 0) await wait(2);
    merge.kill('SIGKILL');
    await finished;
    return (await hiddenRowsIn(database)) > 0;
  } finally {
    await database.close();
  }
}

/** Images of indexes that nobody sees. */
async function hiddenRowsIn(database: Database): Promise<number> {
  return (await database.get<{ count: number }>('SELECT count(*) AS count FROM images WHERE index_id IN (SELECT id FROM indexes WHERE deleted = 1)'))!.count;
}

async function hiddenRows(workspace: string): Promise<number> {
  const database = await openDatabase(join(workspace, 'workspace.sqlite'), 'read');
  try {
    return await hiddenRowsIn(database);
  } finally {
    await database.close();
  }
}
