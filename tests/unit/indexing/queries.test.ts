/** The questions to a score matrix against slow answers written straight from their definitions, on small matrices with ties, NaN and infinities. */
import { describe, expect, it } from 'vitest';
import { readColumn, type ScoreBlock } from '../../../src-main/indexing/queries/blocks.ts';
import { correlate, type PairedBlock } from '../../../src-main/indexing/queries/correlation.ts';
import { excitedChannels } from '../../../src-main/indexing/queries/excited.ts';
import { histogramOfColumn } from '../../../src-main/indexing/queries/histogram.ts';
import { selectivityOfColumn, surestClass } from '../../../src-main/indexing/queries/selectivity.ts';
import { createTopRows, topOfColumn } from '../../../src-main/indexing/queries/topRows.ts';

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Scores in steps of a quarter, so that many tie; some NaN and infinities where asked for. */
function matrix(seed: number, rows: number, channels: number, odd = false): Float32Array {
  const random = seeded(seed);
  return Float32Array.from({ length: rows * channels }, () => {
    const kind = random();
    if (odd && kind < 0.03) return NaN;
    if (odd && kind < 0.05) return Infinity;
    if (odd && kind < 0.07) return -Infinity;
    return Math.round((random() * 8 - 3) * 4) / 4;
  });
}

async function* blocksOf(scores: Float32Array, channels: number, atOnce: number): AsyncGenerator<ScoreBlock> {
  const rows = scores.length / channels;
  for (let firstRow = 0; firstRow < rows; firstRow += atOnce) {
    const part = scores.slice(firstRow * channels, (firstRow + atOnce) * channels);
    yield { firstRow, rows: part.length / channels, scores: part };
  }
}

async function* pairsOf(left: Float32Array, leftChannels: number, right: Float32Array, rightChannels: number, atOnce: number): AsyncGenerator<PairedBlock> {
  const rows = left.length / leftChannels;
  for (let from = 0; from < rows; from += atOnce) {
    const count = Math.min(atOnce, rows - from);
    yield { rows: count, left: left.slice(from * leftChannels, (from + count) * leftChannels), right: right.slice(from * rightChannels, (from + count) * rightChannels) };
  }
}

const columnOf = (scores: Float32Array, channels: number, channel: number) => scores.filter((_, at) => at % channels === channel);

describe('top rows', () => {
  it('are sorted by score, ties by row, for any k, lowest too, and NaN never ranks', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const column = matrix(seed, 90, 1, true);
      for (const lowest of [false, true]) {
        for (const nonNegative of [false, true]) {
          const all = [...column]
            .map((score, row) => ({ row, score }))
            .filter(({ score }) => !Number.isNaN(score) && (lowest || !nonNegative || score > 0))
            .sort((a, b) => (a.score === b.score ? a.row - b.row : lowest === a.score < b.score ? -1 : 1));
          for (const k of [1, 2, 9, 50, 1000]) expect(topOfColumn(column, { k, lowest, nonNegative })).toEqual(all.slice(0, k));
        }
      }
    }
  });

  it('can be asked among some rows, and before the end', () => {
    const column = Float32Array.of(5, 1, 9, 9, NaN, 3);
    expect(topOfColumn(column, { k: 2, lowest: false, nonNegative: true }, Int32Array.of(0, 1, 3, 4, 5))).toEqual([{ row: 3, score: 9 }, { row: 0, score: 5 }]);
    const top = createTopRows({ k: 2, lowest: true, nonNegative: true });
    column.forEach((score, row) => top.offer(row, score));
    expect(top.ranked()).toEqual([{ row: 1, score: 1 }, { row: 5, score: 3 }]);
    top.offer(6, 0);
    expect(top.ranked()).toEqual([{ row: 6, score: 0 }, { row: 1, score: 1 }]);
  });

  it('of a dead channel are none, its weakest are all', () => {
    const dead = new Float32Array(4);
    expect(topOfColumn(dead, { k: 9, lowest: false, nonNegative: true })).toEqual([]);
    expect(topOfColumn(dead, { k: 2, lowest: true, nonNegative: true })).toEqual([{ row: 0, score: 0 }, { row: 1, score: 0 }]);
    expect(topOfColumn(dead, { k: 1, lowest: false, nonNegative: false })).toEqual([{ row: 0, score: 0 }]);
  });
});

it('a column is read out of blocks of any size', async () => {
  const scores = matrix(3, 17, 5);
  for (const atOnce of [1, 4, 17, 100]) expect(await readColumn(blocksOf(scores, 5, atOnce), 17, 5, 2)).toEqual(columnOf(scores, 5, 2));
});

describe('a histogram', () => {
  it('counts every score once, in the bins that were asked for', () => {
    const column = Float32Array.of(0, 0.5, 1, 1.5, 2, 2, 4, NaN, Infinity, -Infinity, -1);
    expect(histogramOfColumn(column, 4, { from: 0, to: 2 })).toEqual({ from: 0, to: 2, counts: [1, 1, 1, 3], below: 2, above: 2, nan: 1 });
    expect(histogramOfColumn(column, 5)).toEqual({ from: -1, to: 4, counts: [1, 2, 2, 2, 1], below: 1, above: 1, nan: 1 });
    expect(histogramOfColumn(Float32Array.of(3, 3), 2)).toEqual({ from: 3, to: 3, counts: [2, 0], below: 0, above: 0, nan: 0 });
    expect(histogramOfColumn(new Float32Array(0), 2)).toEqual({ from: 0, to: 0, counts: [0, 0], below: 0, above: 0, nan: 0 });
    expect(histogramOfColumn(column, 2, { from: 10 })).toEqual({ from: 10, to: 10, counts: [0, 0], below: 9, above: 1, nan: 1 });
  });

  it('puts a score on an edge into the bin that begins there, however its quotient rounds', () => {
    const random = seeded(7);
    for (let round = 0; round < 200; round++) {
      const from = Math.fround(random() * 4 - 2);
      const to = from + random() * 3;
      const bins = 1 + Math.floor(random() * 60);
      const edges = Array.from({ length: bins + 1 }, (_, bin) => from + ((to - from) * bin) / bins);
      const column = Float32Array.from({ length: 80 }, (_, i) => (i < bins ? edges[i]! : from + random() * (to - from)));
      const counts = new Array<number>(bins).fill(0);
      for (const score of column) {
        const bin = edges.findLastIndex((edge) => score >= edge);
        if (bin >= 0 && score <= to) counts[Math.min(bin, bins - 1)]!++;
      }
      expect(histogramOfColumn(column, bins, { from, to }).counts).toEqual(counts);
    }
  });
});

describe('selectivity', () => {
  it('is the share of pairs where the image of the class scores higher, ties half', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const column = matrix(seed, 60, 1, true);
      const classes = Int32Array.from(column, () => Math.floor(random() * 5) - 1);
      const usable = [...column].flatMap((score, row) => (classes[row]! < 0 || Number.isNaN(score) ? [] : [{ score, of: classes[row]! }]));
      const { images, mean, classes: found } = await selectivityOfColumn(column, classes, 4);
      expect(images).toBe(usable.length);
      expect(mean).toBe(usable.reduce((sum, { score }) => sum + score, 0) / usable.length);
      for (const { class: of, images: count, auc, mean: own } of found) {
        const inside = usable.filter((each) => each.of === of);
        const outside = usable.filter((each) => each.of !== of);
        const pairs = inside.flatMap((a) => outside.map((b) => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0)));
        expect(count).toBe(inside.length);
        expect(own).toBe(inside.reduce((sum, { score }) => sum + score, 0) / inside.length);
        expect(auc).toBeCloseTo(pairs.reduce<number>((sum, one) => sum + one, 0) / pairs.length, 12);
      }
      expect(found.map((each) => each.auc)).toEqual(found.map((each) => each.auc).sort((a, b) => b! - a!));
    }
  });

  it('has no area where all images are of one class, and leaves classes without images out', async () => {
    expect(await selectivityOfColumn(Float32Array.of(1, 2), Int32Array.of(1, 1), 3)).toEqual({ images: 2, mean: 1.5, classes: [{ class: 1, images: 2, mean: 1.5, auc: null }] });
    expect(await selectivityOfColumn(Float32Array.of(1), Int32Array.of(-1), 3)).toEqual({ images: 0, mean: null, classes: [] });
  });
});

describe('the surest class', () => {
  it('is not the one with the largest area where that rests on few images', async () => {
    // Class 0: two images, both above all others. Class 1: ten images, all but two above the eight others.
    const column = Float32Array.of(9, 9, ...Array.from({ length: 10 }, (_, at) => (at < 8 ? 5 : 1)), ...Array.from({ length: 8 }, () => 2));
    const classes = Int32Array.of(0, 0, ...Array.from({ length: 10 }, () => 1), ...Array.from({ length: 8 }, () => 2));
    // Against 10 others: 8 images beat 8 and lose to 2; 2 images beat none.
    expect(await surestClass(column, classes, 3, 1)).toEqual({ class: 0, images: 2, auc: 1, deviations: expect.closeTo(0.5 / Math.sqrt(21 / (12 * 36)), 12) as number });
    expect(await surestClass(column, classes, 3, 3)).toEqual({ class: 1, images: 10, auc: 0.64, deviations: expect.closeTo(0.14 / Math.sqrt(21 / 1200), 12) as number });
    expect(await surestClass(column, classes, 3, 11)).toBeNull();
    expect(await surestClass(Float32Array.of(1, 1, 1, 1), Int32Array.of(0, 0, 1, 1), 2, 1)).toBeNull();
  });
});

describe('the channels that an image excites', () => {
  it('are ordered by the share of other images that score lower, then by deviations', async () => {
    const channels = 6;
    for (let seed = 1; seed <= 10; seed++) {
      const scores = matrix(seed, 40, channels, true);
      scores.forEach((_, at) => at % channels === 5 && (scores[at] = 0.25)); // never changes
      const row = seed;
      const found = await excitedChannels(blocksOf(scores, channels, 7), scores.slice(row * channels, (row + 1) * channels));
      const expected = Array.from({ length: channels }, (_, channel) => {
        const column = columnOf(scores, channels, channel);
        const score = column[row]!;
        const finite = column.filter((each) => Number.isFinite(each));
        const mean = finite.reduce((sum, each) => sum + each, 0) / finite.length;
        const deviation = Math.sqrt(finite.reduce((sum, each) => sum + (each - mean) ** 2, 0) / finite.length);
        return { channel, score, shareLower: column.filter((each) => each < score).length / (column.filter((each) => !Number.isNaN(each)).length - 1), deviations: deviation > 0 && Number.isFinite(score) ? (score - mean) / deviation : null };
      }).filter(({ score }) => !Number.isNaN(score));
      expect(found).toHaveLength(expected.length);
      for (const each of found) {
        const { deviations, ...rest } = expected.find(({ channel }) => channel === each.channel)!;
        expect(each).toMatchObject(rest);
        if (deviations !== null) expect(each.deviations).toBeCloseTo(deviations, 9);
        else expect(each.deviations).toBeNull();
      }
      const order = found.map(({ shareLower, deviations, channel }) => [-shareLower, -(deviations ?? -Infinity), channel]);
      expect(order).toEqual(order.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!));
    }
  });

  it('by hand: strongest of three, and of a channel with large scores', async () => {
    const scores = Float32Array.of(1, 100, 2, 300, 3, 200);
    expect(await excitedChannels(blocksOf(scores, 2, 2), Float32Array.of(3, 200))).toEqual([
      { channel: 0, score: 3, shareLower: 1, deviations: expect.closeTo(Math.sqrt(1.5), 12) as number },
      { channel: 1, score: 200, shareLower: 0.5, deviations: 0 },
    ]);
  });
});

describe('correlation', () => {
  /** Two passes, straight from the definition. */
  function pearson(a: readonly number[], b: readonly number[]): number {
    const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
    const [ma, mb] = [mean(a), mean(b)];
    const sum = (of: (i: number) => number) => a.reduce((total, _, i) => total + of(i), 0);
    const variance = sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2);
    return variance > 0 ? sum((i) => (a[i]! - ma) * (b[i]! - mb)) / Math.sqrt(variance) : NaN;
  }

  it('is Pearson over the images that are finite in all channels, whole, of one channel and between layers', async () => {
    const left = matrix(5, 300, 6);
    const right = matrix(6, 300, 4);
    left.forEach((_, at) => at % 6 === 2 && (left[at] = 7)); // never changes
    left.forEach((score, at) => at % 6 === 4 && (left[at] = score + 1e6)); // a large mean
    left[6 * 11 + 1] = NaN;
    right[4 * 30 + 3] = Infinity;
    const rows = (without: readonly number[]) => Array.from({ length: 300 }, (_, row) => row).filter((row) => !without.includes(row));
    const check = (values: Float32Array, used: readonly number[], a: readonly [Float32Array, number], b: readonly [Float32Array, number], lefts: readonly number[]) => {
      expect(values).toHaveLength(lefts.length * b[1]);
      lefts.forEach((i, at) => {
        for (let j = 0; j < b[1]; j++) {
          const expected = pearson(used.map((row) => a[0][row * a[1] + i]!), used.map((row) => b[0][row * b[1] + j]!));
          if (Number.isNaN(expected)) expect(values[at * b[1] + j]).toBeNaN();
          else expect(values[at * b[1] + j]).toBeCloseTo(expected, 6);
        }
      });
    };
    for (const atOnce of [1, 37, 1000]) {
      const whole = await correlate(pairsOf(left, 6, left, 6, atOnce), { left: 6, right: 6, symmetric: true });
      expect(whole.images).toBe(299);
      check(whole.values, rows([11]), [left, 6], [left, 6], [0, 1, 2, 3, 4, 5]);
      const own = await correlate(pairsOf(left, 6, left, 6, atOnce), { left: 6, right: 6, channel: 4 });
      check(own.values, rows([11]), [left, 6], [left, 6], [4]);
      expect(own.values[4]).toBeCloseTo(1, 12);
      const between = await correlate(pairsOf(left, 6, right, 4, atOnce), { left: 6, right: 4 });
      expect(between.images).toBe(298);
      check(between.values, rows([11, 30]), [left, 6], [right, 4], [0, 1, 2, 3, 4, 5]);
    }
  });

  it('stops when it is told to', async () => {
    const scores = matrix(1, 400, 64);
    await expect(correlate(pairsOf(scores, 64, scores, 64, 50), { left: 64, right: 64 }, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});
