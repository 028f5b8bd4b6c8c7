/**
 * Projects units on their windows: forward and down on the receptive field alone, units of any picture and position in one batch (rewrite/window). On
 * low layers this is hundreds of times less work than the whole image; where the window is nearly the whole image there is nothing to gain.
 */
import { valueOf, withBatch, elementCount, type Graph } from '../../graph/graph.ts';
import { projectionGraph, type ProjectionGraph, type ProjectionOptions } from '../../rewrite/backward/projectionGraph.ts';
import { feedWindows, placeOf, type ImageSize } from '../../rewrite/window/feeds.ts';
import { windowGraph, type WindowGraph } from '../../rewrite/window/windowGraph.ts';
import type { Box } from '../../../src-shared/domain/geometry.ts';
import type { Method } from '../../../src-shared/domain/projection.ts';
import type { Engine, Session } from '../engine.ts';

export interface CompiledWindow {
  readonly window: WindowGraph;
  readonly projection: ProjectionGraph;
  readonly session: Session;
  /** Units that go through the engine together. */
  readonly batch: number;
}

/** A unit, its normalised picture `[C, H, W]`, and what its seed is worth. */
export interface WindowUnit {
  readonly channel: number;
  readonly y: number;
  readonly x: number;
  readonly image: Float32Array;
  readonly seed: number;
}

export interface WindowResult {
  readonly values: Float32Array;
  readonly box: Box;
  readonly activation: number;
}

/** Above this share of the image a window saves too little. */
const largestShare = 0.6;
/** Of the largest value of a batch, so that memory stays bounded on wide layers. */
const largestValueBytes = 64 * 2 ** 20;
const largestBatch = 128;

/** Undefined where windows cannot be used for this layer, or would not pay. */
export async function compileWindow(engine: Engine, network: Graph, imageInput: string, layer: string, method: Method, options: ProjectionOptions): Promise<CompiledWindow | undefined> {
  const window = windowGraph(network, imageInput, layer);
  const [, , height, width] = valueOf(network, imageInput).shape as number[];
  if (!window || window.image[0].size * window.image[1].size > largestShare * height! * width!) return undefined;
  const projection = projectionGraph(window.graph, imageInput, layer, method, options);
  const perUnit = Math.max(...[...projection.graph.values.values()].map(({ shape }) => elementCount(withBatch(shape, 1)))) * 4;
  const batch = Math.max(1, Math.min(largestBatch, Math.floor(largestValueBytes / perUnit)));
  return { window, projection, session: await engine.compile(projection.graph), batch };
}

export async function runWindows({ window, projection, session, batch }: CompiledWindow, units: readonly WindowUnit[], size: ImageSize, signal: AbortSignal): Promise<readonly WindowResult[]> {
  const results: WindowResult[] = [];
  for (let start = 0; start < units.length; start += batch) {
    const group = units.slice(start, start + batch);
    const seedShape = withBatch(valueOf(projection.graph, projection.seed).shape, group.length);
    const channels = seedShape[1]!;
    const seed = new Float32Array(group.length * channels);
    group.forEach((unit, index) => (seed[index * channels + unit.channel] = unit.seed));
    const feeds = new Map([...feedWindows(window, group, size), [projection.seed, { shape: seedShape, data: seed }] as const]);
    const found = await session.run(feeds, [projection.projection, projection.start], signal);
    const activations = found.get(projection.start)!.data as Float32Array;
    group.forEach((unit, index) => {
      const { box, part } = placeOf(window, found.get(projection.projection)!.data as Float32Array, index, unit, size);
      results.push({ values: part, box, activation: activations[index * channels + unit.channel]! });
    });
  }
  return results;
}
