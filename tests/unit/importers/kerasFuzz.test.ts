/**
 * Broken and hostile Keras and TensorFlow.js files: seeded mutations of bytes and of single values in the JSON must end in a network or in an AppError,
 * soon and in little memory. SWITCHBACK_FUZZ runs more of them (10,000 for a release).
 */
import { beforeAll, expect, it } from 'vitest';
import { verify } from '../../../src-main/graph/verify.ts';
import type { ModelFormat } from '../../../src-main/importers/format.ts';
import { kerasFormat } from '../../../src-main/importers/keras/format.ts';
import { tensorflowjsFormat } from '../../../src-main/importers/tensorflowjs/format.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { seededRandom, type Random } from '../../support/graphs.ts';
import { archive, legacyFile } from './kerasFiles.ts';
import { fillWeights, filesBeside, layers, saveModel, tf } from './kerasTwin.ts';
import { GraphModel, window } from './tensorflowjsGraphModel.ts';

const rounds = Number(process.env['SWITCHBACK_FUZZ'] ?? 300);
const slowestMs = 5000;
const largestGrowthBytes = 2 ** 30;

let model: layers.LayersModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  const l = layers.layers;
  model = fillWeights(
    layers.sequential({
      name: 'net',
      layers: [
        l.conv2d({ inputShape: [9, 8, 3], filters: 4, kernelSize: 3, padding: 'same', strides: 2, activation: 'relu', name: 'stem' }),
        l.zeroPadding2d({ padding: [[1, 2], [0, 3]], name: 'padded' }),
        l.upSampling2d({ size: [2, 3], name: 'larger' }),
        l.separableConv2d({ filters: 5, kernelSize: 3, name: 'separate' }),
        l.batchNormalization({ name: 'norm' }),
        l.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, name: 'up' }),
        l.reshape({ targetShape: [1197, 2, 2], name: 'shaped' }),
        l.permute({ dims: [2, 1, 3], name: 'turned' }),
        l.flatten({ name: 'flat' }),
        l.dense({ units: 3, activation: 'softmax', name: 'classes' }),
      ],
    }),
    5,
  );
});

/** Cuts the file off, or changes some bytes, mostly near its beginning where the structure stands. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const kind = random();
  if (kind < 0.15) return bytes.slice(0, Math.floor(random() * bytes.length));
  const copy = Uint8Array.from(bytes);
  const range = kind < 0.6 ? Math.min(copy.length, 16384) : copy.length;
  for (let count = 1 + Math.floor(random() * 8); count > 0; count--) copy[Math.floor(random() * range)] = random() < 0.3 ? 255 : Math.floor(random() * 256);
  return copy;
}

const strange: readonly unknown[] = [null, -1, 0, 1, 2.5, 2 ** 20, 2 ** 31, 2 ** 53, 1e300, '', 'constructor', '__proto__', 'stem', [], [[]], {}, [null], [-1, -1], [2 ** 31, 2 ** 31], true];

/** One value somewhere in the JSON replaced, removed or doubled. */
function mutatedJson(json: unknown, random: Random): unknown {
  const copy = structuredClone(json);
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const { holder, key } = places[Math.floor(random() * places.length)]!;
    const kind = random();
    if (kind < 0.1) delete holder[key];
    else if (kind < 0.2 && Array.isArray(holder)) holder.push(holder[Number(key)]);
    else holder[key] = strange[Math.floor(random() * strange.length)];
  }
  return copy;
}

/** Ends of the runs by code; fails on anything untyped, slow or large. */
async function survives(format: ModelFormat, make: (random: Random) => Uint8Array, shard: (random: Random) => Uint8Array = () => new Uint8Array(0)): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  const before = process.memoryUsage().rss;
  for (let round = 0; round < rounds; round++) {
    const random = seededRandom(round + 1);
    const bytes = make(random);
    const files = filesBeside({ 'shard.bin': shard(random) });
    const startMs = performance.now();
    let end = 'ok';
    try {
      if (format.match(bytes).kind === 'yes') verify((await format.convert(bytes, 'file', {}, files)).model.graph);
    } catch (error) {
      if (!(error instanceof AppError)) throw new Error(`round ${round}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
      end = error.code;
    }
    expect(performance.now() - startMs, `round ${round}`).toBeLessThan(slowestMs);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(largestGrowthBytes);
  return ends;
}

const codes = ['ok', 'UNREADABLE_FILE', 'UNSUPPORTED', 'BAD_REQUEST', 'NOT_FOUND'];

it('bytes of .h5 and .keras files', async () => {
  const description = (await saveModel(model)).json.modelTopology;
  const legacy = await legacyFile(model, description);
  const weights = (name: string) => model.getLayer(name).getWeights();
  const zip = await archive({ 'layers/conv2d': weights('stem'), 'layers/separable_conv2d': weights('separate'), 'layers/batch_normalization': weights('norm'), 'layers/conv2d_transpose': weights('up'), 'layers/dense': weights('classes') }, description);
  for (const whole of [legacy, zip]) {
    const ends = await survives(kerasFormat, (random) => mutated(whole, random));
    expect([...ends.keys()].filter((end) => !codes.includes(end))).toEqual([]);
    expect(ends.get('UNREADABLE_FILE')).toBeGreaterThan(rounds / 20);
  }
});

it('values in the description of a layers model', async () => {
  const { json, shard } = await saveModel(model);
  const ends = await survives(tensorflowjsFormat, (random) => new TextEncoder().encode(JSON.stringify(mutatedJson(json, random))), () => shard);
  expect([...ends.keys()].filter((end) => !codes.includes(end))).toEqual([]);
  expect(ends.get('UNSUPPORTED')).toBeGreaterThan(rounds / 20);
});

it('values in the nodes of a graph model', async () => {
  const g = new GraphModel();
  let x = g.node('Conv2D', 'conv', [g.picture([-1, 6, 6, 3]), g.weight('k', [3, 3, 3, 4])], window([1, 1], 'SAME'));
  x = g.node('Pad', 'padded', [x, g.integers('pads', [0, 0, 1, 1, 1, 1, 0, 0], [4, 2])]);
  x = g.node('MirrorPad', 'mirrored', [x, g.integers('mirror', [0, 0, 2, 1, 1, 3, 0, 0], [4, 2])]);
  x = g.node('ResizeBilinear', 'resized', [x, g.integers('size', [7, 6])], { half_pixel_centers: { b: true } });
  g.node('Split', 'halves', [g.integers('axis', [3], []), x], { num_split: { i: '2' } });
  x = g.node('ConcatV2', 'joined', ['halves', 'halves:1', g.integers('join', [1], [])]);
  x = g.node('Mean', 'mean', [x, g.integers('axes', [1, 2])], { keep_dims: { b: true } });
  g.node('Reshape', 'flat', [x, g.integers('shape', [-1, 2])]);
  const whole = new TextEncoder().encode(JSON.stringify(g.json()));
  for (const ends of [
    await survives(tensorflowjsFormat, (random) => new TextEncoder().encode(JSON.stringify(mutatedJson(g.json(), random))), () => g.shard),
    // Sizes stand in the shard, too.
    await survives(tensorflowjsFormat, () => whole, (random) => mutated(g.shard, random)),
  ]) {
    expect([...ends.keys()].filter((end) => !codes.includes(end))).toEqual([]);
    expect(ends.get('ok')).toBeGreaterThan(rounds / 20);
  }
});
