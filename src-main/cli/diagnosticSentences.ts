/** What the measures of `switchback diagnose` say, in English. */
import type * as z from 'zod';
import type { sentence, sentenceKeys } from '../../src-shared/contract/diagnostics.ts';

type Sentence = z.infer<typeof sentence>;
type Values = Sentence['values'];

export function sentenceWords({ key, values }: Sentence): string {
  return sentences[key](values);
}

const percent = (value: Values[string] | undefined): string => `${(100 * Number(value)).toFixed(Math.abs(Number(value)) < 0.1 ? 1 : 0)} %`;
const number = (value: Values[string] | undefined): string => String(Number(Number(value).toPrecision(3)));

const sentences: Readonly<Record<(typeof sentenceKeys)[number], (values: Values) => string>> = {
  frequencyMostlyHigh: ({ share, lowShare, dcShare }) => `The first filters look mostly at fine detail: ${percent(share)} of their energy is at high frequencies, ${percent(lowShare)} at low ones, ${percent(dcShare)} in their mean.`,
  frequencyMostlyLow: ({ share, lowShare, dcShare }) => `The first filters look mostly at coarse structure: only ${percent(share)} of their energy is at high frequencies, ${percent(lowShare)} at low ones, ${percent(dcShare)} in their mean.`,
  frequencyBalanced: ({ share, lowShare, dcShare }) => `The first filters cover fine and coarse structure: ${percent(share)} of their energy is at high frequencies, ${percent(lowShare)} at low ones, ${percent(dcShare)} in their mean.`,
  frequencyExtremes: ({ highFilters, lowFilters }) => `The first filters are of two kinds with little between: ${percent(highFilters)} of them are nearly all high frequencies, ${percent(lowFilters)} nearly all low ones.`,
  frequencyTooSmall: ({ kernel, share, dcShare }) => `Filters of ${kernel} x ${kernel} are too small to tell low from high frequencies: ${percent(dcShare)} of their energy is in their mean, ${percent(share)} is high.`,
  strengthDominated: ({ channel, ratio, share, filters }) => `Filter ${channel} drowns the others: it is ${number(ratio)} times as strong as the median and holds ${percent(share)} of the energy of ${filters} filters.`,
  strengthEven: ({ channel, ratio, filters }) => `The ${filters} filters are about equally strong: the strongest, ${channel}, is ${number(ratio)} times the median.`,
  aliasingStrong: ({ share, stride, kernel }) => `Most of what the ${kernel} x ${kernel} filters see is finer than a stride of ${stride} can carry: ${percent(share)} of their energy comes back as false coarse patterns.`,
  aliasingSome: ({ share, stride }) => `${percent(share)} of the first filters' energy is finer than a stride of ${stride} can carry, and comes back as false coarse patterns.`,
  aliasingNone: ({ share, stride }) => `A stride of ${stride} carries nearly all that the first filters see: ${percent(share)} of their energy is finer.`,
  aliasingNoStride: () => 'The first convolution looks at every pixel, so nothing is lost between its positions.',
  checkerboardStrong: ({ share, stride, channels }) => `Layer 2 shows a grid of ${stride} pixels: ${percent(share)} of the energy lies at the period of the first stride (${basis(channels)}).`,
  checkerboardSome: ({ share, stride, channels }) => `Layer 2 shows a faint grid of ${stride} pixels: ${percent(share)} of the energy lies at the period of the first stride (${basis(channels)}).`,
  checkerboardNone: ({ share, stride, channels }) => `Layer 2 shows no grid of ${stride} pixels: ${percent(share)} of the energy lies at the period of the first stride (${basis(channels)}).`,
  checkerboardNoStride: () => 'The first convolution has a stride of 1, so it leaves no grid.',
  deadNone: ({ channels }) => `None of ${channels} channels is dead.`,
  deadSome: ({ dead, channels, layer, layerShare }) => `${dead} of ${channels} channels are dead; the largest share, ${percent(layerShare)}, in ${layer}.`,
  deadMany: ({ dead, channels, share, layer, layerShare }) => `${dead} of ${channels} channels (${percent(share)}) are dead; in ${layer} ${percent(layerShare)}.`,
  usageDominated: ({ layer, channel, share, ratio }) => `Channel ${channel} dominates ${layer}: it gives ${percent(share)} of the layer's activation, ${number(ratio)} times an equal share.`,
  usageUneven: ({ layer, evenness, channel, share }) => `The channels of ${layer} are used unevenly (evenness ${number(evenness)}): the strongest, ${channel}, gives ${percent(share)} of the activation.`,
  usageEven: ({ layer, evenness }) => `Channels are used evenly; least so in ${layer} (evenness ${number(evenness)}).`,
  needsIndex: () => 'This needs an index of the model: name a workspace that has one.',
  noLayers: () => 'No layer of the index is non-negative, so none can have dead channels or shares of a sum.',
  compareLower: ({ left, right }) => `lower in the second: ${number(right)} instead of ${number(left)}`,
  compareHigher: ({ left, right }) => `higher in the second: ${number(right)} instead of ${number(left)}`,
  compareAlike: ({ left, right }) => `alike: ${number(left)} and ${number(right)}`,
  compareUnknown: () => 'known of one model at most',
};

function basis(channels: Values[string] | undefined): string {
  return Number(channels) === 0 ? 'by the filters alone' : `by the projections of ${channels} channels`;
}
