/**
 * `npm run bench -- store`: ranking and store at ImageNet size, without a network: synthetic scores of 1.28 million images x 1,376 channels (the layers of zfnet512) through the real ranking,
 * score matrix and database. Prints what they cost per image as a share of zfnet512's forward time, how long the workspace takes to open, and how long a channel's hits take to read.
 * Arguments: images (1,281,167; the matrix needs 5.5 KB each), forward time of zfnet512 per image in ms (measured here where the model is, else 60), matrix (float32, float16 or none).
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { placeOf } from '../../src-main/core/place.ts';
import { buildIndex } from '../../src-main/indexing/buildIndex.ts';
import { createInferenceClient } from '../../src-main/inference/worker/client.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { openScoreMatrix, scoreMatrixFolder } from '../../src-main/store/scoreMatrix.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { dataPath, missingData, repositoryRoot } from '../support/testData.ts';

const zfnet = 'onnx-light/light_zfnet512.onnx';
const batch = 64;
const layers: readonly Layer[] = [96, 256, 384, 384, 256].map((channels, at) => ({
  name: `conv${at + 1}`, title: `conv${at + 1}`, kind: 'conv', number: at + 1, channels, height: 13, width: 13, receptiveField: { size: [7, 7], stride: [2, 2], offset: [-1, -1] }, nonNegative: true,
}));

const images = Number(process.argv[2] ?? 1_281_167);
const forwardMs = Number(process.argv[3] ?? 0) || (await measureForward());
const matrix = (process.argv[4] ?? 'float32') as 'float32' | 'float16' | 'none';
const folder = join(temporaryFolder('bench-store'), 'workspace');
try {
  await measure();
} finally {
  rmSync(dirname(folder), { recursive: true, force: true });
}

async function measure(): Promise<void> {
  console.log(`${images} images x ${layers.reduce((sum, layer) => sum + layer.channels, 0)} channels, matrix ${matrix}; zfnet512 takes ${forwardMs.toFixed(1)} ms per image`);
  let store = await openStore(folder, { mode: 'write', create: true });
  let startedMs = performance.now();
  const id = await makeIndex(store);
  console.log(`manifest: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);

  const used = process.cpuUsage();
  startedMs = performance.now();
  const waitedMs = await fill(store, id);
  const wallMs = performance.now() - startedMs - waitedMs;
  const { user, system } = process.cpuUsage(used);
  const perImage = (ms: number) => `${(ms / images).toFixed(4)} ms per image, ${((100 * ms) / images / forwardMs).toFixed(2)} % of forward`;
  console.log(`ranking and store: ${perImage(wallMs)} (goal: below 2 %); processor time with the making of scores: ${perImage((user + system) / 1000)}`);
  await store.close();

  startedMs = performance.now();
  store = await openStore(folder, { mode: 'write' });
  const [index] = await store.indexes.list();
  console.log(`opening: ${(performance.now() - startedMs).toFixed(1)} ms (goal: below 1000), ${index!.cursor} of ${index!.images} images done`);
  const tookMs: number[] = [];
  for (let at = 0; at < 200; at++) {
    const layer = layers[at % layers.length]!;
    startedMs = performance.now();
    const hits = await store.hits.ofChannel(id, layer.number, (at * 37) % layer.channels);
    tookMs.push(performance.now() - startedMs);
    if (hits.length !== 9) throw new Error(`${hits.length} hits instead of 9`);
  }
  tookMs.sort((a, b) => a - b);
  console.log(`a channel's hits: median ${tookMs[100]!.toFixed(2)} ms, longest ${tookMs.at(-1)!.toFixed(2)} ms (goal: below 5); resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`);
  await store.close();
}

async function makeIndex(store: Store): Promise<IndexId> {
  await store.scans.begin();
  for (let start = 0; start < images; start += 5000) {
    await store.scans.add(
      Array.from({ length: Math.min(5000, images - start) }, (_, at) => {
        const path = `n${String(((start + at) * 7919) % 1000).padStart(8, '0')}/${String(start + at).padStart(8, '0')}.JPEG`;
        return { path, file: path, sizeBytes: 110_000, modifiedMs: 1_700_000_000_000, className: path.slice(0, 9) };
      }),
    );
  }
  await store.scans.finish();
  const index = await store.indexes.create({
    key: 'bench', modelPath: '/zfnet512.onnx', modelName: 'zfnet512', modelHash: 'none', imagesPath: '/images',
    preprocessing: { order: 'rgb', crop: [1, 1], resize: { kind: 'exact' }, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
    engine: 'none', device: 'cpu', engineDescription: 'synthetic', batchSize: batch, top: 9, layers, labelsPath: null, computationVersion: 1, matrix, part: null,
  });
  return index.id;
}

/** @returns time spent making scores and decoding nothing, which is none of the store's */
async function fill(store: Store, id: IndexId): Promise<number> {
  const sink = matrix === 'none' ? undefined : await openScoreMatrix(scoreMatrixFolder(store.folder, id), { layers, precision: matrix, rows: 0 });
  let makingMs = 0;
  let state = 1;
  // Scores of a batch are one of some made before, shifted by a little, so that making them costs next to nothing and lists change as often as with independent images.
  const made = layers.map(({ channels }) => Float32Array.from({ length: batch * channels * 2 }, () => -Math.log((state = (state * 48271) % 2147483647) / 2147483647)));
  await buildIndex(
    {
      layers, top: 9, batchSize: batch, images, cursor: 0, crop: [1, 1],
      page: (from, limit) => store.images.page(id, from, limit),
      decode: async ({ number }) => ({ pixels: new Uint8Array(3), contentHash: number.toString(16).padStart(32, '0') }),
      async score(_pixels, firstImage) {
        const startedMs = performance.now();
        const scores = layers.map(({ channels }, at) => {
          const source = made[at]!;
          const length = batch * channels;
          const shift = (firstImage * 31 + at) % length;
          const stretch = 1 + ((firstImage * 2654435761) % 1000) * 1e-6;
          return { score: source.subarray(shift, shift + length).map((score) => score * stretch), position: new Int32Array(length).fill(firstImage % 169) };
        });
        makingMs += performance.now() - startedMs;
        return { layers: scores };
      },
      ...(sink ? { rows: sink } : {}),
      commit: (group) => store.hits.commitBatch({ indexId: id, ...group }),
      storedHits: async () => [],
      storedStatistics: async () => null,
      onProgress: () => undefined,
    },
    new AbortController().signal,
  );
  await sink?.close();
  return makingMs;
}

async function measureForward(): Promise<number> {
  if (missingData([zfnet]) !== null) return 60;
  const { workerEntry } = placeOf(pathToFileURL(join(repositoryRoot, 'src-main/cli/main.ts')).href);
  const inference = createInferenceClient({ entry: workerEntry });
  try {
    const { modelHash, preprocessing } = await inference.call('inspect', { path: dataPath(zfnet) });
    const model = { path: dataPath(zfnet), hash: modelHash };
    const names = (await inference.call('layers', { model, crop: preprocessing.crop })).map((layer) => layer.name);
    const { placement } = await inference.devices.chooseDevice({ engine: 'auto', device: 'auto' });
    const score = () => inference.call('score', { model, layers: names, preprocessing, placement, batch: 16, pixels: new Uint8Array(16 * preprocessing.crop[0] * preprocessing.crop[1] * 3) });
    await score();
    const startedMs = performance.now();
    for (let run = 0; run < 3; run++) await score();
    return (performance.now() - startedMs) / 48;
  } finally {
    await inference.close();
  }
}
