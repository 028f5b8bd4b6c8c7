/** Rows of Figure 4: for each channel the strongest image at every epoch, and how it compares with the one before. */
import type * as z from 'zod';
import type { evolutionCell, evolutionRow } from '../../src-shared/contract/evolution.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { SeriesCheckpoint, StoredSeries } from '../store/evolutions.ts';
import type { StoredHit } from '../store/hits.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { imageChanges, type ImageChange } from '../training/evolution/changes.ts';
import { toHit } from './indexing.ts';
import { checkChannel } from './projectionUnits.ts';

export type EvolutionCell = z.infer<typeof evolutionCell>;

/** Fewer channels are read one by one. */
const wholeLayerFrom = 128;

/** What an index knows of a layer at one epoch; null where it is not there. */
interface EpochHits {
  readonly epoch: number;
  readonly index: StoredIndex | null;
  readonly layer: Layer | null;
  readonly ofChannel: ReadonlyMap<number, readonly StoredHit[]>;
}

/** @throws AppError NOT_FOUND for a layer or channel that the series does not have */
export async function readRows(store: Store, series: StoredSeries, name: string, channels: readonly number[], indexOf: (checkpoint: SeriesCheckpoint) => StoredIndex | null): Promise<z.infer<typeof evolutionRow>[]> {
  const layer = series.layers.find((each) => each.name === name) ?? series.layers.find((each) => each.title === name);
  if (!layer) throw new AppError('NOT_FOUND', `This series has no layer named ${JSON.stringify(name)}; it has ${series.layers.map((each) => each.name).join(', ')}.`, { layer: name });
  for (const channel of channels) checkChannel(layer, channel);
  const epochs: EpochHits[] = [];
  for (const checkpoint of series.checkpoints) {
    const index = indexOf(checkpoint);
    const found = index?.layers.find((each) => each.name === layer.name) ?? null;
    epochs.push({ epoch: checkpoint.epoch, index, layer: found, ofChannel: index && found ? await hitsOf(store, index, found.number, channels) : new Map() });
  }
  const wasMade = new Map(series.checkpoints.map(({ epoch, index }) => [epoch, index !== null]));
  return channels.map((channel) => {
    // The strongest of a few images is no change of the channel.
    const changes = imageChanges(epochs.map(({ index, ofChannel }) => (index && isWhole(index) ? (ofChannel.get(channel) ?? []).map(({ path }) => path) : [])));
    return { channel, cells: epochs.map((each, at) => cell(each, channel, changes[at] ?? null, wasMade.get(each.epoch)!)) };
  });
}

async function hitsOf(store: Store, index: StoredIndex, layer: number, channels: readonly number[]): Promise<ReadonlyMap<number, readonly StoredHit[]>> {
  if (channels.length >= wholeLayerFrom) return Map.groupBy(await store.hits.ofLayer(index.id, layer), ({ channel }) => channel);
  return new Map(await Promise.all(channels.map(async (channel) => [channel, await store.hits.ofChannel(index.id, layer, channel)] as const)));
}

function cell({ epoch, index, layer, ofChannel }: EpochHits, channel: number, change: ImageChange | null, wasMade: boolean): EvolutionCell {
  if (!index) return { kind: 'missing', epoch, reason: wasMade ? 'gone' : 'waiting' };
  if (!layer) return { kind: 'missing', epoch, reason: isWhole(index) ? 'noLayer' : 'waiting' };
  const [strongest] = ofChannel.get(channel) ?? [];
  if (!strongest) {
    if (index.cursor === 0) return { kind: 'missing', epoch, reason: 'waiting' };
    return isWhole(index) && layer.nonNegative ? { kind: 'dead', epoch, index: index.id, layer: layer.number } : { kind: 'missing', epoch, reason: 'partial' };
  }
  const { image, imageNumber, score, y, x, box } = toHit(strongest, layer, index.preprocessing.crop);
  return { kind: 'hit', epoch, index: index.id, numbering: index.versionBase, layer: layer.number, image, imageNumber, className: strongest.className, score, y, x, box, change: change ?? 'first' };
}

function isWhole({ cursor, images }: StoredIndex): boolean {
  return cursor === images;
}
