/**
 * What compiled graphs take, estimated in bytes, and how much of it a process may keep. Estimates only decide what is dropped first and which batches are
 * tried; they need not be exact.
 */
import { totalmem } from 'node:os';
import { elementCount, withBatch, type Graph, type Value } from '../../graph/graph.ts';

/** What is smaller is not worth a moment's thought. */
export const largeBytes = 32 * 2 ** 20;

/** A compiled session holds its weights more than once: as read, and packed for the processor (1.7 times, measured with onnxruntime on zfnet512). */
export const sessionPerWeight = 1.8;

/** A quarter of the machine's memory, at most 2 GiB, unless the environment says otherwise (settings). */
export function memoryBudgetBytes(): number {
  const stated = Number(process.env['SWITCHBACK_MEMORY_BUDGET']);
  return stated > 0 ? stated : Math.min(2 * 2 ** 30, Math.min(totalmem(), process.constrainedMemory() || Infinity) / 4);
}

export function weightBytes(graph: Graph): number {
  let bytes = 0;
  for (const tensor of graph.tensors.values()) bytes += tensor.data.byteLength;
  return bytes;
}

/** What a session of this graph holds after a run of `batch`. */
export function sessionBytes(graph: Graph, batch: number): number {
  return weightBytes(graph) * sessionPerWeight + liveBytes(graph, batch);
}

/** The most that is held at once by values between their making and their last reading. */
export function liveBytes(graph: Graph, batch: number): number {
  const lastReader = new Map<string, number>();
  graph.nodes.forEach((node, at) => node.inputs.forEach((name) => lastReader.set(name, at)));
  for (const name of graph.outputs) lastReader.set(name, Infinity);
  let held = graph.inputs.reduce((sum, value) => sum + bytesOf(value, batch), 0);
  let most = held;
  graph.nodes.forEach((node, at) => {
    const made = node.outputs.flatMap((name) => (name === '' ? [] : [graph.values.get(name)!]));
    held += made.reduce((sum, value) => sum + bytesOf(value, batch), 0);
    most = Math.max(most, held);
    const spent = new Set([...node.inputs.filter((name) => graph.values.has(name)), ...node.outputs.filter((name) => name !== '')]);
    for (const name of spent) if ((lastReader.get(name) ?? at) === at) held -= bytesOf(graph.values.get(name)!, batch);
  });
  return most;
}

function bytesOf({ shape, dataType }: Value, batch: number): number {
  return elementCount(withBatch(shape, batch)) * bytesPerElement[dataType];
}

const bytesPerElement = { float32: 4, int64: 8, bool: 1, uint8: 1 } as const satisfies Record<Value['dataType'], number>;

/**
 * Gives large arrays that nobody holds back to the system at once: V8 counts them late, and an idle process never collects. Takes some milliseconds.
 * Does nothing where the process was not started with --expose-gc.
 */
export function collectGarbage(): void {
  (globalThis as { readonly gc?: () => void }).gc?.();
}
