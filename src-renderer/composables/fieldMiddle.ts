/** Where a unit looks: the middle of its receptive field, in input pixels. Pure. */

export interface FieldOfLayer {
  /** Pairs of rows and columns: `offset` is where the window of unit 0 begins, negative in the padding. */
  readonly height: number;
  readonly width: number;
  readonly receptiveField: { readonly size: readonly [number, number]; readonly stride: readonly [number, number]; readonly offset: readonly [number, number] };
}

/** Inside the input, also where most of the field lies in the padding; where every unit sees everything, its share of the map. `crop`: `[height, width]`. */
export function fieldMiddle({ height, width, receptiveField: { size, stride, offset } }: FieldOfLayer, unit: { readonly y: number; readonly x: number }, crop: readonly [number, number]): { readonly y: number; readonly x: number } {
  if (stride[0] === 0 || stride[1] === 0) return { y: ((unit.y + 0.5) / height) * crop[0], x: ((unit.x + 0.5) / width) * crop[1] };
  const middle = (axis: 0 | 1, at: number): number => Math.min(crop[axis], Math.max(0, offset[axis] + at * stride[axis] + size[axis] / 2));
  return { y: middle(0, unit.y), x: middle(1, unit.x) };
}
