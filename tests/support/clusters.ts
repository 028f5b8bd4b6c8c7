/** Rows in groups, as the features of a trained network lie: a Gaussian around each centre, wide in a few directions and narrow in the rest. */
import type { Matrix } from '../../src-main/features/matrix.ts';
import { seededNormals } from '../../src-main/rewrite/training/seededNumbers.ts';

/** Row i belongs to group `i % groups`. */
export function clusters({ rows, dimensions, groups, apart = 3, seed = 1 }: { readonly rows: number; readonly dimensions: number; readonly groups: number; readonly apart?: number; readonly seed?: number }): Matrix {
  const normal = seededNormals(seed, 'clusters');
  const centres = Float32Array.from({ length: groups * dimensions }, () => apart * normal());
  const data = Float32Array.from({ length: rows * dimensions }, (_, at) => {
    const dimension = at % dimensions;
    return centres[(Math.floor(at / dimensions) % groups) * dimensions + dimension]! + (2 * normal()) / Math.sqrt(1 + dimension);
  });
  return { rows, dimensions, data };
}
