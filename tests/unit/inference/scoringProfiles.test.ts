/** Scores from the profiles of rows and columns: what they tell for certain, and what they leave open. */
import { expect, it } from 'vitest';
import { scoresOf } from '../../../src-main/inference/worker/scoringProfiles.ts';
import { seededRandom } from '../../support/graphs.ts';

/** Maps given as rows of numbers; `mean` is told only where it is no number. */
function profiled(maps: readonly (readonly (readonly number[])[])[], nonNegative = false) {
  const [height, width] = [maps[0]!.length, maps[0]![0]!.length];
  const rows = maps.flatMap((map) => map.map((row) => Math.max(...row)));
  const columns = maps.flatMap((map) => map[0]!.map((_, column) => Math.max(...map.map((row) => row[column]!))));
  return scoresOf({ rows: Float32Array.from(rows), columns: Float32Array.from(columns), mean: null, height, width, nonNegative });
}

it('finds the maximum where one row and one column hold it', () => {
  const { score, position, open } = profiled([[[1, 2, 3], [4, 9, 6]], [[-5, -4, -7], [-8, -9, -6]]]);
  expect([...score]).toEqual([9, -4]);
  expect([...position]).toEqual([4, 1]);
  expect(open).toEqual([]);
});

it('takes the first of several in one row, and of several in one column', () => {
  const { position, open } = profiled([[[0, 0, 0], [0, 7, 7]], [[0, 0, 7], [0, 0, 7]]]);
  expect([...position]).toEqual([4, 2]);
  expect(open).toEqual([]);
});

it('leaves open what stands in several rows and several columns', () => {
  const { score, position, open } = profiled([[[0, 1], [2, 0]], [[0, 7], [7, 0]], [[7, 7], [7, 7]]]);
  expect([...score]).toEqual([2, 7, 7]);
  expect([...position]).toEqual([2, 0, 0]);
  expect(open).toEqual([1, 2]);
});

it('knows that a map without negative values is 0 everywhere if its maximum is', () => {
  expect(profiled([[[0, 0], [0, 0]]], true)).toEqual({ score: Float32Array.of(0), position: Int32Array.of(0), open: [] });
  expect(profiled([[[-1, 0], [0, -1]]], false).open).toEqual([0]);
});

it('reports a map that holds a NaN, which its maxima passed over', () => {
  const { score, open } = scoresOf({ rows: Float32Array.of(3, 1, 5, 5), columns: Float32Array.of(3, 2, 5, 5), mean: Float32Array.of(NaN, 1), height: 2, width: 2, nonNegative: false });
  expect([...score]).toEqual([NaN, 5]);
  expect(open).toEqual([1]);
});

it('agrees with a search through the map, wherever it does not leave it open', () => {
  const random = seededRandom(5);
  let found = 0;
  for (let trial = 0; trial < 500; trial++) {
    // Whole numbers tie all the time.
    const map = Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => Math.floor(12 * random()) - 4));
    const flat = map.flat();
    const { score, position, open } = profiled([map]);
    expect(score[0]).toBe(Math.max(...flat));
    if (open.length > 0) continue;
    found++;
    expect(position[0], JSON.stringify(map)).toBe(flat.indexOf(Math.max(...flat)));
  }
  expect(found).toBe(268);
});
