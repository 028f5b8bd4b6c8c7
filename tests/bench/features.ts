/**
 * `npm run bench -- features`: what features cost in the pass of an index, against a pass of their own behind it: squeezenet1.1 on the photographs of the test data, in turns, by processor time
 * (each begins with a few batches that are not counted, in which networks are read and compiled). Arguments: photographs (167), rounds (3).
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FeatureWish } from '../../src-main/services/featurePlan.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { openServices } from '../support/openServices.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { timed, type Timed } from '../support/processorTime.ts';
import { dataPath, missingData } from '../support/testData.ts';

/** The last convolution's means, as a map takes them, and a layer in the middle as it is. */
const wishes: readonly FeatureWish[] = [
  { layer: 'squeezenet0_conv25_relu', pooling: 'mean' },
  { layer: 'squeezenet0_conv12_relu', pooling: 'flat' },
];
const ways = ['index alone', 'features in its pass', 'a pass of their own'] as const;

const missing = missingData([squeezenet, photographs]);
if (missing !== null) console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
else await measure(Number(process.argv[2] ?? 167), Number(process.argv[3] ?? 3));

async function measure(wanted: number, rounds: number): Promise<void> {
  const home = temporaryFolder('bench-features');
  const [images, few] = [join(home, 'images'), join(home, 'few')];
  const count = linkPhotographs(images, wanted).length;
  linkPhotographs(few, 64);
  const services = await openServices(home, join(home, 'workspace'));
  try {
    const { preprocessing } = await services.inference.call('inspect', { path: dataPath(squeezenet) });
    let top = 1;
    // Another number of hits makes another index of the same pictures.
    const run = async (way: (typeof ways)[number], imagesPath: string) => {
      const done = async (jobId: string | null) => {
        const { state, error } = await services.workspaces.required().queue.ended(jobId!);
        if (state !== 'done') throw new Error(error?.message ?? `The job is ${state}.`);
      };
      const features = way === 'features in its pass' ? wishes : [];
      const { index, jobId } = await services.indexing.start({ modelPath: dataPath(squeezenet), imagesPath, preprocessing, top, engine: 'onnxruntime', device: 'cpu', batch: 16, features });
      await done(jobId);
      if (way === 'a pass of their own') for (const wish of wishes) await done((await services.features.compute({ index, ...wish })).jobId);
    };
    const found = new Map<string, number[]>(ways.map((way) => [way, []]));
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        top++;
        await run(way, few);
        found.get(way)!.push(processorMs(await timed(services, () => run(way, images))) / count);
      }
    }
    const [alone, inPass, own] = ways.map((way) => median(found.get(way)!)) as [number, number, number];
    console.log(`${count} photographs, squeezenet1.1, ${wishes.map(({ layer, pooling }) => `${layer} (${pooling})`).join(' and ')}; processor ms per image, median of ${rounds}:`);
    for (const way of ways) console.log(`  ${way.padEnd(22)} ${median(found.get(way)!).toFixed(2)}`);
    console.log(`  features in the pass / a pass of their own behind it: ${(inPass / own).toFixed(3)}; beside an index without: ${(inPass / alone).toFixed(3)}`);
  } finally {
    await services.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function processorMs({ coreSeconds, workerSeconds }: Timed): number {
  return 1000 * (coreSeconds + workerSeconds);
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1]!;
}
