/**
 * Two layers over the images that both have (contract area `compare`): best partners of all channels, both ways, and the images that tell two channels apart. The table of all correlations is
 * made once in blocks (indexing/queries/correlation.ts: memory goes with the pairs of channels, not with the images) and kept a while, because every choice in the view asks for a row of it.
 */
import { LRUCache } from 'lru-cache';
import type * as z from 'zod';
import type { bestPartner, comparison, differencesAnswer, partnersAnswer } from '../../src-shared/contract/compare.ts';
import { AppError } from '../../src-shared/errors.ts';
import { correlate, type Correlations } from '../indexing/queries/correlation.ts';
import { largestDifferences, type Difference } from '../indexing/queries/differences.ts';
import { pairImages, type ImagePairs } from './pairImages.ts';
import { finite } from './rankedImages.ts';
import { createScoreLayers, type ChannelRequest, type LayerOfIndex, type LayerRequest } from './scoreLayers.ts';
import { committedRows, pairedBlocks } from './scoreRows.ts';
import type { WorkspaceService } from './workspaces.ts';

export type Comparison = z.infer<typeof comparison>;
export type ComparedSide = 'left' | 'right';
type Partner = z.infer<typeof bestPartner>;

export interface BothSides {
  readonly left: LayerRequest;
  readonly right: LayerRequest;
}

export interface CompareService {
  channels(sides: BothSides, signal?: AbortSignal): Promise<Comparison>;
  /** @throws AppError NOT_FOUND where the layers cannot be compared */
  partners(request: BothSides & { readonly side: ComparedSide; readonly channel: number; readonly limit: number }, signal?: AbortSignal): Promise<z.infer<typeof partnersAnswer>>;
  /** @throws AppError NOT_FOUND where the layers cannot be compared */
  differences(request: { readonly left: ChannelRequest; readonly right: ChannelRequest; readonly limit: number }, signal?: AbortSignal): Promise<z.infer<typeof differencesAnswer>>;
}

interface Opened {
  readonly left: LayerOfIndex;
  readonly right: LayerOfIndex;
}

type Obstacle = Extract<Comparison, { kind: 'impossible' }>;

/** Channels on a side of the table of all correlations: 200 MB of sums while it is made. */
const mostCompared = 4096;
/** Fewer have no correlation. */
const leastImages = 2;
/** Bytes of tables and pairs of images that are kept. */
const keptBytes = 160 * 2 ** 20;

export function createCompareService(workspaces: WorkspaceService): CompareService {
  const layers = createScoreLayers(workspaces);
  const kept = new LRUCache<string, Correlations>({ maxSize: keptBytes, sizeCalculation: ({ values }) => Math.max(1, values.byteLength) });

  const opened = async ({ left, right }: BothSides): Promise<Opened> => ({ left: await layers.opened(left), right: await layers.opened(right) });

  async function pairsOf({ left, right }: Opened, signal: AbortSignal | undefined): Promise<ImagePairs | Obstacle> {
    for (const [side, { index }] of [['left', left], ['right', right]] as const) {
      if (index.matrix === 'none') return impossible('noScores', side, `The index of ${index.modelName} (${index.id}) keeps no scores: only its ${index.top} hits per channel are known. Index the folder again with the score matrix to compare.`);
    }
    const pairs = await pairImages(left.store, left.index, right.index, signal);
    if (pairs.left.length >= leastImages) return pairs;
    return impossible('noImagesInCommon', null, `${left.index.imagesPath} and ${right.index.imagesPath} have ${pairs.left.length} images in common (same path and content); at least ${leastImages} are needed. Index the same folder with both models.`);
  }

  async function table(sides: Opened, signal: AbortSignal | undefined): Promise<Correlations | Obstacle> {
    const { left, right } = sides;
    const key = [left, right].map(({ store, index, layer }) => `${store.folder} ${index.matrixFolder} ${committedRows(index)} ${layer.number}`).join(' | ');
    const known = kept.get(key);
    if (known) return known;
    const [a, b] = [left.layer.channels, right.layer.channels];
    if (Math.max(a, b) > mostCompared) return impossible('tooManyChannels', a > mostCompared === b > mostCompared ? null : a > b ? 'left' : 'right', `At most ${mostCompared} channels on a side can be compared at once; these layers have ${a} and ${b}. Choose another layer.`);
    const pairs = await pairsOf(sides, signal);
    if ('kind' in pairs) return pairs;
    const symmetric = left.index.id === right.index.id && left.layer.number === right.layer.number;
    const made = await layers.rows(left, (lefts) => layers.rows(right, (rights) => correlate(pairedBlocks(lefts, rights, pairs), { left: a, right: b, symmetric }, signal), signal), signal);
    kept.set(key, made);
    return made;
  }

  return {
    async channels(request, signal) {
      const sides = await opened(request);
      const found = await table(sides, signal);
      return 'kind' in found ? found : { kind: 'compared', images: found.images, ...bestPartners(found.values, sides.left.layer.channels, sides.right.layer.channels) };
    },
    async partners({ side, channel, limit, ...request }, signal) {
      const { left, right } = await opened(request);
      await layers.openedChannel({ ...request[side], channel });
      const found = possible(await table({ left, right }, signal));
      const columns = right.layer.channels;
      const count = side === 'left' ? columns : left.layer.channels;
      const values = Array.from({ length: count }, (_, other) => ({ channel: other, correlation: found.values[side === 'left' ? channel * columns + other : other * columns + channel]! }));
      const best = (sign: 1 | -1) => values.filter(({ correlation }) => sign * correlation > 0).sort((a, b) => sign * (b.correlation - a.correlation) || a.channel - b.channel).slice(0, limit);
      return { images: found.images, similar: best(1), opposite: best(-1) };
    },
    async differences({ left, right, limit }, signal) {
      const sides = { left: await layers.openedChannel(left), right: await layers.openedChannel(right) };
      const pairs = possible(await pairsOf(sides, signal));
      const [a, b] = [await layers.column(sides.left, left.channel, signal), await layers.column(sides.right, right.channel, signal)];
      const found = await largestDifferences({ left: picked(a.column, pairs.left), right: picked(b.column, pairs.right) }, limit, signal);
      const places = (rows: readonly Difference[]) => rows.map((row) => ({ row, leftImage: a.images[pairs.left[row.row]!]!, rightImage: b.images[pairs.right[row.row]!]! }));
      const [leftMore, rightMore] = [places(found.leftMore), places(found.rightMore)];
      const images = await sides.left.store.images.several(sides.left.index.id, [...leftMore, ...rightMore].map(({ leftImage }) => leftImage));
      const named = (list: typeof leftMore) =>
        list.map(({ row, leftImage, rightImage }) => {
          const { path, className } = images.get(leftImage)!;
          const { leftScore, rightScore, leftDeviations, rightDeviations } = row;
          return { image: path, className, leftImage, rightImage, leftScore: finite(leftScore), rightScore: finite(rightScore), leftDeviations, rightDeviations };
        });
      return { images: found.images, correlation: found.correlation, leftMore: named(leftMore), rightMore: named(rightMore) };
    },
  };
}

/** The best partner of every row and of every column of the table; equal ones go by channel number. */
export function bestPartners(values: Float32Array, left: number, right: number): { readonly left: Partner[]; readonly right: Partner[] } {
  const best = { left: new Int32Array(left).fill(-1), right: new Int32Array(right).fill(-1) };
  const at = (i: number, j: number) => values[i * right + j]!;
  for (let i = 0; i < left; i++) {
    for (let j = 0; j < right; j++) {
      const correlation = at(i, j);
      if (Number.isNaN(correlation)) continue;
      if (best.left[i]! === -1 || correlation > at(i, best.left[i]!)) best.left[i] = j;
      if (best.right[j]! === -1 || correlation > at(best.right[j]!, j)) best.right[j] = i;
    }
  }
  return {
    left: [...best.left].map((j, i) => partner(i, j, j === -1 ? NaN : at(i, j), j !== -1 && best.right[j] === i)),
    right: [...best.right].map((i, j) => partner(j, i, i === -1 ? NaN : at(i, j), i !== -1 && best.left[i] === j)),
  };
}

function partner(channel: number, other: number, correlation: number, mutual: boolean): Partner {
  return other === -1 ? { channel, partner: null, correlation: null, mutual: false } : { channel, partner: other, correlation, mutual };
}

function picked(column: Float32Array, rows: Int32Array): Float32Array {
  return Float32Array.from(rows, (row) => column[row]!);
}

function impossible(reason: Obstacle['reason'], side: Obstacle['side'], message: string): Obstacle {
  return { kind: 'impossible', reason, side, message };
}

function possible<T extends object>(found: T | Obstacle): T {
  if ('kind' in found) throw new AppError('NOT_FOUND', found.message, { reason: found.reason });
  return found;
}
