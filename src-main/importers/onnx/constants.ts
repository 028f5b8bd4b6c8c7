/**
 * Values known at import: the file's initializers and everything computed from them alone. float16, bfloat16 and float64 become float32, the
 * integer types int64. Sizes taken from a running value (ONNX Shape) may hold `batch`, the one size that is chosen at run time.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount, type DataType, type Dimension, type Tensor } from '../../graph/graph.ts';
import { dataTypeNumbers, type OnnxDataType, type OnnxTensor } from './messages.ts';

export interface Constant {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Row-major. A plain array only where an element is `batch`. */
  readonly data: Tensor['data'] | readonly (bigint | 'batch')[];
}

/** Names of ONNX element types by number. */
const dataTypeNames = new Map<number, OnnxDataType>(Object.entries(dataTypeNumbers).map(([name, number]) => [number, name as OnnxDataType]));

export function dataTypeName(number: number | undefined): string {
  return dataTypeNames.get(number ?? 0) ?? `type ${number ?? 0}`;
}

/** The graph's element type for an ONNX one, or undefined where there is none. */
export function graphDataType(number: number | undefined): DataType | undefined {
  const name = dataTypeNames.get(number ?? 0);
  if (name === 'float32' || name === 'float16' || name === 'float64' || name === 'bfloat16') return 'float32';
  if (name === 'int64' || name === 'bool' || name === 'uint8') return name;
  return undefined;
}

/** Reads an initializer or attribute tensor. Throws AppError UNSUPPORTED (external data, strings) or UNREADABLE_FILE (wrong number of values). */
export function constantOf(tensor: OnnxTensor): Constant {
  const name = JSON.stringify(tensor.name ?? '');
  const shape = tensor.dims;
  if (tensor.dataLocation === 1) {
    const location = tensor.externalData.find((entry) => entry.key === 'location')?.value ?? 'another file';
    throw new AppError('UNSUPPORTED', `The weights ${name} are kept outside the model, in ${location}. Save the model as one file: onnx.save(onnx.load("model.onnx"), "one-file.onnx")`, { tensor: tensor.name ?? '', location });
  }
  const count = elementCount(shape);
  const decode = decoders[dataTypeName(tensor.dataType)];
  if (!decode) throw new AppError('UNSUPPORTED', `The tensor ${name} has elements of ${dataTypeName(tensor.dataType)}, which no network weights need.`, { tensor: tensor.name ?? '' });
  const { dataType, data } = decode(tensor);
  if (data.length !== count) {
    throw new AppError('UNREADABLE_FILE', `The tensor ${name} should hold ${count} values (${shape.join(' x ')}), but ${data.length} are there. Download or export the model again.`, { tensor: tensor.name ?? '' });
  }
  return { dataType, shape, data };
}

type Decoder = (tensor: OnnxTensor) => { readonly dataType: DataType; readonly data: Tensor['data'] };

const decoders: Readonly<Record<string, Decoder>> = {
  float32: ({ rawData, floatData }) => ({ dataType: 'float32', data: rawData ? aligned(rawData, Float32Array) : floatData }),
  float64: ({ rawData, doubleData }) => ({ dataType: 'float32', data: Float32Array.from(rawData ? aligned(rawData, Float64Array) : doubleData) }),
  float16: ({ rawData, int32Data }) => ({ dataType: 'float32', data: fromHalf(rawData ? aligned(rawData, Uint16Array) : Uint16Array.from(int32Data)) }),
  bfloat16: ({ rawData, int32Data }) => ({ dataType: 'float32', data: fromBrainFloat(rawData ? aligned(rawData, Uint16Array) : Uint16Array.from(int32Data)) }),
  int64: ({ rawData, int64Data }) => ({ dataType: 'int64', data: rawData ? aligned(rawData, BigInt64Array) : BigInt64Array.from(int64Data) }),
  int32: ({ rawData, int32Data }) => ({ dataType: 'int64', data: BigInt64Array.from(rawData ? aligned(rawData, Int32Array) : int32Data, BigInt) }),
  int16: ({ rawData, int32Data }) => ({ dataType: 'int64', data: BigInt64Array.from(rawData ? aligned(rawData, Int16Array) : int32Data, BigInt) }),
  int8: ({ rawData, int32Data }) => ({ dataType: 'int64', data: BigInt64Array.from(rawData ? aligned(rawData, Int8Array) : int32Data, BigInt) }),
  uint8: ({ rawData, int32Data }) => ({ dataType: 'uint8', data: rawData ?? Uint8Array.from(int32Data) }),
  bool: ({ rawData, int32Data }) => ({ dataType: 'bool', data: rawData ?? Uint8Array.from(int32Data) }),
};

interface TypedArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): T;
}

/** A view where the bytes happen to stand on a multiple of the element size, else a copy. ONNX stores little-endian, as all supported machines do. */
function aligned<T>(bytes: Uint8Array, type: TypedArrayConstructor<T>): T {
  const size = type.BYTES_PER_ELEMENT;
  const source = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new type(source.buffer, source.byteOffset, Math.floor(source.byteLength / size));
}

function fromHalf(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index]!;
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) floats[index] = fraction ? NaN : sign * Infinity;
    else floats[index] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return floats;
}

function fromBrainFloat(upper: Uint16Array): Float32Array {
  const bits = new Uint32Array(upper.length);
  for (let index = 0; index < upper.length; index++) bits[index] = upper[index]! << 16;
  return new Float32Array(bits.buffer);
}

/** A list of whole numbers as an int64 vector. */
export function integerVector(values: readonly number[]): Constant {
  return { dataType: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}

/** Elements as plain numbers; sizes may hold `batch`. */
export function dimensionsOf(constant: Constant): Dimension[] {
  return Array.from(constant.data as ArrayLike<number | bigint | 'batch'>, (element) => (element === 'batch' ? element : Number(element)));
}

/** Elements as plain numbers, or undefined where one is `batch`. */
export function numbersOf(constant: Constant): number[] | undefined {
  const dimensions = dimensionsOf(constant);
  return dimensions.includes('batch') ? undefined : (dimensions as number[]);
}
