/** Constants put together from elements of others: what reordering, cutting and joining have in common. `batch` is carried along as an element. */
import { elementCount } from '../../graph/graph.ts';
import type { Constant } from './constants.ts';

/** A constant of the given type from plain numbers. */
export function constantFrom(dataType: Constant['dataType'], shape: readonly number[], numbers: readonly number[]): Constant {
  if (dataType === 'float32') return { dataType, shape, data: Float32Array.from(numbers) };
  if (dataType === 'int64') return { dataType, shape, data: BigInt64Array.from(numbers, (value) => BigInt(Math.trunc(value))) };
  return { dataType, shape, data: Uint8Array.from(numbers) };
}

/** Elements of `x` in a new order: `source` gives for each position of the result the position in `x`. */
export function pick(x: Constant, shape: readonly number[], source: (position: number) => number): Constant {
  const count = elementCount(shape);
  const from = x.data;
  if (Array.isArray(from)) return gather(x.dataType, shape, Array.from({ length: count }, (_, position) => (from as readonly (bigint | 'batch')[])[source(position)]!));
  const data = from instanceof Float32Array ? new Float32Array(count) : from instanceof BigInt64Array ? new BigInt64Array(count) : new Uint8Array(count);
  for (let position = 0; position < count; position++) data[position] = (from as Float32Array)[source(position)]!;
  return { dataType: x.dataType, shape, data };
}

/** As `pick`, by a step per axis of the result. */
export function pickAlong(x: Constant, shape: readonly number[], strides: readonly number[], offset: number): Constant {
  return pick(x, shape, positions(shape, strides, offset));
}

/** Where a position of the result (row-major in `shape`) stands in the source, by a step per axis. */
export function positions(shape: readonly number[], strides: readonly number[], offset: number): (position: number) => number {
  return (position) => {
    let rest = position;
    let place = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis]!;
      place += (rest % size) * strides[axis]!;
      rest = Math.floor(rest / size);
    }
    return place;
  };
}

/** A constant from single elements, sizes among them. */
export function gather(dataType: Constant['dataType'], shape: readonly number[], elements: readonly (number | bigint | 'batch')[]): Constant {
  if (elements.includes('batch')) return { dataType, shape, data: elements as (bigint | 'batch')[] };
  if (dataType === 'int64') return { dataType, shape, data: BigInt64Array.from(elements as readonly bigint[]) };
  return constantFrom(dataType, shape, elements as readonly number[]);
}

