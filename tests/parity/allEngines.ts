/** Every engine that computes on the processor, for tests that hold on all of them; GPUs, real or played, have tests of their own (webgpu.test.ts). */
import type { Graph } from '../../src-main/graph/graph.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { createTensorflowEngine } from '../../src-main/inference/tensorflow/engine.ts';
import { AppError } from '../../src-shared/errors.ts';

/** The reference first. Native TensorFlow joins where it loads; everything else must be there. */
export async function allEngines(): Promise<Engine[]> {
  const engines = [createReferenceEngine(), await createOnnxruntimeEngine({ device: 'cpu' })];
  for (const backend of ['tensorflow', 'wasm', 'cpu'] as const) {
    try {
      engines.push(await createTensorflowEngine({ backend }));
    } catch (error) {
      if (backend !== 'tensorflow' || !(error instanceof AppError && error.code === 'UNAVAILABLE')) throw error;
      console.log(`without native TensorFlow: ${error.message}`);
    }
  }
  return engines;
}

/** Compiles, runs once with all outputs (or the named ones) fetched, closes. */
export async function runOnce(engine: Engine, graph: Graph, feeds: Readonly<Record<string, Data>>, fetches: readonly string[] = graph.outputs): Promise<ReadonlyMap<string, Data>> {
  const session = await engine.compile(graph);
  try {
    return await session.run(new Map(Object.entries(feeds)), fetches);
  } finally {
    await session.close();
  }
}
