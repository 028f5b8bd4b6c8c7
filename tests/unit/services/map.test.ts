/** Maps of a small index: the same coordinates again and after an interruption, what their rows mean before and after a rescan, colours, lasso, channels, exports, and inputs that are hardly any. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MapColour } from '../../../src-shared/contract/mapMedia.ts';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { decodePicture, sizeOfPicture } from '../../../src-main/dataset/picture.ts';
import type { LayoutCheckpoints } from '../../../src-main/features/layout/request.ts';
import { runLayout } from '../../../src-main/features/layout/runLayout.ts';
import type { LayoutOrder } from '../../../src-main/features/layout/runInThread.ts';
import { channelRows } from '../../../src-main/services/channelRows.ts';
import { loweredNotes, mapFiles, mapRunner, type LiveMaps, type MapSpec } from '../../../src-main/services/mapJob.ts';
import { matched } from '../../../src-main/services/mapColours.ts';
import { averaged } from '../../../src-main/services/thumbnails.ts';
import { seededRandom } from '../../support/graphs.ts';
import { colourfulPicture, indexMapNetwork, mapClasses, useMapBench } from '../../support/mapNetwork.ts';

const bench = useMapBench('map');
const { home } = bench;
let { services, index } = bench;
beforeAll(() => {
  ({ services, index } = bench);
});

const umap: MapSpec['method'] = { kind: 'umap', neighbours: 5, minDistance: 0.1, epochs: 60 };
const specOf = (method: MapSpec['method'] = umap, change: Partial<MapSpec> = {}): MapSpec => ({ subject: { kind: 'images', index, layer: 'second', pooling: 'mean' }, method, metric: 'l2', seed: 3, ...change });

/** A finished map. */
async function made(spec: MapSpec): Promise<string> {
  const { map, jobId } = await services.maps.start(spec);
  if (jobId) expect((await services.workspaces.required().queue.ended(jobId)).error).toBeNull();
  return map;
}

const coordinates = async (map: string) => [...(await services.maps.coordinates(map)).positions];
const store = () => services.workspaces.required().store;

describe('a map', () => {
  it('is one for one spec, stored with what it was made of, and the same when it is made again', async () => {
    const map = await made(specOf());
    expect(await services.maps.start(specOf())).toEqual({ map, jobId: null });
    const record = await services.maps.get(map);
    expect(record).toMatchObject({ state: 'done', stage: 'done', title: 'conv2, UMAP', points: 40, dimensions: 6, reduced: 6, iteration: 60, iterations: 60, notes: [], index, jobId: null, explained: null });
    expect(record.caption).toMatch(/^UMAP of 40 images of images by their features in conv2 \(second\) \(mean of each channel\) of net, 6 numbers each: 5 neighbours, least distance 0\.1, 60 epochs, Euclidean distance, seed 3\. Trustworthiness 0\.\d{3} \(k = 15\)\. Model [0-9a-f]{16}, index /);
    const first = await coordinates(map);
    expect(record.extent).toEqual([0, 1].map((axis) => Math.min(...first.filter((_, at) => at % 2 === axis))).concat([0, 1].map((axis) => Math.max(...first.filter((_, at) => at % 2 === axis)))));
    expect(readdirSync(join(home, 'work', 'maps', map)).sort()).toEqual(['coordinates.npy', 'paths.txt', 'rows.npy']);
    await services.maps.delete(map);
    expect(await services.maps.list()).toEqual([]);
    const again = await made(specOf());
    expect([again === map, await coordinates(again)]).toEqual([false, first]);
    expect(await coordinates(await made(specOf(umap, { seed: 4 })))).not.toEqual(first);
  });

  it('goes on from what was kept of it after a kill', async () => {
    const spec = specOf({ kind: 'tsne', perplexity: 8, iterations: 60 });
    const expected = await coordinates(await made(spec));
    await services.maps.delete((await services.maps.list()).find(({ spec: of }) => of.method.kind === 'tsne')!.id);
    const { map, jobId } = await services.maps.start(spec);
    await services.workspaces.required().queue.cancel(jobId!);
    const job = (await services.workspaces.required().queue.list()).find(({ id }) => id === jobId)!;
    const progress = { report: () => undefined, standFor: () => undefined };
    // Stops as a kill does, right after some checkpoint was kept.
    const stopping = mapRunner(store(), services.inference, new Map(), async ({ rows, request, onCheckpoint }: LayoutOrder) => {
      let kept = 0;
      await runLayout(rows, request, {
        betweenCheckpointsMs: 0,
        onCheckpoint(checkpoints) {
          onCheckpoint?.(checkpoints);
          if (checkpoints.settled && ++kept === 20) throw new Error('killed');
        },
      });
      throw new Error('not reached');
    });
    await expect(stopping(job, progress, new AbortController().signal)).rejects.toThrow('killed');
    await expect.poll(() => readdirSync(join(home, 'work', 'maps', map)).sort()).toEqual(['paths.txt', 'prepared.bin', 'rows.npy', 'settled.bin']);
    let resumed: LayoutCheckpoints | undefined;
    const resuming = mapRunner(store(), services.inference, new Map(), async ({ rows, request, resumeFrom }: LayoutOrder) => {
      resumed = resumeFrom;
      return runLayout(rows, request, resumeFrom ? { resumeFrom } : {});
    });
    await resuming(job, progress, new AbortController().signal);
    expect([resumed?.prepared !== undefined, resumed?.settled !== undefined]).toEqual([true, true]);
    expect(await coordinates(map)).toEqual(expected);
    expect(await store().maps.file(map, mapFiles.prepared)).toBeNull();
  });

  it('can be cancelled, and goes on when it is started again', async () => {
    const spec = specOf({ kind: 'tsne', perplexity: 5, iterations: 5000 });
    const { map, jobId } = await services.maps.start(spec);
    const states: string[] = [];
    for await (const { state } of services.maps.watch(map)) {
      if (states.length === 0) await services.workspaces.required().queue.cancel(jobId!);
      states.push(state);
    }
    expect([states[0] === 'queued' || states[0] === 'running', states.at(-1)]).toEqual([true, 'cancelled']);
    expect(await services.maps.get(map)).toMatchObject({ state: 'cancelled', revision: 0, jobId, iterations: 5000 });
    await expect(services.maps.coordinates(map)).rejects.toThrow('no layout yet');
    await expect(services.mapExports.make({ map, format: 'csv', tile: 32 })).rejects.toThrow('not finished yet');
    expect(await services.maps.start(spec)).toEqual({ map, jobId });
    await services.workspaces.required().queue.ended(jobId!);
    expect(await services.maps.get(map)).toMatchObject({ state: 'done', iteration: 5000 });
    await services.maps.delete(map);
  });

  it('shows each layout on the way to whoever watches', async () => {
    const { map, jobId } = await services.maps.start(specOf({ kind: 'umap', neighbours: 7, minDistance: 0.1, epochs: 10 }));
    await services.workspaces.required().queue.cancel(jobId!);
    const job = (await services.workspaces.required().queue.list()).find(({ id }) => id === jobId)!;
    const live: LiveMaps = new Map();
    const seen: unknown[] = [];
    const layOut = async ({ rows, request, onProgress, onPositions }: LayoutOrder) => {
      onProgress?.({ stage: 'neighbours', done: 20, total: 40 });
      seen.push([live.get(map)!.stage, live.get(map)!.done, live.get(map)!.revision]);
      onPositions?.(new Float32Array(80).fill(2), 4);
      seen.push([live.get(map)!.stage, live.get(map)!.iteration, live.get(map)!.revision, live.get(map)!.positions![79]]);
      return runLayout(rows, request);
    };
    await mapRunner(store(), services.inference, live, layOut)(job, { report: () => undefined, standFor: () => undefined }, new AbortController().signal);
    expect(seen).toEqual([['neighbours', 20, 0], ['settling', 4, 1, 2]]);
    expect([live.size, (await services.maps.get(map)).revision, (await services.maps.coordinates(map)).isFinal]).toEqual([0, 2, true]);
  });

  it('puts every picture into a cell of its own, those that are high into the first rows', async () => {
    const map = await made(specOf({ kind: 'pca' }));
    const { explained, trustworthiness } = await services.maps.get(map);
    expect([explained![0] >= explained![1], explained![0] + explained![1] <= 1, trustworthiness! > 0.7]).toEqual([true, true, true]);
    const { columns, rows, cells } = await services.maps.grid(map);
    expect([columns, rows, new Set(cells).size, Math.max(...cells) < columns * rows]).toEqual([7, 6, 40, true]);
    const y = (await coordinates(map)).filter((_, at) => at % 2 === 1);
    const mean = (wanted: (row: number) => boolean) => y.filter((_, at) => wanted(Math.floor(cells[at]! / columns))).reduce((sum, value, _, all) => sum + value / all.length, 0);
    expect(mean((row) => row === 0)).toBeGreaterThan(mean((row) => row === 4));
    expect((await services.maps.grid(map)).cells).toEqual(cells);
  });
});

describe('points', () => {
  const column = async (map: string, by: MapColour, more: object = {}) => services.mapColours.column({ map, by, ...more });

  it('are coloured by class, prediction, error and the score of a channel', async () => {
    const map = await made(specOf());
    const classes = await column(map, 'class');
    expect(classes.legend).toEqual({ kind: 'classes', classes: mapClasses.map((name, value) => ({ value, name, points: 8 })), without: 0 });
    expect([...classes.values.subarray(7, 9)]).toEqual([0, 1]);
    const [predictions, errors] = [await column(map, 'prediction'), await column(map, 'error')];
    const right = classes.values.filter((value, at) => value === predictions.values[at]).length;
    expect(errors.legend).toEqual({ kind: 'errors', right, wrong: 40 - right, without: 0 });
    const points = await services.mapColours.points(map, [0, 20]);
    expect(points.map(({ image, className, prediction, right: is }) => [image, className, prediction!.class, is])).toEqual([['ant/0.png', 'ant', predictions.values[0], errors.values[0] === 0], ['cat/4.png', 'cat', predictions.values[20], errors.values[20] === 0]]);
    const scores = await column(map, 'channel', { layer: 2, channel: 1 });
    expect(scores.legend).toEqual({ kind: 'numbers', from: Math.min(...scores.values), to: Math.max(...scores.values), without: 0 });
    await expect(column(map, 'channel')).rejects.toThrow('needs its layer');
  });

  it('are compared with the network only where classes can be brought together', () => {
    const classes = ['bee', 'ant'].map((name, place) => ({ index: place, wnid: null, name, images: 1 }));
    const folders = [{ index: null }, { index: null }];
    const names = [{ name: 'ant', wnid: null }, { name: 'bee', wnid: null }, { name: 'cat', wnid: null }];
    expect(matched(classes, folders, names, 3), 'by name').toEqual([1, 0]);
    expect(matched(classes, folders, [], 2), 'as many folders as classes').toEqual([0, 1]);
    expect(matched(classes, folders, [], 3)).toBeNull();
    expect(matched([{ ...classes[0]!, index: 7 }], [{ index: 7 }], [], 10), 'by the numbers of a labels file').toEqual([7]);
  });

  it('of a lasso name the channels that they excite most', async () => {
    const images = Array.from({ length: 8 }, (_, at) => 16 + at);
    const { chosen, others, channels } = await services.scores.contrasting({ index, layer: 1, images: [...images, 1000], limit: 4 });
    expect([chosen, others, channels.length]).toEqual([8, 32, 4]);
    for (const { channel, inside, outside, deviations, auc } of channels) {
      const scores = [...(await services.mapColours.column({ map: await made(specOf()), by: 'channel', layer: 1, channel })).values];
      const [ours, rest] = [images.map((image) => scores[image]!), scores.filter((_, image) => !images.includes(image))];
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(mean(scores.map((score) => (score - mean(scores)) ** 2)));
      expect([inside, outside, deviations]).toEqual([expect.closeTo(mean(ours), 4), expect.closeTo(mean(rest), 4), expect.closeTo((mean(ours) - mean(rest)) / deviation, 3)]);
      expect(auc).toBeCloseTo(mean(ours.flatMap((a) => rest.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))), 6);
    }
    expect(channels.map(({ deviations }) => deviations)).toEqual(channels.map(({ deviations }) => deviations).toSorted((a, b) => b - a));
  });
});

describe('channels', () => {
  it('lie apart by the correlation of their scores', async () => {
    const { matrix } = await channelRows(store(), await store().indexes.get(index as IndexId), 2);
    const row = (channel: number) => matrix.data.subarray(channel * matrix.dimensions, (channel + 1) * matrix.dimensions);
    const { similar, opposite } = await services.scores.similar({ index, layer: 2, channel: 0, limit: 10 });
    for (const { channel, correlation } of [...similar, ...opposite]) expect(row(0).reduce((sum, value, at) => sum + (value - row(channel)[at]!) ** 2, 0)).toBeCloseTo(2 - 2 * correlation, 4);
    const map = await made({ subject: { kind: 'channels', index, layer: 2 }, method: { kind: 'pca' }, metric: 'cosine', seed: 1 });
    expect(await services.maps.get(map)).toMatchObject({ points: 6, title: 'channels of conv2, PCA' });
    expect([...(await services.maps.rows(map))]).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await services.mapColours.column({ map, by: 'class' })).legend).toMatchObject({ kind: 'none' });
    expect(await services.mapExports.writeTo({ map, folder: join(home, 'channels'), tile: 30 })).toContain('mosaic.png');
    expect(readFileSync(join(home, 'channels', 'coordinates.csv'), 'utf8')).toMatch(/^channel,x,y\n0,/);
  });
});

describe('an export', () => {
  it('has coordinates, mosaic, TensorBoard files and a figure', async () => {
    const map = await made(specOf());
    const file = async (format: 'csv' | 'npy' | 'projector' | 'mosaic' | 'figure') => {
      const { media, sizeBytes, fileName } = await services.mapExports.make({ map, format, tile: 20 });
      const { bytes } = services.mapExports.made(media.split('/').at(-1)!);
      expect(bytes.byteLength).toBe(sizeBytes);
      return { bytes, text: () => new TextDecoder().decode(bytes), fileName };
    };
    const csv = await file('csv');
    const positions = await coordinates(map);
    expect([csv.fileName, ...csv.text().split('\n').slice(0, 2)]).toEqual(['map-conv2-umap.csv', 'image,class,prediction,error,x,y', expect.stringMatching(`^ant/0\\.png,ant,[a-z]+,(right|wrong),${positions[0]},${positions[1]}$`)]);
    expect((await file('npy')).bytes.byteLength).toBe(128 + 320);
    expect(await sizeOfPicture((await file('mosaic')).bytes)).toEqual({ width: 140, height: 120 });
    const zip = unzipSync((await file('projector')).bytes);
    expect(Object.keys(zip)).toEqual(['tensors.tsv', 'metadata.tsv', 'sprite.png', 'projector_config.json']);
    const lines = (name: string) => new TextDecoder().decode(zip[name]).trimEnd().split('\n');
    expect([lines('tensors.tsv').length, lines('tensors.tsv')[0]!.split('\t').length, lines('metadata.tsv').length, lines('metadata.tsv')[0]]).toEqual([40, 6, 41, 'image\tclass\tprediction\terror']);
    expect(await sizeOfPicture(zip['sprite.png']!)).toEqual({ width: 7 * 32, height: 7 * 32 });
    expect((await file('figure')).text()).toContain('ant (8)');
    await expect(services.mapExports.make({ map, format: 'mosaic', tile: 256 }).then(() => services.mapExports.writeTo({ map, folder: join(home, 'net.onnx', 'out'), tile: 8 }))).rejects.toThrow('net.onnx/out cannot be written: ');
  });

  it('makes small pictures smaller by the mean of what a pixel covers, and larger with hard edges', () => {
    const picture = { width: 4, height: 1, pixels: Uint8Array.of(0, 10, 20, 4, 12, 21, 100, 0, 0, 200, 0, 1) };
    expect(averaged(picture, 2, 1)).toEqual({ width: 2, height: 1, pixels: Uint8Array.of(2, 11, 21, 150, 0, 1) });
    expect([...averaged(picture, 8, 2).pixels.subarray(0, 12)]).toEqual([0, 10, 20, 0, 10, 20, 4, 12, 21, 4, 12, 21]);
    expect([...averaged(picture, 3, 1).pixels]).toEqual([0, 10, 20, 4, 12, 21, 150, 0, 1]);
  });

  it('shows many pictures as one, from what is kept small and from the images themselves', async () => {
    for (const size of [12, 64]) {
      const png = await services.thumbnails.sheet({ index, size, columns: 3, images: [0, 39, 8, 1000] });
      const { width, height, pixels } = await decodePicture(png);
      expect([width, height]).toEqual([3 * size, 2 * size]);
      const middle = (column: number, row: number) => [...pixels.subarray(4 * ((row * size + size / 2) * width + column * size + size / 2), 4 * ((row * size + size / 2) * width + column * size + size / 2) + 4)];
      const [ant, elk, bee] = [middle(0, 0), middle(1, 0), middle(2, 0)];
      expect([ant[0]! > ant[1]! + 50, elk[0]! < 110, bee[1]! > bee[0]! + 50, middle(0, 1)[3]], 'the last is of no image').toEqual([true, true, true, 0]);
    }
  });
});

describe('what is hardly a map', () => {
  it('says what few points cannot have', () => {
    expect(loweredNotes(umap, 5)).toEqual([]);
    expect(loweredNotes({ ...umap, neighbours: 15 }, 8)).toEqual(['8 points have no more than 7 neighbours each; 15 were asked for.']);
    expect(loweredNotes({ kind: 'tsne', perplexity: 30, iterations: 50 }, 40)).toEqual(['The perplexity is 13, the most that 40 points can have; 30 was asked for.']);
    expect([loweredNotes({ kind: 'tsne', perplexity: 30, iterations: 50 }, 91), loweredNotes({ kind: 'pca' }, 3), loweredNotes({ kind: 'tsne', perplexity: 30, iterations: 50 }, 1)]).toEqual([[], [], []]);
  });

  async function mapOf(images: string, pictures: readonly Uint8Array[], method: MapSpec['method']) {
    mkdirSync(join(home, images));
    pictures.forEach((picture, at) => writeFileSync(join(home, images, `${at}.png`), picture));
    const small = await indexMapNetwork(services, home, { images });
    const map = await made({ subject: { kind: 'images', index: small, layer: 'second', pooling: 'mean' }, method, metric: 'l2', seed: 1 });
    return { map, positions: await coordinates(map) };
  }

  it('of no image at all has no point, and every question has its empty answer', async () => {
    const { map, positions } = await mapOf('none', [new TextEncoder().encode('no picture')], umap);
    expect([positions, await services.maps.grid(map), [...(await services.maps.rows(map))]]).toEqual([[], { columns: 0, rows: 0, cells: new Int32Array(0) }, []]);
    expect(await services.maps.get(map)).toMatchObject({ state: 'done', points: 0, extent: null });
    expect((await services.mapExports.make({ map, format: 'mosaic' })).sizeBytes).toBeGreaterThan(0);
    expect(new TextDecoder().decode(services.mapExports.made((await services.mapExports.make({ map, format: 'csv' })).media.split('/').at(-1)!).bytes)).toMatch(/^image.*,x,y\n$/);
  });

  it.each([{ kind: 'pca' }, umap, { kind: 'tsne', perplexity: 30, iterations: 50 }] as const)('one image, and images that are all the same, by $kind', async (method) => {
    const picture = await colourfulPicture(1, seededRandom(9));
    const one = await mapOf(`one-${method.kind}`, [picture], method);
    expect([one.positions.length, one.positions.every(Number.isFinite)]).toEqual([2, true]);
    expect(await services.maps.grid(one.map)).toMatchObject({ columns: 1, rows: 1 });
    const same = await mapOf(`same-${method.kind}`, Array.from({ length: 6 }, () => picture), method);
    expect([same.positions.length, same.positions.every(Number.isFinite)]).toEqual([12, true]);
    expect((await services.mapColours.column({ map: same.map, by: 'class' })).legend).toMatchObject({ kind: 'none' });
    expect((await services.mapExports.make({ map: same.map, format: 'figure', tile: 32 })).sizeBytes).toBeGreaterThan(1000);
  });
});

describe('a map and its index', () => {
  it('stay together after a rescan by the paths of the images, and the map survives the index', async () => {
    const map = await made(specOf());
    const before = [...(await services.maps.rows(map))];
    rmSync(join(home, 'images', 'ant', '0.png'));
    writeFileSync(join(home, 'images', 'ant', 'new.png'), await colourfulPicture(0, seededRandom(1)));
    const { jobId } = await services.indexing.rescan(index);
    await services.workspaces.required().queue.ended(jobId!);
    const after = [...(await services.maps.rows(map))];
    expect([before.slice(0, 3), after.slice(0, 3), after.at(-1)]).toEqual([[0, 1, 2], [-1, 0, 1], 39]);
    expect((await services.features.list(index)).map(({ state, rows }) => [state, rows])).toEqual([['complete', 40]]);
    const classes = await services.mapColours.column({ map, by: 'class' });
    expect(classes.legend).toMatchObject({ without: 1 });
    const renewed = await made(specOf());
    expect([renewed === map, [...(await services.maps.link(map, renewed))].slice(0, 3)]).toEqual([false, [-1, 0, 1]]);
    const { caches } = await services.storage.list();
    expect(caches.find(({ kind }) => kind === 'maps')).toMatchObject({ entries: (await services.maps.list()).length, obstacle: null });
    await services.indexing.delete(index);
    const orphan = await services.maps.get(map);
    expect([orphan.index, orphan.points, (await coordinates(map)).length, (await services.features.list(index).catch((error: Error) => error.message))]).toEqual([null, 40, 80, expect.stringContaining(index)]);
    expect((await services.storage.clear('maps')).entries).toBe(0);
    expect(await services.maps.list()).toEqual([]);
    await expect(services.maps.get(map)).rejects.toThrow(`There is no map "${map}"`);
  });
});
