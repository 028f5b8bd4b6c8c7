/** What a converter of one Caffe layer works with: the layer, what flows into it, its trained blobs, and the graph under construction. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Shape } from '../../graph/graph.ts';
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import type { CaffeLayer } from './network.ts';

export interface LayerConversion {
  readonly layer: CaffeLayer;
  /** Names of the graph's values for the layer's bottoms. */
  readonly inputs: readonly string[];
  /** The batch written in the file, 0 where there is none: what a Reshape may repeat. */
  readonly fileBatch: number;
  shapeOf(value: string): Shape;
  /** Trained blob `index` as a tensor of this shape; `what` names it in messages. Throws AppError where it is missing or of another size. */
  weights(index: number, shape: readonly number[], what: string): string;
  /** The values of such a blob, for what is computed from it at import. */
  weightValues(index: number, shape: readonly number[], what: string): Float32Array;
  /** Adds a constant. */
  constant(what: string, shape: readonly number[], data: Float32Array): string;
  /** Adds a node in the middle of what the layer becomes, and returns its output. */
  step<K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K]): string;
  /** Adds the node that makes the layer's top (the first unless said otherwise); it carries the layer's name. */
  finish<K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K], top?: number): void;
  /** A warning for the import report: a whole sentence. */
  warn(sentence: string): void;
}

export type LayerConverter = (conversion: LayerConversion) => void;

/** The error for a layer in a form that Switchback cannot run; `reason` goes on after the layer's title. */
export function refuse({ name, type, line }: CaffeLayer, reason: string): never {
  throw new AppError('UNSUPPORTED', `Layer ${JSON.stringify(name)} (${type}, line ${line}) ${reason}.`, { layer: name, op: type, line });
}

/** The only bottom of a layer that takes one. */
export function onlyInput({ layer, inputs }: LayerConversion): string {
  if (inputs.length !== 1) refuse(layer, `has ${inputs.length} bottoms where one is expected`);
  return inputs[0]!;
}

/** A bottom as feature maps `[N, C, H, W]`. */
export function featureMap(conversion: LayerConversion, value: string): { readonly channels: number; readonly height: number; readonly width: number } {
  const shape = conversion.shapeOf(value);
  const [, channels, height, width] = shape;
  if (shape.length === 4 && typeof channels === 'number' && typeof height === 'number' && typeof width === 'number') return { channels, height, width };
  return refuse(conversion.layer, `needs feature maps (images, channels, height, width); its bottom has ${shape.length} axes`);
}

/** An axis as Caffe counts it (negative from the end), as 0..rank-1. */
export function axisOf({ layer }: LayerConversion, axis: number, rank: number): number {
  const settled = axis < 0 ? axis + rank : axis;
  if (settled < 0 || settled >= rank) refuse(layer, `works along axis ${axis} of a bottom with ${rank} axes`);
  return settled;
}

/** `[height, width]` of a parameter that stands once for both, twice, or as _h and _w. */
export function pairOf(layer: CaffeLayer, given: readonly number[], rows: number | undefined, columns: number | undefined, what: string): readonly [number, number] | undefined {
  if (rows !== undefined || columns !== undefined) {
    if (rows === undefined || columns === undefined) return refuse(layer, `gives its ${what} for one of height and width only`);
    return [rows, columns];
  }
  if (given.length > 2) return refuse(layer, `gives its ${what} for ${given.length} axes; Switchback handles pictures, which have 2`);
  return given.length === 0 ? undefined : [given[0]!, given.at(-1)!];
}

/** Elements of all axes from `first` on; the batch must not be among them. */
export function fixedSizes({ layer }: LayerConversion, shape: Shape, first: number): readonly number[] {
  return shape.slice(first).map((size) => (typeof size === 'number' ? size : refuse(layer, 'mixes the images of a batch')));
}

