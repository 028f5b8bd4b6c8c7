/**
 * Two honesty controls on a trained network (AlexNet, its reference images): would the picture look the same without what the network learned (random
 * weights), or without what this image switched (window centres)? Similarity is the cosine of the two projections inside their common support, and the
 * rank correlation of their magnitudes (Spearman). With SWITCHBACK_FIGURES naming a folder the pictures are written there side by side.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { normalizePixels } from '../../src-main/dataset/normalize.ts';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { changePreprocessing } from '../../src-main/dataset/preprocessing.ts';
import { withBatch, type Graph } from '../../src-main/graph/graph.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { drawProjection, levelsOf, quantileOfMagnitude } from '../../src-main/projection/display.ts';
import { composeSheet } from '../../src-main/projection/sheet.ts';
import { projectionGraph, type ProjectionOptions } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { withRandomWeights } from '../../src-main/rewrite/controls/randomWeights.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import { runOnce } from '../parity/allEngines.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

interface Unit {
  readonly layer: string;
  readonly channel: number;
  readonly image: string;
  readonly y: number;
  readonly x: number;
  readonly method: string;
}

const name = 'alexnet-conv1-pool5';
const size = 227;

describeWithData('what a projection depends on', [`models/${name}.onnx`, `reference/${name}/reference.json`], () => {
  let engine: Engine;
  let network: Graph;
  let units: readonly Unit[];
  let images: Float32Array;
  beforeAll(async () => {
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
    const { model } = await openModel(dataPath(`models/${name}.onnx`));
    network = model.graph;
    const { projections } = JSON.parse(await readFile(dataPath(`reference/${name}/reference.json`), 'utf8')) as { projections: readonly Unit[] };
    units = projections.filter((one) => one.layer === 'relu5' && one.method === 'deconvnet');
    const settings = changePreprocessing(preprocessingOf(model).preprocessing, { order: 'rgb', scale: 1, mean: [122.68, 116.67, 104.01], std: [57.375, 57.375, 57.375], resize: 'none' });
    const pictures = await Promise.all(units.map((unit) => decodeImage(dataPath(`reference/images-227/${unit.image}`), settings)));
    images = normalizePixels(Buffer.concat(pictures.map((picture) => picture.pixels)), settings, units.length);
  });
  afterAll(() => engine.close());

  async function project(graph: Graph, method: Method, options: ProjectionOptions = {}, channelShift = 0): Promise<readonly Float32Array[]> {
    // Below the activation: a unit that the random network has switched off would give an empty picture, which compares with nothing.
    const down = projectionGraph(graph, 'data', 'relu5', method, { belowActivation: true, ...options });
    const seedShape = withBatch(down.graph.values.get(down.seed)!.shape, units.length);
    const [, channels, rows, columns] = seedShape as [number, number, number, number];
    const seed = new Float32Array(units.length * channels * rows * columns);
    units.forEach(({ channel, y, x }, index) => (seed[((index * channels + ((channel + channelShift) % channels)) * rows + y) * columns + x] = 1));
    const feeds = { data: { shape: [units.length, 3, size, size], data: images }, [down.seed]: { shape: seedShape, data: seed } };
    const { data } = (await runOnce(engine, down.graph, feeds, [down.projection])).get(down.projection)!;
    const each = data.length / units.length;
    return units.map((_, index) => (data as Float32Array).slice(index * each, (index + 1) * each));
  }

  it.each(['deconvnet', 'guided'] as const)('%s changes with the weights and with the switches', async (method) => {
    const real = await project(network, method);
    const rows = {
      'the same again': await project(network, method),
      'window centres': await project(network, method, { unpool: 'centre' }),
      'random weights': await project(withRandomWeights(network, 1), method),
      'another channel': await project(network, method, {}, 1),
    };
    const measured = Object.entries(rows).map(([control, pictures]) => {
      const of = (compare: (a: Float32Array, b: Float32Array) => number) => pictures.map((picture, at) => compare(real[at]!, picture));
      return { control, cosine: mean(of(cosine)), rank: mean(of(rankCorrelation)), nonZero: pictures.filter((picture) => picture.some((value) => value !== 0)).length };
    });
    console.log(measured.map(({ control, cosine: c, rank: r, nonZero }) => `${method}, ${control}: cosine ${c.toFixed(3)}, rank correlation ${r.toFixed(3)} (${nonZero} of ${units.length} pictures not empty)`).join('\n'));
    if (process.env['SWITCHBACK_FIGURES']) await writeFigure(process.env['SWITCHBACK_FIGURES'], method, [real, ...Object.values(rows).slice(1)]);
    const [again, centres, random] = [measured[0]!, measured[1]!, measured[2]!];
    expect(units.length).toBeGreaterThanOrEqual(3);
    expect([again.cosine, again.rank]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)]);
    expect([centres.nonZero, random.nonZero], 'the controls give pictures of their own').toEqual([units.length, units.length]);
    expect(Math.abs(centres.cosine)).toBeLessThan(0.5);
    expect(Math.abs(random.cosine)).toBeLessThan(0.5);
  });
});

/** Rows: real, window centres, random weights, another channel; one column per unit. */
async function writeFigure(folder: string, method: string, rows: readonly (readonly Float32Array[])[]): Promise<void> {
  const tiles = rows.flatMap((pictures) => pictures.map((values) => drawProjection(levelsOf(values, [0, 0, size, size], quantileOfMagnitude(values)), size, size, [0, 0, size, size], 'rgb')));
  const { pixels, width, height } = composeSheet(tiles, size, rows[0]!.length);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `controls-${method}.png`), await encodePng(pixels, width, height, 4));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, left, right] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    product += a[at]! * b[at]!;
    left += a[at]! ** 2;
    right += b[at]! ** 2;
  }
  return left === 0 || right === 0 ? 0 : product / Math.sqrt(left * right);
}

/** Correlation of the ranks of |a| and |b| over the values that are not 0 in both; 0 where there are none. */
function rankCorrelation(a: Float32Array, b: Float32Array): number {
  const common = [...a.keys()].filter((at) => a[at] !== 0 && b[at] !== 0);
  if (common.length < 2) return 0;
  const ranks = (values: Float32Array) => {
    const result = new Float64Array(common.length);
    [...common.keys()].sort((i, j) => Math.abs(values[common[i]!]!) - Math.abs(values[common[j]!]!)).forEach((at, rank) => (result[at] = rank - (common.length - 1) / 2));
    return result;
  };
  const [left, right] = [ranks(a), ranks(b)];
  let [product, square] = [0, 0];
  left.forEach((rank, at) => {
    product += rank * right[at]!;
    square += rank * rank;
  });
  return product / square;
}
