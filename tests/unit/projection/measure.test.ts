/** Extremes and hull of a projection, and cutting it to its box and back. */
import { describe, expect, it } from 'vitest';
import type { Box } from '../../../src-shared/domain/geometry.ts';
import { cut, measure, uncut } from '../../../src-main/projection/measure.ts';

/** A projection on the whole input of 4 x 5 pixels, seen through a patch. */
const onInput = (values: Float32Array, patch: Box = [0, 0, 4, 5]) => measure(values, [0, 0, 4, 5], [4, 5], patch);

describe('measure', () => {
  it('finds the hull of the non-zero values over all channels, half-open, and cuts it out', () => {
    const values = new Float32Array(2 * 4 * 5);
    values[0 * 20 + 1 * 5 + 3] = 2;
    values[1 * 20 + 2 * 5 + 1] = -3;
    const { numbers, values: hull } = onInput(values);
    expect(numbers).toEqual({ support: [1, 1, 3, 4], absmax: 3, minimum: -3, maximum: 2, quantile: 3 });
    expect([...hull]).toEqual([0, 0, 2, 0, 0, 0, 0, 0, 0, -3, 0, 0]);
  });
  it('says the same of a window as of the whole input around it', () => {
    const whole = new Float32Array(20);
    [1.5, -0.5, 0, 2.5].forEach((value, at) => (whole[(1 + Math.floor(at / 2)) * 5 + 2 + (at % 2)] = value));
    const window = measure(Float32Array.of(1.5, -0.5, 0, 2.5), [1, 2, 3, 4], [4, 5], [1, 1, 4, 4]);
    expect(window).toEqual(onInput(whole, [1, 1, 4, 4]));
    expect(window.numbers).toEqual({ support: [1, 2, 3, 4], absmax: 2.5, minimum: -0.5, maximum: 2.5, quantile: 2.5 });
  });
  it('knows that a window of positive values has zeros around it', () => {
    expect(measure(Float32Array.of(2, 5), [0, 0, 1, 2], [4, 5], [0, 0, 1, 2]).numbers).toMatchObject({ minimum: 0, maximum: 5 });
    expect(measure(Float32Array.of(2, 5), [0, 0, 1, 2], [1, 2], [0, 0, 1, 2]).numbers).toMatchObject({ minimum: 2, maximum: 5, absmax: 5 });
    expect(measure(Float32Array.of(-2, -5), [0, 0, 1, 2], [1, 2], [0, 0, 1, 2]).numbers).toMatchObject({ minimum: -5, maximum: -2, absmax: 5 });
  });
  it('takes the default scale from the patch alone, zeros in it included', () => {
    const values = new Float32Array(20);
    values[0] = 9;
    values[12] = 1;
    expect(onInput(values, [2, 2, 3, 3]).numbers).toMatchObject({ absmax: 9, quantile: 1 });
    const many = measure(Float32Array.of(7, 1), [0, 0, 1, 2], [1, 300], [0, 0, 1, 300]);
    expect(many.numbers.quantile, '298 zeros, then 1, then 7').toBe(1);
  });
  it('reaches the last row and column, and single pixels', () => {
    expect(measure(Float32Array.of(0, 0, 0, 7), [0, 0, 2, 2], [2, 2], [0, 0, 2, 2]).numbers.support).toEqual([1, 1, 2, 2]);
    expect(measure(Float32Array.of(7, 0, 0, 0), [0, 0, 2, 2], [2, 2], [0, 0, 2, 2]).numbers.support).toEqual([0, 0, 1, 1]);
  });
  it('knows no hull of zeros', () => {
    expect(onInput(new Float32Array(40))).toEqual({ numbers: { support: null, absmax: 0, minimum: 0, maximum: 0, quantile: 0 }, values: new Float32Array(0) });
  });
});

describe('cut and uncut', () => {
  const values = Float32Array.from({ length: 2 * 3 * 4 }, (_, at) => at);
  it('takes a box out of every channel', () => {
    expect([...cut(values, [0, 0, 3, 4], [1, 2, 3, 4])]).toEqual([6, 7, 10, 11, 18, 19, 22, 23]);
    expect([...cut(cut(values, [0, 0, 3, 4], [1, 2, 3, 4]), [1, 2, 3, 4], [2, 3, 3, 4])]).toEqual([11, 23]);
  });
  it('puts it back among zeros', () => {
    const back = uncut(cut(values, [0, 0, 3, 4], [1, 2, 3, 4]), [1, 2, 3, 4], 2, 3, 4);
    expect([...back]).toEqual(Array.from({ length: 24 }, (_, at) => ([6, 7, 10, 11, 18, 19, 22, 23].includes(at) ? at : 0)));
  });
  it('are each other\'s inverse on the hull', () => {
    const sparse = new Float32Array(3 * 5 * 6);
    for (const at of [8, 21, 40, 77]) sparse[at] = at - 30;
    const { numbers, values: hull } = measure(sparse, [0, 0, 5, 6], [5, 6], [0, 0, 5, 6]);
    expect(uncut(hull, numbers.support!, 3, 5, 6)).toEqual(sparse);
  });
});
