/** What an interrupted map is taken up from, as bytes: the reduced rows with their graph, made once, and the state of the layout, again and again. */
import type { Matrix } from '../matrix.ts';
import type { NeighbourGraph } from '../neighbours/exactGraph.ts';
import { packArrays, unpackArrays } from '../packedArrays.ts';
import type { LayoutRequest } from './request.ts';

/** Raised by hand whenever the same request would lead to other numbers. */
const computationVersion = 1;

export interface Prepared {
  /** The rows along their principal components, `[rows, 1..50]`. */
  readonly reduced: Matrix;
  readonly graph: NeighbourGraph;
}

/** Names what a checkpoint is of. Rows of the same number and width are taken for the same: who keeps checkpoints keeps them with their features. */
export function nameOfRun(request: LayoutRequest, rows: number, dimensions: number): string {
  return `map ${computationVersion}, ${rows} x ${dimensions}, ${JSON.stringify(request)}`;
}

export function packPrepared(name: string, { reduced, graph }: Prepared): Uint8Array<ArrayBuffer> {
  return packArrays(`${name}, prepared`, [Int32Array.of(reduced.dimensions, graph.k), reduced.data as Float32Array<ArrayBuffer>, graph.neighbours, graph.distances]);
}

export function unpackPrepared(name: string, rows: number, bytes: Uint8Array): Prepared {
  const [sizes, data, neighbours, distances] = unpackArrays(bytes, `${name}, prepared`, 'The prepared graph of this map') as [Int32Array, Float32Array<ArrayBuffer>, Int32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
  return { reduced: { rows, dimensions: sizes[0]!, data }, graph: { rows, k: sizes[1]!, neighbours, distances } };
}

export function packSettled(name: string, iteration: number, arrays: readonly Float64Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  return packArrays(`${name}, settled`, [Int32Array.of(iteration), ...arrays]);
}

export function unpackSettled(name: string, bytes: Uint8Array): { readonly iteration: number; readonly arrays: readonly Float64Array<ArrayBuffer>[] } {
  const [iteration, ...arrays] = unpackArrays(bytes, `${name}, settled`, 'The kept state of this map') as [Int32Array, ...Float64Array<ArrayBuffer>[]];
  return { iteration: iteration[0]!, arrays };
}
