/**
 * Questions to a large score matrix: `node tests/bench/scores.ts [rows 200000] [channels 384]`. Writes a synthetic matrix to the temporary folder, asks it everything, and prints each answer's time
 * as megabytes of matrix per second and as a multiple of only reading the file. Both are of one run on one machine; the file comes from the page cache, as it does for whoever asks twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readColumn, type ScoreBlock } from '../../src-main/indexing/queries/blocks.ts';
import { correlate } from '../../src-main/indexing/queries/correlation.ts';
import { excitedChannels } from '../../src-main/indexing/queries/excited.ts';
import { histogramOfColumn } from '../../src-main/indexing/queries/histogram.ts';
import { selectivityOfColumn } from '../../src-main/indexing/queries/selectivity.ts';
import { topOfColumn } from '../../src-main/indexing/queries/topRows.ts';
import { openScoreMatrix } from '../../src-main/store/scoreMatrix.ts';
import { readScoreMatrix, type ScoreMatrixReader } from '../../src-main/store/scoreMatrixReader.ts';

const rows = Number(process.argv[2] ?? 200_000);
const channels = Number(process.argv[3] ?? 384);
const megabytes = (rows * channels * 4) / 1e6;
const folder = mkdtempSync(join(tmpdir(), 'switchback-bench-scores-'));
try {
  const writing = await timed(fill);
  console.log(`${rows} images x ${channels} channels, ${megabytes.toFixed(0)} MB, written with a flush every 10,000 rows at ${(megabytes / writing.seconds).toFixed(0)} MB/s`);
  const reader = await readScoreMatrix(folder, 1);
  await readAll(reader);
  const reading = await timed(() => readAll(reader));
  report('only reading', reading.seconds, reading.seconds);
  const column = await timed(() => readColumn(blocks(reader), rows, channels, 17));
  report('one column', column.seconds, reading.seconds);
  const classes = Int32Array.from(column.result, (_, row) => row % 1000);
  for (const [name, question] of Object.entries({
    'top 50 of a column': () => topOfColumn(column.result, { k: 50, lowest: false, nonNegative: true }),
    'top 10,000 of a column': () => topOfColumn(column.result, { k: 10_000, lowest: false, nonNegative: true }),
    'histogram of a column': () => histogramOfColumn(column.result, 64),
    'selectivity, 1,000 classes': () => selectivityOfColumn(column.result, classes, 1000),
  })) {
    const { seconds } = await timed(() => Promise.resolve(question()));
    console.log(`${name.padEnd(28)} ${(seconds * 1000).toFixed(1).padStart(9)} ms on top`);
  }
  const row = await reader.read(5, 1);
  report('excited channels', (await timed(() => excitedChannels(blocks(reader), row))).seconds, reading.seconds);
  const pairs = { async *[Symbol.asyncIterator]() { for await (const { rows: count, scores } of blocks(reader)) yield { rows: count, left: scores, right: scores }; } };
  report('similar channels', (await timed(() => correlate(pairs, { left: channels, right: channels, channel: 17 }))).seconds, reading.seconds);
  report('all correlations', (await timed(() => correlate(pairs, { left: channels, right: channels, symmetric: true }))).seconds, reading.seconds);
  console.log(`peak resident memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  await reader.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  const matrix = await openScoreMatrix(folder, { layers: [{ number: 1, name: 'relu1', channels }], precision: 'float32', rows: 0 });
  const batch = 500;
  const scores = new Float32Array(batch * channels);
  for (let from = 0; from < rows; from += batch) {
    for (let i = 0; i < scores.length; i++) scores[i] = Math.max(0, Math.sin(i * 12.9898 + from) * 43.7 - 20);
    const count = Math.min(batch, rows - from);
    await matrix.append({ images: Array.from({ length: count }, (_, i) => ({ number: from + i, path: `class/${from + i}.jpg` })), layers: [{ number: 1, scores: scores.subarray(0, count * channels) }] });
    if ((from / batch) % 20 === 19) await matrix.flush();
  }
  await matrix.flush();
  await matrix.confirm();
  await matrix.close();
}

async function* blocks(reader: ScoreMatrixReader): AsyncGenerator<ScoreBlock> {
  const atOnce = Math.max(1, Math.floor(2 ** 20 / channels));
  for (let firstRow = 0; firstRow < reader.rows; firstRow += atOnce) {
    const scores = await reader.read(firstRow, atOnce);
    yield { firstRow, rows: scores.length / channels, scores };
  }
}

async function readAll(reader: ScoreMatrixReader): Promise<void> {
  for await (const _ of blocks(reader));
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - start) / 1000 };
}

function report(name: string, seconds: number, reading: number): void {
  console.log(`${name.padEnd(28)} ${(seconds * 1000).toFixed(1).padStart(9)} ms  ${(megabytes / seconds).toFixed(0).padStart(6)} MB/s  ${(seconds / reading).toFixed(2).padStart(6)} x only reading`);
}
