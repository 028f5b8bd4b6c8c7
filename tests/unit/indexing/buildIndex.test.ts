/** The loop that fills an index, with a decoder, an engine and a store that the test can stop: what is committed, in what order, and that any interruption ends alike. */
import { describe, expect, it } from 'vitest';
import type { Layer } from '../../../src-shared/domain/layers.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { buildIndex, type BuildIndexOptions } from '../../../src-main/indexing/buildIndex.ts';
import type { CommittedBatch } from '../../../src-main/indexing/ranking.ts';
import { channelStatistics, unpackStatistics } from '../../../src-main/indexing/statistics.ts';

const layer: Layer = { name: 'r', title: 'conv1', kind: 'conv', number: 3, channels: 2, height: 2, width: 5, nonNegative: true, receptiveField: { size: [1, 1], stride: [1, 1], offset: [0, 0] } };
const images = 11;
const broken = new Set([4, 10]);
/** Channel 0 counts the image's own number down in a circle, channel 1 is 0 for the even ones: ties and dead scores. */
const scoreOf = (image: number) => [(image * 7) % 5, image % 2];

interface Disk { cursor: number; readonly hits: Map<number, CommittedBatch['channels'][number]['hits']>; statistics: Uint8Array | null; readonly skipped: [number, string][]; readonly hashes: [number, string][]; readonly cursors: number[] }
const emptyDisk = (): Disk => ({ cursor: 0, hits: new Map(), statistics: null, skipped: [], hashes: [], cursors: [] });

function optionsFor(disk: Disk, rest: Partial<BuildIndexOptions> = {}): BuildIndexOptions {
  return {
    layers: [layer], top: 3, batchSize: 3, images, cursor: disk.cursor, crop: [1, 1], commitEveryMs: 0,
    page: async (from, limit) => Array.from({ length: Math.min(limit, images - from) }, (_, at) => ({ number: from + at, path: `${from + at}.png`, file: `/${from + at}.png` })),
    async decode(image) {
      if (broken.has(image.number)) throw new AppError('UNREADABLE_FILE', `${image.path} is broken.`);
      return { pixels: Uint8Array.of(image.number, 0, 0), contentHash: `hash ${image.number}` };
    },
    async score(pixels) {
      const numbers = Array.from({ length: 3 }, (_, row) => pixels[row * 3]!);
      return { layers: [{ score: Float32Array.from(numbers.flatMap(scoreOf)), position: Int32Array.from(numbers.flatMap((number) => [number % 10, 7])) }] };
    },
    async commit(batch) {
      for (const { layer: number, channel, hits } of batch.channels) {
        expect(number).toBe(3);
        disk.hits.set(channel, hits);
      }
      disk.statistics = batch.statistics[0]!.data;
      disk.skipped.push(...(batch.skipped as [number, string][]));
      disk.hashes.push(...(batch.hashes as [number, string][]));
      disk.cursors.push((disk.cursor = batch.cursor));
    },
    storedHits: async () => [...disk.hits].flatMap(([channel, hits]) => hits.map(({ image, score, y, x }) => ({ channel, image, score, position: y * layer.width + x }))),
    storedStatistics: async () => disk.statistics,
    onProgress: () => {},
    ...rest,
  };
}
const never = new AbortController().signal;

async function uninterrupted(): Promise<Disk> {
  const disk = emptyDisk();
  await buildIndex(optionsFor(disk), never);
  return disk;
}

describe('filling an index', () => {
  it('ranks every readable image and says why the others have no row', async () => {
    const disk = await uninterrupted();
    // (7 i) mod 5 is 4 for i = 2, 7 and 3 for i = 9 (4 is broken).
    expect(disk.hits.get(0)).toEqual([{ image: 2, score: 4, y: 0, x: 2 }, { image: 7, score: 4, y: 1, x: 2 }, { image: 9, score: 3, y: 1, x: 4 }]);
    expect(disk.hits.get(1)!.map(({ image }) => image), 'ties by image').toEqual([1, 3, 5]);
    expect(disk.skipped).toEqual([[4, '4.png is broken.'], [10, '10.png is broken.']]);
    expect(disk.hashes.map(([image]) => image).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9]);
    expect(disk.cursors).toEqual([3, 6, 9, 11]);
    expect(channelStatistics(unpackStatistics(disk.statistics!), 1)).toMatchObject({ count: 9, mean: 5 / 9, max: 1 });
  });

  it('runs every batch at one size, each picture in its own row and copies of one in those left over', async () => {
    const sizes: number[] = [];
    const rows: number[][] = [];
    const disk = emptyDisk();
    const { score } = optionsFor(disk);
    await buildIndex(optionsFor(disk, { score: async (pixels, first, signal) => { sizes.push(pixels.length); rows.push([...pixels].filter((_, at) => at % 3 === 0)); return score(pixels, first, signal); } }), never);
    expect(sizes).toEqual([9, 9, 9, 9]);
    // 4 and 10 cannot be read.
    expect(rows).toEqual([[0, 1, 2], [3, 3, 5], [6, 7, 8], [9, 9, 9]]);
  });

  it('does not run a batch in which nothing can be read, and commits its cursor all the same', async () => {
    const disk = emptyDisk();
    let runs = 0;
    await buildIndex(optionsFor(disk, { decode: async () => { throw new AppError('UNREADABLE_FILE', 'broken'); }, score: async () => { runs++; return { layers: [] }; } }), never);
    expect([runs, disk.cursor, disk.skipped.length, disk.hits.size]).toEqual([0, 11, 11, 0]);
  });

  it('ranks and commits in the order of the manifest, even where an engine answers out of turn', async () => {
    const disk = emptyDisk();
    const { score } = optionsFor(disk);
    let call = 0;
    const late = async (pixels: Uint8Array, first: number, signal: AbortSignal) => {
      await new Promise((resolve) => setTimeout(resolve, call++ % 2 === 0 ? 20 : 1));
      return score(pixels, first, signal);
    };
    await buildIndex(optionsFor(disk, { score: late }), never);
    expect(disk).toEqual(await uninterrupted());
  });

  it('reports every batch once it is ranked', async () => {
    const reports: number[] = [];
    await buildIndex(optionsFor(emptyDisk(), { onProgress: (done) => reports.push(done) }), never);
    expect(reports).toEqual([3, 6, 9, 11]);
  });
});

describe('an interruption', () => {
  it.each([1, 2, 3, 4])('by abort during batch %i ends, resumed, in the very same rows', async (batch) => {
    const disk = emptyDisk();
    const controller = new AbortController();
    const { score } = optionsFor(disk);
    let runs = 0;
    const interrupted = buildIndex(optionsFor(disk, { score: async (pixels, first, signal) => { if (++runs === batch) controller.abort(); signal.throwIfAborted(); return score(pixels, first, signal); } }), controller.signal);
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' });
    expect(disk.cursor, 'what was ranked before is committed').toBe((batch - 1) * 3);
    await buildIndex(optionsFor(disk), never);
    expect({ ...disk, cursors: [] }).toEqual({ ...(await uninterrupted()), cursors: [] });
  });

  it.each([1, 2, 3, 4])('by a kill that loses commit %i and what came after ends, resumed, in the very same rows', async (lost) => {
    const disk = emptyDisk();
    const { commit } = optionsFor(disk);
    let commits = 0;
    await expect(buildIndex(optionsFor(disk, { commit: async (batch) => { if (++commits >= lost) throw new Error('killed'); await commit(batch); } }), never)).rejects.toThrow('killed');
    expect(disk.cursor).toBe((lost - 1) * 3);
    await buildIndex(optionsFor(disk), never);
    expect({ ...disk, cursors: [] }).toEqual({ ...(await uninterrupted()), cursors: [] });
  });

  it('by an error that is not about the picture stops the job with that error', async () => {
    const disk = emptyDisk();
    await expect(buildIndex(optionsFor(disk, { decode: async () => { throw new AppError('UNAVAILABLE', 'The disk is gone.'); } }), never)).rejects.toThrow('The disk is gone.');
    expect(disk.cursor).toBe(0);
  });

  it('of nothing: a complete index stays as it is', async () => {
    const disk = await uninterrupted();
    await buildIndex(optionsFor(disk, { score: async () => { throw new Error('must not run'); } }), never);
    expect(disk.cursors).toEqual([3, 6, 9, 11]);
  });
});

describe('rows of an earlier pass', () => {
  /** Odd images are known already, in rows of half their number; 8 is known to be unreadable. */
  const known = (disk: Disk): Partial<BuildIndexOptions> => ({
    plan: async (some) => some.map(({ number }) => (number === 8 ? { kind: 'leave' } : number % 2 === 1 ? { kind: 'take', source: (number - 1) / 2, contentHash: number === 3 ? 'found again' : null } : { kind: 'compute' })),
    earlierRows: async (sources) => [Float32Array.from(sources.flatMap((source) => scoreOf(2 * source + 1)))],
    decode: async (image, signal) => {
      expect(image.number % 2).toBe(0);
      return optionsFor(disk).decode(image, signal);
    },
  });

  it('are ranked in their places, without positions, and only the others are computed, in full batches', async () => {
    const disk = emptyDisk();
    const batches: number[][] = [];
    const { score } = optionsFor(disk);
    await buildIndex(optionsFor(disk, { ...known(disk), score: async (pixels, first, signal) => { batches.push([...pixels].filter((_, at) => at % 3 === 0)); return score(pixels, first, signal); } }), never);
    // 4 and 10 cannot be read; 8 is not even tried.
    expect(batches).toEqual([[0, 2, 0], [6, 6, 6]]);
    expect(disk.hits.get(0)).toEqual([{ image: 2, score: 4, y: 0, x: 2 }, { image: 7, score: 4, y: -1, x: -1 }, { image: 9, score: 3, y: -1, x: -1 }]);
    expect(disk.skipped).toEqual([[4, '4.png is broken.'], [10, '10.png is broken.']]);
    expect(disk.hashes).toEqual([[0, 'hash 0'], [2, 'hash 2'], [3, 'found again'], [6, 'hash 6']]);
    expect(disk.cursor).toBe(11);
  });

  it('go on, after an interruption, where they were', async () => {
    const whole = emptyDisk();
    await buildIndex(optionsFor(whole, known(whole)), never);
    const disk = emptyDisk();
    const { commit } = optionsFor(disk);
    let commits = 0;
    await expect(buildIndex(optionsFor(disk, { ...known(disk), commit: async (batch) => { if (++commits >= 2) throw new Error('killed'); await commit(batch); } }), never)).rejects.toThrow('killed');
    await buildIndex(optionsFor(disk, known(disk)), never);
    expect({ ...disk, cursors: [] }).toEqual({ ...whole, cursors: [] });
  });
});

describe('all rows', () => {
  it('are written and flushed before the commit that counts them, and confirmed after it; broken images have none', async () => {
    const disk = emptyDisk();
    const log: string[] = [];
    const { commit } = optionsFor(disk);
    await buildIndex(
      optionsFor(disk, {
        rows: {
          append: async ({ images: some, layers: [only] }) => void log.push(`${some.map(({ number }) => number).join(' ')}: ${only!.number} ${[...only!.scores].join(' ')}`),
          flush: async () => void log.push('flush'),
          confirm: async () => void log.push('confirm'),
        },
        commit: async (batch) => {
          log.push(`commit ${batch.cursor}`);
          await commit(batch);
        },
        images: 6,
      }),
      never,
    );
    expect(log.filter((entry) => entry.includes(':'))).toEqual(['0 1 2: 3 0 0 2 1 4 0', '3 5: 3 1 1 0 1']);
    expect(log.filter((entry) => !entry.includes(':'))).toEqual(['flush', 'commit 3', 'confirm', 'flush', 'commit 6', 'confirm']);
  });

  it('that cannot be written stop the job; what was written before is committed', async () => {
    const disk = emptyDisk();
    let appended = 0;
    const full = { append: async () => { if (++appended === 3) throw new AppError('WORKSPACE', 'The disk is full.'); }, flush: async () => {}, confirm: async () => {} };
    await expect(buildIndex(optionsFor(disk, { rows: full, commitEveryMs: 60_000 }), never)).rejects.toThrow('The disk is full.');
    expect(disk.cursor).toBe(6);
    await buildIndex(optionsFor(disk), never);
    expect({ ...disk, cursors: [] }).toEqual({ ...(await uninterrupted()), cursors: [] });
  });
});

it('commits in groups, and the rows do not depend on when', async () => {
  const disk = emptyDisk();
  await buildIndex(optionsFor(disk, { commitEveryMs: 60_000 }), never);
  // The first batch shows at once; the rest follows together.
  expect(disk.cursors).toEqual([3, 11]);
  expect({ ...disk, cursors: [], skipped: [], hashes: [] }).toEqual({ ...(await uninterrupted()), cursors: [], skipped: [], hashes: [] });
});
