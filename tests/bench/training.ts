/**
 * Training images per second of the sample network (a ZFNet of a quarter of the width on 96 pixels) on two cores, beside the same network, batch and recipe in
 * PyTorch (the system's python3 with torch; training.py). Both run in turns, so that what else the machine does meets both; the ratio of the best is what counts.
 *
 *     node tests/bench/training.ts [rounds]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { trainingRecipe } from '../../src-shared/contract/training.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { beginTraining } from '../../src-main/inference/worker/trainSteps.ts';
import { buildNetwork } from '../../src-main/training/buildNetwork.ts';

const [width, edge, classes, batch, steps, threads] = [0.25, 96, 18, 64, 12, 2];
const rounds = Number(process.argv[2] ?? 3);

const recipe = trainingRecipe.parse({ epochs: 1, batch, initialisation: 'he', filterRms: null });
const mean = { pixels: new Float32Array(3 * edge * edge).fill(120), colours: Float32Array.of(120, 120, 120), deviation: 60 };
const network = buildNetwork({ kind: 'zfnet', width, input: edge }, recipe, classes, mean);
const engine = await createOnnxruntimeEngine({ device: 'cpu', threads });
const training = await beginTraining(engine, { ...recipe, network: network.graph, image: network.image, order: network.order, trained: network.trained });
const pixels = Uint8Array.from({ length: batch * edge * edge * 3 }, (_, at) => (at * 2654435761) >>> 24);
const labels = Int32Array.from({ length: batch }, (_, row) => row % classes);

const [ours, theirs]: [number[], number[]] = [[], []];
for (let round = 0; round < rounds; round++) {
  theirs.push(torchSpeed());
  ours.push(await ownSpeed());
  console.log(`round ${round + 1}: onnxruntime ${ours.at(-1)!.toFixed(0)}, PyTorch ${theirs.at(-1)!.toFixed(0)} images per second`);
}
await training.close();
await engine.close();
const ratio = Math.max(...ours) / Math.max(...theirs);
console.log(`\ntraining, ZFNet of width ${width} on ${edge} pixels, batch ${batch}, ${threads} threads: ${Math.max(...ours).toFixed(0)} images per second, PyTorch ${Math.max(...theirs).toFixed(0)}, ratio ${ratio.toFixed(2)} (goal 0.70)`);

async function ownSpeed(): Promise<number> {
  for (let step = 0; step < 2; step++) await training.step({ pixels, labels }, 0.01, step);
  const startMs = performance.now();
  for (let step = 0; step < steps; step++) await training.step({ pixels, labels }, 0.01, step);
  return (1000 * batch * steps) / (performance.now() - startMs);
}

function torchSpeed(): number {
  const script = fileURLToPath(new URL('training.py', import.meta.url));
  const run = spawnSync('/usr/bin/python3', [script, ...[width, edge, classes, batch, steps, threads].map(String)], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`PyTorch could not be run (python3-torch): ${run.error?.message ?? run.stderr}`);
  return Number(run.stdout.trim());
}
