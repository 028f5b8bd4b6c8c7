/** Extremes and hull of a projection, and cutting it to its box and back. */
import { describe, expect, it } from 'vitest';
import { cut, measure, uncut } from '../../../src-main/projection/measure.ts';

describe('measure', () => {
  it('finds the hull of the non-zero values over all channels, half-open', () => {
    const values = new Float32Array(2 * 4 * 5);
    values[0 * 20 + 1 * 5 + 3] = 2;
    values[1 * 20 + 2 * 5 + 1] = -3;
    expect(measure(values, 4, 5)).toEqual({ support: [1, 1, 3, 4], absmax: 3, minimum: -3, maximum: 2 });
  });
  it('reaches the last row and column, and single pixels', () => {
    expect(measure(Float32Array.of(0, 0, 0, 7), 2, 2).support).toEqual([1, 1, 2, 2]);
    expect(measure(Float32Array.of(7, 0, 0, 0), 2, 2).support).toEqual([0, 0, 1, 1]);
  });
  it('knows no hull of zeros', () => {
    expect(measure(new Float32Array(12), 2, 2)).toEqual({ support: null, absmax: 0, minimum: 0, maximum: 0 });
  });
  it('gives the range as it is, without a 0 that is not there', () => {
    expect(measure(Float32Array.of(2, 5), 1, 2)).toMatchObject({ minimum: 2, maximum: 5, absmax: 5 });
    expect(measure(Float32Array.of(-2, -5), 1, 2)).toMatchObject({ minimum: -5, maximum: -2, absmax: 5 });
    expect(measure(Float32Array.of(0, -5), 1, 2)).toMatchObject({ minimum: -5, maximum: 0, absmax: 5 });
  });
});

describe('cut and uncut', () => {
  const values = Float32Array.from({ length: 2 * 3 * 4 }, (_, at) => at);
  it('takes a box out of every channel', () => {
    expect([...cut(values, 3, 4, [1, 2, 3, 4])]).toEqual([6, 7, 10, 11, 18, 19, 22, 23]);
  });
  it('puts it back among zeros', () => {
    const back = uncut(cut(values, 3, 4, [1, 2, 3, 4]), [1, 2, 3, 4], 2, 3, 4);
    expect([...back]).toEqual(Array.from({ length: 24 }, (_, at) => ([6, 7, 10, 11, 18, 19, 22, 23].includes(at) ? at : 0)));
  });
  it('are each other\'s inverse on the hull', () => {
    const sparse = new Float32Array(3 * 5 * 6);
    for (const at of [8, 21, 40, 77]) sparse[at] = at - 30;
    const { support } = measure(sparse, 5, 6);
    expect(uncut(cut(sparse, 5, 6, support!), support!, 3, 5, 6)).toEqual(sparse);
  });
});
