/** One node of a TensorFlow graph and what its converter works with. */
import type { Feature, Network } from '../../keras/network.ts';
import type { FileTensor } from '../../keras/operations.ts';
import type { DataFormat } from '../../keras/axes.ts';
import { isList, isObject, type Json, type JsonObject } from '../../keras/fields.ts';
import type { Padding } from '../../keras/windows.ts';

/** What a node makes: a running value, or something known already (a weight, a list of sizes where the batch may be one). */
export type Made = { readonly kind: 'feature'; readonly feature: Feature } | { readonly kind: 'known'; readonly shape: readonly number[]; readonly numbers: ArrayLike<number | 'batch'> };

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly network: Network;
  readonly attributes: Attributes;
  /** How the graph's pictures lie: what its convolutions say. */
  readonly dataFormat: DataFormat;
  /** Number of inputs, control inputs not counted. */
  readonly inputCount: number;
  input(index: number): Made;
}

export interface Attributes {
  text(name: string, fallback: string): string;
  number(name: string, fallback: number): number;
  flag(name: string, fallback: boolean): boolean;
  integers(name: string): readonly number[] | undefined;
  texts(name: string): readonly string[];
}

/** All that a node makes, in the order of its outputs. */
export type NodeConverter = (node: GraphNode) => readonly Made[] | Feature;

/** A running value; a weight is put into the graph as it is. */
export function featureAt(node: GraphNode, index: number): Feature {
  const made = node.input(index);
  if (made.kind === 'feature') return made.feature;
  const tensor = weightAt(node, index);
  return { value: node.network.constant(`constant${index + 1}`, tensor.shape, tensor.data), order: 'file' };
}

export function isKnown(node: GraphNode, index: number): boolean {
  return node.input(index).kind === 'known';
}

/** A weight or other numbers that must be known when the file is read. */
export function weightAt(node: GraphNode, index: number): FileTensor {
  const { shape, numbers } = knownAt(node, index);
  return { shape, data: Float32Array.from(numbers, (value) => (value === 'batch' ? node.network.refuse('computes with the batch size, which is only chosen at run time') : value)) };
}

export function numbersAt(node: GraphNode, index: number): readonly (number | 'batch')[] {
  return Array.from(knownAt(node, index).numbers);
}

/** Whole numbers without the batch. */
export function integersAt(node: GraphNode, index: number): readonly number[] {
  return numbersAt(node, index).map((value) => (Number.isSafeInteger(value) ? (value as number) : node.network.refuse(`takes ${value} where it needs a whole number`)));
}

function knownAt(node: GraphNode, index: number): Extract<Made, { kind: 'known' }> {
  const made = node.input(index);
  return made.kind === 'known' ? made : node.network.refuse(`takes its input ${index + 1} from a value that is only known at run time; Switchback needs it fixed in the file`);
}

/** The order of axes of this node's pictures. */
export function formatOf(node: GraphNode): DataFormat {
  const format = node.attributes.text('data_format', node.dataFormat === 'channels_first' ? 'NCHW' : 'NHWC');
  if (format === 'NHWC') return 'channels_last';
  return format === 'NCHW' ? 'channels_first' : node.network.refuse(`has the data_format ${JSON.stringify(format)}; known are NHWC and NCHW`);
}

/** Height and width among four numbers, one for each axis. */
export function spatial(node: GraphNode, name: string): readonly [number, number] {
  const list = node.attributes.integers(name) ?? [1, 1, 1, 1];
  const [rows, columns] = formatOf(node) === 'channels_last' ? [list[1], list[2]] : [list[2], list[3]];
  const others = formatOf(node) === 'channels_last' ? [list[0], list[3]] : [list[0], list[1]];
  if (list.length !== 4 || rows! < 1 || columns! < 1 || others.some((size) => size !== 1)) node.network.refuse(`has ${name} ${list.join(', ')}; only height and width may differ from 1`);
  return [rows!, columns!];
}

/** `undefined` for pads given one by one. */
export function paddingOf(node: GraphNode): Padding | undefined {
  const text = node.attributes.text('padding', 'VALID');
  if (text === 'EXPLICIT') return undefined;
  return text === 'SAME' ? 'same' : text === 'VALID' ? 'valid' : node.network.refuse(`has the padding ${JSON.stringify(text)}`);
}

/** Attributes as protobuf's JSON form writes them: `{"s": base64}`, `{"i": "1"}`, `{"list": {"i": [...]}}`. */
export function attributesOf(attr: Json | undefined): Attributes {
  const object: JsonObject = isObject(attr) ? attr : {};
  const field = (name: string, kind: string): Json | undefined => {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    return isObject(value) ? value[kind] : undefined;
  };
  const list = (name: string, kind: string): readonly Json[] | undefined => {
    const value = field(name, 'list');
    const items = isObject(value) ? value[kind] : undefined;
    return isList(items) ? items : undefined;
  };
  return {
    text: (name, fallback) => decoded(field(name, 's')) ?? fallback,
    number: (name, fallback) => Number(field(name, 'f') ?? field(name, 'i') ?? fallback),
    flag: (name, fallback) => (field(name, 'b') ?? fallback) === true,
    integers: (name) => list(name, 'i')?.map(Number),
    texts: (name) => (list(name, 's') ?? []).map((each) => decoded(each) ?? ''),
  };
}

/** Bytes are base64 in JSON, or already a list of codes. */
function decoded(value: Json | undefined): string | undefined {
  if (isList(value)) return String.fromCharCode(...value.slice(0, 256).map(Number));
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : undefined;
}
