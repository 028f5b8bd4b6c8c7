/** Which layers and channels of a network stand for it where the paper shows five layers and a few channels of each. Pure. */
import { spreadPlaces } from '../../components/studies/chartScale.ts';
import type { ChannelSummary, IndexedLayer } from '../../api/records.ts';

/** Convolutions from the first to the last, at even distances; without any, all kinds are taken. */
export function shownLayers(layers: readonly IndexedLayer[], most: number): readonly IndexedLayer[] {
  const convolutions = layers.filter(({ kind, channels }) => kind === 'conv' && channels > 1);
  return evenly(convolutions.length > 0 ? convolutions : layers, most);
}

/** Channels that some image excites, at even distances over the layer. */
export function shownChannels(summaries: readonly ChannelSummary[], most: number): readonly ChannelSummary[] {
  return evenly(summaries.filter(({ dead, hits }) => !dead && hits > 0), most);
}

/** At most so many of a list, the first and the last among them. */
export function evenly<T>(list: readonly T[], most: number): readonly T[] {
  return spreadPlaces(list.length, most).map((at) => list[at]!);
}
