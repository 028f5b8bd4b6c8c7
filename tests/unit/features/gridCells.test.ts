/** Points to cells: one each, near where they were. */
import { describe, expect, it } from 'vitest';
import { gridCells } from '../../../src-main/features/gridCells.ts';
import { seededNormals, seededNumbers, shuffled } from '../../../src-main/rewrite/training/seededNumbers.ts';

const normal = seededNormals(3, 'points');
const crowd = Float32Array.from({ length: 2 * 2000 }, () => normal());

describe('a grid of points', () => {
  it.each([0, 1, 2, 3, 7, 64, 65, 1000])('gives each of %i its own cell, without gaps before the end', (points) => {
    const { columns, rows, cells } = gridCells(crowd.subarray(0, 2 * points));
    expect([...cells].sort((a, b) => a - b)).toEqual(Array.from({ length: points }, (_, cell) => cell));
    expect(columns * rows).toBeGreaterThanOrEqual(points);
    expect(columns * rows - points).toBeLessThan(Math.max(1, columns));
  });

  it.each([
    [100, 1, 10, 10],
    [100, 4, 20, 5],
    [100, 0.25, 5, 20],
    [7, 1, 3, 3],
    [3, 1000, 3, 1],
    [3, 0.001, 1, 3],
  ])('of %i with aspect %d is %i by %i', (points, aspect, columns, rows) => {
    expect(gridCells(crowd.subarray(0, 2 * points), aspect)).toMatchObject({ columns, rows });
  });

  it('leaves points that stand on a grid where they are', () => {
    const order = shuffled(12 * 9, seededNumbers(1, 'order'));
    const positions = Float32Array.from({ length: 2 * 12 * 9 }, (_, at) => (at % 2 === 0 ? order[at / 2]! % 12 : Math.floor(order[(at - 1) / 2]! / 12)) * 3 - 5);
    expect([...gridCells(positions, 12 / 9).cells]).toEqual([...order]);
  });

  it('keeps left of what was left, and above what was above', () => {
    const { columns, cells } = gridCells(crowd);
    expect(correlation(2000, (i) => crowd[2 * i]!, (i) => cells[i]! % columns)).toBeGreaterThan(0.9);
    expect(correlation(2000, (i) => crowd[2 * i + 1]!, (i) => Math.floor(cells[i]! / columns))).toBeGreaterThan(0.9);
  });

  it('tells points in one place apart by their numbers', () => {
    expect([...gridCells(new Float32Array(8)).cells]).toEqual([0, 2, 1, 3]);
  });
});

function correlation(count: number, x: (i: number) => number, y: (i: number) => number): number {
  const mean = (of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i)).reduce((sum, value) => sum + value) / count;
  const [meanX, meanY] = [mean(x), mean(y)];
  const covariance = mean((i) => (x(i) - meanX) * (y(i) - meanY));
  return covariance / Math.sqrt(mean((i) => (x(i) - meanX) ** 2) * mean((i) => (y(i) - meanY) ** 2));
}
