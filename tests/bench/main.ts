/**
 * `npm run bench`: how fast Switchback is on this machine, as a person would feel it, on squeezenet1.1 and the photographs of the test data: images per
 * second of an index, cheap calls while it runs, projections per second, and how long the first grid of a layer takes. RESULTS.md keeps one run.
 * The first argument is the number of photographs (334 where absent).
 */
import { rmSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { patchSheetUrl, projectionSheetUrl } from '../../src-shared/contract/media.ts';
import { describeLatencies, percentile, timeCheapCalls } from '../support/cheapCalls.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, missingData } from '../support/testData.ts';

/** A grid of a usual window: four rows of six channels, each with a sheet of patches and one of projections. */
const gridChannels = 24;
/** A browser asks for so many at once. */
const concurrency = 6;
const tile = 64;

const missing = missingData([squeezenet, photographs]);
if (missing !== null) {
  console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
} else {
  await measure(Number(process.argv[2] ?? 334));
}

async function measure(wanted: number): Promise<void> {
  const home = temporaryFolder('bench');
  const images = linkPhotographs(join(home, 'images'), wanted).length;
  const [processor] = cpus();
  console.log(`${cpus().length} cores (${processor?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; squeezenet1.1, 26 layers, ${images} photographs\n`);
  const workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
  try {
    const index = await measureIndexing(workbench, join(home, 'images'), images);
    const layers = await workbench.client.indexing.layers({ index });
    console.log('\nfirst grid of a layer nobody has looked at (24 channels, patches and projections):');
    for (const number of [2, 13, 26]) await measureGrid(workbench, index, layers.find((layer) => layer.number === number)!.number, layers[number - 1]!.title);
    await measureProjections(workbench, index);
  } finally {
    await workbench.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function measureIndexing({ client }: ServedWorkbench, folder: string, images: number): Promise<string> {
  const { preprocessing } = await client.models.inspect({ path: dataPath(squeezenet) });
  const { index } = await client.indexing.start({ modelPath: dataPath(squeezenet), imagesPath: folder, preprocessing });
  const startedMs = performance.now();
  const latencies = await timeCheapCalls(client, index);
  const seconds = (performance.now() - startedMs) / 1000;
  const { batchSize, engineDescription } = await client.indexing.get({ index });
  console.log(`indexing: ${(images / seconds).toFixed(1)} images per second (${seconds.toFixed(1)} s, ${engineDescription}, batches of ${batchSize}), while calls were made:`);
  console.log(describeLatencies(latencies));
  const all = [...latencies.values()].flat();
  console.log(`cheap calls: ${percentile(all, 0.95).toFixed(1)} ms at the 95th percentile (goal: below 50)`);
  return index;
}

/** The first picture and the whole grid, once computed and once kept. */
async function measureGrid(workbench: ServedWorkbench, index: string, layer: number, title: string): Promise<void> {
  const startedMs = performance.now();
  const channels = (await workbench.client.indexing.channels({ index, layer })).filter((channel) => !channel.dead).slice(0, gridChannels);
  const sheets = (which: 'patches' | 'projections'): string[] =>
    channels.map(({ channel, version }) => {
      const at = { index, layer, channel, version, size: tile };
      return which === 'patches' ? patchSheetUrl(at) : projectionSheetUrl({ ...at, method: 'deconvnet', seed: 'one', scale: 'quantile' });
    });
  const parts: string[] = [];
  for (const which of ['patches', 'projections', 'projections'] as const) {
    const beganMs = performance.now();
    let firstMs = 0;
    await fetchAll(workbench, sheets(which), () => (firstMs ||= performance.now() - (parts.length === 0 ? startedMs : beganMs)));
    const what = parts.length === 2 ? 'projections again' : which;
    parts.push(`${what} ${firstMs.toFixed(0)} ms first, ${(performance.now() - beganMs).toFixed(0)} ms all`);
  }
  console.log(`  layer ${layer} (${title}): ${parts.join('; ')}`);
}

/** Projections of units nobody has looked at, nine of a channel at a time, as a sheet asks for them. */
async function measureProjections(workbench: ServedWorkbench, index: string): Promise<void> {
  console.log('\nprojections per second (deconvnet, guided, gradient; other channels than above):');
  for (const layer of [5, 20, 26]) {
    const channels = (await workbench.client.indexing.channels({ index, layer })).filter((channel) => channel.hits === 9).slice(-8);
    const speeds: string[] = [];
    for (const method of ['deconvnet', 'guided', 'gradient'] as const) {
      const addresses = channels.map(({ channel, version }) => projectionSheetUrl({ index, layer, channel, version, size: tile, method, seed: 'one', scale: 'quantile' }));
      const startedMs = performance.now();
      await fetchAll(workbench, addresses, () => undefined);
      speeds.push(`${method} ${((9000 * addresses.length) / (performance.now() - startedMs)).toFixed(1)}`);
    }
    console.log(`  layer ${layer}: ${speeds.join(', ')}`);
  }
}

async function fetchAll({ origin, token }: ServedWorkbench, addresses: readonly string[], onPicture: () => void): Promise<void> {
  const waiting = [...addresses];
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
        const answer = await fetch(`${origin}${address}`, { headers: { authorization: `Bearer ${token}` } });
        if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
        await answer.arrayBuffer();
        onPicture();
      }
    }),
  );
}
