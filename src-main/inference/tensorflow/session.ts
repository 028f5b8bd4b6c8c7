/**
 * One compiled graph on tfjs: constants uploaded once in the order that the steps want, then a walk over the nodes that frees every value after its
 * last reader. Nothing is left behind but the constants, and those go with close().
 */
import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs-core';
import { AppError } from '../../../src-shared/errors.ts';
import { valueOf, type Graph, type Node } from '../../graph/graph.ts';
import type { Data, Session } from '../engine.ts';
import type { LoadedBackend } from './backend.ts';
import { aligned, download, upload } from './layout.ts';
import type { CompileContext, Run, Step } from './lowering.ts';
import { lower } from './lowerings.ts';
import { batchOf, planRun, type Plan } from './plan.ts';

/** How long tensor work may hold the thread before messages (such as a cancel) are let in. */
const turnMs = 20;

export function compileSession(loaded: LoadedBackend, graph: Graph): Session {
  const { tf, backend } = loaded;
  const kept: Tensor[] = [];
  const steps = new Map<Node, Step>();
  void tf.setBackend(backend);
  try {
    const context = contextOf(loaded, graph, kept);
    for (const node of graph.nodes) steps.set(node, lower(node, context));
  } catch (error) {
    tf.dispose(kept);
    throw error;
  }
  let open = true;

  return {
    async run(feeds, fetches, signal) {
      signal?.throwIfAborted();
      if (!open) throw new Error(`the session of graph ${graph.name} is closed`);
      const batch = batchOf(graph, feeds);
      const plan = planRun(graph, fetches);
      const values = new Map<string, Tensor>();
      try {
        await walk(plan, values, feeds, batch, signal);
        const results = await Promise.all(fetches.map(async (name) => [name, await fetched(name, values, feeds)] as const));
        const error = loaded.takeError?.();
        if (error !== undefined) throw new AppError('INTERNAL', `${loaded.description} failed in ${graph.name}: ${error}`, { graph: graph.name });
        return new Map(results);
      } finally {
        for (const tensor of values.values()) tensor.dispose();
      }
    },
    async close() {
      if (open) tf.dispose(kept);
      open = false;
    },
  };

  async function walk(plan: Plan, values: Map<string, Tensor>, feeds: ReadonlyMap<string, Data>, batch: number, signal: AbortSignal | undefined): Promise<void> {
    void tf.setBackend(backend);
    for (const input of graph.inputs) values.set(input.name, upload(tf, feeds.get(input.name)!, input.dataType));
    const run: Run = { batch, value: (name) => values.get(name)! };
    let turnStart = performance.now();
    for (const [index, node] of plan.nodes.entries()) {
      if (performance.now() - turnStart > turnMs) {
        await setImmediate();
        signal?.throwIfAborted();
        if (!open) throw new AppError('CANCELLED', `The session of graph ${graph.name} was closed during a run.`);
        // Another session may have run on another backend meanwhile; the switch takes effect before this call returns.
        void tf.setBackend(backend);
        turnStart = performance.now();
      }
      const outputs = stepped(node, run);
      node.outputs.forEach((name, at) => {
        if (name !== '') values.set(name, outputs[at]!);
        else outputs[at]?.dispose();
      });
      for (const name of plan.spent[index]!) {
        values.get(name)?.dispose();
        values.delete(name);
      }
    }
  }

  function stepped(node: Node, run: Run): readonly Tensor[] {
    try {
      return tf.tidy(() => steps.get(node)!(run) as Tensor[]);
    } catch (error) {
      const code = error instanceof AppError ? error.code : 'INTERNAL';
      throw new AppError(code, `Node ${JSON.stringify(node.name)} (${node.kind}) failed on ${loaded.description}: ${error instanceof Error ? error.message : String(error)}`, { node: node.name, op: node.kind }, error);
    }
  }

  async function fetched(name: string, values: ReadonlyMap<string, Tensor>, feeds: ReadonlyMap<string, Data>): Promise<Data> {
    const tensor = values.get(name);
    if (tensor) return download(tf, tensor, valueOf(graph, name).dataType);
    const constant = graph.tensors.get(name) ?? feeds.get(name)!;
    return { shape: [...constant.shape], data: constant.data.slice() };
  }
}

function contextOf({ tf }: LoadedBackend, graph: Graph, kept: Tensor[]): CompileContext {
  const keep = (tensor: Tensor): Tensor => {
    kept.push(tf.keep(tensor));
    return tensor;
  };
  const uploaded = new Map<string, Tensor>();
  const constant = (name: string, rank: number): Tensor => {
    const source = graph.tensors.get(name)!;
    const key = `${rank} ${name}`;
    const tensor = uploaded.get(key) ?? keep(upload(tf, { shape: [...new Array<number>(rank - source.shape.length).fill(1), ...source.shape], data: source.data }, source.dataType));
    uploaded.set(key, tensor);
    return tensor;
  };
  return {
    tf,
    read(name, rank) {
      const source = graph.tensors.get(name);
      if (source) {
        const tensor = constant(name, rank ?? source.shape.length);
        return () => tensor;
      }
      return rank === undefined ? (run) => run.value(name) : (run) => aligned(tf, run.value(name), rank);
    },
    shapeOf: (name) => valueOf(graph, name).shape,
    weights(node, name) {
      if (name === undefined || name === '') return undefined;
      const source = graph.tensors.get(name);
      if (source?.data instanceof Float32Array) return { shape: source.shape, data: source.data };
      throw new AppError('UNSUPPORTED', `Node ${JSON.stringify(node.name)} (${node.kind}) takes its weights ${JSON.stringify(name)} from a computed value; Switchback runs it with constant weights only.`, { node: node.name, op: node.kind });
    },
    isConstant: (name) => graph.tensors.has(name),
    keep: (data, shape, dataType = 'float32') => keep(tf.tensor(data, [...shape], dataType)),
  };
}
