/** The parity of two engines on one network as assertions: forward of every value, and the three methods down from chosen layers, three units each. */
import { expect } from 'vitest';
import { layersOf } from '../../src-main/geometry/layers.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import { randomData, seededRandom } from '../support/graphs.ts';
import { runOnce } from './allEngines.ts';
import { compareForward, compareProjection, imageShape, seedUnits, type ProjectionDifference, type Tolerance } from './compare.ts';

/** The others are made of these. */
const methods = ['deconvnet', 'guided', 'gradient'] as const satisfies readonly Method[];

/** Units of a layer: one on each of so many pictures. */
const units = 3;

export interface Subject {
  readonly graph: Graph;
  readonly imageInput: string;
  readonly pictures: Data;
}

export function subjectOf(graph: Graph, imageInput: string, seed: number): Subject {
  return { graph, imageInput, pictures: randomData(seededRandom(seed), imageShape(graph, imageInput, units)) };
}

/** Every float value of the network; returns the worst difference. */
export async function expectSameForward(first: Engine, second: Engine, { graph, imageInput, pictures }: Subject, tolerance: Tolerance): Promise<number> {
  const names = graph.nodes.flatMap((node) => node.outputs).filter((name) => graph.values.get(name)?.dataType === 'float32');
  const { name, difference } = await compareForward(first, second, { ...graph, outputs: names }, { [imageInput]: pictures });
  expect(difference, `${first.description} and ${second.description} at ${name}`).toBeLessThanOrEqual(tolerance.values);
  return difference;
}

export interface ProjectionParity {
  readonly compared: number;
  readonly worst: number;
  readonly decisions: number;
  readonly flipped: number;
  readonly widestGap: number;
}

export async function expectSameProjections(
  first: Engine,
  second: Engine,
  { graph, imageInput, pictures }: Subject,
  layers: readonly string[],
  tolerance: Tolerance,
): Promise<ProjectionParity> {
  const found: ProjectionDifference[] = [];
  const activations = await runOnce(first, { ...graph, outputs: [...layers] }, { [imageInput]: pictures });
  for (const layer of layers) {
    const seeds = seedUnits(activations.get(layer)!, seededRandom(layer.length + 17));
    for (const method of methods) {
      const result = await compareProjection(first, second, graph, imageInput, layer, method, pictures, seeds);
      const what = `${second.description} against ${first.description}: ${layer} by ${method}`;
      expect(result.largest, `${what}: something arrives`).toBeGreaterThan(0);
      expect(result.difference, what).toBeLessThanOrEqual(tolerance.values);
      expect(result.flipped / Math.max(1, result.decisions), `${what}: decisions that differ`).toBeLessThanOrEqual(tolerance.decisions);
      expect(result.widestGap, `${what}: how near they were`).toBeLessThanOrEqual(tolerance.values);
      found.push(result);
    }
  }
  return {
    compared: found.length,
    worst: Math.max(...found.map(({ difference }) => difference)),
    decisions: found.reduce((sum, { decisions }) => sum + decisions, 0),
    flipped: found.reduce((sum, { flipped }) => sum + flipped, 0),
    widestGap: Math.max(...found.map(({ widestGap }) => widestGap)),
  };
}

/** Names of at most `count` layers, spread evenly, the first and the last among them. */
export function someLayers(graph: Graph, imageInput: string, count = Infinity): readonly string[] {
  const names = layersOf(graph, imageInput).map(({ name }) => name);
  if (names.length <= count) return names;
  return Array.from({ length: count }, (_, index) => names[Math.round((index * (names.length - 1)) / Math.max(1, count - 1))]!);
}

export function describeParity({ compared, worst, decisions, flipped, widestGap }: ProjectionParity): string {
  return `${compared} projections, worst ${worst.toExponential(1)}; ${flipped} of ${decisions} decisions differ${flipped > 0 ? `, widest gap ${widestGap.toExponential(1)}` : ''}`;
}
