/**
 * Scores and positions from the largest values of rows and of columns (rewrite/probe/profileGraph.ts). The first row that holds the maximum is certain; so is the column, unless the maximum
 * stands in several rows and in several columns: which of those belong together no profile tells. Such ties (of 167 photographs up to 13, in the
 * first layers of squeezenet1.1) are named, to be looked up in the map itself.
 */

/** Of one layer; each with `channels` profiles for every image. */
export interface Profiles {
  /** `[images * channels, height]` */
  readonly rows: Float32Array;
  /** `[images * channels, width]` */
  readonly columns: Float32Array;
  /** `[images * channels]`; a NaN says that the map holds one. Null where there cannot be any. */
  readonly mean: Float32Array | null;
  readonly height: number;
  readonly width: number;
  /** No value is below 0, so that a map whose maximum is 0 is 0 everywhere. */
  readonly nonNegative: boolean;
}

export interface ProfiledScores {
  /** `[images * channels]` */
  readonly score: Float32Array;
  /** Row * width + column of the first maximum in row-major order; 0 where a tie leaves it open. */
  readonly position: Int32Array;
  /** Where in `position` ties leave it open. */
  readonly open: readonly number[];
}

export function scoresOf({ rows, columns, mean, height, width, nonNegative }: Profiles): ProfiledScores {
  const maps = rows.length / height;
  const score = new Float32Array(maps);
  const position = new Int32Array(maps);
  const open: number[] = [];
  for (let map = 0; map < maps; map++) {
    const firstRow = map * height;
    let largest = rows[firstRow]!;
    let row = 0;
    let rowsThatHoldIt = 1;
    for (let at = 1; at < height; at++) {
      const value = rows[firstRow + at]!;
      if (value < largest) continue;
      if (value > largest) {
        largest = value;
        row = at;
        rowsThatHoldIt = 1;
      } else rowsThatHoldIt++;
    }
    if (mean !== null && Number.isNaN(mean[map]!)) {
      score[map] = NaN;
      continue;
    }
    score[map] = largest;
    if (nonNegative && largest === 0) continue;
    const firstColumn = map * width;
    let column = 0;
    while (column < width && columns[firstColumn + column] !== largest) column++;
    if (rowsThatHoldIt > 1 && holds(columns, firstColumn + column + 1, firstColumn + width, largest)) open.push(map);
    else position[map] = row * width + column;
  }
  return { score, position, open };
}

function holds(values: Float32Array, from: number, end: number, wanted: number): boolean {
  for (let at = from; at < end; at++) if (values[at] === wanted) return true;
  return false;
}
