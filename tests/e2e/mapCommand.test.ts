/** `switchback map` and `switchback neighbours` as a person runs them, and what the core serves of a map: on a small network, and on cifar10_full with real pictures, whose classes must stand apart. */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapColoursUrl, mapCoordinatesUrl, mapGridUrl, mapLinkUrl, mapRowsUrl, thumbnailSheetUrl } from '../../src-shared/contract/mapMedia.ts';
import { sizeOfPicture } from '../../src-main/dataset/picture.ts';
import { runCommand, runForJson, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { writeMapNetwork } from '../support/mapNetwork.ts';
import { readNpy } from '../support/npy.ts';
import { eventually } from '../support/processes.ts';
import { serveWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

interface MapAnswer {
  readonly map: string;
  readonly points: number;
  readonly trustworthiness: number;
  readonly caption: string;
  readonly files: readonly string[];
}

interface NeighbourAnswer {
  readonly layer: string;
  readonly name: string;
  readonly features: readonly { readonly image: string; readonly className: string; readonly distance: number }[];
  readonly pixels: readonly { readonly image: string }[];
}

describe('maps on the command line', () => {
  const home = temporaryFolder('map-command');
  const work = join(home, 'work');
  const map = (...more: string[]) => ['map', '--workspace', work, '--layer', 'conv2', ...more];

  beforeAll(async () => {
    await writeMapNetwork(home);
    await runForJson(home, 'index', '--workspace', work, '--model', join(home, 'net.onnx'), '--images', join(home, 'images'), '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '4', '--resize', 'exact', '--features', 'conv2:flat');
  }, 120_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('writes coordinates, mosaic, figure and the files of TensorBoard; killed, it ends with the same coordinates', async () => {
    const other = join(home, 'other');
    cpSync(work, other, { recursive: true });
    const answer = await runForJson<MapAnswer>(home, ...map('--method', 'tsne', '--perplexity', '8', '--iterations', '2000', '--seed', '7', '--out', join(home, 'out'), '--tile', '16'));
    expect([answer.points, [...answer.files]]).toEqual([40, ['coordinates.csv', 'coordinates.npy', 'tensors.tsv', 'metadata.tsv', 'sprite.png', 'projector_config.json', 'mosaic.png', 'map.svg', 'map.png', 'map.json']]);
    expect(await sizeOfPicture(readFileSync(join(home, 'out', 'mosaic.png')))).toEqual({ width: 7 * 16, height: 6 * 16 });
    const { shape, data } = await readNpy(join(home, 'out', 'coordinates.npy'));
    expect(shape).toEqual([40, 2]);
    // In a copy of the workspace the same command dies while it works.
    const again = ['map', '--workspace', other, '--layer', 'conv2', '--method', 'tsne', '--perplexity', '8', '--iterations', '2000', '--seed', '7', '--out', join(home, 'again')];
    const dying = startCommand(home, again);
    await eventually(async () => existsSync(join(other, 'maps')) || undefined, 'a map that is begun');
    dying.process.kill('SIGKILL');
    await dying.finished;
    await runForJson(home, ...again);
    expect((await readNpy(join(home, 'again', 'coordinates.npy'))).data).toEqual(data);
  }, 120_000);

  it('finds neighbours of an image of the index and of a file, and refuses what makes no sense', async () => {
    const own = await runForJson<NeighbourAnswer>(home, 'neighbours', '--workspace', work, '--image', 'cat/1.png', '--layer', 'conv2', '-k', '3');
    expect([own.layer, own.name, own.features.length, own.pixels.length]).toEqual(['second', 'cat/1.png', 3, 3]);
    const given = await runForJson<NeighbourAnswer>(home, 'neighbours', '--workspace', work, '--image', join(home, 'images', 'cat', '1.png'), '--layer', 'second', '-k', '1', '--metric', 'cosine');
    expect([given.features[0]!.image, given.pixels[0]!.image]).toEqual(['cat/1.png', 'cat/1.png']);
    const failed = async (...args: string[]) => (await runCommand(home, ...args)).stderr;
    // Said before the features of another layer are computed.
    const near = (image: string, ...more: string[]) => failed('neighbours', '--workspace', work, '--layer', 'conv1', '--image', image, ...more);
    expect(await near('cat/99.png')).toMatch(/^switchback: There is no file .*99\.png, and no image "cat\/99\.png" in the index\. Give a picture's file, or the path of an image as index \w+ lists it \(such as ant\/0\.png\)\.\n$/);
    expect(await near(join(home, 'images'))).toContain(`${join(home, 'images')} is a folder. Give a picture's file`);
    expect(await near(join(home, 'net.onnx'))).toContain('net.onnx: The content is no image format that can be read');
    expect(own).toMatchObject({ exact: true, index: { kind: 'unneeded' } });
    expect(await failed('neighbours', '--workspace', work, '--image', 'cat/1.png', '--layer', 'conv2', '--build-index')).toBe('switchback: 40 images are few enough to look at each of them, so that they need no index of neighbours; it is for more than 100000.\n');
    expect(await failed(...map('--method', 'tsne', '--perplexity', '3'))).toBe('switchback: --perplexity must be from 5 to 100.\n');
    expect(await failed(...map('--colour', 'channel'))).toContain('--colour channel needs --colour-channel');
  }, 120_000);

  it('serves columns, the mosaic and sheets of pictures', async () => {
    const bench = await serveWorkbench(home, '--workspace', work);
    try {
      const { id: index, numbering } = (await bench.client.indexing.list())[0]!;
      const [kept] = await bench.client.map.features({ index });
      expect(kept).toMatchObject({ layer: 'second', pooling: 'flat', state: 'complete', dimensions: 216 });
      const { map: id } = await bench.client.map.start({ subject: { kind: 'images', index, layer: 'second', pooling: 'flat' }, method: { kind: 'pca' } });
      let record = await bench.client.map.get({ map: id });
      for await (const next of await bench.client.map.watch({ map: id })) record = next;
      expect(record).toMatchObject({ state: 'done', points: 40, title: 'conv2, PCA' });
      const send = (path: string) => fetch(`${bench.origin}${path}`, { headers: { authorization: `Bearer ${bench.token}` } });
      const answer = await send(mapCoordinatesUrl({ map: id, revision: record.revision }));
      expect([answer.headers.get('x-revision'), answer.headers.get('cache-control'), answer.headers.get('content-type')]).toEqual([String(record.revision), 'private, max-age=31536000, immutable', 'application/octet-stream']);
      const positions = new Float32Array(await answer.arrayBuffer());
      expect([positions.length, Math.min(...positions.filter((_, at) => at % 2 === 0))]).toEqual([80, record.extent![0]]);
      const integers = async (path: string) => [...new Int32Array(await (await send(path)).arrayBuffer())];
      const { columns, rows } = await bench.client.map.grid({ map: id });
      expect([await integers(mapRowsUrl({ map: id, numbering })), new Set(await integers(mapGridUrl({ map: id, revision: record.revision }))).size, columns * rows, await integers(mapLinkUrl({ map: id, other: id }))]).toEqual([Array.from({ length: 40 }, (_, at) => at), 40, 42, Array.from({ length: 40 }, (_, at) => at)]);
      const colours = new Float32Array(await (await send(mapColoursUrl({ map: id, by: 'class' }))).arrayBuffer());
      expect([...colours.subarray(6, 10)]).toEqual([0, 0, 1, 1]);
      expect(await bench.client.map.colours({ map: id, by: 'class' })).toMatchObject({ kind: 'classes', without: 0 });
      const sheet = await send(thumbnailSheetUrl({ index, numbering, size: 32, columns: 8, images: Array.from({ length: 12 }, (_, at) => at) }));
      expect(await sizeOfPicture(Buffer.from(await sheet.arrayBuffer()))).toEqual({ width: 256, height: 64 });
      const { media, fileName } = await bench.client.map.export({ map: id, format: 'figure' });
      const figure = await send(media);
      expect([fileName, figure.headers.get('content-type'), (await figure.text()).startsWith('<?xml')]).toEqual(['map-conv2-pca.svg', 'image/svg+xml', true]);
      expect((await send('/media/map/ffffffffffff/coordinates?v=1')).status).toBe(404);
      const refused = await send(thumbnailSheetUrl({ index, numbering, size: 2000, columns: 8, images: [1] }));
      expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([422, expect.stringContaining('"size"')]);
    } finally {
      await bench.stop();
    }
  }, 120_000);
});

const model = 'models/caffe/cifar10-v1/cifar10_full_iter_60000.caffemodel';
const images = 'photos/cifar10-test';

describeWithData('a map of real pictures', [model, images], () => {
  const home = temporaryFolder('map-real');
  const work = join(home, 'work');
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('has the classes of cifar10 apart, and neighbours by features are of the same class more often than neighbours by pixels', async () => {
    await runForJson(home, 'index', '--workspace', work, '--model', dataPath(model), '--images', dataPath(images), '--order', 'rgb', '--scale', '1', '--mean', '125.3,123.0,113.9', '--std', '1,1,1', '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '16');
    const out = join(home, 'out');
    const { points, trustworthiness } = await runForJson<MapAnswer>(home, 'map', '--workspace', work, '--layer', 'pool3', '--pool', 'flat', '--method', 'umap', '--out', out);
    expect([points, trustworthiness > 0.75]).toEqual([200, true]);
    const rows = readFileSync(join(out, 'coordinates.csv'), 'utf8').trimEnd().split('\n').slice(1).map((line) => line.split(','));
    const classes = rows.map((row) => row[1]!);
    const errors = rows.filter((row) => row[3] === 'wrong').length;
    expect(errors, 'about 80 % are right').toBeLessThan(55);
    const { data } = await readNpy(join(out, 'coordinates.npy'));
    // By chance one in ten of the five nearest on the map would be of the same class.
    expect(sameClassShare(classes, 5, (a, b) => (data[2 * a]! - data[2 * b]!) ** 2 + (data[2 * a + 1]! - data[2 * b + 1]!) ** 2)).toBeGreaterThan(0.4);
    const services = await serveWorkbench(home, '--workspace', work);
    try {
      const { id: index } = (await services.client.indexing.list())[0]!;
      let [byFeatures, byPixels] = [0, 0];
      for (let image = 0; image < 200; image += 8) {
        const { features, pixels } = await services.client.map.neighbours({ index, layer: 'pool3', pooling: 'flat', picture: `image-${image}`, k: 5 });
        byFeatures += features.filter(({ className }) => className === classes[image]).length;
        byPixels += pixels.filter(({ className }) => className === classes[image]).length;
      }
      expect(byFeatures).toBeGreaterThan(1.5 * byPixels);
      // A lasso around the frogs names channels that frogs excite.
      const frogs = classes.flatMap((name, at) => (name === 'frog' ? [at] : []));
      const layer = (await services.client.indexing.layers({ index })).at(-1)!;
      const { channels } = await services.client.map.excited({ index, layer: layer.number, images: frogs });
      expect([channels[0]!.auc > 0.8, channels[0]!.deviations > 1]).toEqual([true, true]);
    } finally {
      await services.stop();
    }
  }, 180_000);
});

/** Among the k nearest of each point, the share of the same class. */
function sameClassShare(classes: readonly string[], k: number, distance: (a: number, b: number) => number): number {
  const shares = classes.map((name, at) => {
    const nearest = classes.map((_, other) => other).filter((other) => other !== at).sort((a, b) => distance(at, a) - distance(at, b)).slice(0, k);
    return nearest.filter((other) => classes[other] === name).length / k;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
