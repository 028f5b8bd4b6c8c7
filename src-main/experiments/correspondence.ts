/**
 * Correspondence (Zeiler & Fergus 2013, section 4.3 and Table 1): does hiding the same part on different pictures change the same features in the same way? The change's signs have three values, so
 * that features which hiding does not reach agree with each other and with nothing else.
 */
import type { Box } from '../../src-shared/domain/geometry.ts';

/** Sign of the change of each feature: 1 where hiding lowered it, -1 where it raised it, 0 where it did neither. `tolerance`: as a share of the largest magnitude of the plain features. */
export function changeSigns(plain: Float32Array, hidden: Float32Array, tolerance: number): Int8Array {
  const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Int8Array.from(plain, (value, at) => {
    const change = value - hidden[at]!;
    return Math.abs(change) <= tolerance * largest ? 0 : Math.sign(change);
  });
}

/** Features whose signs differ. */
export function hammingDistance(a: Int8Array, b: Int8Array): number {
  let distance = 0;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) distance++;
  return distance;
}

export interface Consistency {
  /** Delta: the mean over ordered pairs of pictures, divided by the number of features; lower is tighter. */
  readonly mean: number;
  /** Over the pairs (each counted once), of the same. */
  readonly deviation: number;
}

/** @param signs one array for each of at least two pictures */
export function consistencyOf(signs: readonly Int8Array[]): Consistency {
  const pairs: number[] = [];
  for (let i = 0; i < signs.length; i++) for (let j = i + 1; j < signs.length; j++) pairs.push(hammingDistance(signs[i]!, signs[j]!) / signs[i]!.length);
  return { mean: mean(pairs), deviation: deviation(pairs) };
}

/** A box of the size of `like` anywhere within the picture. @param random from 0 to 1 */
export function randomBox([y0, x0, y1, x1]: Box, height: number, width: number, random: () => number): Box {
  const [rows, columns] = [y1 - y0, x1 - x0];
  const top = Math.floor(random() * (height - rows + 1));
  const left = Math.floor(random() * (width - columns + 1));
  return [top, left, top + rows, left + columns];
}

/** `[height, width, 3]` with a box in one colour. */
export function hideBox(pixels: Uint8Array, width: number, [y0, x0, y1, x1]: Box, colour: readonly [number, number, number]): Uint8Array {
  const hidden = Uint8Array.from(pixels);
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) hidden.set(colour, (y * width + x) * 3);
  return hidden;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample (n - 1); 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
