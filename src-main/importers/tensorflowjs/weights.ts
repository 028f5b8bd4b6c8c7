/**
 * Weights of a TensorFlow.js model: groups of binary shards beside model.json, each holding tensors one behind the other. Numbers may be quantised
 * to 8 or 16 bits (value * scale + min) or to float16.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount } from '../../graph/graph.ts';
import type { Siblings } from '../format.ts';
import { brief, isList, isObject, type Json, type JsonObject } from '../keras/fields.ts';
import type { FileTensor } from '../keras/operations.ts';

export interface ShardWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Type before any quantisation. */
  readonly dataType: string;
  /** Numbers as float32; refuses text and complex numbers. */
  read(): FileTensor;
}

const bytesPer: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2, complex64: 8 };

/** All weights by name. Reads every shard, so that a missing one is found at once. Throws AppError UNREADABLE_FILE, UNSUPPORTED or NOT_FOUND. */
export function readWeights(manifest: Json | undefined, fileName: string, siblings: Siblings): ReadonlyMap<string, ShardWeight> {
  const broken = (reason: string): never => {
    throw new AppError('UNREADABLE_FILE', `The weights of ${fileName} are broken: ${reason}. Download or convert the model again.`, { file: fileName });
  };
  if (!isList(manifest)) {
    throw new AppError('UNREADABLE_FILE', `${fileName} describes a network but names no weights (weightsManifest). Save it with model.save(), which writes both.`, { file: fileName });
  }
  const weights = new Map<string, ShardWeight>();
  for (const group of manifest) {
    if (!isObject(group) || !isList(group['paths']) || !isList(group['weights'])) return broken(`one of its groups is ${brief(group)}`);
    const paths = group['paths'].map((path) => (typeof path === 'string' ? path : broken(`a shard is named ${brief(path)}`)));
    const shards = paths.map((path) => siblings.read(path));
    const held = shards.reduce((sum, shard) => sum + shard.length, 0);
    let offset = 0;
    for (const entry of group['weights']) {
      const weight = describeWeight(entry, broken);
      const length = weight.type === 'string' ? textLength(shards, offset, elementCount(weight.shape)) : elementCount(weight.shape) * (bytesPer[weight.type] ?? broken(`${JSON.stringify(weight.name)} has elements of type ${weight.type}`));
      if (!(offset + length <= held)) {
        return broken(`${JSON.stringify(weight.name)} (${weight.shape.join(' x ')} ${weight.type}) ends at byte ${offset + length}, but ${paths.join(', ')} ${paths.length === 1 ? 'has' : 'have'} only ${held}`);
      }
      const start = offset;
      weights.set(weight.name, { name: weight.name, shape: weight.shape, dataType: weight.original, read: () => decode(weight, bytesAt(shards, start, length), fileName) });
      offset += length;
    }
  }
  return weights;
}

interface WeightDescription {
  readonly name: string;
  readonly shape: readonly number[];
  /** As stored. */
  readonly type: string;
  readonly original: string;
  readonly scale: number;
  readonly minimum: number;
}

function describeWeight(entry: Json, broken: (reason: string) => never): WeightDescription {
  if (!isObject(entry)) return broken(`a weight is ${brief(entry)}`);
  const { name, shape, dtype: original } = entry;
  if (typeof name !== 'string' || typeof original !== 'string') return broken(`a weight has the name ${brief(name)} and the type ${brief(original)}`);
  if (!isList(shape) || !shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)) return broken(`${JSON.stringify(name)} has the shape ${brief(shape)}`);
  const quantization: JsonObject = isObject(entry['quantization']) ? entry['quantization'] : {};
  const type = quantization['dtype'] ?? original;
  const scale = quantization['scale'] ?? 1;
  const minimum = quantization['min'] ?? 0;
  if (typeof type !== 'string' || typeof scale !== 'number' || typeof minimum !== 'number') return broken(`${JSON.stringify(name)} is quantised by ${brief(quantization)}`);
  return { name, shape: shape as readonly number[], type, original, scale, minimum };
}

function decode({ name, shape, type, scale, minimum }: WeightDescription, bytes: Uint8Array, fileName: string): FileTensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float32Array(elementCount(shape));
  const read: ((at: number) => number) | undefined = {
    float32: (at: number) => view.getFloat32(4 * at, true),
    int32: (at: number) => view.getInt32(4 * at, true),
    bool: (at: number) => bytes[at]!,
    uint8: (at: number) => bytes[at]! * scale + minimum,
    uint16: (at: number) => view.getUint16(2 * at, true) * scale + minimum,
    float16: (at: number) => fromHalf(view.getUint16(2 * at, true)),
  }[type];
  if (!read) throw new AppError('UNSUPPORTED', `The weight ${JSON.stringify(name)} of ${fileName} has elements of type ${type}; the layers that Switchback knows need numbers.`, { file: fileName });
  for (let at = 0; at < data.length; at++) data[at] = read(at);
  return { shape, data };
}

/** IEEE 754 half precision. */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** A stretch of the shards as if they were one file; copied only where it spans two. */
function bytesAt(shards: readonly Uint8Array[], start: number, length: number): Uint8Array {
  let begin = 0;
  for (const shard of shards) {
    if (start >= begin && start + length <= begin + shard.length) return shard.subarray(start - begin, start - begin + length);
    begin += shard.length;
  }
  const result = new Uint8Array(length);
  begin = 0;
  for (const shard of shards) {
    const from = Math.max(start, begin);
    const to = Math.min(start + length, begin + shard.length);
    if (from < to) result.set(shard.subarray(from - begin, to - begin), from - start);
    begin += shard.length;
  }
  return result;
}

/** Text weights are stored as length (32 bits) and bytes, each. */
function textLength(shards: readonly Uint8Array[], offset: number, count: number): number {
  const held = shards.reduce((sum, shard) => sum + shard.length, 0);
  let length = 0;
  for (let at = 0; at < count; at++) {
    if (offset + length + 4 > held) return Infinity;
    const four = bytesAt(shards, offset + length, 4);
    length += 4 + new DataView(four.buffer, four.byteOffset, 4).getUint32(0, true);
  }
  return length;
}
