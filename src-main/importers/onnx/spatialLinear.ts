/** Adds a linear map along height or width from its rows: resizing, mirrored pads, reversed axes. */
import type { Conversion, Operator } from './conversion.ts';

/** What one output position takes: input positions with their weights. */
export type Row = readonly (readonly [position: number, weight: number])[];

/** `count` output positions, each as `rowOf` says; `stride`: input steps per output step, as far as the map moves evenly. */
export function addSpatialLinear(operator: Operator, conversion: Conversion, x: string, axis: 2 | 3, count: number, rowOf: (place: number) => Row, stride: number, output: string): void {
  const size = Number(conversion.shapeOf(x)[axis]);
  conversion.spend(operator, count * size);
  const rows = Array.from({ length: count }, (_, place) => rowOf(place));
  const data = new Float32Array(count * size);
  rows.forEach((row, place) => {
    for (const [position, weight] of row) data[place * size + position]! += weight;
  });
  const matrix = conversion.tensor(`${output}/matrix`, { dataType: 'float32', shape: [count, size], data });
  conversion.add('SpatialLinear', [x, matrix], { axis, size: count, window: windowOf(rows, stride) }, [output]);
}

/** The narrowest window that moves by `stride` and holds what every output position takes. */
function windowOf(rows: readonly Row[], stride: number): { readonly size: number; readonly stride: number; readonly offset: number } {
  let [start, end] = [Infinity, -Infinity];
  rows.forEach((row, place) => {
    for (const [position, weight] of row) {
      if (weight === 0) continue;
      start = Math.min(start, position - stride * place);
      end = Math.max(end, position + 1 - stride * place);
    }
  });
  return end > start ? { size: end - start, stride, offset: start } : { size: 1, stride, offset: 0 };
}
