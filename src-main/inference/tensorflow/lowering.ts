/** What a lowering is: at compile time a node and its constants, at run time a function from tensors to tensors. Shared by the lowering files and their table. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { AppError } from '../../../src-shared/errors.ts';
import type { NodeOf, Shape } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { Tensorflow } from './backend.ts';

/** One run under way. Tensors are in the order inside (layout.ts). */
export interface Run {
  readonly batch: number;
  value(name: string): Tensor;
}

/** Called inside tf.tidy: what it returns stays, everything else it made goes. The returned tensors are new handles, never an input itself. */
export type Step = (run: Run) => readonly Tensor[];

export type Read = (run: Run) => Tensor;

/** What a lowering may use while the graph is compiled. */
export interface CompileContext {
  readonly tf: Tensorflow;
  /** Reads an operand, be it a value of the run or a constant (which is uploaded now, once). With `rank`, leading axes of size 1 are added to broadcast. */
  read(name: string, rank?: number): Read;
  /** Shape of an operand in graph order. */
  shapeOf(name: string): Shape;
  /** The data of a constant operand; undefined for an absent one (`''`). Throws AppError UNSUPPORTED when it is computed by the graph. */
  weights(node: { readonly name: string; readonly kind: OpKind }, name: string | undefined): Weights | undefined;
  /** Whether an operand is a constant of the graph. */
  isConstant(name: string): boolean;
  /** Uploads a constant as it is; it lives as long as the session. */
  keep(data: Float32Array | Int32Array, shape: readonly number[], dataType?: 'float32' | 'int32'): Tensor;
}

export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type Lowering<K extends OpKind> = (node: NodeOf<K>, context: CompileContext) => Step;

/** Height and width of a feature map operand. */
export function spatialSize(context: CompileContext, name: string): readonly [height: number, width: number] {
  const shape = context.shapeOf(name);
  const [height, width] = shape.slice(2);
  if (shape.length !== 4 || typeof height !== 'number' || typeof width !== 'number') throw new Error(`${name} is no feature map but [${shape.join(', ')}]`);
  return [height, width];
}

/** The weights of an operand that must be there. */
export function requiredWeights(context: CompileContext, node: NodeOf<OpKind>, index: number): Weights {
  const weights = context.weights(node, node.inputs[index]);
  if (!weights) throw new AppError('UNSUPPORTED', `Node ${JSON.stringify(node.name)} (${node.kind}): input ${index + 1} is missing.`, { node: node.name, op: node.kind });
  return weights;
}
