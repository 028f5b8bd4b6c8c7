/**
 * A fingerprint by which two copies of one photograph are known although their bytes differ (another size, compression or brightness): the difference hash. The picture is averaged down to
 * a small grey grid, and each bit says whether a cell is brighter than its neighbour. Computed from the pixels that the network sees anyway, so that it costs no decoding.
 */

/** Cells per row and column whose neighbours are compared: 8 x 8 to the right, 8 x 8 below. */
const cells = 8;
/** Edge of the grid that both comparisons are averaged from: it divides into 8 and into 9. */
const fine = cells * (cells + 1);

/**
 * @param pixels `[height, width, 3]` 8-bit RGB
 * @returns 128 bits as 32 hex digits: brighter than the right neighbour, row by row, then brighter than the lower neighbour
 */
export function perceptualHash(pixels: Uint8Array, height: number, width: number): string {
  const grey = averageGrey(pixels, height, width);
  return brighter(coarser(grey, cells, cells + 1), cells + 1, 1) + brighter(coarser(grey, cells + 1, cells), cells, cells);
}

/** Which of the first `cells x cells` entries of a grid are larger than the one that lies `step` further on. */
function brighter(grid: Float64Array, columns: number, step: number): string {
  let digits = '';
  for (let row = 0; row < cells; row++) {
    let bits = 0;
    for (let at = row * columns; at < row * columns + cells; at++) bits = (bits << 1) | (grid[at]! > grid[at + step]! ? 1 : 0);
    digits += bits.toString(16).padStart(cells / 4, '0');
  }
  return digits;
}

/** Bits in which two hashes of the same length differ. */
export function hashDistance(a: string, b: string): number {
  let distance = 0;
  for (let at = 0; at < a.length; at += 8) distance += ones(Number.parseInt(a.slice(at, at + 8), 16) ^ Number.parseInt(b.slice(at, at + 8), 16));
  return distance;
}

/** Mean luma (times 1000) of `fine x fine` boxes that cover the picture; pictures smaller than the grid repeat their pixels. */
function averageGrey(pixels: Uint8Array, height: number, width: number): Float64Array {
  const grey = new Float64Array(fine * fine);
  const [rowEdges, columnEdges] = [edgesOf(height), edgesOf(width)];
  for (let row = 0; row < fine; row++) {
    const top = rowEdges[row]!;
    const bottom = Math.max(top + 1, rowEdges[row + 1]!);
    for (let column = 0; column < fine; column++) {
      const left = columnEdges[column]!;
      const right = Math.max(left + 1, columnEdges[column + 1]!);
      let [red, green, blue] = [0, 0, 0];
      for (let y = top; y < bottom; y++) {
        for (let at = (y * width + left) * 3, end = (y * width + right) * 3; at < end; at += 3) {
          red += pixels[at]!;
          green += pixels[at + 1]!;
          blue += pixels[at + 2]!;
        }
      }
      grey[row * fine + column] = (299 * red + 587 * green + 114 * blue) / ((bottom - top) * (right - left));
    }
  }
  return grey;
}

/** Where the boxes along one side begin, and where the last one ends. */
function edgesOf(size: number): Int32Array {
  return Int32Array.from({ length: fine + 1 }, (_, box) => Math.floor((box * size) / fine));
}

/** Sums the fine grid up to `rows x columns`, which divide it. */
function coarser(grey: Float64Array, rows: number, columns: number): Float64Array {
  const grid = new Float64Array(rows * columns);
  const [high, wide] = [fine / rows, fine / columns];
  for (let y = 0, at = 0; y < fine; y++) {
    const row = Math.floor(y / high) * columns;
    for (let column = 0; column < columns; column++) for (const end = at + wide; at < end; at++) grid[row + column]! += grey[at]!;
  }
  return grid;
}

function ones(word: number): number {
  let count = 0;
  for (let left = word >>> 0; left !== 0; left &= left - 1) count++;
  return count;
}
