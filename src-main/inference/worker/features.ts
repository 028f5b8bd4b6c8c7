/** Features of a batch of pictures, of as many layers as are wanted in one pass: vectors leave the process, feature maps only where they are asked for as they are. */
import { withoutWeights } from '../../graph/graph.ts';
import { featureGraph, type Pooling } from '../../rewrite/probe/featureGraph.ts';
import type { LabNetwork } from './labCalls.ts';
import { imageData, type WorkerState } from './state.ts';

export type { Pooling };

export interface FeatureCall extends LabNetwork {
  /** Names of values, each once; the class scores may be among them. */
  readonly values: readonly string[];
  readonly pooling: Pooling;
  /** Every call runs so many pictures, so that a row does not depend on its company. */
  readonly batch: number;
  /** `[batch, H, W, 3]` 8-bit RGB; unused rows may hold anything. */
  readonly pixels: Uint8Array;
}

/** `[batch, dimensions]` for each of `values`, in order. */
export async function features(state: WorkerState, { values, pooling, batch, pixels, model: reference, preprocessing, placement }: FeatureCall, signal: AbortSignal): Promise<readonly Float32Array[]> {
  const key = JSON.stringify([reference.hash, preprocessing.crop, placement, pooling, values]);
  let compiled = state.features.get(key);
  if (!compiled) {
    const engine = await state.engines.engineAt(placement);
    const model = await state.model(reference, preprocessing.crop);
    const { graph, heads } = featureGraph(model.graph, values, pooling);
    compiled = { heads, model: { ...model, graph: { ...withoutWeights(model.graph), nodes: [] } }, session: await engine.compile(graph) };
    state.features.set(key, compiled);
  }
  const { model, heads, session } = compiled;
  const found = await session.run(new Map([[model.imageInput, imageData(model, preprocessing, pixels, batch)]]), [...new Set(heads)], signal);
  return heads.map((name) => found.get(name)!.data as Float32Array);
}
