/**
 * Comparing two engines honestly (method.md section 3, "Comparing two computations"). Rounding may decide a near-tie of a pooling window or the sign of a value
 * near 0 differently; both are right then, and the pictures differ. So decisions (switches, masks) are compared and counted apart, each disagreement with its
 * gap; and where there are any, one engine's decisions are handed to the other as inputs of the graph, so that only values are compared.
 */
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { producers, withBatch, type Graph, type Node } from '../../src-main/graph/graph.ts';
import { verify } from '../../src-main/graph/verify.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { truncate } from '../../src-main/rewrite/probe/truncate.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import { relativeDifference, type Random } from '../support/graphs.ts';
import { runOnce } from './allEngines.ts';

export interface Tolerance {
  /** Largest difference over the largest value. */
  readonly values: number;
  /** Share of windows (and of masked values) that may be decided differently, each with a gap below `values`. */
  readonly decisions: number;
}

export const processorTolerance: Tolerance = { values: 1e-4, decisions: 1e-4 };
export const gpuTolerance: Tolerance = { values: 2e-3, decisions: 1e-2 };

export interface ProjectionDifference {
  /** Of the projections, given equal decisions. */
  readonly difference: number;
  /** Largest absolute value of the expected projection: a comparison of nothing shows here. */
  readonly largest: number;
  readonly decisions: number;
  readonly flipped: number;
  /** Largest gap of a flipped decision, over the largest value around it. */
  readonly widestGap: number;
}

/** The worst value among `names` (all float outputs of the graph where absent). */
export async function compareForward(first: Engine, second: Engine, graph: Graph, feeds: Readonly<Record<string, Data>>, names: readonly string[] = graph.outputs): Promise<{ readonly name: string; readonly difference: number }> {
  const [expected, actual] = [await runOnce(first, graph, feeds, names), await runOnce(second, graph, feeds, names)];
  const floats = names.filter((name) => expected.get(name)!.data instanceof Float32Array);
  return floats.map((name) => ({ name, difference: relativeDifference(actual.get(name)!, expected.get(name)!) })).reduce((worst, next) => (next.difference > worst.difference ? next : worst));
}

/** One unit of the layer for each image: of a random channel that the image excites, at its maximum, so that there is something to project. 1 at the unit, in the layer's shape. */
export function seedUnits(activation: Data, random: Random): Data {
  const [batch, channels, height = 1, width = 1] = activation.shape as [number, number, number?, number?];
  const area = height * width;
  const values = activation.data as Float32Array;
  const data = new Float32Array(values.length);
  for (let image = 0; image < batch; image++) {
    const peaks = Array.from({ length: channels }, (_, channel) => {
      const from = (image * channels + channel) * area;
      let best = from;
      for (let at = from; at < from + area; at++) if (values[at]! > values[best]!) best = at;
      return best;
    });
    const excited = peaks.filter((at) => values[at]! > 0);
    const candidates = excited.length > 0 ? excited : peaks;
    data[candidates[Math.floor(random() * candidates.length)]!] = 1;
  }
  return { shape: activation.shape, data };
}

export async function compareProjection(first: Engine, second: Engine, network: Graph, imageInput: string, layer: string, method: Method, images: Data, seeds: Data): Promise<ProjectionDifference> {
  const { graph, seed, projection } = projectionGraph(network, imageInput, layer, method);
  const decisions = decisionsOf(graph);
  const names = [projection, ...decisions];
  const open: Graph = { ...graph, outputs: names };
  const feeds = { [imageInput]: images, [seed]: seeds };
  const [expected, own] = [await runOnce(first, open, feeds), await runOnce(second, open, feeds)];
  const flips = decisions.map((name) => ({ name, places: flippedPlaces(own.get(name)!, expected.get(name)!) })).filter(({ places }) => places.length > 0);
  const gaps = flips.length > 0 ? await gapsOf(first, graph, feeds, flips, expected, own) : [];
  let actual = own.get(projection)!;
  if (flips.length > 0) {
    const handed = handOver(graph, projection, decisions);
    const given = Object.fromEntries(handed.inputs.map(({ name }) => [name, feeds[name] ?? expected.get(name)!]));
    actual = (await runOnce(second, handed, given)).get(projection)!;
  }
  return {
    difference: relativeDifference(actual, expected.get(projection)!),
    largest: (expected.get(projection)!.data as Float32Array).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0),
    decisions: decisions.reduce((sum, name) => sum + expected.get(name)!.data.length, 0),
    flipped: flips.reduce((sum, { places }) => sum + places.length, 0),
    widestGap: Math.max(0, ...gaps),
  };
}

/** Switches (int64) and masks (bool) that a float is computed from. */
export function decisionsOf(graph: Graph): readonly string[] {
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  return graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== '' && read.has(name) && ['int64', 'bool'].includes(graph.values.get(name)!.dataType));
}

/** The projection with its decisions as inputs. */
export function handOver(graph: Graph, projection: string, decisions: readonly string[]): Graph {
  const given = new Set(decisions);
  const build = createGraphBuilder(`${graph.name}, decided elsewhere`);
  for (const input of graph.inputs) build.input(input.name, input.dataType, input.shape);
  for (const name of decisions) build.input(name, graph.values.get(name)!.dataType, graph.values.get(name)!.shape);
  for (const tensor of graph.tensors.values()) build.tensor(tensor);
  for (const node of graph.nodes) {
    const outputs = node.outputs.filter((name) => !given.has(name));
    if (outputs.some((name) => name !== '')) build.copy({ ...node, outputs } as Node);
  }
  return verify(truncate(build.finish([projection]), [projection]));
}

export function flippedPlaces(actual: Data, expected: Data): readonly number[] {
  const places: number[] = [];
  for (let at = 0; at < expected.data.length; at++) if (actual.data[at] !== expected.data[at]) places.push(at);
  return places;
}

/** How near each flipped decision was: the two candidates of a window, or a value and its threshold, apart by this share of the largest value. */
export async function gapsOf(
  engine: Engine,
  graph: Graph,
  feeds: Readonly<Record<string, Data>>,
  flips: readonly { readonly name: string; readonly places: readonly number[] }[],
  expected: ReadonlyMap<string, Data>,
  actual: ReadonlyMap<string, Data>,
): Promise<number[]> {
  const makers = producers(graph);
  const deciding = flips.map(({ name }) => makers.get(name)!);
  const sources = [...new Set(deciding.map((node) => node.inputs[0]!))];
  const computed = sources.filter((name) => feeds[name] === undefined);
  const cut = { ...truncate(graph, computed), inputs: graph.inputs };
  const values = computed.length > 0 ? await runOnce(engine, cut, feeds) : new Map<string, Data>();
  return flips.map(({ name, places }, index) => {
    const node = deciding[index]!;
    const { data } = values.get(node.inputs[0]!) ?? feeds[node.inputs[0]!]!;
    const largest = (data as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const gapAt = (at: number): number => {
      if (node.kind === 'Greater') return Math.abs(Number(data[at]) - node.attributes.threshold);
      if (node.kind === 'MaxPool') return Math.abs(Number(data[Number(expected.get(name)!.data[at])]) - Number(data[Number(actual.get(name)!.data[at])]));
      throw new Error(`${node.kind} decides ${name}; how near it was is not known`);
    };
    return places.reduce((widest, at) => Math.max(widest, gapAt(at) / (largest || 1)), 0);
  });
}

/** Sizes of so many pictures for a network's input. */
export function imageShape(graph: Graph, imageInput: string, batch: number): number[] {
  return withBatch(graph.inputs.find((input) => input.name === imageInput)!.shape, batch);
}
