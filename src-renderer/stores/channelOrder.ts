/** The order in which a layer's channels are shown. Pure. */
import type { ChannelSummary } from '../api/records.ts';
import type { ChannelOrder } from './viewing.ts';

/**
 * @returns a new list: by channel number, strongest top score first, or sparsest first (smallest share of images above zero). Ties go by number;
 * channels without a hit stand last except by number, and are left out altogether with `hideDead`.
 */
export function orderChannels(channels: readonly ChannelSummary[], order: ChannelOrder, hideDead: boolean): ChannelSummary[] {
  const shown = channels.filter((channel) => !(hideDead && channel.dead));
  if (order === 'number') return shown.sort((a, b) => a.channel - b.channel);
  const rank = order === 'strongest' ? byStrength : bySparsity;
  return shown.sort((a, b) => Number(a.dead) - Number(b.dead) || rank(a, b) || a.channel - b.channel);
}

function byStrength(a: ChannelSummary, b: ChannelSummary): number {
  const [first, second] = [a.topScore ?? Number.NEGATIVE_INFINITY, b.topScore ?? Number.NEGATIVE_INFINITY];
  return first === second ? 0 : second - first;
}

function bySparsity(a: ChannelSummary, b: ChannelSummary): number {
  return a.shareAboveZero - b.shareAboveZero;
}
