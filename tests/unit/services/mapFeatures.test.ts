/** Features of a whole index: the numbers of the network, the same bytes after an interruption, and the nearest images by them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { completeFeatures } from '../../../src-main/services/featurePass.ts';
import { createFeatureRows, featuresFile, pixelsFile, readPredictions, rowImages, type Pooling } from '../../../src-main/services/featureRows.ts';
import { whyNoRoom } from '../../../src-main/services/featurePlan.ts';
import { rowFileName, type StoredRowFile } from '../../../src-main/store/rowFiles.ts';
import { scoreMatrixFolder } from '../../../src-main/store/scoreMatrix.ts';
import { indexMapNetwork, mapClasses, useMapBench } from '../../support/mapNetwork.ts';
import { readNpy } from '../../support/npy.ts';

const bench = useMapBench('map-features');
const { home } = bench;
let { services, index } = bench;
beforeAll(() => {
  ({ services, index } = bench);
});

const opened = async (id = index) => {
  const { store } = services.workspaces.required();
  return { store, index: await store.indexes.get(id as IndexId) };
};

async function computed(layer: string, pooling: Pooling, of = index): Promise<Float32Array> {
  const { jobId } = await services.features.compute({ index: of, layer, pooling });
  if (jobId) expect((await services.workspaces.required().queue.ended(jobId)).error).toBeNull();
  const { store, index: stored } = await opened(of);
  const rows = (await createFeatureRows().open(store, stored, featuresFile({ layer, pooling })))!;
  const values = (await rows.read(0, rows.rows)).slice();
  await rows.close();
  return values;
}

/** The layer's maps of one picture, `[6, 6, 6]`, by another call of the worker. */
async function mapsOf(image: number): Promise<Float32Array> {
  const { store, index: stored } = await opened();
  const { pixels } = await decodeImage(join(home, 'images', (await store.images.get(stored.id, image)).file), stored.preprocessing);
  return services.inference.call('maps', { model: { path: stored.modelPath, hash: stored.modelHash }, preprocessing: stored.preprocessing, placement: { engine: 'onnxruntime', device: 'cpu' }, pixels, layer: 'second' });
}

describe('features', () => {
  it('are the forward values of each image: flat, their means, their maxima', async () => {
    const [flat, mean, max] = [await computed('second', 'flat'), await computed('second', 'mean'), await computed('second', 'max')];
    expect([flat.length, mean.length, max.length]).toEqual([40 * 216, 40 * 6, 40 * 6]);
    for (const image of [0, 17, 39]) {
      const maps = await mapsOf(image);
      expect(largestDifference(flat.subarray(image * 216, (image + 1) * 216), maps)).toBeLessThan(1e-5);
      const channels = Array.from({ length: 6 }, (_, channel) => [...maps.subarray(channel * 36, (channel + 1) * 36)]);
      expect(largestDifference(mean.subarray(image * 6, (image + 1) * 6), channels.map((map) => map.reduce((sum, value) => sum + value) / 36))).toBeLessThan(1e-5);
      expect(largestDifference(max.subarray(image * 6, (image + 1) * 6), channels.map((map) => Math.max(...map)))).toBeLessThan(1e-5);
    }
  });

  it('lie beside the scores as .npy with a row for each of their images; maxima are the scores themselves', async () => {
    const { store, index: stored } = await opened();
    const folder = scoreMatrixFolder(store.folder, stored.matrixFolder);
    const file = (await store.rowFiles.find(stored.id, featuresFile({ layer: 'second', pooling: 'max' })))!;
    const [features, scores] = [await readNpy(join(folder, rowFileName(file))), await readNpy(join(folder, '0002.npy'))];
    expect(features.shape).toEqual([40, 6]);
    expect([...features.data]).toEqual([...scores.data]);
    expect(JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8'))).toHaveLength(40);
    const [record] = (await services.features.list(index)).filter(({ pooling }) => pooling === 'max');
    expect(record).toMatchObject({ layer: 'second', title: 'conv2', dimensions: 6, rows: 40, images: 40, bytes: 960, state: 'complete', jobId: null });
  });

  it('come with predictions and small pictures', async () => {
    const { store, index: stored } = await opened();
    const predictions = (await readPredictions(store, stored))!;
    const pixels = (await createFeatureRows().open(store, stored, pixelsFile))!;
    expect([predictions.length, pixels.rows, pixels.dimensions]).toEqual([80, 40, 12 * 12 * 3]);
    for (const image of [3, 21]) {
      const { predictions: [best] } = await services.lab.predict({ index, picture: `image-${image}`, top: 1 });
      expect([predictions[2 * image], predictions[2 * image + 1]]).toEqual([best!.index, expect.closeTo(best!.probability, 5)]);
    }
    await pixels.close();
  });

  it('end with the same bytes after an interruption, and for an index that keeps no scores', async () => {
    const bare = await indexMapNetwork(services, home, { matrix: 'none', top: 5 });
    await computed('first', 'mean', bare);
    const { store, index: stored } = await opened(bare);
    const folder = scoreMatrixFolder(store.folder, stored.matrixFolder);
    const bytesOf = (file: StoredRowFile) => readFileSync(join(folder, rowFileName(file)));
    const find = async () => (await store.rowFiles.find(stored.id, featuresFile({ layer: 'first', pooling: 'mean' })))!;
    const whole = bytesOf(await find());
    await store.rowFiles.delete((await find()).id);
    // As a kill leaves it: some rows are committed, the file holds more.
    const stop = new AbortController();
    const interrupted = completeFeatures({ store, inference: services.inference, signal: stop.signal, report: (done) => done >= 12 && stop.abort() }, stored, { layers: ['first'], pooling: 'mean' });
    await expect(interrupted).rejects.toThrow('aborted');
    await store.rowFiles.commit([{ id: (await find()).id, rows: 8 }]);
    expect((await services.features.list(bare)).find(({ layer }) => layer === 'first')).toMatchObject({ rows: 8, state: 'partial' });
    await computed('first', 'mean', bare);
    expect(bytesOf(await find()).equals(whole)).toBe(true);
  });

  it('of several layers are computed in one pass', async () => {
    const { store, index: stored } = await opened();
    const files = await completeFeatures({ store, inference: services.inference, signal: new AbortController().signal, report: () => undefined }, stored, { layers: ['first', 'logits'], pooling: 'flat' });
    expect(files.map(({ layer, shape, rows }) => [layer, shape, rows])).toEqual([['first', [576], 40], ['logits', [5], 40]]);
  });

  it('are refused where the disk has no room, with the size and what to do instead', async () => {
    expect(whyNoRoom({ images: 100_000, dimensions: 100_352, bytes: 4e10, freeBytes: 5e9 }, 512)).toBe('100000 images with 100352 numbers each need 38147 MB, and the disk of the workspace has 4705 MB to spare. Pooled by mean or max there are 512 numbers instead of 100352.');
    expect(whyNoRoom({ images: 10, dimensions: 6, bytes: 1e9, freeBytes: 1e8 }, null)).toContain('Make room first.');
    expect(whyNoRoom({ images: 10, dimensions: 6, bytes: 240, freeBytes: 1e9 }, null)).toBeNull();
    const estimate = await services.features.estimate({ index, layer: 'second', pooling: 'flat' });
    expect(estimate).toMatchObject({ images: 40, dimensions: 216, kept: true, obstacle: null });
    await expect(services.features.compute({ index, layer: 'third', pooling: 'mean' })).rejects.toThrow('"third"');
  });
});

describe('neighbours', () => {
  it.each(['l2', 'cosine'] as const)('by %s are those of a slow look at every image, without the image itself', async (metric) => {
    const features = await computed('second', 'mean');
    const found = await services.neighbours.nearest({ index, layer: 'second', pooling: 'mean', metric, k: 7, picture: 'image-11' });
    const slow = slowNeighbours(features, 6, 11, metric).slice(0, 7);
    expect(found.features.map(({ imageNumber }) => imageNumber)).toEqual(slow.map(([image]) => image));
    found.features.forEach(({ distance }, at) => expect(distance).toBeCloseTo(slow[at]![1], 4));
    expect(found).toMatchObject({ name: 'bee/3.png', exact: true, images: 40, featureSpace: `conv2 (mean of each channel), 6 numbers, ${metric === 'l2' ? 'Euclidean' : 'cosine'} distance`, pixelSpace: `the network's input at 12 x 12 pixels, ${metric === 'l2' ? 'Euclidean' : 'cosine'} distance` });
    expect(found.pixels.map(({ className }) => className)).toEqual(Array.from({ length: 7 }, () => 'bee'));
  });

  it('of a given picture begin with the same picture in the index, at distance 0', async () => {
    const file = readFileSync(join(home, 'images', 'dog', '2.png'));
    const { picture } = await services.lab.upload(file, 'mine.png', true);
    const found = await services.neighbours.nearest({ index, layer: 'second', pooling: 'mean', metric: 'l2', k: 3, picture });
    expect([found.name, found.features[0], found.pixels[0]]).toEqual(['mine.png', expect.objectContaining({ image: 'dog/2.png', distance: 0 }), expect.objectContaining({ image: 'dog/2.png', className: 'dog', distance: 0 })]);
  });

  it('say that features are needed where there are none', async () => {
    await expect(services.neighbours.nearest({ index, layer: 'second', pooling: 'mean', metric: 'l2', k: 3, picture: 'image-99' })).rejects.toThrow('There is no image 99');
    await expect(services.neighbours.nearest({ index, layer: 'nowhere', pooling: 'mean', metric: 'l2', k: 3, picture: 'image-1' })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { needsFeatures: true } });
  });

  it('rows belong to the images of the index in order', async () => {
    const { store, index: stored } = await opened();
    expect([...(await rowImages(store, stored))]).toEqual(Array.from({ length: 40 }, (_, number) => number));
    expect((await store.images.get(stored.id, 39)).path).toBe(`${mapClasses[4]}/7.png`);
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, at) => Math.abs(value - b[at]!)).reduce((most, each) => Math.max(most, each), 0);
}

/** `[image, distance]`, nearest first. */
function slowNeighbours(features: Float32Array, width: number, of: number, metric: 'l2' | 'cosine'): [number, number][] {
  const row = (image: number) => [...features.subarray(image * width, (image + 1) * width)];
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  const distance = (a: number[], b: number[]) => (metric === 'l2' ? Math.sqrt(a.reduce((sum, value, at) => sum + (value - b[at]!) ** 2, 0)) : 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
  return Array.from({ length: features.length / width }, (_, image): [number, number] => [image, distance(row(of), row(image))]).filter(([image]) => image !== of).sort((a, b) => a[1] - b[1]);
}
