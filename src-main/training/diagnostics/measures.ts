/** Each measure of an architecture as the contract has it, without its picture: the number, its parts, and which sentence says what it means. The limits between sentences are ours; the paper gives none. */
import type * as z from 'zod';
import type { aliasingMeasure, checkerboardMeasure, comparedMeasure, deadMeasure, diagnosticMeasure, frequencyMeasure, sentence, strengthMeasure, usageMeasure } from '../../../src-shared/contract/diagnostics.ts';
import { aliasedShare } from './aliasing.ts';
import { unevenness, type Phases, type Strides } from './checkerboard.ts';
import { rmsOf, type FilterBank } from './filterBank.ts';
import type { FilterSpectrum } from './spectrum.ts';
import { usageOf } from './usage.ts';

export type DiagnosticMeasure = z.infer<typeof diagnosticMeasure>;
type Sentence = z.infer<typeof sentence>;
type Of<M extends z.ZodType> = Omit<z.infer<M>, 'media'>;

/** A smaller filter knows too few frequencies to tell low from high. */
const leastKernel = 5;
/** A filter is nearly all of one kind above this share, nearly none of it below one minus it. */
const nearlyAll = 0.75;
/** Strongest channels that are named. */
const mostNamed = 8;

export function measureFrequency({ height, width }: FilterBank, { mean, rings, perFilter }: FilterSpectrum): Of<typeof frequencyMeasure> {
  const { dc, low, high } = mean ?? { dc: 0, low: 0, high: 0 };
  const known = perFilter.filter((bands) => bands !== null);
  const [allHigh, allLow] = [known.filter((bands) => bands.high > nearlyAll).length / known.length, known.filter((bands) => bands.high < 1 - nearlyAll).length / known.length];
  const kernel = Math.max(height, width);
  const isExtreme = allHigh + allLow > 0.7 && Math.min(allHigh, allLow) > 0.15;
  const key = kernel < leastKernel ? 'frequencyTooSmall' : isExtreme ? 'frequencyExtremes' : high > 0.5 ? 'frequencyMostlyHigh' : high < 0.2 ? 'frequencyMostlyLow' : 'frequencyBalanced';
  return {
    kind: 'frequency',
    value: mean ? high : null,
    sentence: { key, values: { share: high, lowShare: low, dcShare: dc, kernel, highFilters: allHigh || 0, lowFilters: allLow || 0 } },
    dc,
    low,
    high,
    spectrum: rings,
    perFilter: perFilter.map((bands) => bands ?? { dc: 0, low: 0, high: 0 }),
  };
}

export function measureStrength(bank: FilterBank): Of<typeof strengthMeasure> {
  const rms = rmsOf(bank);
  const energy = rms.reduce((sum, each) => sum + each ** 2, 0);
  const strongest = rms.indexOf(Math.max(...rms));
  const middle = medianOf(rms);
  const ratio = middle > 0 ? rms[strongest]! / middle : null;
  const share = energy > 0 ? rms[strongest]! ** 2 / energy : null;
  const values = { channel: strongest, ratio: ratio ?? 0, share: share ?? 0, filters: bank.filters };
  return { kind: 'strength', value: ratio, sentence: { key: ratio !== null && ratio < 4 ? 'strengthEven' : 'strengthDominated', values }, channel: energy > 0 ? strongest : null, share, rms };
}

export function measureAliasing(bank: FilterBank, strides: Strides): Of<typeof aliasingMeasure> {
  const stride = Math.max(...strides);
  const kernel = Math.max(bank.height, bank.width);
  const value = aliasedShare(bank, strides);
  const key = stride === 1 ? 'aliasingNoStride' : (value ?? 0) > 0.5 ? 'aliasingStrong' : (value ?? 0) > 0.1 ? 'aliasingSome' : 'aliasingNone';
  return { kind: 'aliasing', value, sentence: { key, values: { share: value ?? 0, stride, kernel } }, stride, kernel };
}

export interface CheckerboardBasis {
  readonly phases: Phases;
  readonly strides: Strides;
  readonly kernel: number;
  /** Whose projections were taken; null: the filters alone. */
  readonly projected: { readonly layer: string; readonly channels: readonly number[] } | null;
}

export function measureCheckerboard({ phases, strides, kernel, projected }: CheckerboardBasis): Of<typeof checkerboardMeasure> {
  const stride = Math.max(...strides);
  const value = unevenness(phases);
  const key = stride === 1 ? 'checkerboardNoStride' : (value ?? 0) > 0.05 ? 'checkerboardStrong' : (value ?? 0) > 0.01 ? 'checkerboardSome' : 'checkerboardNone';
  return {
    kind: 'checkerboard',
    value,
    sentence: { key, values: { share: value ?? 0, stride, kernel, channels: projected?.channels.length ?? 0 } },
    basis: projected ? 'projections' : 'filters',
    stride,
    phases: [...phases],
    layer: projected?.layer ?? null,
    channels: projected?.channels ?? [],
  };
}

/** A layer of an index, and what its channels did. */
export interface LayerActivity {
  readonly layer: number;
  readonly name: string;
  readonly title: string;
  /** Only layers that are non-negative by construction know dead channels and shares of a sum. */
  readonly nonNegative: boolean;
  readonly channels: readonly { readonly channel: number; readonly dead: boolean; readonly mean: number }[];
}

export function measureDead(layers: readonly LayerActivity[], images: number): Of<typeof deadMeasure> {
  const counted = layers.filter(({ nonNegative }) => nonNegative).map(({ layer, name, title, channels }) => ({ layer, name, title, channels: channels.length, dead: channels.filter(({ dead }) => dead).map(({ channel }) => channel) }));
  const channels = counted.reduce((sum, each) => sum + each.channels, 0);
  const dead = counted.reduce((sum, each) => sum + each.dead.length, 0);
  if (channels === 0 || images === 0) return { kind: 'dead', value: null, sentence: { key: layers.length === 0 || images === 0 ? 'needsIndex' : 'noLayers', values: {} }, layers: counted, images };
  const value = dead / channels;
  const worst = counted.reduce((most, each) => (each.dead.length / each.channels > most.dead.length / most.channels ? each : most));
  const values = { dead, channels, share: value, layer: worst.title, layerShare: worst.dead.length / worst.channels };
  return { kind: 'dead', value, sentence: { key: dead === 0 ? 'deadNone' : value > 0.1 || values.layerShare > 0.3 ? 'deadMany' : 'deadSome', values }, layers: counted, images };
}

export function measureUsage(layers: readonly LayerActivity[], images: number): Of<typeof usageMeasure> {
  const used = layers.filter(({ nonNegative }) => nonNegative).flatMap(({ layer, name, title, channels }) => {
    const usage = usageOf(channels.map(({ mean }) => mean));
    if (!usage) return [];
    const { shares, ...measures } = usage;
    const strongest = shares.map((share, at) => ({ channel: channels[at]!.channel, share })).sort((a, b) => b.share - a.share || a.channel - b.channel).slice(0, mostNamed);
    return [{ layer, name, title, channels: channels.length, ...measures, strongest }];
  });
  if (used.length === 0 || images === 0) return { kind: 'usage', value: null, sentence: { key: layers.length === 0 || images === 0 ? 'needsIndex' : 'noLayers', values: {} }, layers: used, images };
  const least = used.reduce((lowest, each) => (each.evenness < lowest.evenness ? each : lowest));
  const ratioOf = ({ strongest: [first], channels }: (typeof used)[number]) => first!.share * channels;
  const dominated = used.reduce((most, each) => (ratioOf(each) > ratioOf(most) ? each : most));
  const isDominated = ratioOf(dominated) > 10;
  const told = isDominated ? dominated : least;
  const values = { layer: told.title, channel: told.strongest[0]!.channel, share: told.strongest[0]!.share, ratio: ratioOf(told), evenness: told.evenness };
  return { kind: 'usage', value: least.evenness, sentence: { key: isDominated ? 'usageDominated' : least.evenness < 0.85 ? 'usageUneven' : 'usageEven', values }, layers: used, images };
}

/** Measures of two models, kind by kind. */
export function compareMeasures(left: readonly DiagnosticMeasure[], right: readonly DiagnosticMeasure[]): readonly z.infer<typeof comparedMeasure>[] {
  return left.map(({ kind, value }) => {
    const other = right.find((measure) => measure.kind === kind)?.value ?? null;
    return { kind, left: value, right: other, sentence: comparison(value, other) };
  });
}

function comparison(left: number | null, right: number | null): Sentence {
  if (left === null || right === null) return { key: 'compareUnknown', values: {} };
  const isAlike = Math.abs(left - right) <= Math.max(0.005, 0.1 * Math.max(Math.abs(left), Math.abs(right)));
  return { key: isAlike ? 'compareAlike' : right < left ? 'compareLower' : 'compareHigher', values: { left, right, ratio: left === 0 ? 0 : right / left } };
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
