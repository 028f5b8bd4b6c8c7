/**
 * The numbers behind maps against what they must be: scikit-learn's and SciPy's (features.json, printed by features.py; SWITCHBACK_FEATURES_FOLDER=FOLDER
 * writes the rows that it reads), and slow twins written straight from the papers. `npm run bench -- map` compares whole maps of 10,000 rows.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceOf, unitRows, type Matrix, type Metric } from '../../src-main/features/matrix.ts';
import { usualMethod } from '../../src-main/features/layout/request.ts';
import { runLayout } from '../../src-main/features/layout/runLayout.ts';
import { exactNeighbourGraph, type NeighbourGraph } from '../../src-main/features/neighbours/exactGraph.ts';
import { nearestRows } from '../../src-main/features/neighbours/nearestRows.ts';
import { neighbourGraph } from '../../src-main/features/neighbours/neighbourGraph.ts';
import { principalComponents, projectedRows } from '../../src-main/features/principalComponents.ts';
import type { SymmetricEdges } from '../../src-main/features/symmetricEdges.ts';
import { trustworthiness } from '../../src-main/features/trustworthiness.ts';
import { affinities, conditionalAffinities } from '../../src-main/features/tsne/affinities.ts';
import { createGridRepulsion, createRepulsion } from '../../src-main/features/tsne/repulsion.ts';
import { tsneGradient } from '../../src-main/features/tsne/tsne.ts';
import { curveFor } from '../../src-main/features/umap/curve.ts';
import { fuzzyGraph } from '../../src-main/features/umap/fuzzyGraph.ts';
import { createUmapSteps, startUmap } from '../../src-main/features/umap/umap.ts';
import { seededNormals, seededNumbers } from '../../src-main/rewrite/training/seededNumbers.ts';
import { clusters } from '../support/clusters.ts';

const small = clusters({ rows: 60, dimensions: 8, groups: 3, apart: 1, seed: 11 });
const large = clusters({ rows: 1000, dimensions: 20, groups: 6, apart: 1, seed: 12 });
/** Two of the dimensions with noise: a map that is right in part. */
const noise = seededNormals(13, 'layout');
const layout = Float32Array.from({ length: 2000 }, (_, at) => large.data[20 * Math.floor(at / 2) + (at % 2)]! + 0.5 * noise());

interface Reference {
  readonly components: readonly (readonly number[])[];
  readonly variances: readonly number[];
  readonly projected: readonly (readonly number[])[];
  /** The first two rows of all affinities, in thousandths. */
  readonly affinities: readonly (readonly number[])[];
  readonly trustworthiness: Readonly<Record<string, number>>;
  readonly curves: Readonly<Record<string, readonly [number, number]>>;
}
const reference = JSON.parse(readFileSync(new URL('features.json', import.meta.url), 'utf8')) as Reference;

const { SWITCHBACK_FEATURES_FOLDER: folder } = process.env;
if (folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, data] of Object.entries({ pca: small.data, map: large.data, layout })) writeFileSync(join(folder, `${name}.f32`), data);
}

describe('principal components', () => {
  it.each([
    ['from the covariance', 8],
    ['by subspace iteration', 0],
  ] as const)('%s agree with scikit-learn up to sign', async (_, exactDimensions) => {
    const found = await principalComponents(sourceOf(small), { count: 8, seed: 1, exactDimensions });
    const { data } = await projectedRows(sourceOf(small), found);
    reference.components.forEach((expected, c) => {
      const ours = found.components.subarray(8 * c, 8 * c + 8);
      const sign = Math.sign(expected.reduce((sum, value, d) => sum + value * ours[d]!, 0));
      expected.forEach((value, d) => expect(sign * ours[d]!).toBeCloseTo(value, 6));
      expect(found.variances[c]! / reference.variances[c]!).toBeCloseTo(1, 6);
      for (let row = 0; row < 3; row++) expect(sign * data[8 * row + c]!).toBeCloseTo(reference.projected[row]![c]!, 4);
    });
    expect(found.totalVariance).toBeCloseTo(reference.variances.reduce((sum, value) => sum + value), 5);
  });

  it('by subspace iteration are those of the covariance, with more dimensions than rows too', async () => {
    for (const rows of [clusters({ rows: 400, dimensions: 120, groups: 5, seed: 3 }), clusters({ rows: 30, dimensions: 300, groups: 5, seed: 4 })]) {
      const exact = await principalComponents(sourceOf(rows), { count: 4, seed: 1 });
      const found = await principalComponents(sourceOf(rows), { count: 4, seed: 1, exactDimensions: 10 });
      for (let at = 0; at < exact.components.length; at++) expect(Math.abs(found.components[at]! - exact.components[at]!)).toBeLessThan(1e-4);
    }
  });
});

describe('neighbours', () => {
  it.each(['l2', 'cosine'] as const)('of one row by %s are those of a slow search', async (metric) => {
    for (const row of [0, 17, 999]) {
      const found = await nearestRows(sourceOf(large), rowOf(large, row), { k: 12, metric, except: row });
      const slow = slowNeighbours(large, rowOf(large, row), metric, row).slice(0, 12);
      expect([...found.rows]).toEqual(slow.map(({ other }) => other));
      slow.forEach(({ distance }, at) => expect(found.distances[at]).toBeCloseTo(distance, 4));
    }
  });

  it('of all rows are those of a slow search', () => {
    const graph = exactNeighbourGraph(large, 15);
    for (let row = 0; row < large.rows; row += 41) {
      const slow = slowNeighbours(large, rowOf(large, row), 'l2', row).slice(0, 15);
      expect([...graph.neighbours.subarray(15 * row, 15 * row + 15)]).toEqual(slow.map(({ other }) => other));
      slow.forEach(({ distance }, at) => expect(graph.distances[15 * row + at]).toBeCloseTo(distance, 4));
    }
  });

  it.each([
    ['in groups', clusters({ rows: 2000, dimensions: 50, groups: 20, seed: 5 })],
    ['without any structure', noiseRows(2000, 30)],
  ])('by the index, rows %s: at least 95 of 100 of the ten nearest', (_, rows) => {
    const exact = exactNeighbourGraph(rows, 10);
    const found = neighbourGraph(rows, 10, 1, undefined, 0);
    let hits = 0;
    for (let row = 0; row < rows.rows; row++) {
      const right = new Set(exact.neighbours.subarray(10 * row, 10 * row + 10));
      for (const other of found.neighbours.subarray(10 * row, 10 * row + 10)) if (right.has(other)) hits++;
    }
    expect(hits / exact.neighbours.length).toBeGreaterThan(0.95);
  });
});

describe('t-SNE', () => {
  it('weighs pairs as scikit-learn does', () => {
    const ours = dense(affinities(exactNeighbourGraph(small, 15), 5));
    reference.affinities.forEach((expected, row) => expected.forEach((value, other) => expect(1000 * ours[row]![other]!).toBeCloseTo(value, 3)));
    const sum = ours.flat().reduce((total, value) => total + value);
    expect(sum).toBeCloseTo(1, 5);
  });

  it('gives each row the perplexity that is asked for', () => {
    const graph = exactNeighbourGraph(large, 90);
    const weights = conditionalAffinities(graph, 30);
    for (let row = 0; row < large.rows; row += 50) {
      const entropy = weights.subarray(90 * row, 90 * row + 90).reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
      expect(Math.exp(entropy)).toBeCloseTo(30, 2);
    }
  });

  it.each([
    ['pair by pair', 1e-6, (rows: number) => createRepulsion(rows)],
    ['on a grid', 0.01, () => createGridRepulsion()],
  ])('has the gradient of the paper, %s', (_, tolerance, repulsionFor) => {
    const rows = clusters({ rows: 400, dimensions: 10, groups: 4, seed: 6 });
    const edges = affinities(exactNeighbourGraph(rows, 30), 10);
    for (const scale of [1e-4, 1, 8]) {
      const normal = seededNormals(2, 'positions');
      const positions = Float64Array.from({ length: 800 }, () => scale * normal());
      const gradient = new Float64Array(800);
      tsneGradient(edges, positions, 1, repulsionFor(400), gradient);
      const slow = slowTsneGradient(dense(edges), positions);
      expect(lengthOf(gradient.map((value, at) => value - slow[at]!)) / lengthOf(slow)).toBeLessThan(tolerance);
    }
  });
});

describe('UMAP', () => {
  it('fits the curves that SciPy fits', () => {
    for (const [least, [a, b]] of Object.entries(reference.curves)) {
      const ours = curveFor(Number(least));
      expect(ours.a).toBeCloseTo(a, 4);
      expect(ours.b).toBeCloseTo(b, 4);
    }
  });

  it('weighs edges as the paper says', () => {
    const graph = exactNeighbourGraph(small, 9);
    const ours = dense(fuzzyGraph(graph));
    const slow = slowFuzzyGraph(graph);
    for (let row = 0; row < 60; row++) for (let other = 0; other < 60; other++) expect(ours[row]![other]!).toBeCloseTo(slow[row]![other]!, 4);
  });

  // More epochs would not do: a difference of the last digit grows a thousandfold in each.
  it('takes the steps of the paper', () => {
    const edges = fuzzyGraph(exactNeighbourGraph(small, 9));
    const options = { minDistance: 0.1, epochs: 20, seed: 5 };
    const state = startUmap(Float32Array.from({ length: 120 }, (_, at) => small.data[8 * Math.floor(at / 2) + (at % 2)]!), 5);
    const slow = Float64Array.from(state.positions);
    createUmapSteps(edges, options)(state, 2);
    slowUmap(edges, slow, options, 2);
    for (let at = 0; at < 120; at++) expect(state.positions[at]).toBeCloseTo(slow[at]!, 6);
  });
});

it('measures trust as scikit-learn does', () => {
  for (const [k, expected] of Object.entries(reference.trustworthiness)) expect(trustworthiness(large, layout, { k: Number(k) })).toBeCloseTo(expected, 8);
});

// On these rows scikit-learn's TSNE (start by PCA, learning rate auto, perplexity 30) has 0.98014, and umap-js 1.4.0 (15 neighbours, least distance 0.1) with three seeds 0.9727, 0.9732, 0.9737.
it.each([
  ['t-SNE', 'tsne', 0.98014],
  ['UMAP', 'umap', 0.9732],
] as const)('%s can be trusted as much as that of others', async (_, kind, theirs) => {
  const { positions } = await runLayout(sourceOf(large), { method: usualMethod(kind, large.rows), metric: 'l2', seed: 1 });
  expect(trustworthiness(large, positions)).toBeGreaterThan(theirs - 0.01);
});

it('measures trust on a choice of rows nearly as on all', () => {
  expect(trustworthiness(large, layout, { rowsLookedAt: 300 })).toBeCloseTo(reference.trustworthiness['15']!, 1.5);
});

it('unit rows have the distances of their angles', async () => {
  const data = await unitRows(sourceOf(large)).read(0, large.rows);
  const [found, slow] = [exactNeighbourGraph({ ...large, data }, 5), slowNeighbours(large, rowOf(large, 3), 'cosine', 3)];
  for (let at = 0; at < 5; at++) expect(found.distances[15 + at]! ** 2 / 2).toBeCloseTo(slow[at]!.distance, 5);
});

function noiseRows(rows: number, dimensions: number): Matrix {
  const normal = seededNormals(8, 'noise');
  return { rows, dimensions, data: Float32Array.from({ length: rows * dimensions }, normal) };
}

function rowOf({ data, dimensions }: Matrix, row: number): Float32Array {
  return data.subarray(row * dimensions, (row + 1) * dimensions);
}

function slowNeighbours(matrix: Matrix, query: Float32Array, metric: Metric, except: number): { other: number; distance: number }[] {
  const all = Array.from({ length: matrix.rows }, (_, other) => {
    const row = rowOf(matrix, other);
    if (metric === 'l2') return { other, distance: Math.sqrt(row.reduce((sum, value, d) => sum + (value - query[d]!) ** 2, 0)) };
    const product = row.reduce((sum, value, d) => sum + value * query[d]!, 0);
    return { other, distance: 1 - product / (lengthOf(row) * lengthOf(query)) };
  });
  return all.filter(({ other }) => other !== except).sort((a, b) => a.distance - b.distance);
}

function lengthOf(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

function dense({ rows, starts, columns, weights }: SymmetricEdges): number[][] {
  return Array.from({ length: rows }, (_, row) => {
    const line = new Array<number>(rows).fill(0);
    for (let at = starts[row]!; at < starts[row + 1]!; at++) line[columns[at]!] = weights[at]!;
    return line;
  });
}

/** Van der Maaten & Hinton 2008, equations 4 and 5. */
function slowTsneGradient(p: readonly (readonly number[])[], y: Float64Array): Float64Array {
  const n = p.length;
  const near = (i: number, j: number) => (i === j ? 0 : 1 / (1 + (y[2 * i]! - y[2 * j]!) ** 2 + (y[2 * i + 1]! - y[2 * j + 1]!) ** 2));
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += near(i, j);
  const gradient = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const factor = 4 * (p[i]![j]! - near(i, j) / sum) * near(i, j);
      for (const axis of [0, 1]) gradient[2 * i + axis] = gradient[2 * i + axis]! + factor * (y[2 * i + axis]! - y[2 * j + axis]!);
    }
  }
  return gradient;
}

/** McInnes et al. 2018, algorithms 2 and 3: rho, sigma by bisection, exp(-max(0, d - rho) / sigma), A + A' - A . A'. */
function slowFuzzyGraph({ rows, k, neighbours, distances }: NeighbourGraph): number[][] {
  const directed = Array.from({ length: rows }, () => new Array<number>(rows).fill(0));
  for (let row = 0; row < rows; row++) {
    const own = [...distances.subarray(row * k, (row + 1) * k)];
    const rho = Math.min(...own.filter((d) => d > 0));
    const sumFor = (sigma: number) => own.reduce((sum, d) => sum + Math.exp(-Math.max(0, d - rho) / sigma), 0);
    let [low, high] = [1e-9, 1e4];
    for (let step = 0; step < 200; step++) {
      const middle = (low + high) / 2;
      if (sumFor(middle) > Math.log2(k + 1)) high = middle;
      else low = middle;
    }
    own.forEach((d, at) => (directed[row]![neighbours[row * k + at]!] = Math.exp(-Math.max(0, d - rho) / low)));
  }
  return directed.map((line, i) => line.map((there, j) => there + directed[j]![i]! - there * directed[j]![i]!));
}

/** McInnes et al. 2018, algorithm 5, with the forces as derivatives of log w and log (1 - w), w = 1 / (1 + a d^2b); each edge in as many epochs as it weighs. */
function slowUmap(edges: SymmetricEdges, y: Float64Array, { minDistance, epochs, seed }: { minDistance: number; epochs: number; seed: number }, taken: number): void {
  const { a, b } = curveFor(minDistance);
  const heaviest = Math.max(...edges.weights);
  const list = Array.from({ length: edges.rows }, (_, i) => i).flatMap((i) => Array.from({ length: edges.starts[i + 1]! - edges.starts[i]! }, (_, at) => ({ i, j: edges.columns[edges.starts[i]! + at]!, weight: edges.weights[edges.starts[i]! + at]! })));
  const clip = (value: number) => Math.max(-4, Math.min(4, value));
  for (let epoch = 0; epoch < taken; epoch++) {
    const rate = 1 - epoch / epochs;
    const random = seededNumbers(seed, epoch);
    for (const { i, j, weight } of list) {
      const every = Math.fround(heaviest / weight);
      if (weight * epochs < heaviest || Math.floor((epoch + 1) / every) === Math.floor(epoch / every)) continue;
      const difference = [0, 1].map((axis) => y[2 * i + axis]! - y[2 * j + axis]!);
      const square = difference[0]! ** 2 + difference[1]! ** 2;
      const pull = (-2 * a * b * square ** (b - 1)) / (1 + a * square ** b);
      difference.forEach((d, axis) => {
        const step = rate * clip(pull * d);
        y[2 * i + axis] = y[2 * i + axis]! + step;
        y[2 * j + axis] = y[2 * j + axis]! - step;
      });
      for (let push = 0; push < 5; push++) {
        const far = Math.floor(random() * edges.rows);
        if (far === i) continue;
        const away = [0, 1].map((axis) => y[2 * i + axis]! - y[2 * far + axis]!);
        const gap = away[0]! ** 2 + away[1]! ** 2;
        away.forEach((d, axis) => (y[2 * i + axis] = y[2 * i + axis]! + rate * clip(((2 * b) / ((0.001 + gap) * (1 + a * gap ** b))) * d)));
      }
    }
  }
}
