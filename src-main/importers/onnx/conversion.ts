/**
 * What a converter of one ONNX operator works with: the operator as the file has it, and the graph under construction with what is known so far.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Shape, Tensor } from '../../graph/graph.ts';
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import type { Constant } from './constants.ts';
import type { OnnxAttribute } from './messages.ts';

/** One operator of the file. */
export interface Operator {
  readonly type: string;
  /** For messages: `"conv1" (Conv)`, or by its output where the file gives no name. */
  readonly title: string;
  /** The file's node name, '' where it has none. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** Attributes by name with the default of the operator's definition. */
export interface Attributes {
  integer(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  text(name: string, fallback: string): string;
  integers(name: string): readonly number[] | undefined;
  floats(name: string): readonly number[] | undefined;
  raw(name: string): OnnxAttribute | undefined;
}

export interface Conversion {
  /** Version of the standard operator set. */
  readonly opset: number;
  /** The batch written in the file, 0 where it is symbolic: what a Reshape target may repeat. */
  readonly fileBatch: number;
  /** The constant of that name, or undefined where the value is only known at run time. */
  constant(name: string): Constant | undefined;
  /** Shape of a constant or of a value made so far. */
  shapeOf(name: string): Shape;
  /** Adds a constant made from the file's, under a free name made from the wish. */
  tensor(wish: string, constant: Omit<Tensor, 'name'>): string;
  /** Notes a constant made from the file's, under a free name made from the wish; it comes into the graph when a node reads it. */
  know(wish: string, constant: Constant): string;
  /** Counts elements that a few bytes of the file ask for; refuses when all of them exceed what a network needs, before memory is taken. */
  spend(operator: Operator, elements: number): void;
  /** A free name for a value between two nodes. */
  intermediate(wish: string): string;
  /** Adds a node. `inputs` are values or constants by name, '' where an optional one is left out. */
  add<K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K], outputs: readonly string[]): void;
  /** Adds a node whose only output stands between two nodes; `suffix` ends the output's name, which is returned. */
  step<K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K], suffix: string): string;
  /** A single number as a constant, for arithmetic with a value of any shape. */
  number(value: number): string;
  /** True when the value is an output of the network or some operator reads it. */
  isUsed(name: string): boolean;
  /** The only operator that reads the value, undefined where there are several, none, or it is an output of the network. */
  onlyReader(name: string): Operator | undefined;
  /** Marks an operator as done together with the present one, as part of a node of that kind. */
  absorb(operator: Operator, kind: OpKind): void;
}

/** Adds to the conversion what the operator computes. Throws AppError UNSUPPORTED by `refuse`. */
export type Converter = (operator: Operator, conversion: Conversion) => void;

/** The error for an operator in a form that Switchback cannot run: `reason` goes on after the node's title. */
export function refuse(operator: Operator, reason: string): never {
  throw new AppError('UNSUPPORTED', `Node ${operator.title} ${reason}.`, { node: operator.name, op: operator.type });
}

/** The constant that an input must be; `what` names it in the message. */
export function requiredConstant(operator: Operator, conversion: Conversion, index: number, what: string): Constant {
  const constant = conversion.constant(operator.inputs[index] ?? '');
  return constant ?? refuse(operator, `takes its ${what} from a value that is only known at run time; Switchback needs it fixed in the file`);
}

/** The constant of an optional input, undefined where it is left out. */
export function optionalConstant(operator: Operator, conversion: Conversion, index: number, what: string): Constant | undefined {
  return operator.inputs[index] ? requiredConstant(operator, conversion, index, what) : undefined;
}

/** The first input's shape as `[N, C, H, W]` with fixed C, H, W. */
export function featureMapShape(operator: Operator, conversion: Conversion): { readonly channels: number; readonly height: number; readonly width: number } {
  const shape = conversion.shapeOf(operator.inputs[0]!);
  const [, channels, height, width] = shape;
  if (shape.length !== 4) refuse(operator, `works on ${shape.length - 2} spatial ${shape.length - 2 === 1 ? 'axis' : 'axes'}; Switchback handles pictures, which have 2`);
  if (typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number') refuse(operator, 'has the batch on another axis than the first');
  return { channels, height, width };
}

/** A part of an operator: adds nodes that make `output` from `input`. */
export type Stage = (input: string, output: string) => void;

/** Runs the stages from the operator's first input to its first output, which the last stage names; without stages the value stays. */
export function runStages(operator: Operator, conversion: Conversion, stages: readonly Stage[]): void {
  let value = operator.inputs[0]!;
  const output = operator.outputs[0]!;
  if (stages.length === 0) return conversion.add('Identity', [value], {}, [output]);
  stages.forEach((stage, index) => {
    const made = index === stages.length - 1 ? output : conversion.intermediate(`${output}/stage${index + 1}`);
    stage(value, made);
    value = made;
  });
}

export function attributesOf(list: readonly OnnxAttribute[]): Attributes {
  const byName = new Map(list.map((attribute) => [attribute.name ?? '', attribute]));
  return {
    integer: (name, fallback) => (byName.has(name) ? (byName.get(name)!.i ?? 0) : fallback),
    float: (name, fallback) => (byName.has(name) ? (byName.get(name)!.f ?? 0) : fallback),
    text: (name, fallback) => (byName.has(name) ? new TextDecoder().decode(byName.get(name)!.s ?? new Uint8Array()) : fallback),
    integers: (name) => byName.get(name)?.ints,
    floats: (name) => (byName.has(name) ? [...byName.get(name)!.floats] : undefined),
    raw: (name) => byName.get(name),
  };
}
