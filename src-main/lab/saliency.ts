/**
 * Saliency of a picture for a class or a unit, one row of a table for each way to spread the answer over the input:
 *   gradient       |d S / d I|                                       Simonyan et al. 2013
 *   gradientInput  that times I, as the network receives it          Shrikumar et al. 2016
 *   integrated     (I - B) times the mean gradient between B and I   Sundararajan et al. 2017; B: the network receives 0 everywhere
 *   smooth         mean gradient over copies with noise              Smilkov et al. 2017
 * A row says at which inputs gradients are taken and what becomes of their mean. What is shown is the largest magnitude over the colours.
 */
import { seededNormals } from '../rewrite/training/seededNumbers.ts';
import type { LabNetworkQuestions, LabObjective } from './question.ts';
import type { saliencyRows } from '../../src-shared/contract/labStudies.ts';

export type SaliencyRow = (typeof saliencyRows)[number];

export interface SaliencyOrder {
  /** `[C, H, W]` as the network receives it. */
  readonly values: Float32Array;
  readonly target: { readonly layer: string | null; readonly objective: LabObjective };
  readonly integratedSamples: number;
  readonly smoothSamples: number;
  /** Deviation, as a share of the range of the values. */
  readonly smoothNoise: number;
  readonly seed: number;
}

export interface Completeness {
  /** Of the attributions. */
  readonly sum: number;
  /** Of the target between picture and baseline. */
  readonly difference: number;
  readonly relative: number;
}

export interface SaliencyResult {
  /** Signed, `[C, H, W]`. */
  readonly values: Float32Array;
  readonly samples: number;
  /** Of the target on the picture itself. */
  readonly objective: number;
  readonly completeness: Completeness | null;
}

type Progress = (samples: number) => void;
type Row = (network: LabNetworkQuestions, order: SaliencyOrder, progress: Progress, signal: AbortSignal) => Promise<SaliencyResult>;

/** Inputs of one question. */
const together = 9;
/** The way from the baseline is cut finer until the attributions sum up to the difference within this share, or to so many pieces. */
const wantedCompleteness = 0.01;
const mostIntegrated = 729;

export const saliencyTable = {
  gradient: async (network, order, progress, signal) => plain(network, order, progress, signal),
  async gradientInput(network, order, progress, signal) {
    const result = await plain(network, order, progress, signal);
    return { ...result, values: times(result.values, order.values) };
  },
  async integrated(network, order, progress, signal) {
    const { values, target } = order;
    const ends = await network.gradients(target, pair(new Float32Array(values.length), values), 2, signal);
    const [objective, difference] = [ends.objective[1]!, ends.objective[1]! - ends.objective[0]!];
    let samples = order.integratedSamples;
    let shares = Array.from({ length: samples }, (_, at) => (at + 0.5) / samples);
    const sum = new Float64Array(values.length);
    for (;;) {
      await addGradients(network, order, shares.length, (at) => values.map((value) => value * shares[at]!), sum, progress, signal);
      const attributions = Float32Array.from(values, (value, at) => (value * sum[at]!) / samples);
      const total = attributions.reduce((so, value) => so + value, 0);
      const completeness = { sum: total, difference, relative: Math.abs(total - difference) / Math.max(Math.abs(difference), Number.MIN_VALUE) };
      if (completeness.relative <= wantedCompleteness || samples * 3 > mostIntegrated) return { values: attributions, samples, objective, completeness };
      // A third as wide, with the old midpoints among the new ones: nothing is computed twice.
      samples *= 3;
      shares = Array.from({ length: samples }, (_, at) => (at + 0.5) / samples).filter((_, at) => at % 3 !== 1);
    }
  },
  async smooth(network, order, progress, signal) {
    const { values, smoothNoise, seed } = order;
    // Copies without noise are all the same picture.
    const samples = smoothNoise === 0 ? 1 : order.smoothSamples;
    const [least, most] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const deviation = smoothNoise * (most - least);
    const next = seededNormals(seed, 'smooth');
    const noisy = () => (deviation === 0 ? values : values.map((value) => value + deviation * next()));
    const sum = new Float64Array(values.length);
    await addGradients(network, order, samples, noisy, sum, progress, signal);
    const objective = (await network.gradients(order.target, values, 1, signal)).objective[0]!;
    return { values: Float32Array.from(sum, (value) => value / samples), samples, objective, completeness: null };
  },
} as const satisfies Record<SaliencyRow, Row>;

/** The largest magnitude over the colours, `[H, W]`. */
export function acrossColours(values: Float32Array, planes: number): Float32Array {
  const size = values.length / planes;
  const result = new Float32Array(size);
  for (let at = 0; at < values.length; at++) result[at % size] = Math.max(result[at % size]!, Math.abs(values[at]!));
  return result;
}

async function plain(network: LabNetworkQuestions, { values, target }: SaliencyOrder, progress: Progress, signal: AbortSignal): Promise<SaliencyResult> {
  const { gradient, objective } = await network.gradients(target, values, 1, signal);
  progress(1);
  return { values: gradient, samples: 1, objective: objective[0]!, completeness: null };
}

/** Adds the gradients at `count` inputs to `sum`, some inputs to a question. */
async function addGradients(network: LabNetworkQuestions, { target, values }: SaliencyOrder, count: number, inputOf: (at: number) => Float32Array, sum: Float64Array, progress: Progress, signal: AbortSignal): Promise<void> {
  for (let start = 0; start < count; start += together) {
    const size = Math.min(together, count - start);
    const inputs = new Float32Array(size * values.length);
    for (let at = 0; at < size; at++) inputs.set(inputOf(start + at), at * values.length);
    const { gradient } = await network.gradients(target, inputs, size, signal);
    for (let at = 0; at < gradient.length; at++) sum[at % values.length]! += gradient[at]!;
    progress(size);
  }
}

function pair(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function times(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, at) => value * b[at]!);
}
