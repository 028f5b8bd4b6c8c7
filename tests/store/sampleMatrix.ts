/** Rows for tests of the score matrix, made from the row number alone. */
import type { MatrixBatch, MatrixLayer } from '../../src-main/store/scoreMatrix.ts';

export const matrixLayers: readonly MatrixLayer[] = [
  { number: 1, name: 'relu1', title: 'conv1', channels: 7 },
  { number: 12, name: 'relu12', channels: 64 },
];

/** Rows of a whole matrix, a multiple of 50. */
export const matrixRows = 20_000;

/** Every third image is broken: row r is image 3 r / 2, rounded down. */
export function scoresOfRows(from: number, count: number): MatrixBatch {
  const rows = Array.from({ length: count }, (_, i) => from + i);
  return {
    images: rows.map((row) => ({ number: imageOfRow(row), path: pathOfRow(row) })),
    layers: matrixLayers.map(({ number, channels }) => ({ number, scores: Float32Array.from({ length: count * channels }, (_, i) => scoreAt(number, from + Math.floor(i / channels), i % channels)) })),
  };
}

export function imageOfRow(row: number): number {
  return Math.floor((3 * row) / 2);
}

export function pathOfRow(row: number): string {
  return `class "${row % 3}"/é ${String(row).padStart(6, '0')}.png`;
}

export function scoreAt(layer: number, row: number, channel: number): number {
  return Math.fround(Math.sin(row * 31 + channel * 7 + layer));
}
