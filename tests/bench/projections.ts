/**
 * `npm run bench -- projections [photographs] [channels] [network ...]`: projections per second (deconvnet, nine hits of 64 channels per layer) against what a researcher would
 * write with PyTorch, one whole forward and backward pass per projection, on the same networks with the same seeded weights, in the same run. Images are
 * decoded beforehand on both sides. Ours are the real hits, through everything that the inference process does for a unit. The peer is the test data's
 * neighbour `peers/torch_reference.py` with the system's python3-torch; where that is absent, ours alone, on a network of the test data. Threads: all cores on both sides.
 */
import { readdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { layersOf } from '../../src-main/geometry/layers.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import { createTopLists, offer } from '../../src-main/indexing/topList.ts';
import { projectUnits } from '../../src-main/inference/worker/projectUnits.ts';
import type { ModelReference, Placement, UnitOfImage } from '../../src-main/inference/worker/protocol.ts';
import { score } from '../../src-main/inference/worker/score.ts';
import { createState, type WorkerState } from '../../src-main/inference/worker/state.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { exportPeer, missingPeer, peerProject, type PeerNetwork } from './peer.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { percentile } from '../support/cheapCalls.ts';
import { photographs } from '../support/photographs.ts';
import { dataPath, missingData } from '../support/testData.ts';

interface Network {
  readonly title: string;
  readonly path: string;
  /** The peer's name of the same network, absent where it has none. */
  readonly peer?: PeerNetwork;
}

interface Measured {
  readonly perSecond: number;
  readonly firstMs: number;
}

const placement: Placement = { engine: 'onnxruntime', device: 'cpu' };
const top = 9;
const scoringBatch = 8;
const never = new AbortController().signal;
const ours = 'models/alexnet-conv1-pool5.onnx';

const missing = missingData([photographs, ours]);
if (missing !== null) console.log(`Nothing measured: ${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder).`);
else await measureAll(Number(process.argv[2] ?? 334), Number(process.argv[3] ?? 64), process.argv.slice(4));

async function measureAll(images: number, channels: number, wanted: readonly string[]): Promise<void> {
  const folder = temporaryFolder('projections');
  console.log(`${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}; ${images} photographs, ${top} hits of ${channels} channels per layer`);
  try {
    const exported = peerNetworks(folder).filter(({ title }) => wanted.length === 0 || wanted.includes(title));
    for (const network of exported) await measureNetwork(network, images, channels);
    await measureOpening({ title: 'alexnet-conv1-pool5', path: dataPath(ours) }, images);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The peer's own networks as files, or one of the test data where there is no peer. */
function peerNetworks(folder: string): readonly Network[] {
  const reason = missingPeer();
  if (reason !== null) {
    console.log(`No peer: ${reason}. Ours alone.`);
    return [{ title: 'alexnet-conv1-pool5', path: dataPath(ours) }];
  }
  return (['alexnet', 'zfnet'] as const).map((title) => {
    const path = join(folder, `${title}.onnx`);
    exportPeer(title, path);
    return { title, path, peer: title };
  });
}

interface Prepared {
  readonly state: WorkerState;
  readonly model: ModelReference;
  readonly preprocessing: Preprocessing;
  readonly layers: readonly Layer[];
  readonly pictures: readonly Uint8Array[];
  /** Per layer: `channels * top` units, channel by channel, best first. */
  readonly hits: readonly (readonly UnitOfImage[])[];
}

async function measureNetwork(network: Network, images: number, channels: number): Promise<void> {
  const prepared = await prepare(network, images, channels);
  console.log(`\n${network.title}: ours first call (compiles) ms | ours per second | peer per second | ratio`);
  const ratios: number[] = [];
  for (const [at, layer] of prepared.layers.entries()) {
    const { perSecond, firstMs } = await measureLayer(prepared, layer, prepared.hits[at]!);
    const peer = network.peer ? peerProject(network.peer, dataPath(photographs), images, at, channels) : undefined;
    if (peer) ratios.push(perSecond / peer);
    console.log(`  ${layer.name.padEnd(8)} ${firstMs.toFixed(0).padStart(8)} ${perSecond.toFixed(0).padStart(10)} ${(peer?.toFixed(1) ?? '-').padStart(10)} ${peer ? (perSecond / peer).toFixed(1).padStart(10) : '         -'}`);
  }
  if (ratios.length > 0) console.log(`  geometric mean of ${ratios.length} ratios: ${Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length).toFixed(1)}`);
}

/** Rounds of the same units, each from the pixels on: nothing is kept between them but what was compiled. At least nine and a second and a half of them, so that the fastest layers run as they do after a moment; the median counts. */
async function measureLayer({ state, model, preprocessing, pictures }: Prepared, layer: Layer, units: readonly UnitOfImage[]): Promise<Measured> {
  const round = async () => {
    const startMs = performance.now();
    await projectUnits(state, { model, layer: layer.name, method: 'deconvnet', seed: 'one', control: 'none', preprocessing, placement, pictures, units }, never);
    return performance.now() - startMs;
  };
  const firstMs = await round();
  const laterMs = [await round()];
  let spentMs = laterMs[0]!;
  while (spentMs < 6000 && (laterMs.length < 9 || spentMs < 1500)) {
    laterMs.push(await round());
    spentMs += laterMs.at(-1)!;
  }
  return { firstMs, perSecond: (1000 * units.length) / percentile(laterMs, 0.5) };
}

async function prepare({ path }: Network, images: number, channels: number): Promise<Prepared> {
  const state = createState();
  const { model: opened, modelHash } = await openModel(path);
  const preprocessing = preprocessingOf(opened).preprocessing;
  const layers = layersOf(opened.graph, opened.imageInput).filter(({ kind }) => kind === 'conv');
  const model = { path, hash: modelHash };
  const files = readdirSync(dataPath(photographs)).filter((name) => name.endsWith('.JPEG')).sort().slice(0, images);
  const pictures: Uint8Array[] = [];
  for (const file of files) pictures.push((await decodeImage(join(dataPath(photographs), file), preprocessing)).pixels);

  const lists = layers.map((layer) => createTopLists(layer.channels, top, layer.nonNegative));
  const size = pictures[0]!.length;
  for (let start = 0; start < pictures.length; start += scoringBatch) {
    const group = pictures.slice(start, start + scoringBatch);
    const pixels = new Uint8Array(scoringBatch * size);
    group.forEach((picture, at) => pixels.set(picture, at * size));
    const { layers: rows } = await score(state, { model, layers: layers.map(({ name }) => name), preprocessing, placement, batch: scoringBatch, pixels }, never);
    rows.forEach((row, at) => offer(lists[at]!, { images: Array.from({ length: scoringBatch }, (_, index) => (index < group.length ? start + index : -1)), ...row }));
  }
  const hits = layers.map((layer, at) =>
    Array.from({ length: Math.min(channels, layer.channels) * top }, (_, entry) => ({ entry, picture: lists[at]!.image[entry]!, position: lists[at]!.position[entry]! }))
      .filter(({ picture }) => picture >= 0)
      .map(({ entry, picture, position }) => ({ picture, channel: Math.floor(entry / top), y: Math.floor(position / layer.width), x: position % layer.width })),
  );
  return { state, model, preprocessing, layers, pictures, hits };
}

/** Nine projections of a channel of the last layer that nobody has looked at, as a person opens it: the computing part of it. */
async function measureOpening(network: Network, images: number): Promise<void> {
  const { state, model, preprocessing, layers, pictures, hits } = await prepare(network, images, 64);
  const layer = layers.at(-1)!;
  const times: number[] = [];
  for (let start = 0; start < hits.at(-1)!.length; start += top) {
    const units = hits.at(-1)!.slice(start, start + top);
    const shown = units.map(({ picture }) => pictures[picture]!);
    const startMs = performance.now();
    await projectUnits(state, { model, layer: layer.name, method: 'deconvnet', seed: 'one', control: 'none', preprocessing, placement, pictures: shown, units: units.map((unit, picture) => ({ ...unit, picture })) }, never);
    times.push(performance.now() - startMs);
  }
  const [firstMs, ...later] = times;
  console.log(`\nopening a channel of ${layer.name} of ${network.title} (nine projections): first ${firstMs!.toFixed(0)} ms (compiles), then median ${percentile(later, 0.5).toFixed(0)} ms, 95 % ${percentile(later, 0.95).toFixed(0)} ms`);
}
