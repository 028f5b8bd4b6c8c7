/**
 * `npm run bench -- devices`: forward images per second of every engine and device that this machine has, on four networks, all in one run, as ratios to
 * onnxruntime on the processor. Runs alternate between the devices, so that what disturbs the machine disturbs all; the fastest run of each counts.
 * SWITCHBACK_BENCH_SECONDS bounds the time for each network and device (default 3). Played GPUs are measured only when named: `-- devices software`.
 */
import { cpus } from 'node:os';
import { elementCount, type Graph } from '../../src-main/graph/graph.ts';
import { openModel } from '../../src-main/importers/open.ts';
import type { Data, Engine, Placement, Session } from '../../src-main/inference/engine.ts';
import { candidatePlacements } from '../../src-main/inference/selfTest/survey.ts';
import { createEngines } from '../../src-main/inference/worker/engines.ts';
import { truncate } from '../../src-main/rewrite/probe/truncate.ts';
import { normalFloats, seededRandom } from '../support/graphs.ts';
import { filledLightNetwork } from '../support/lightNetworks.ts';
import { dataPath, missingData } from '../support/testData.ts';

const limitMs = 1000 * Number(process.env['SWITCHBACK_BENCH_SECONDS'] ?? 3);
const withSoftware = process.argv.includes('software');

interface Measured {
  readonly name: string;
  readonly session: Session;
  readonly feeds: ReadonlyMap<string, Data>;
  readonly batch: number;
  fastestMs: number;
  spentMs: number;
  runs: number;
}

const networks = [
  { name: 'squeezenet1.1', file: 'models/squeezenet1.1.onnx', batch: 16, open: async () => (await openModel(dataPath('models/squeezenet1.1.onnx'))).model },
  { name: 'alexnet-conv1-pool5', file: 'models/alexnet-conv1-pool5.onnx', batch: 16, open: async () => (await openModel(dataPath('models/alexnet-conv1-pool5.onnx'))).model },
  { name: 'zfnet512, seeded', file: 'onnx-light/light_zfnet512.onnx', batch: 8, open: () => filledLightNetwork('zfnet512', 20131311) },
  { name: 'vgg19, seeded', file: 'onnx-light/light_vgg19.onnx', batch: 4, open: () => filledLightNetwork('vgg19', 20131311) },
] as const;

const missing = missingData(networks.map(({ file }) => file));
if (missing !== null) console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
else await measure();

async function measure(): Promise<void> {
  console.log(`${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}; forward only, the whole network, its last value fetched\n`);
  const found = await devicesHere();
  for (const { name, batch, open } of networks) {
    const { graph, imageInput } = await open();
    const last = truncate(graph, [graph.outputs[0]!]);
    console.log(`${name}, batches of ${batch}:`);
    const measured = await compiled(found, last, imageInput, batch);
    while (measured.some(({ spentMs, runs }) => runs < 2 || spentMs < limitMs)) {
      for (const each of measured) if (each.runs < 2 || each.spentMs < limitMs) await runOnce(each, last.outputs[0]!);
    }
    const base = measured.find((each) => each.name === 'onnxruntime cpu')!.fastestMs;
    for (const each of measured) {
      console.log(`  ${each.name.padEnd(34)} ${(base / each.fastestMs).toFixed(2).padStart(7)} x   (${((1000 * batch) / each.fastestMs).toFixed(1)} images per second, ${each.runs} runs)`);
      await each.session.close();
    }
  }
}

async function devicesHere(): Promise<readonly { readonly name: string; readonly engine: Engine }[]> {
  const engines = createEngines();
  const found: { name: string; engine: Engine }[] = [];
  for (const placement of candidatePlacements()) {
    const row = await engines.probe(placement, { benchmark: false });
    const name = nameOf(placement);
    if (!row.available) console.log(`without ${name}: ${row.reason}`);
    else if (row.software && !withSoftware) console.log(`without ${name}: ${row.driver} is played by the processor`);
    else found.push({ name, engine: await engines.engineAt(placement) });
  }
  console.log('');
  return found;
}

async function compiled(found: Awaited<ReturnType<typeof devicesHere>>, graph: Graph, imageInput: string, batch: number): Promise<Measured[]> {
  const shape = graph.inputs.find((input) => input.name === imageInput)!.shape.map((size) => (size === 'batch' ? batch : size));
  const feeds = new Map([[imageInput, { shape, data: normalFloats(seededRandom(1), elementCount(shape)) }]]);
  const measured: Measured[] = [];
  for (const { name, engine } of found) {
    const each = { name, session: await engine.compile(graph), feeds, batch, fastestMs: Infinity, spentMs: 0, runs: 0 };
    // The first run compiles shaders and makes buffers.
    await each.session.run(feeds, graph.outputs);
    measured.push(each);
  }
  return measured;
}

async function runOnce(each: Measured, output: string): Promise<void> {
  const startMs = performance.now();
  await each.session.run(each.feeds, [output]);
  const tookMs = performance.now() - startMs;
  each.fastestMs = Math.min(each.fastestMs, tookMs);
  each.spentMs += tookMs;
  each.runs++;
}

function nameOf({ engine, device }: Placement): string {
  return `${engine} ${device}`;
}
