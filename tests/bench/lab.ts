/**
 * `npm run bench -- lab`: how long the lab's answers take on squeezenet1.1, over the core's own interface: an occlusion sweep against the bare forward passes it is made of (the same
 * machine, rounds in turn, the best of each), its first coarse map, activation sheets and projections. The first argument is the number of rounds (3 where absent).
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { classifierOf } from '../../src-main/rewrite/probe/classifier.ts';
import { truncate } from '../../src-main/rewrite/probe/truncate.ts';
import { activationSheetUrl, labPictureOfImage, labProjectionUrl } from '../../src-shared/contract/lab.ts';
import { runForJson, temporaryFolder } from '../support/commandLine.ts';
import { squeezenet } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, missingData } from '../support/testData.ts';

const images = ['n01843383_toucan.png', 'n01532829_house_finch.png', 'n01729322_hognose_snake.png'];
const batches = [1, 2, 4, 8, 16, 32];
const positions = 225;
const coarse = 16;

const missing = missingData([squeezenet, ...images.map((name) => `reference/images-224/${name}`)]);
if (missing !== null) console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
else await measure(Number(process.argv[2] ?? 3));

async function measure(rounds: number): Promise<void> {
  const home = temporaryFolder('bench-lab');
  mkdirSync(join(home, 'images'));
  for (const name of images) symlinkSync(dataPath(`reference/images-224/${name}`), join(home, 'images', name));
  await runForJson(home, 'index', '--workspace', join(home, 'work'), '--model', dataPath(squeezenet), '--images', join(home, 'images'), '--resize', 'none', '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '3', '--layers', 'squeezenet0_conv24_relu');
  const bench = await serveWorkbench(home, '--workspace', join(home, 'work'));
  try {
    const index = (await bench.client.indexing.list())[0]!.id;
    const forward = await forwardPasses();
    const sweeps: { readonly coarseMs: number; readonly sweepMs: number; readonly wholeMs: number }[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds; round++) {
      sweeps.push(await sweep(bench, index));
      bare.push(await forward.passesMs());
    }
    const best = (of: (each: (typeof sweeps)[number]) => number) => Math.min(...sweeps.map(of));
    const passesMs = Math.min(...bare);
    console.log(`${positions} forward passes at the best batch: ${passesMs.toFixed(0)} ms`);
    console.log(`occlusion, 15 x 15: sweep ${best(({ sweepMs }) => sweepMs).toFixed(0)} ms, ${(best(({ sweepMs }) => sweepMs) / passesMs).toFixed(2)} times the passes (goal: below 1.3); whole study ${best(({ wholeMs }) => wholeMs).toFixed(0)} ms`);
    console.log(`first coarse map: ${best(({ coarseMs }) => coarseMs).toFixed(0)} ms (first time ${sweeps[0]!.coarseMs.toFixed(0)} ms; goal: below 1000)`);
    await sheets(bench, index);
    await projections(bench, index);
    await forward.close();
  } finally {
    await bench.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** The network alone, to its class scores, in whichever batch is fastest. */
async function forwardPasses() {
  const engine = await createOnnxruntimeEngine({ device: 'cpu' });
  const { model } = await openModel(dataPath(squeezenet));
  const classifier = classifierOf(model.graph);
  if (classifier.kind === 'none') throw new Error(classifier.reason);
  const session = await engine.compile(truncate(model.graph, [classifier.logits]), { alone: true });
  const run = (batch: number) => session.run(new Map([[model.imageInput, { shape: [batch, 3, 224, 224], data: new Float32Array(batch * 3 * 224 * 224) }]]), [classifier.logits]);
  const passes = async (batch: number) => {
    await run(batch);
    const startMs = performance.now();
    for (let start = 0; start < positions; start += batch) await run(Math.min(batch, positions - start));
    return performance.now() - startMs;
  };
  return {
    async passesMs() {
      const times: number[] = [];
      for (const batch of batches) times.push(await passes(batch));
      return Math.min(...times);
    },
    close: () => engine.close(),
  };
}

async function sweep({ client }: ServedWorkbench, index: string) {
  const startMs = performance.now();
  const { id } = await client.lab.start({ index, picture: labPictureOfImage(0), study: { kind: 'occlusion', size: 48, stride: 16, colour: [124, 116, 104] }, afresh: true });
  let [coarseMs, sweepMs] = [0, 0];
  for await (const { done, total } of await client.lab.watch({ id })) {
    if (done >= coarse) coarseMs ||= performance.now() - startMs;
    if (total > 0 && done === total) sweepMs ||= performance.now() - startMs;
  }
  return { coarseMs, sweepMs, wholeMs: performance.now() - startMs };
}

/** Another picture each time, so that nothing is held. */
async function sheets(bench: ServedWorkbench, index: string): Promise<void> {
  const { layers } = await bench.client.lab.layers({ index });
  for (const { name, title, channels } of [layers[0]!, layers[12]!, layers.at(-2)!]) {
    const times = [];
    for (const image of [0, 1, 2]) times.push(await fetchMs(bench, activationSheetUrl({ index, picture: labPictureOfImage(image), layer: name, scale: 'shared', order: 'strength', size: 48, columns: Math.ceil(Math.sqrt(channels)) })));
    console.log(`activation sheet of ${title} (${channels} channels): ${Math.min(...times.slice(1)).toFixed(0)} ms (first time ${times[0]!.toFixed(0)} ms; goal: below 200)`);
  }
}

async function projections(bench: ServedWorkbench, index: string): Promise<void> {
  const { layers } = await bench.client.lab.layers({ index });
  for (const { name, title, height, width } of [layers[0]!, layers[12]!, layers.at(-2)!]) {
    const times = [];
    for (const channel of [1, 2, 3, 4]) times.push(await fetchMs(bench, labProjectionUrl({ index, picture: labPictureOfImage(channel % 3), layer: name, channel, y: height >> 1, x: width >> 1, method: 'deconvnet', seed: 'one', scale: 'quantile', area: 'input' })));
    console.log(`projection from ${title}: ${Math.min(...times.slice(1)).toFixed(0)} ms (first time ${times[0]!.toFixed(0)} ms; goal: below 150)`);
  }
}

async function fetchMs({ origin, token }: ServedWorkbench, address: string): Promise<number> {
  const startMs = performance.now();
  const answer = await fetch(`${origin}${address}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  return performance.now() - startMs;
}
