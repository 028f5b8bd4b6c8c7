/** The service of the score matrix on a workspace of its own: what is kept, asked by column, class and image, and positions that are found, kept, and given up where the image is gone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import type { InferenceClient } from '../../../src-main/inference/worker/client.ts';
import type { WorkerCalls } from '../../../src-main/inference/worker/protocol.ts';
import { createCompareService, type CompareService } from '../../../src-main/services/compare.ts';
import { createScoreService, type ScoreService } from '../../../src-main/services/scores.ts';
import type { WorkspaceService } from '../../../src-main/services/workspaces.ts';
import type { NewIndex } from '../../../src-main/store/indexes.ts';
import { openStore, type Store } from '../../../src-main/store/open.ts';
import { openScoreMatrix, scoreMatrixFolder } from '../../../src-main/store/scoreMatrix.ts';
import type { Layer } from '../../../src-shared/domain/layers.ts';
import type { IndexId } from '../../../src-shared/domain/ids.ts';

const images = 12;
/** Image 3 could not be read. */
const broken = 3;
const channels = 5;
const crop = [8, 8] as const;
const layer: Layer = { name: 'relu1', title: 'conv1', kind: 'conv', number: 1, channels, height: 8, width: 8, receptiveField: { size: [3, 3], stride: [1, 1], offset: [-1, -1] }, nonNegative: true };
const classes = ['apple', 'bear', 'car'];
const rows = Array.from({ length: images }, (_, number) => number).filter((number) => number !== broken);

/** Channel 3 is dead, channel 4 is the reverse of channel 0; channel 1 ties in pairs. */
function scoreOf(image: number, channel: number): number {
  return [image + 1, Math.floor(image / 2), image % 3 === 1 ? 5 + image : 0.5, 0, 20 - image][channel]!;
}

const root = mkdtempSync(join(tmpdir(), 'switchback-scores-'));
const calls: WorkerCalls['score'][0][] = [];
const inference = {
  call(_name: 'score', parameters: WorkerCalls['score'][0]) {
    calls.push(parameters);
    // The position of channel c is c pixels after the red value of the picture's first pixel.
    const position = Int32Array.from({ length: parameters.batch * channels }, (_, at) => parameters.pixels[Math.floor(at / channels) * 8 * 8 * 3]! + (at % channels));
    return Promise.resolve({ layers: [{ score: new Float32Array(parameters.batch * channels), position }], vectors: [] });
  },
} as unknown as InferenceClient;

let store: Store;
let index: IndexId;
let service: ScoreService;
let compare: CompareService;
const pathOf = (image: number) => `${classes[Math.floor(image / 4)]}/${String(image).padStart(2, '0')}.png`;

async function contentHash(image: number): Promise<string> {
  const decoded = await decodeImage(join(root, 'images', pathOf(image)), { crop, resize: { kind: 'none' } }).catch(() => null);
  return decoded?.contentHash ?? 'gone';
}

async function makeIndex(key: string, layers: readonly Layer[], scores: (image: number, channel: number) => number, matrix: NewIndex['matrix'] = 'float32'): Promise<IndexId> {
  const { id, matrixFolder } = await store.indexes.create(
    {
      key, modelPath: '/net.onnx', modelName: 'net', modelHash: 'abc', imagesPath: join(root, 'images'), engine: 'onnxruntime', device: 'cpu', engineDescription: 'onnxruntime', batchSize: 4, top: 2, layers, labelsPath: null,
      computationVersion: 1, matrix, part: null, preprocessing: { order: 'rgb', crop, resize: { kind: 'none' }, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
    },
    Array.from({ length: images }, (_, number) => ({ path: pathOf(number), file: pathOf(number), sizeBytes: 1, modifiedMs: 1, className: classes[Math.floor(number / 4)]! })),
  );
  const hashes = await Promise.all(rows.map(async (number) => [number, await contentHash(number)] as const));
  await store.hits.commitBatch({
    indexId: id, cursor: images, hashes, skipped: [[broken, 'it is broken.']], statistics: [],
    channels: [{ layer: 1, channel: 0, hits: [{ image: 11, score: 12, y: 7, x: 6 }, { image: 10, score: 11, y: 5, x: 4 }] }],
  });
  if (matrix === 'none') return id;
  const writer = await openScoreMatrix(scoreMatrixFolder(store.folder, matrixFolder), { layers, precision: matrix, rows: 0 });
  await writer.append({
    images: rows.map((number) => ({ number, path: pathOf(number) })),
    layers: layers.map((each) => ({ number: each.number, scores: Float32Array.from({ length: rows.length * each.channels }, (_, at) => scores(rows[Math.floor(at / each.channels)]!, at % each.channels)) })),
  });
  await writer.flush();
  await writer.close();
  return id;
}

beforeAll(async () => {
  for (let image = 0; image < images; image++) {
    const file = join(root, 'images', pathOf(image));
    mkdirSync(dirname(file), { recursive: true });
    if (image === broken) writeFileSync(file, 'no picture');
    else await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: image, g: 0, b: 0 } } }).png().toFile(file);
  }
  store = await openStore(join(root, 'workspace'), { mode: 'write', create: true });
  index = await makeIndex('whole', [layer], scoreOf);
  const workspaces = { required: () => ({ store }) } as unknown as WorkspaceService;
  service = createScoreService(workspaces, inference);
  compare = createCompareService(workspaces);
});
afterAll(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const top = (more: Partial<Parameters<ScoreService['top']>[0]>) => service.top({ index, layer: 1, channel: 0, k: 3, lowest: false, positions: false, ...more });
const listed = async (more: Partial<Parameters<ScoreService['top']>[0]>) => (await top(more)).hits.map(({ imageNumber, score }) => [imageNumber, score]);

describe('the strongest images', () => {
  it('go beyond the stored hits, and their positions are those of the hits where they are known', async () => {
    const { hits, images: looked, nan, dead } = await top({ k: 3 });
    expect(hits).toEqual([
      { rank: 1, image: 'car/11.png', imageNumber: 11, score: 12, y: 7, x: 6, box: [6, 5, 8, 8], className: 'car' },
      { rank: 2, image: 'car/10.png', imageNumber: 10, score: 11, y: 5, x: 4, box: [4, 3, 7, 6], className: 'car' },
      { rank: 3, image: 'car/09.png', imageNumber: 9, score: 10, y: null, x: null, box: null, className: 'car' },
    ]);
    expect([looked, nan, dead]).toEqual([11, 0, false]);
  });

  it('may be the weakest, of one class, or all there are', async () => {
    expect(await listed({ lowest: true })).toEqual([[0, 1], [1, 2], [2, 3]]);
    expect(await listed({ class: 'bear', k: 100 })).toEqual([[7, 8], [6, 7], [5, 6], [4, 5]]);
    expect(await listed({ class: '0', lowest: true, k: 2 })).toEqual([[0, 1], [1, 2]]);
    expect(await listed({ k: 100 })).toHaveLength(11);
    expect(await listed({ channel: 1, k: 4 })).toEqual([[10, 5], [11, 5], [8, 4], [9, 4]]);
  });

  it('of a dead channel are none', async () => {
    expect(await top({ channel: 3 })).toMatchObject({ hits: [], dead: true, images: 11 });
    expect(await listed({ channel: 3, lowest: true, k: 1 })).toEqual([[0, 0]]);
  });

  it('come for all channels in one pass', async () => {
    const all = await service.topOfLayer({ index, layer: 1, k: 2, lowest: false, positions: false, class: 'car' });
    expect(all.map(({ channel, dead, hits }) => [channel, dead, hits.map(({ imageNumber }) => imageNumber)])).toEqual([
      [0, false, [11, 10]], [1, false, [10, 11]], [2, false, [10, 8]], [3, true, []], [4, false, [8, 9]],
    ]);
  });

  it('come for each class, classes by their best', async () => {
    const found = await service.topPerClass({ index, layer: 1, channel: 2, k: 2, classes: 2 });
    expect(found.map(({ class: of, hits }) => [of, hits.map(({ rank, imageNumber }) => [rank, imageNumber])])).toEqual([
      [{ index: 2, wnid: null, name: 'car' }, [[1, 10], [2, 8]]],
      [{ index: 1, wnid: null, name: 'bear' }, [[1, 7], [2, 4]]],
    ]);
  });

  it('are refused where the class or the channel is not there', async () => {
    await expect(top({ class: 'ape' })).rejects.toThrow(`The index ${index} has no class "ape" among its 3. The nearest:`);
    await expect(top({ channel: 5 })).rejects.toThrow('The layer "relu1" has channels 0 to 4; there is no channel 5.');
  });
});

describe('positions', () => {
  it('are found by forwarding the missing images once, and kept', async () => {
    calls.length = 0;
    const { hits } = await top({ k: 7, positions: true });
    expect(hits.map(({ y, x }) => [y, x])).toEqual([[7, 6], [5, 4], [1, 1], [1, 0], [0, 7], [0, 6], [0, 5]]);
    expect(calls.map(({ batch, pixels, layers, placement }) => [batch, pixels.length, layers, placement])).toEqual([
      [4, 4 * 192, ['relu1'], { engine: 'onnxruntime', device: 'cpu' }],
      [4, 4 * 192, ['relu1'], { engine: 'onnxruntime', device: 'cpu' }],
    ]);
    // The same forward pass told the positions of the other channels.
    expect((await top({ channel: 2, k: 2 })).hits.map(({ imageNumber, y, x }) => [imageNumber, y, x])).toEqual([[10, null, null], [7, 1, 1]]);
    await top({ channel: 0, k: 7, positions: true });
    expect(calls).toHaveLength(2);
  });

  it('are found the way in which the rows of the image were computed', async () => {
    const moved = await makeIndex('moved', [layer], scoreOf);
    await store.indexes.recordPlacement(moved, { fromImage: 6, engine: 'tensorflow', device: 'cpu', batchSize: 2, description: 'tensorflow', reason: 'The device was lost.' });
    calls.length = 0;
    await top({ index: moved, lowest: true, k: 6, positions: true });
    expect(calls.map(({ batch, placement, pixels }) => [batch, placement.engine, [...new Set(pixels)].filter((value) => value > 0)])).toEqual([[4, 'onnxruntime', [1, 2, 4]], [4, 'onnxruntime', [5]], [2, 'tensorflow', [6]]]);
  });

  it('are null for an image that is gone or was changed', async () => {
    rmSync(join(root, 'images', pathOf(0)));
    await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 99, g: 0, b: 0 } } }).png().toFile(join(root, 'images', pathOf(1)));
    const { hits } = await top({ lowest: true, k: 3, positions: true });
    expect(hits.map(({ imageNumber, y, x, box }) => [imageNumber, y, x, box])).toEqual([[0, null, null, null], [1, null, null, null], [2, 0, 2, [0, 1, 2, 4]]]);
  });
});

describe('other questions', () => {
  it('say what is kept and which classes there are', async () => {
    expect(await service.kept(index)).toEqual({ precision: 'float32', rows: 11, layers: [1], bytes: 2 * 128 + 11 * (5 * 4 + 4) + JSON.stringify(rows.map(pathOf)).length + 11 + 2 });
    expect(await service.classes(index)).toEqual([{ index: 0, wnid: null, name: 'apple', images: 3 }, { index: 1, wnid: null, name: 'bear', images: 4 }, { index: 2, wnid: null, name: 'car', images: 4 }]);
  });

  it('count, correlate and compare', async () => {
    expect(await service.histogram({ index, layer: 1, channel: 0, bins: 2 })).toEqual({ from: 1, to: 12, counts: [5, 6], below: 0, above: 0, nan: 0 });
    await expect(service.histogram({ index, layer: 1, channel: 0, bins: 2, from: 3, to: 1 })).rejects.toThrow('A histogram from 3 to 1 holds nothing: from must not exceed to.');
    const { images: counted, similar, opposite } = await service.similar({ index, layer: 1, channel: 0, limit: 9 });
    expect(counted).toBe(11);
    expect(similar.map(({ channel }) => channel)).toEqual([1, 2]);
    expect(similar[0]!.correlation).toBeGreaterThan(0.98);
    expect(opposite).toEqual([{ channel: 4, correlation: expect.closeTo(-1, 6) as number }]);
    const selectivity = await service.selectivity({ index, layer: 1, channel: 4, limit: 2 });
    expect(selectivity.classes).toEqual([
      { class: { index: 0, wnid: null, name: 'apple' }, images: 3, mean: 19, auc: 1 },
      { class: { index: 1, wnid: null, name: 'bear' }, images: 4, mean: 14.5, auc: expect.closeTo(4 / 7, 12) as number },
    ]);
    const larger = await service.selectivity({ index, layer: 1, channel: 4, limit: 2, leastImages: 4 });
    expect(larger.classes.map((each) => each.class.name), 'classes of four images').toEqual(['bear', 'car']);
    // Of 11 images with a score: apple 3, bear 4, car 4. An area of 1 over 4 images is surer than one over 3: 0.5 / sqrt(1 / 28) and 0.5 / sqrt(1 / 24) standard deviations.
    const apple = { index: 0, wnid: null, name: 'apple' };
    const bear = { index: 1, wnid: null, name: 'bear' };
    const car = { index: 2, wnid: null, name: 'car' };
    const near = (value: number) => expect.closeTo(value, 10) as number;
    const ofLayer = await service.layerSelectivity({ index, layer: 1 });
    expect(ofLayer).toEqual({
      images: 11,
      classes: 3,
      channels: [
        { class: car, images: 4, auc: 1, deviations: near(0.5 * Math.sqrt(28)) },
        { class: car, images: 4, auc: 1, deviations: near(0.5 * Math.sqrt(28)) },
        { class: bear, images: 4, auc: near(17 / 28), deviations: near((3 / 28) * Math.sqrt(28)) },
        null,
        { class: apple, images: 3, auc: 1, deviations: near(0.5 * Math.sqrt(24)) },
      ],
    });
    expect(await service.layerSelectivity({ index, layer: 1 })).toBe(ofLayer);
    const { image, channels: excited } = await service.excited({ index, layer: 1, image: 0, limit: 3 });
    expect([image, excited.map(({ channel, shareLower }) => [channel, shareLower])]).toEqual(['apple/00.png', [[4, 1], [2, 0], [1, 0]]]);
    await expect(service.excited({ index, layer: 1, image: broken, limit: 3 })).rejects.toThrow('apple/03.png has no scores: it is broken.');
  });

  it('match the channels of two indexes over the images that both have', async () => {
    const narrow: Layer = { ...layer, channels: 2 };
    const other = await makeIndex('other', [narrow], (image, channel) => (channel === 0 ? -image : image * 2));
    const compared = await compare.channels({ left: { index, layer: 1 }, right: { index: other, layer: 1 } });
    // Image 0 is gone and image 1 was changed before the other index was made; see above.
    expect(compared).toMatchObject({ kind: 'compared', images: 9, left: [1, 1, 1, null, 0].map((partner, channel) => ({ channel, partner })) });
    const own = await compare.channels({ left: { index, layer: 1 }, right: { index, layer: 1 } });
    expect(own).toMatchObject({ kind: 'compared', images: 11, left: [0, 1, 2, null, 4].map((partner, channel) => ({ channel, partner })) });
  });

  it('need a matrix, and say how to get one', async () => {
    const without = await makeIndex('without', [layer], scoreOf, 'none');
    await expect(top({ index: without })).rejects.toThrow(`The index ${without} keeps no scores: only its 2 hits per channel are known. Index the folder again with the score matrix (--matrix float32) to ask for more.`);
    expect(await service.kept(without)).toEqual({ precision: null, rows: 0, layers: [], bytes: 0 });
  });
});
