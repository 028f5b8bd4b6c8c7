/**
 * `npm run bench -- indexing`: how near indexing comes to the limit of the machine. Forward and decoding share the cores, so the limit is 1 / (1 / forward + 1 / decode), each measured by
 * running only that; the clock of an index runs from its first picture to its last commit. Also the peak resident memory of all processes (indexingMemory.ts: how it grows), and what the core itself costs beside decoding.
 * Arguments: number of listed images (the photographs are listed again and again; 334), model file (squeezenet1.1) or `peer:zfnet`, `peer:squeezenet`, `peer:alexnet` for the peer's own network, with
 * the peer on the same images behind each index (peer.ts), batch (16), rounds of both (3 with a peer: the median counts, as a machine has better and worse minutes; else 1).
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { placeOf } from '../../src-main/core/place.ts';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { noise } from '../../src-main/inference/worker/measureBatch.ts';
import { userFolders } from '../../src-main/services/folders.ts';
import { createServices, type Services } from '../../src-main/services/services.ts';
import { createTurns } from '../../src-main/services/turns.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { exportPeer, peerIndex, type PeerNetwork } from './peer.ts';
import { listPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { residentBytes, timed, type Timed } from '../support/processorTime.ts';
import { dataPath, missingData, repositoryRoot } from '../support/testData.ts';

const missing = missingData([squeezenet, photographs]);
if (missing !== null) console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
else await measure(Number(process.argv[2] ?? 334), process.argv[3] ?? dataPath(squeezenet), Number(process.argv[4] ?? 16), Number(process.argv[5] ?? 0));

async function measure(images: number, wanted: string, batch: number, statedRounds: number): Promise<void> {
  const home = temporaryFolder('bench-indexing');
  process.env['SWITCHBACK_HOME'] = home;
  const peer = wanted.startsWith('peer:') ? (wanted.slice('peer:'.length) as PeerNetwork) : undefined;
  const modelPath = peer ? join(home, `${peer}.onnx`) : wanted;
  if (peer) exportPeer(peer, modelPath);
  const folder = join(home, 'images');
  const files = listPhotographs(folder, images).map((name) => join(folder, name));
  const services = createServices({ ...placeOf(pathToFileURL(join(repositoryRoot, 'src-main/cli/main.ts')).href), folders: userFolders() });
  try {
    await services.workspaces.create({ path: join(home, 'workspace') });
    const { preprocessing, modelHash } = await services.inference.call('inspect', { path: modelPath });
    const model = { path: modelPath, hash: modelHash };
    const layers = (await services.inference.call('layers', { model, crop: preprocessing.crop })).map((layer) => layer.name);
    const { placement, description } = await services.inference.devices.chooseDevice({ engine: 'auto', device: 'auto' });
    console.log(`${images} listed photographs, ${layers.length} layers, ${description}, batches of ${batch}`);

    const inTurn = createTurns(availableParallelism());
    const decode = await timed(services, () => Promise.all(files.map((file) => inTurn(() => decodeImage(file, preprocessing).then(() => undefined)))));
    const batches = Math.ceil(images / batch);
    const pixels = noise(batch * preprocessing.crop[0] * preprocessing.crop[1] * 3);
    const score = () => services.inference.call('score', { model, layers, preprocessing, placement, batch, pixels, beside: true });
    await Promise.all([score(), score(), score(), score()]);
    const forward = await timed(services, async () => {
      const inFlight = createTurns(4);
      await Promise.all(Array.from({ length: batches }, () => inFlight(score)));
    });

    const watch = watchMemory(services);
    let index = '';
    let peak = 0;
    const indexOnce = () => timed(services, async () => {
      ({ index } = await services.indexing.start({ modelPath, imagesPath: folder, preprocessing, top: 9, engine: placement.engine, device: placement.device, batch }));
      for await (const { state, running } of services.indexing.watch(index)) {
        // Complete with its last commit; the job goes on and keeps what is shown most.
        if (state === 'complete') return;
        if (!running) throw new Error(`The index is ${state}.`);
      }
    });
    const rounds: { readonly ours: Timed; readonly theirs: number }[] = [];
    while (rounds.length < (statedRounds || (peer ? 3 : 1))) {
      // The same request again would find what it made before.
      if (rounds.length > 0) await services.workspaces.create({ path: join(home, `workspace-${rounds.length}`) });
      const ours = await indexOnce();
      peak ||= watch.stop();
      // What the job still does must not slow the peer down.
      for await (const { running } of services.indexing.watch(index)) if (!running) break;
      rounds.push({ ours, theirs: peer ? peerIndex(peer, folder, images) : NaN });
    }
    const whole = median(rounds.map(({ ours }) => ours), ({ seconds }) => seconds);

    const perSecond = ({ seconds }: Timed) => images / seconds;
    const limit = 1 / (1 / perSecond(forward) + 1 / perSecond(decode));
    const row = (name: string, each: Timed) => console.log(`  ${name.padEnd(8)} ${perSecond(each).toFixed(1)} images per second; processor ms per image: core ${((1000 * each.coreSeconds) / images).toFixed(2)}, inference ${((1000 * each.workerSeconds) / images).toFixed(2)}`);
    row('decode', decode);
    row('forward', forward);
    row('index', whole);
    console.log(`  limit ${limit.toFixed(1)}; index / limit ${(perSecond(whole) / limit).toFixed(3)} (goal: 0.85)`);
    const alone = decode.coreSeconds + decode.workerSeconds + forward.coreSeconds + forward.workerSeconds;
    console.log(`  by processor time, which other programs do not distort: ${(alone / (whole.coreSeconds + whole.workerSeconds)).toFixed(3)}`);
    if (peer) {
      const ratios = rounds.map(({ ours, theirs }) => perSecond(ours) / theirs);
      const theirs = median(rounds.map((round) => round.theirs), (speed) => speed);
      console.log(`  peer ${theirs.toFixed(1)} images per second; index / peer ${median(ratios, (ratio) => ratio).toFixed(2)} (rounds: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}; goal: 2.5 for squeezenet, 1.8 for zfnet)`);
    }
    console.log(`  peak resident memory: ${(peak / 2 ** 20).toFixed(0)} MB in all processes (goal: below 1500)`);
  } finally {
    await services.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function median<T>(all: readonly T[], sizeOf: (each: T) => number): T {
  return all.toSorted((a, b) => sizeOf(a) - sizeOf(b))[all.length >> 1]!;
}

/** Peak of the sum over the core and all inference processes. */
function watchMemory({ inference }: Services): { stop(): number } {
  let peak = 0;
  const look = () => {
    const bytes = [process.pid, ...inference.processes().values()].map(residentBytes);
    peak = Math.max(peak, bytes.reduce((sum, each) => sum + each, 0));
  };
  const timer = setInterval(look, 100);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}
