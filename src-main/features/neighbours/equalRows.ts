/**
 * Rows that equal each other to the last bit: dead units make whole crowds of them, and a crowd of equal rows in an index would lead only to itself. So the
 * index links the first of them, and the others hang on it.
 */
import type { Matrix } from '../matrix.ts';

export interface EqualRows {
  /** For each row the first that equals it, itself where it is the first. */
  readonly firstEqual: Int32Array<ArrayBuffer>;
  /** For each row the next one that equals it, -1 after the last. */
  readonly nextEqual: Int32Array<ArrayBuffer>;
}

export function equalRows({ rows, dimensions, data }: Matrix): EqualRows {
  const nextEqual = new Int32Array(rows).fill(-1);
  const firstEqual = Int32Array.from({ length: rows }, (_, row) => row);
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const isEqual = (a: number, b: number): boolean => {
    for (let d = 0; d < dimensions; d++) if (bits[a * dimensions + d] !== bits[b * dimensions + d]) return false;
    return true;
  };
  /** By hash, the last row of each chain. */
  const lastRows = new Map<number, number[]>();
  for (let row = 0; row < rows; row++) {
    let hash = 0;
    for (let at = row * dimensions; at < (row + 1) * dimensions; at++) hash = Math.imul(hash ^ bits[at]!, 0x01000193) ^ (hash >>> 15);
    const chains = lastRows.get(hash);
    const chain = chains?.findIndex((last) => isEqual(last, row)) ?? -1;
    if (chains === undefined) lastRows.set(hash, [row]);
    else if (chain < 0) chains.push(row);
    else {
      const last = chains[chain]!;
      nextEqual[last] = row;
      firstEqual[row] = firstEqual[last]!;
      chains[chain] = row;
    }
  }
  return { nextEqual, firstEqual };
}
