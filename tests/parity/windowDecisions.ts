/**
 * Windows against whole images where a near-tie was decided differently (method.md section 3, "Comparing two computations"): the whole image's switches and masks, cut out for each
 * unit and counted from its window's corner, are handed to the window, so that only values are compared; what the window would have decided otherwise is counted, with its gap.
 */
import { createWindowCutter, normalizePixels } from '../../src-main/dataset/normalize.ts';
import { elementCount, valueOf, type Graph, type Node } from '../../src-main/graph/graph.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import type { UnitOfImage } from '../../src-main/inference/worker/protocol.ts';
import { uncut } from '../../src-main/projection/measure.ts';
import { projectionGraph, type ProjectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { truncate } from '../../src-main/rewrite/probe/truncate.ts';
import { valuesOnPath } from '../../src-main/rewrite/probe/valuesOnPath.ts';
import { createWindowFeeder, placeOf, type ImageSize } from '../../src-main/rewrite/window/feeds.ts';
import { neededRanges, operandRange, type Range, type Stretch } from '../../src-main/rewrite/window/ranges.ts';
import { windowGraph } from '../../src-main/rewrite/window/windowGraph.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import { runOnce } from './allEngines.ts';
import { decisionsOf, flippedPlaces, gapsOf, handOver } from './compare.ts';

export interface WindowSubject {
  readonly network: Graph;
  readonly imageInput: string;
  readonly layer: string;
  readonly method: Method;
  readonly preprocessing: Preprocessing;
  /** `[H, W, 3]` 8-bit RGB, on which all units are. */
  readonly picture: Uint8Array;
}

export interface WindowDifference {
  /** Per unit: the largest difference over the projection's largest value, given equal decisions. */
  readonly differences: readonly number[];
  readonly flipped: number;
  readonly widestGap: number;
}

/** Switches and masks that the projections of so many units on their windows depend on. */
export function countDecisions({ network, imageInput, layer, method }: WindowSubject, units: number): number {
  const { graph } = projectionGraph(windowGraph(network, imageInput, layer)!.graph, imageInput, layer, method);
  return decisionsOf(graph).reduce((sum, name) => sum + elementCount(valueOf(graph, name).shape.map((size) => (size === 'batch' ? units : size))), 0);
}

export async function compareDecided(engine: Engine, subject: WindowSubject, units: readonly UnitOfImage[]): Promise<WindowDifference> {
  const { network, imageInput, layer, method, preprocessing, picture } = subject;
  const [, ...imageSize] = valueOf(network, imageInput).shape as number[];
  const size = imageSize as unknown as ImageSize;
  const whole = projectionGraph(network, imageInput, layer, method);
  const pixels = normalizePixels(picture, preprocessing, 1);
  const image: Data = { shape: [units.length, ...size], data: Float32Array.from({ length: units.length * pixels.length }, (_, at) => pixels[at % pixels.length]!) };
  const onImages = await runOnce(engine, { ...whole.graph, outputs: [whole.projection, ...decisionsOf(whole.graph)] }, { [imageInput]: image, [whole.seed]: seedsAt(valueOf(network, layer).shape, units) });

  const { graph: windowed, ...frame } = windowGraph(network, imageInput, layer)!;
  const window = projectionGraph(windowed, imageInput, layer, method);
  const cut = createWindowCutter(preprocessing);
  const feeder = createWindowFeeder<UnitOfImage>(frame, size, units.length, (_, ...place) => cut(picture, ...place));
  const feeds: Record<string, Data> = { ...Object.fromEntries(feeder.fill(units)), [window.seed]: seedsAt(valueOf(windowed, layer).shape, units.map((unit) => ({ ...unit, y: 0, x: 0 }))) };
  const names = decisionsOf(window.graph);
  const own = await runOnce(engine, { ...window.graph, outputs: [window.projection, ...names] }, feeds);
  const moved = new Map(names.map((name) => [name, cutDecision(subject, whole, window, name, own.get(name)!, onImages, units)]));
  const flips = names.map((name) => ({ name, places: flippedPlaces(own.get(name)!, moved.get(name)!) })).filter(({ places }) => places.length > 0);
  const gaps = flips.length > 0 ? await gapsOf(engine, window.graph, feeds, flips, moved, own) : [];
  const handed = handOver(window.graph, window.projection, names);
  const given = Object.fromEntries(handed.inputs.map(({ name }) => [name, feeds[name] ?? moved.get(name)!]));
  const found = (await runOnce(engine, handed, given)).get(window.projection)!.data as Float32Array;

  const expected = onImages.get(whole.projection)!.data as Float32Array;
  const perImage = elementCount([...size]);
  const differences = units.map((unit, at) => {
    const { box, part } = placeOf(frame, found, at, unit, size);
    const [actual, right] = [uncut(part, box, ...size), expected.subarray(at * perImage, (at + 1) * perImage)];
    const absmax = right.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return right.reduce((most, value, index) => Math.max(most, Math.abs(value - actual[index]!)), 0) / (absmax || 1);
  });
  return { differences, flipped: flips.reduce((sum, { places }) => sum + places.length, 0), widestGap: Math.max(0, ...gaps) };
}

/** 1 at each unit, one unit for each image of the batch. */
function seedsAt(layerShape: readonly (number | 'batch')[], units: readonly UnitOfImage[]): Data {
  const [, channels, height, width] = layerShape as number[];
  const data = new Float32Array(units.length * channels! * height! * width!);
  for (const [at, { channel, y, x }] of units.entries()) data[((at * channels! + channel) * height! + y) * width! + x] = 1;
  return { shape: [units.length, channels!, height!, width!], data };
}

/** The window's own decision with the whole image's in its place wherever the real value has a position. */
function cutDecision({ network, imageInput, layer }: WindowSubject, whole: ProjectionGraph, window: ProjectionGraph, name: string, own: Data, onImages: ReadonlyMap<string, Data>, units: readonly UnitOfImage[]): Data {
  const forward = truncate(network, [layer]);
  const ranges = neededRanges(forward, layer, valuesOnPath(forward, imageInput))!;
  const pool = window.graph.nodes.find((node) => node.kind === 'MaxPool' && node.outputs[1] === name);
  const decider = pool?.name ?? [...window.steps].find(([, made]) => made.includes(name))![0];
  const node = forward.nodes.find((candidate) => candidate.name === decider)!;
  const decided = onImages.get(pool ? whole.graph.nodes.find((candidate) => candidate.kind === 'MaxPool' && candidate.name === decider)!.outputs[1]! : name)!;
  const range = ranges.get(node.outputs[0]!)!;
  const move = pool ? mover(forward, node, range) : (value: number) => value;

  const data = own.data.slice();
  const [, channels, rows, columns] = own.shape as [number, number, number, number];
  const [, , height, width] = decided.shape as [number, number, number, number];
  for (const [at, unit] of units.entries()) {
    const [top, left] = [startOf(range[0], unit.y), startOf(range[1], unit.x)];
    for (let channel = 0; channel < channels; channel++) {
      for (let row = Math.max(0, -top); row < Math.min(rows, height - top); row++) {
        for (let column = Math.max(0, -left); column < Math.min(columns, width - left); column++) {
          const value = Number(decided.data[((at * channels + channel) * height + top + row) * width + left + column]);
          const to = ((at * channels + channel) * rows + row) * columns + column;
          if (data instanceof BigInt64Array) data[to] = BigInt(move(value, at, unit));
          else data[to] = move(value, at, unit);
        }
      }
    }
  }
  return { shape: own.shape, data };
}

/** A switch, which counts through the pool's whole input, as it counts through the input's window. */
function mover(forward: Graph, node: Node, range: Range): (value: number, at: number, unit: UnitOfImage) => number {
  const [, channels, height, width] = valueOf(forward, node.inputs[0]!).shape as [number, number, number, number];
  const [rows, columns] = operandRange(forward, node, 0, range)!;
  return (value, at, { y, x }) => {
    const inImage = value - at * channels * height * width;
    const [channel, row, column] = [Math.floor(inImage / (height * width)), Math.floor(inImage / width) % height, inImage % width];
    return ((at * channels + channel) * rows.size + row - startOf(rows, y)) * columns.size + column - startOf(columns, x);
  };
}

function startOf({ stride, offset }: Stretch, position: number): number {
  return stride * position + offset;
}
