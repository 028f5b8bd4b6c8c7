/** Which channels of a layer are shown, and in which order. Pure. */
import type { ChannelMark, ChannelSummary, LayerSelectivity } from '../api/records.ts';
import type { ChannelFilter, ChannelOrder } from './viewing.ts';

/** What order and filter need beside the summaries. */
export interface ChannelKnowledge {
  /** By channel; absent while it is not known. */
  readonly selectivity?: LayerSelectivity['channels'] | undefined;
  readonly marks: ReadonlyMap<number, Pick<ChannelMark, 'tags' | 'noted'>>;
}

/**
 * @returns a new list: by channel number, strongest top score first, sparsest first (smallest share of images above zero), or first what tells a class apart most surely. Ties go by number;
 * channels without a hit stand last except by number.
 */
export function orderChannels(channels: readonly ChannelSummary[], order: ChannelOrder, filter: ChannelFilter, knowledge: ChannelKnowledge): ChannelSummary[] {
  const shown = channels.filter((channel) => fits(channel, filter, knowledge));
  if (order === 'number') return shown.sort((a, b) => a.channel - b.channel);
  const rank = order === 'strongest' ? strength : order === 'sparsity' ? sparsity : sureness(knowledge);
  const ranks = new Map(shown.map((channel) => [channel, rank(channel)]));
  return shown.sort((a, b) => Number(a.dead) - Number(b.dead) || compare(ranks.get(b)!, ranks.get(a)!) || a.channel - b.channel);
}

function fits({ channel, dead }: ChannelSummary, filter: ChannelFilter, { marks }: ChannelKnowledge): boolean {
  const mark = marks.get(channel);
  if (filter === 'all') return true;
  if (filter === 'alive') return !dead;
  if (filter === 'dead') return dead;
  if (filter === 'noted') return mark?.noted ?? false;
  if (filter === 'tagged') return (mark?.tags.length ?? 0) > 0;
  return mark?.tags.includes(filter.slice('tag:'.length)) ?? false;
}

const strength = ({ topScore }: ChannelSummary): number => topScore ?? Number.NEGATIVE_INFINITY;
const sparsity = ({ shareAboveZero }: ChannelSummary): number => -shareAboveZero;
const sureness = ({ selectivity }: ChannelKnowledge) => ({ channel }: ChannelSummary): number => selectivity?.[channel]?.deviations ?? Number.NEGATIVE_INFINITY;

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
