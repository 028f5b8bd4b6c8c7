/**
 * `node tests/bench/atlas.ts [photographs]`: the whole atlas of alexnet-conv1-pool5 (deconvnet, nine hits of every channel, 334 photographs where no number is given) through `serve` as a
 * person meets it: how long a channel that nobody has looked at takes to open, and one that is kept; the wall time of the atlas job and what it keeps; and the ratio to the naive way, one
 * forward and backward pass on the whole image for each hit, measured on a sample of hits of each layer in the same run (decoding left out, in its favour).
 */
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { normalizePixels } from '../../src-main/dataset/normalize.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { patchSheetUrl, projectionSheetUrl, sheetTileSizes } from '../../src-shared/contract/media.ts';
import type { Scale } from '../../src-shared/domain/projection.ts';
import { percentile } from '../support/cheapCalls.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { linkPhotographs, photographs } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, missingData } from '../support/testData.ts';

const alexnet = 'models/alexnet-conv1-pool5.onnx';
/** Channels opened to measure how long that takes. */
const opened = 60;
/** Hits of each layer that are projected the naive way. */
const naiveSample = 20;

const missing = missingData([alexnet, photographs]);
if (missing !== null) {
  console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
} else {
  await measure(Number(process.argv[2] ?? 334));
}

async function measure(wanted: number): Promise<void> {
  const home = temporaryFolder('bench-atlas');
  const folder = join(home, 'images');
  const images = linkPhotographs(folder, wanted).length;
  console.log(`${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}; alexnet-conv1-pool5, ${images} photographs\n`);
  const workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
  try {
    const index = await indexAll(workbench, folder);
    const layers = await workbench.client.indexing.layers({ index });
    const last = layers.at(-1)!.number;
    await measureOpening(workbench, index, last, images);
    const perSecond = await measureAtlas(workbench, index);
    await measureKept(workbench, index, layers.map((layer) => layer.number));
    const naive = await measureNaive(workbench, index, folder, layers.map(({ number, name }) => ({ number, name })));
    console.log(`\nnaive, all ${naive.hits} hits one by one: ${(naive.seconds / 60).toFixed(1)} min; the atlas job is ${(naive.seconds / (naive.hits / perSecond)).toFixed(1)} times as fast`);
  } finally {
    await workbench.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function indexAll({ client }: ServedWorkbench, folder: string): Promise<string> {
  const { preprocessing } = await client.models.inspect({ path: dataPath(alexnet) });
  const { index } = await client.indexing.start({ modelPath: dataPath(alexnet), imagesPath: folder, preprocessing });
  for await (const _ of await client.indexing.watch({ index }));
  return index;
}

/** Channels of the last layer one after the other, as a person opens them, nothing kept. */
async function measureOpening(workbench: ServedWorkbench, index: string, layer: number, images: number): Promise<void> {
  const channels = (await workbench.client.indexing.channels({ index, layer })).filter((channel) => channel.hits === Math.min(9, images));
  const first = await timed(workbench, sheetOf(index, layer, channels[0]!, 'quantile'));
  const times: number[] = [];
  for (const channel of channels.slice(1, 1 + opened)) times.push(await timed(workbench, sheetOf(index, layer, channel, 'quantile')));
  console.log(`opening a channel of layer ${layer} that nobody has looked at, nine projections (goal: p95 below 400 ms): ${described(times)}; the very first, which compiles, ${first.toFixed(0)} ms`);
}

async function measureAtlas({ client }: ServedWorkbench, index: string): Promise<number> {
  const before = (await client.projections.kept({ index })).projections.reduce((sum, { kept }) => sum + kept, 0);
  const startedMs = performance.now();
  const { jobId } = await client.projections.atlas({ index });
  for await (const jobs of await client.jobs.watch()) if (jobs.some((job) => job.id === jobId && job.endedAt !== null)) break;
  const seconds = (performance.now() - startedMs) / 1000;
  const { projections, crops } = await client.projections.kept({ index });
  const made = projections.reduce((sum, { kept }) => sum + kept, 0) - before;
  console.log(`\natlas job: ${made} projections in ${seconds.toFixed(1)} s, ${(made / seconds).toFixed(1)} per second`);
  for (const { layer, kept, hits, bytes } of projections) console.log(`  layer ${layer}: ${kept} of ${hits} hits, ${(bytes / 2 ** 20).toFixed(1)} MB, ${(bytes / kept / 1024).toFixed(1)} KB each`);
  console.log(`  ${crops.kept} input crops, ${(crops.bytes / 2 ** 20).toFixed(1)} MB`);
  return made / seconds;
}

/** Kept channels at both sizes, under a scale that was not asked for before, so that nothing but drawing is left. */
async function measureKept(workbench: ServedWorkbench, index: string, layers: readonly number[]): Promise<void> {
  console.log('\nopening a kept channel (goal: p95 below 50 ms):');
  for (const layer of layers) {
    const channels = (await workbench.client.indexing.channels({ index, layer })).filter((channel) => channel.hits > 0).slice(0, opened);
    const parts: string[] = [];
    for (const size of sheetTileSizes) {
      const times: number[] = [];
      for (const channel of channels) times.push(await timed(workbench, sheetOf(index, layer, channel, 'shared', size)));
      const patches: number[] = [];
      for (const { channel, version } of channels) patches.push(await timed(workbench, patchSheetUrl({ index, layer, channel, version, size })));
      parts.push(`tiles of ${size}: projections ${described(times)}, patches ${described(patches)}`);
    }
    console.log(`  layer ${layer}: ${parts.join('; ')}`);
  }
}

async function measureNaive({ client }: ServedWorkbench, index: string, folder: string, layers: readonly { readonly number: number; readonly name: string }[]): Promise<{ readonly hits: number; readonly seconds: number }> {
  const { preprocessing } = await client.indexing.get({ index });
  const { model } = await openModel(dataPath(alexnet), { inputSize: preprocessing.crop });
  const engine = await createOnnxruntimeEngine({ device: 'cpu' });
  let [total, seconds] = [0, 0];
  for (const { number, name } of layers) {
    const { graph, image, seed, projection } = projectionGraph(model.graph, model.imageInput, name, 'deconvnet');
    const session = await engine.compile(graph);
    const [, channels, rows, columns] = graph.values.get(seed)!.shape as [unknown, number, number, number];
    const summaries = await client.indexing.channels({ index, layer: number });
    const times: number[] = [];
    for (let at = 0; at <= naiveSample; at++) {
      const { channel } = summaries.filter(({ hits }) => hits > 0)[at * 3]!;
      const hit = (await client.indexing.channel({ index, layer: number, channel })).hits[0]!;
      const { pixels } = await decodeImage(join(folder, hit.image), preprocessing);
      const startMs = performance.now();
      const data = new Float32Array(channels * rows * columns);
      data[(channel * rows + hit.y) * columns + hit.x] = 1;
      const feeds = new Map([[image, { shape: [1, 3, ...preprocessing.crop], data: normalizePixels(pixels, preprocessing, 1) }], [seed, { shape: [1, channels, rows, columns], data }]]);
      await session.run(feeds, [projection], new AbortController().signal);
      times.push(performance.now() - startMs);
    }
    // The first run makes the session's memory.
    const each = times.slice(1).reduce((sum, time) => sum + time, 0) / naiveSample;
    const hits = summaries.reduce((sum, channel) => sum + channel.hits, 0);
    console.log(`${number === layers[0]!.number ? '\n' : ''}naive, ${name}: ${each.toFixed(1)} ms per hit, ${hits} hits`);
    total += hits;
    seconds += (each * hits) / 1000;
    await session.close();
  }
  await engine.close();
  return { hits: total, seconds };
}

function sheetOf(index: string, layer: number, { channel, version }: { readonly channel: number; readonly version: string }, scale: Scale, size: number = sheetTileSizes[0]): string {
  return projectionSheetUrl({ index, layer, channel, version, size, method: 'deconvnet', seed: 'one', scale });
}

async function timed({ origin, token }: ServedWorkbench, address: string): Promise<number> {
  const startMs = performance.now();
  const answer = await fetch(`${origin}${address}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  return performance.now() - startMs;
}

function described(times: readonly number[]): string {
  return `median ${percentile(times, 0.5).toFixed(0)}, p95 ${percentile(times, 0.95).toFixed(0)} ms`;
}
