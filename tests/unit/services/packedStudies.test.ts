/**
 * What a colleague finds in a pack beside the atlas: maps with the small pictures of their images, features by which nearest images are found, marked parts and experiments, from a folder that is
 * only read, with neither model nor images on the machine.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { sizeOfPicture } from '../../../src-main/dataset/picture.ts';
import type { Services } from '../../../src-main/services/services.ts';
import { openDatabase } from '../../../src-main/store/driver.ts';
import { openStore } from '../../../src-main/store/open.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { indexMapNetwork, writeMapNetwork } from '../../support/mapNetwork.ts';
import { openServices } from '../../support/openServices.ts';

const home = temporaryFolder('packed-studies');
const away = join(home, 'away');
const neighbourLimits = { mostExactRows: 10, mostBytes: 1e9 };
const file = (name: string) => join(away, `${name}.switchback`);
let packed: Services;
let index: string;
let map: string;
let experiment: string;
/** As they were in the workspace. */
let before: Awaited<ReturnType<typeof looked>>;
let sizes: Awaited<ReturnType<Services['packs']['sizes']>>;
let reports: Awaited<ReturnType<Services['packs']['pack']>>[];

const question = () => ({ index, layer: 'second', pooling: 'mean', metric: 'l2', k: 4, picture: 'image-13' }) as const;

/** Everything that is to be the same in the pack. */
async function looked(services: Services) {
  const { layerTitle, points, state, extent, trustworthiness, caption } = await services.maps.get(map);
  const { features, pixels, exact, index: search } = await services.neighbours.nearest(question());
  return {
    map: { layerTitle, points, state, extent, trustworthiness, caption },
    positions: [...(await services.maps.coordinates(map)).positions],
    rows: [...(await services.maps.rows(map))],
    grid: [...(await services.maps.grid(map)).cells],
    mosaic: Buffer.from(await services.thumbnails.sheet({ index, size: 12, columns: 8, images: Array.from({ length: 40 }, (_, at) => at) })).toString('base64'),
    points: await services.mapColours.points(map, [3, 39]),
    neighbours: { features, pixels, exact, search },
    parts: await services.experiments.parts.list({ index }),
    experiment: (await services.experiments.get(experiment)).numbers,
  };
}

beforeAll(async () => {
  await writeMapNetwork(home);
  const services = await openServices(home, join(home, 'work'), { neighbourLimits });
  try {
    index = await indexMapNetwork(services, home);
    const { queue } = services.workspaces.required();
    const started = await services.maps.start({ subject: { kind: 'images', index, layer: 'second', pooling: 'mean' }, method: { kind: 'umap', neighbours: 5, minDistance: 0.1, epochs: 50 }, metric: 'l2', seed: 3 });
    map = started.map;
    await queue.ended(started.jobId!);
    // A map that is not done stays behind.
    const waiting = await services.maps.start({ subject: { kind: 'images', index, layer: 'second', pooling: 'mean' }, method: { kind: 'tsne', perplexity: 5, iterations: 10_000 }, metric: 'l2', seed: 3 });
    await services.jobs.pause(waiting.jobId!);
    const { jobId } = await services.neighbourIndexes.build(question());
    await queue.ended(jobId!);
    const study = await services.experiments.start({ spec: { kind: 'error', index, others: [], views: ['centre'] }, afresh: false });
    experiment = study.id;
    expect((await queue.ended(study.jobId)).error).toBeNull();
    await services.experiments.parts.set({ index, imageNumber: 27, name: 'eye', box: [2, 3, 6, 8] });
    before = await looked(services);
    mkdirSync(away);
    sizes = await services.packs.sizes();
    reports = [];
    reports.push(await services.packs.pack({ path: file('all'), matrices: false, features: true }));
    reports.push(await services.packs.pack({ path: file('usual'), matrices: false }));
    reports.push(await services.packs.pack({ path: file('least'), matrices: false, maps: false }));
  } finally {
    await services.close();
  }
  // Neither model nor images are on the colleague's machine, and nothing may be written beside the pack.
  for (const gone of ['images', 'net.onnx', 'work']) rmSync(join(home, gone), { recursive: true });
  chmodSync(away, 0o555);
  packed = await openServices(home, file('all'), { neighbourLimits });
}, 120_000);
afterAll(async () => {
  await packed?.close();
  chmodSync(away, 0o755);
  rmSync(home, { recursive: true, force: true });
});

describe('a pack', () => {
  it('says beforehand how large its parts are, and afterwards what it holds', () => {
    // 40 rows: features of six numbers with an index of neighbours of some 6 kB; small pictures of 12 x 12; predictions.
    expect(sizes).toMatchObject({ mapCount: 1, features: expect.toSatisfy((bytes: number) => bytes > 40 * 24 + 5000 && bytes < 12_000), maps: expect.toSatisfy((bytes: number) => bytes > 40 * 432 && bytes < 40_000) });
    expect(reports.map(({ maps, experiments, features, matrices }) => [maps, experiments, features, matrices])).toEqual([[1, 1, true, false], [1, 1, false, false], [0, 1, false, false]]);
    const [all, usual, least] = reports.map(({ sizeBytes }) => sizeBytes) as [number, number, number];
    expect([all > usual, usual > least]).toEqual([true, true]);
  });

  it('opened in a folder that is only read shows maps, neighbours, parts and experiments as they were', async () => {
    const files = () => readdirSync(away).map((name) => [name, statSync(join(away, name)).mtimeMs]);
    const old = files();
    expect(packed.workspaces.current()).toMatchObject({ kind: 'pack', readOnly: expect.stringContaining('This is a pack') as string });
    expect((await packed.maps.list()).map(({ id, state, imagesPath }) => [id, state, imagesPath])).toEqual([[map, 'done', 'images']]);
    expect(await looked(packed)).toEqual(before);
    expect(before.neighbours).toMatchObject({ exact: false, search: { kind: 'ready' } });
    expect(before.parts).toMatchObject([{ imageNumber: 27, name: 'eye', box: [2, 3, 6, 8] }]);
    expect((await packed.experiments.list({ limit: 10 })).map(({ id }) => id)).toEqual([experiment]);
    expect(files()).toEqual(old);
  });

  it('enlarges small pictures where nothing larger is there, and brings those that parts are marked on', async () => {
    expect(await sizeOfPicture(await packed.thumbnails.sheet({ index, size: 64, columns: 2, images: [0, 1, 2] }))).toEqual({ width: 128, height: 128 });
    const { store } = packed.workspaces.required();
    const stored = await store.indexes.get(index as IndexId);
    expect(await store.crops.get(stored.id, (await store.images.get(stored.id, 27)).contentHash!)).not.toBeNull();
  });

  it('shows an image that it has no picture of by its small picture, but draws no patch from that', async () => {
    const without = join(home, 'without.switchback');
    const copy = await openDatabase(file('all'), 'read');
    await copy.run('VACUUM INTO ?', [without]);
    await copy.close();
    const database = await openDatabase(without, 'write');
    await database.exec('DELETE FROM crops');
    await database.close();
    const services = await openServices(home, without, { neighbourLimits });
    try {
      const { store } = services.workspaces.required();
      const [hit] = await store.hits.ofLayer(index as IndexId, 1);
      // The small pictures of a network of 12 x 12 are as large as what it sees.
      expect(Buffer.from(await services.pictures.inputImage({ index, image: hit!.image })).equals(Buffer.from(await packed.pictures.inputImage({ index, image: hit!.image })))).toBe(true);
      await expect(services.pictures.patch({ index, layer: 1, image: hit!.image, y: hit!.y, x: hit!.x, size: 32 })).rejects.toThrow('is not in this pack');
    } finally {
      await services.close();
    }
  });

  it('computes nothing and says why', async () => {
    await expect(packed.neighbours.nearest({ ...question(), layer: 'first' })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { needsFeatures: true } });
    await expect(packed.neighbourIndexes.build({ ...question(), metric: 'cosine' })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('This is a pack') as string });
    await expect(packed.maps.start({ subject: { kind: 'images', index, layer: 'second', pooling: 'mean' }, method: { kind: 'pca' }, metric: 'l2', seed: 1 })).rejects.toThrow('This is a pack');
    await expect(packed.maps.delete(map)).rejects.toThrow('is open for reading only');
  });

  it('without maps or features has no record of them either', async () => {
    for (const [name, maps, files] of [['usual', 1, ['pixels', 'predictions']], ['least', 0, []]] as const) {
      const store = await openStore(file(name), { mode: 'read' });
      expect([(await store.maps.list()).length, (await store.rowFiles.list()).map(({ what }) => what).sort()]).toEqual([maps, files]);
      await store.close();
    }
  });

  it.each([
    ['a map that is larger than its record says', "UPDATE packed_files SET data = zeroblob(9000000) WHERE path LIKE 'maps/%/rows.npy'", '/rows.npy" (9000000 bytes), which no pack of Switchback has.'],
    ['a map of another name', "UPDATE packed_files SET path = 'maps/' || (SELECT id FROM maps) || '/run.sh' WHERE path LIKE 'maps/%/rows.npy'", '/run.sh" ('],
    ['a map without a record', 'DELETE FROM maps', 'which no pack of Switchback has.'],
    ['a map that leads elsewhere', "UPDATE maps SET id = '../../evil'", 'its record of the map "../../evil" is none that Switchback writes.'],
    ['features that lead elsewhere', "UPDATE row_files SET folder = '../..'", 'its record of the features '],
    ['features without a shape', "UPDATE row_files SET shape = '[1e300]'", 'its record of the features '],
    ['more features than rows', "UPDATE packed_files SET data = zeroblob(9000000) WHERE path LIKE '%/features-%.npy'", 'which no pack of Switchback has.'],
  ])('from a stranger with %s is not opened', async (_, sql, message) => {
    chmodSync(away, 0o755);
    const changed = join(home, 'changed.switchback');
    const copy = await openDatabase(file('all'), 'read');
    rmSync(changed, { force: true });
    await copy.run('VACUUM INTO ?', [changed]);
    await copy.close();
    const database = await openDatabase(changed, 'write');
    await database.exec(sql);
    await database.close();
    await expect(openStore(changed, { mode: 'read' })).rejects.toThrow(message);
  });
});
