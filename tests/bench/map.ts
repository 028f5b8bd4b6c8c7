/**
 * `npm run bench -- map`: how long maps of synthetic rows of 50 numbers take, from rows to coordinates, how much memory, and how far they can be trusted (k = 15):
 * on 10,000 rows beside scikit-learn (the system's python3 with sklearn; map.py) and umap-js, in turns on the same rows, and on 100,000 rows alone. Each
 * map is made in a process of its own, on one thread; the own times hold the measuring of trust, too. Arguments: rows alone (100,000), rows beside the peers (10,000), each left out by 0; rounds (1).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UMAP } from 'umap-js';
import { usualMethod, type LayoutMethod } from '../../src-main/features/layout/request.ts';
import { runLayout } from '../../src-main/features/layout/runLayout.ts';
import { sourceOf, type Matrix } from '../../src-main/features/matrix.ts';
import { exactNeighbourGraph } from '../../src-main/features/neighbours/exactGraph.ts';
import { neighbourGraph } from '../../src-main/features/neighbours/neighbourGraph.ts';
import { trustworthiness } from '../../src-main/features/trustworthiness.ts';
import { seededNumbers } from '../../src-main/rewrite/training/seededNumbers.ts';
import { clusters } from '../support/clusters.ts';
import { temporaryFolder } from '../support/commandLine.ts';

const dimensions = 50;

interface Measured {
  readonly seconds: number;
  /** Of these, up to where the graph of neighbours is made. */
  readonly neighbourSeconds?: number;
  readonly peakMiB: number;
  readonly trust?: number | undefined;
  readonly recall?: number;
}

const programs = {
  'own pca': (rows, out) => ownMap({ kind: 'pca' }, rows, out),
  'own t-SNE': (rows, out) => ownMap(usualMethod('tsne', rows), rows, out),
  'own UMAP': (rows, out) => ownMap(usualMethod('umap', rows), rows, out),
  'own exact neighbours': async (rows) => timed(() => exactNeighbourGraph(rowsOf(rows), 90)),
  'own indexed neighbours': async (rows) => indexed(rows),
  'umap-js': async (rows, out) => umapJs(rows, out),
  'scikit-learn pca': async (rows, out) => python('pca', rows, out),
  'scikit-learn t-SNE': async (rows, out) => python('tsne', rows, out),
  'scikit-learn exact neighbours': async (rows, out) => python('neighbours', rows, out),
} satisfies Record<string, (rows: number, out: string) => Promise<Measured>>;
type Program = keyof typeof programs;

/** Ours, and whose time it is held against. */
const pairs: readonly (readonly [Program, Program])[] = [
  ['own pca', 'scikit-learn pca'],
  ['own exact neighbours', 'scikit-learn exact neighbours'],
  ['own t-SNE', 'scikit-learn t-SNE'],
  ['own UMAP', 'umap-js'],
];

if (process.argv[2] === 'only') {
  const [, , , program, rows, out] = process.argv as [string, string, string, Program, string, string];
  console.log(JSON.stringify(await programs[program](Number(rows), out)));
} else {
  measure(Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? 10_000), Number(process.argv[4] ?? 1));
}

function measure(alone: number, beside: number, rounds: number): void {
  const folder = temporaryFolder('bench-map');
  try {
    console.log(`${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}; rows of ${dimensions}\n`);
    for (let round = 1; beside > 0 && round <= rounds; round++) {
      for (const [ours, theirs] of pairs) {
        const [a, b] = [inProcess(ours, beside, folder), inProcess(theirs, beside, folder)];
        console.log(`${beside} rows: ${sentence(ours, a)}; ${sentence(theirs, b)}; ${a && b ? `${(a.seconds / b.seconds).toFixed(2)} times its time, ${(a.peakMiB / b.peakMiB).toFixed(2)} times its memory${difference(a, b)}` : 'no ratio'}`);
      }
    }
    if (alone === 0) return;
    console.log('');
    for (const ours of ['own indexed neighbours', 'own UMAP', 'own t-SNE'] as const) console.log(`${alone} rows: ${sentence(ours, inProcess(ours, alone, folder))}`);
    console.log('(goal: at most 1,536 MiB, recall at 10 at least 0.95)');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inProcess(program: Program, rows: number, folder: string): Measured | null {
  const run = spawnSync(process.execPath, [fileURLToPath(import.meta.url), 'only', program, String(rows), join(folder, 'positions.f32')], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (run.status === 0) return JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Measured;
  console.log(`${program}: not measured: ${(run.stderr || run.error?.message || 'no word').trim().split('\n').at(-1)}`);
  return null;
}

function sentence(program: Program, measured: Measured | null): string {
  if (measured === null) return `${program} not measured`;
  const { seconds, neighbourSeconds, peakMiB, trust, recall } = measured;
  const parts = [`${seconds.toFixed(1)} s${neighbourSeconds === undefined ? '' : ` (${neighbourSeconds.toFixed(1)} s to the neighbours)`}`, `${peakMiB.toFixed(0)} MiB`];
  if (trust !== undefined) parts.push(`trust ${trust.toFixed(4)}`);
  if (recall !== undefined) parts.push(`recall at 10 ${recall.toFixed(3)}`);
  return `${program} ${parts.join(', ')}`;
}

function difference({ trust: ours }: Measured, { trust: theirs }: Measured): string {
  return ours === undefined || theirs === undefined ? '' : `, trust ${(ours - theirs).toFixed(4)} against it (goal: at least -0.01)`;
}

async function ownMap(method: LayoutMethod, rows: number, _out: string): Promise<Measured> {
  const matrix = rowsOf(rows);
  const startMs = performance.now();
  let neighbourSeconds = 0;
  const result = await runLayout(sourceOf(matrix), { method, metric: 'l2', seed: 1 }, {
    // What a job does with them costs something too: they are made as often as there.
    onCheckpoint: () => undefined,
    onPositions: () => undefined,
    onProgress: ({ stage }) => {
      if (stage === 'weighing' && neighbourSeconds === 0) neighbourSeconds = (performance.now() - startMs) / 1000;
    },
  });
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, ...(method.kind === 'pca' ? {} : { neighbourSeconds }), peakMiB: peakMiB(), trust: trustOf(matrix, result.positions) };
}

async function indexed(rows: number): Promise<Measured> {
  const matrix = rowsOf(rows);
  const startMs = performance.now();
  const graph = neighbourGraph(matrix, 90, 1, undefined, 0);
  const seconds = (performance.now() - startMs) / 1000;
  const sample = Array.from({ length: 200 }, (_, at) => Math.floor((at * rows) / 200));
  let hits = 0;
  for (const row of sample) {
    const squares = Float64Array.from({ length: rows }, (_, other) => {
      let sum = 0;
      for (let d = 0; d < dimensions; d++) sum += (matrix.data[other * dimensions + d]! - matrix.data[row * dimensions + d]!) ** 2;
      return other === row ? Infinity : sum;
    });
    const farthest = Float64Array.from(squares).sort()[9]!;
    for (const other of graph.neighbours.subarray(row * graph.k, row * graph.k + 10)) if (squares[other]! <= farthest) hits++;
  }
  return { seconds, peakMiB: peakMiB(), recall: hits / (10 * sample.length) };
}

function timed(work: () => unknown): Measured {
  const startMs = performance.now();
  work();
  return { seconds: (performance.now() - startMs) / 1000, peakMiB: peakMiB() };
}

/** With its own numbers of epochs: 200 from 7,500 rows on, where Switchback runs 500 up to 10,000. */
function umapJs(rows: number, _out: string): Measured {
  const matrix = rowsOf(rows);
  const lists = Array.from({ length: rows }, (_, row) => Array.from(matrix.data.subarray(row * dimensions, (row + 1) * dimensions)));
  const startMs = performance.now();
  const positions = new UMAP({ nNeighbors: 15, minDist: 0.1, random: seededNumbers(1, 'umap-js') }).fit(lists);
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, peakMiB: peakMiB(), trust: trustOf(matrix, Float32Array.from(positions.flat())) };
}

function python(what: string, rows: number, out: string): Measured {
  const matrix = rowsOf(rows);
  const file = `${out}.rows`;
  writeFileSync(file, matrix.data);
  const run = spawnSync('/usr/bin/python3', [fileURLToPath(new URL('map.py', import.meta.url)), what, file, String(rows), String(dimensions), out], { encoding: 'utf8', env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' } });
  if (run.status !== 0) throw new Error(`scikit-learn could not be run (python3-sklearn): ${run.error?.message ?? run.stderr.trim().split('\n').at(-1)}`);
  const measured = JSON.parse(run.stdout) as Measured;
  return what === 'neighbours' ? measured : { ...measured, trust: trustOf(matrix, new Float32Array(new Uint8Array(readFileSync(out)).buffer)) };
}

/** Undefined for so few rows that it says nothing. */
function trustOf(matrix: Matrix, positions: Float32Array): number | undefined {
  return trustworthiness(matrix, positions, { rowsLookedAt: 1000 }) ?? undefined;
}

function rowsOf(rows: number): Matrix {
  return clusters({ rows, dimensions, groups: 50, apart: 1 });
}

function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}
