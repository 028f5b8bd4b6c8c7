/** Small graphs, seeded numbers and comparisons for tests of engines and rewrites. */
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { elementCount, type Graph, type Shape, type Tensor } from '../../src-main/graph/graph.ts';
import type { OpAttributes, OpKind, WindowAttributes } from '../../src-main/graph/ops/attributes.ts';
import type { Data } from '../../src-main/inference/engine.ts';

/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export type Random = () => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normal numbers (Box-Muller) with the given standard deviation. */
export function normalFloats(random: Random, count: number, deviation = 1): Float32Array {
  return Float32Array.from({ length: count }, () => deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

export function floatData(shape: readonly number[], values: Iterable<number>): Data {
  return { shape, data: Float32Array.from(values) };
}

export function randomData(random: Random, shape: readonly number[], deviation = 1): Data {
  return { shape, data: normalFloats(random, elementCount(shape), deviation) };
}

export function floatTensor(name: string, shape: readonly number[], values: Iterable<number>): Tensor {
  return { name, dataType: 'float32', shape, data: Float32Array.from(values) };
}

export function randomTensor(random: Random, name: string, shape: readonly number[], deviation = 1): Tensor {
  return { name, dataType: 'float32', shape, data: normalFloats(random, elementCount(shape), deviation) };
}

/** Window attributes with everything plain but what is given. */
export function windowOf(kernel: readonly [number, number], rest: Partial<WindowAttributes> = {}): WindowAttributes {
  return { kernel, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], ...rest };
}

/** An operand of a one-node graph: fed at run time (`x`, the batch free where the first axis says so) or a constant. */
export type Operand = { readonly name: string; readonly shape: Shape; readonly dataType?: 'float32' | 'int64' | 'bool' } | Tensor;

/** A graph of one node; its outputs are named y, or y and s for two. */
export function oneNodeGraph<K extends OpKind>(kind: K, operands: readonly Operand[], attributes: OpAttributes[K], outputs: readonly string[] = ['y']): Graph {
  const builder = createGraphBuilder(`one ${kind}`);
  for (const operand of operands) {
    if ('data' in operand) builder.tensor(operand);
    else builder.input(operand.name, operand.dataType ?? 'float32', operand.shape);
  }
  return builder.finish(builder.add(kind, operands.map((operand) => operand.name), attributes, { outputs }));
}

/** Largest difference over the largest absolute value of `expected` (over 1 where all are 0). Infinite for other shapes or a NaN on one side only. */
export function relativeDifference(actual: Data, expected: Data): number {
  if (actual.shape.join() !== expected.shape.join()) return Infinity;
  let largest = 0;
  let difference = 0;
  for (let at = 0; at < expected.data.length; at++) {
    const a = Number(actual.data[at]);
    const b = Number(expected.data[at]);
    if (Number.isNaN(a) !== Number.isNaN(b)) return Infinity;
    if (Object.is(a, b) || a === b || Number.isNaN(a)) {
      if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
      continue;
    }
    largest = Math.max(largest, Math.abs(b));
    difference = Math.max(difference, Math.abs(a - b));
  }
  return difference === 0 ? 0 : difference / (largest || 1);
}

/** <a, b> in float64. */
export function innerProduct(a: Data, b: Data): number {
  let sum = 0;
  for (let at = 0; at < a.data.length; at++) sum += Number(a.data[at]) * Number(b.data[at]);
  return sum;
}
