/**
 * Discrete Fourier transforms for convolutions: forward by decimation in frequency, back by decimation in time, in steps of four. Between the two the numbers stand
 * in the order that the steps leave, which a convolution does not mind, so that they are never put in order.
 */

export interface Transform {
  readonly size: number;
  /** In place, from natural order to that of the steps. */
  forward(real: Float64Array, imaginary: Float64Array, at: number): void;
  /** In place, from the order of the steps to the natural one, not divided by the size. */
  back(real: Float64Array, imaginary: Float64Array, at: number): void;
}

/** `size`: a power of two from 2 on; numbers lie one after the other from `at` on. */
export function createTransform(size: number): Transform {
  const cosines = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sines = Float64Array.from({ length: size }, (_, i) => Math.sin((2 * Math.PI * i) / size));
  return {
    size,
    forward(real, imaginary, at) {
      let block = size;
      for (; block >= 4; block /= 4) forwardByFour(real, imaginary, at, size, block, cosines, sines);
      if (block === 2) byTwo(real, imaginary, at, size);
    },
    back(real, imaginary, at) {
      let block = 4;
      if (Math.log2(size) % 2 === 1) {
        byTwo(real, imaginary, at, size);
        block = 8;
      }
      for (; block <= size; block *= 4) backByFour(real, imaginary, at, size, block, cosines, sines);
    },
  };
}

function forwardByFour(real: Float64Array, imaginary: Float64Array, at: number, size: number, block: number, cosines: Float64Array, sines: Float64Array): void {
  const quarter = block / 4, step = size / block, end = at + size;
  for (let i = 0; i < quarter; i++) {
    const c1 = cosines[i * step]!, s1 = sines[i * step]!;
    const c2 = cosines[2 * i * step]!, s2 = sines[2 * i * step]!;
    const c3 = cosines[3 * i * step]!, s3 = sines[3 * i * step]!;
    for (let p0 = at + i; p0 < end; p0 += block) {
      const p1 = p0 + quarter, p2 = p1 + quarter, p3 = p2 + quarter;
      const sumR = real[p0]! + real[p2]!, sumI = imaginary[p0]! + imaginary[p2]!;
      const lessR = real[p0]! - real[p2]!, lessI = imaginary[p0]! - imaginary[p2]!;
      const otherSumR = real[p1]! + real[p3]!, otherSumI = imaginary[p1]! + imaginary[p3]!;
      // The other difference, a quarter turn back.
      const otherLessR = imaginary[p1]! - imaginary[p3]!, otherLessI = real[p3]! - real[p1]!;
      real[p0] = sumR + otherSumR;
      imaginary[p0] = sumI + otherSumI;
      const x1 = lessR + otherLessR, y1 = lessI + otherLessI;
      real[p1] = x1 * c1 + y1 * s1;
      imaginary[p1] = y1 * c1 - x1 * s1;
      const x2 = sumR - otherSumR, y2 = sumI - otherSumI;
      real[p2] = x2 * c2 + y2 * s2;
      imaginary[p2] = y2 * c2 - x2 * s2;
      const x3 = lessR - otherLessR, y3 = lessI - otherLessI;
      real[p3] = x3 * c3 + y3 * s3;
      imaginary[p3] = y3 * c3 - x3 * s3;
    }
  }
}

function backByFour(real: Float64Array, imaginary: Float64Array, at: number, size: number, block: number, cosines: Float64Array, sines: Float64Array): void {
  const quarter = block / 4, step = size / block, end = at + size;
  for (let i = 0; i < quarter; i++) {
    const c1 = cosines[i * step]!, s1 = sines[i * step]!;
    const c2 = cosines[2 * i * step]!, s2 = sines[2 * i * step]!;
    const c3 = cosines[3 * i * step]!, s3 = sines[3 * i * step]!;
    for (let p0 = at + i; p0 < end; p0 += block) {
      const p1 = p0 + quarter, p2 = p1 + quarter, p3 = p2 + quarter;
      const x1 = real[p1]! * c1 - imaginary[p1]! * s1, y1 = imaginary[p1]! * c1 + real[p1]! * s1;
      const x2 = real[p2]! * c2 - imaginary[p2]! * s2, y2 = imaginary[p2]! * c2 + real[p2]! * s2;
      const x3 = real[p3]! * c3 - imaginary[p3]! * s3, y3 = imaginary[p3]! * c3 + real[p3]! * s3;
      const sumR = real[p0]! + x2, sumI = imaginary[p0]! + y2;
      const lessR = real[p0]! - x2, lessI = imaginary[p0]! - y2;
      const otherSumR = x1 + x3, otherSumI = y1 + y3;
      // The other difference, a quarter turn on.
      const otherLessR = y3 - y1, otherLessI = x1 - x3;
      real[p0] = sumR + otherSumR;
      imaginary[p0] = sumI + otherSumI;
      real[p1] = lessR + otherLessR;
      imaginary[p1] = lessI + otherLessI;
      real[p2] = sumR - otherSumR;
      imaginary[p2] = sumI - otherSumI;
      real[p3] = lessR - otherLessR;
      imaginary[p3] = lessI - otherLessI;
    }
  }
}

/** The step that is left where the size is no power of four: neighbours, without any turn. */
function byTwo(real: Float64Array, imaginary: Float64Array, at: number, size: number): void {
  for (let p = at; p < at + size; p += 2) {
    const x = real[p + 1]!, y = imaginary[p + 1]!;
    real[p + 1] = real[p]! - x;
    imaginary[p + 1] = imaginary[p]! - y;
    real[p] = real[p]! + x;
    imaginary[p] = imaginary[p]! + y;
  }
}
