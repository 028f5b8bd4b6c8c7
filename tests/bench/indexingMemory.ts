/**
 * `npm run bench -- indexingMemory`: peak resident memory of all processes of `switchback index` with squeezenet1.1, for a short and a long list of images, each in a workspace and processes of its own
 * (goals: under 1.5 GB, and less than 5 % more for the long list). Arguments: images of both lists (1,000 and 20,000; the photographs are listed again and again).
 */
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runForJson, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { listPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { processesOf } from '../support/processes.ts';
import { residentBytes } from '../support/processorTime.ts';
import { dataPath, missingData } from '../support/testData.ts';

const sampleMs = 100;
/** Looking for new processes reads the whole process list. */
const samplesPerSearch = 10;

const missing = missingData([squeezenet, photographs]);
if (missing !== null) {
  console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
} else {
  const [few, many] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 20_000)];
  console.log(`${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}; squeezenet1.1, every layer`);
  const [before, after] = [await measure(few), await measure(many)];
  console.log(`${many} images take ${(100 * (after / before - 1)).toFixed(1)} % more memory than ${few} (goal: below 5 %)`);
}

/** Bytes. */
async function measure(images: number): Promise<number> {
  const home = temporaryFolder('bench-memory');
  try {
    const folder = join(home, 'images');
    mkdirSync(folder);
    listPhotographs(folder, images);
    // What a device can do is measured once and kept; it is not part of indexing.
    await runForJson(home, 'doctor');
    const startMs = performance.now();
    const command = startCommand(home, ['index', '--workspace', join(home, 'workspace'), '--model', dataPath(squeezenet), '--images', folder, '--json']);
    let ended = false;
    void command.finished.finally(() => (ended = true));
    let pids: readonly number[] = [];
    let peak = 0;
    for (let sample = 0; !ended; sample++) {
      if (sample % samplesPerSearch === 0) pids = (await processesOf(home)).map(({ pid }) => pid);
      peak = Math.max(peak, pids.reduce((sum, pid) => sum + residentBytes(pid), 0));
      await wait(sampleMs);
    }
    const { code, stderr } = await command.finished;
    if (code !== 0) throw new Error(`index ended with ${code}: ${stderr}`);
    console.log(`${images} images: at most ${(peak / 2 ** 20).toFixed(0)} MB in all processes (goal: below 1,500), ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
    return peak;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
