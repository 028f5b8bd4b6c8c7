/** The convolution of charges on a square grid with the kernel 1 / (1 + d^2)^2, by Fourier transforms of twice the size, so that nothing comes round from the other side. */
import { createTransform, type Transform } from './fourier.ts';

export interface GridConvolution {
  /** Of the grids: rows of `size` numbers each, of which the first `side` rows and columns are used. */
  readonly size: number;
  /** The distance of two nodes, for the kernel. */
  setSpacing(spacing: number): void;
  /** Two grids at once, in place, as the two parts of complex numbers. What is beyond `side` rows and columns must be zero before, and means nothing after. */
  convolve(first: Float64Array, second: Float64Array): void;
}

export function createGridConvolution(side: number): GridConvolution {
  const size = 2 * side;
  const transform = createTransform(size);
  const strip: Strip = { real: new Float64Array(stripColumns * size), imaginary: new Float64Array(stripColumns * size) };
  let kernel: Float64Array = new Float64Array(0);
  let current = 0;
  return {
    size,
    setSpacing(spacing) {
      if (spacing === current) return;
      current = spacing;
      kernel = transformedKernel(transform, strip, spacing);
    },
    convolve: (first, second) => convolve(first, second, kernel, side, transform, strip),
  };
}

/**
 * The transform of 1 / (1 + d^2)^2 around node (0, 0) of a grid that goes on at its other side, column after column, over the square of the size, which the way
 * there and back leaves in. The kernel is even, so that its transform is real.
 */
function transformedKernel(transform: Transform, strip: Strip, spacing: number): Float64Array {
  const { size } = transform;
  const kernel = new Float64Array(size * size);
  const imaginary = new Float64Array(size * size);
  for (let row = 0, at = 0; row < size; row++) {
    const dy = Math.min(row, size - row) * spacing;
    for (let column = 0; column < size; column++, at++) {
      const dx = Math.min(column, size - column) * spacing;
      kernel[at] = 1 / (1 + dx * dx + dy * dy) ** 2;
    }
  }
  for (let row = 0; row < size; row++) transform.forward(kernel, imaginary, row * size);
  const columns = new Float64Array(size * size);
  for (let first = 0; first < size; first += stripColumns) {
    takeStrip(strip, kernel, imaginary, first, size, size);
    for (let column = 0; column < stripColumns; column++) transform.forward(strip.real, strip.imaginary, column * size);
    columns.set(strip.real, first * size);
  }
  return columns.map((value) => value / (size * size));
}

/** Both parts of a complex grid with the kernel. Charges lie in the first `side` rows and columns, the rest is room; only there is the result read. */
function convolve(real: Float64Array, imaginary: Float64Array, kernel: Float64Array, side: number, transform: Transform, strip: Strip): void {
  const { size } = transform;
  for (let row = 0; row < side; row++) transform.forward(real, imaginary, row * size);
  for (let first = 0; first < size; first += stripColumns) {
    takeStrip(strip, real, imaginary, first, size, side);
    for (let column = 0; column < stripColumns; column++) transform.forward(strip.real, strip.imaginary, column * size);
    const from = first * size;
    for (let at = 0; at < strip.real.length; at++) {
      const factor = kernel[from + at]!;
      strip.real[at] = strip.real[at]! * factor;
      strip.imaginary[at] = strip.imaginary[at]! * factor;
    }
    for (let column = 0; column < stripColumns; column++) transform.back(strip.real, strip.imaginary, column * size);
    for (let row = 0; row < side; row++) {
      for (let column = 0, at = row * size + first; column < stripColumns; column++, at++) {
        real[at] = strip.real[column * size + row]!;
        imaginary[at] = strip.imaginary[column * size + row]!;
      }
    }
  }
  for (let row = 0; row < side; row++) transform.back(real, imaginary, row * size);
}

/** Neighbouring columns laid out as rows: taken one at a time they would touch as many lines of memory each. */
interface Strip {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

const stripColumns = 8;

/** The first `rows` rows of these columns; below them there is nothing. */
function takeStrip(strip: Strip, real: Float64Array, imaginary: Float64Array, first: number, size: number, rows: number): void {
  for (let column = 0; column < stripColumns; column++) {
    strip.real.fill(0, column * size + rows, (column + 1) * size);
    strip.imaginary.fill(0, column * size + rows, (column + 1) * size);
  }
  for (let row = 0; row < rows; row++) {
    for (let column = 0, at = row * size + first; column < stripColumns; column++, at++) {
      strip.real[column * size + row] = real[at]!;
      strip.imaginary[column * size + row] = imaginary[at]!;
    }
  }
}
