/**
 * Gradient ascent: the picture that a class, a channel or a unit answers to most strongly, argmax S(I) - lambda |I|^2 (Simonyan et al. 2013), with the regularisers of Yosinski et al.
 * 2015. A step goes along the gradient, its length in grey levels; one that does not raise the objective is halved until it does, so that without regularisers every step rises.
 */
import type * as z from 'zod';
import type { ascentRegularisers } from '../../src-shared/contract/labStudies.ts';
import { seededNumbers } from '../rewrite/training/seededNumbers.ts';
import type { GreyLevels } from './greyLevels.ts';
import type { LabNetworkQuestions, LabObjective } from './question.ts';
import { blurred, shifted, withoutSmallest } from './regularisers.ts';

export type Regularisers = z.infer<typeof ascentRegularisers>;

export interface AscentOrder {
  readonly target: { readonly layer: string | null; readonly objective: LabObjective; readonly beneath: boolean };
  /** Grey levels, `[C, height, width]`. */
  readonly start: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly steps: number;
  /** Root mean square of the first step. */
  readonly rate: number;
  readonly bounded: boolean;
  readonly regularisers: Regularisers;
  readonly seed: number;
}

export interface AscentStep {
  /** Counted from 1; 0 is the start. */
  readonly step: number;
  /** What is raised, the penalty taken off. */
  readonly objective: number;
  readonly score: number;
  /** So far. */
  readonly halvings: number;
  /** Grey levels. */
  readonly levels: Float32Array;
}

/** A step is given up when it is this much shorter than it began: nothing near is higher. */
const mostHalvings = 14;
const growth = 1.15;
/** No step grows beyond this many times the first: longer ones still rise, by luck, and soon saturate the picture. */
const longest = 3;

interface Place {
  readonly levels: Float32Array;
  readonly objective: number;
  readonly score: number;
  /** By grey levels. */
  readonly gradient: Float32Array;
}

/** Ends early where no step rises and nothing else moves the picture. */
export async function ascend(network: LabNetworkQuestions, space: GreyLevels, order: AscentOrder, onStep: (step: AscentStep) => void, signal: AbortSignal): Promise<AscentStep> {
  const { regularisers, steps, height, width } = order;
  const random = seededNumbers(order.seed, 'jitter');
  const at = (levels: Float32Array) => look(network, space, order, levels, signal);
  let place = await at(order.start);
  let rate = order.rate;
  let halvings = 0;
  let last = stepOf(0, place, halvings);
  onStep(last);
  for (let step = 1; step <= steps; step++) {
    const jitter = regularisers.jitter?.pixels ?? 0;
    const [down, right] = jitter > 0 ? [wholeWithin(random, jitter), wholeWithin(random, jitter)] : [0, 0];
    if (down !== 0 || right !== 0) place = await at(shifted(place.levels, space.planes, height, width, down, right));
    let hasRisen = false;
    for (let tries = 0; tries < mostHalvings && !hasRisen; tries++) {
      const next = await at(moved(place, rate, order.bounded));
      hasRisen = next.objective > place.objective;
      if (hasRisen) {
        place = next;
        rate = Math.min(rate * growth, order.rate * longest);
      } else {
        rate /= 2;
        halvings++;
      }
    }
    const tidied = regularised(place, regularisers, step, space, order);
    if (down !== 0 || right !== 0 || tidied !== place.levels) place = await at(shifted(tidied, space.planes, height, width, -down, -right));
    if (!hasRisen && tidied === place.levels && jitter === 0) return last;
    if (!hasRisen) rate = order.rate;
    last = stepOf(step, place, halvings);
    onStep(last);
  }
  return last;
}

/** What an ascent begins with: the mean colour, with noise of 20 grey levels where asked for. */
export function ascentStart(space: GreyLevels, pixels: number, noise: { readonly seed: number } | null): Float32Array {
  const levels = new Float32Array(space.planes * pixels);
  const random = noise && seededNumbers(noise.seed, 'start');
  for (let at = 0; at < levels.length; at++) {
    // The sum of four even numbers is near enough to a normal one.
    const spread = random ? (random() + random() + random() + random() - 2) * noiseLevels * Math.sqrt(3) : 0;
    levels[at] = Math.min(255, Math.max(0, space.middle[Math.floor(at / pixels)]! + spread));
  }
  return levels;
}

const noiseLevels = 20;

async function look(network: LabNetworkQuestions, space: GreyLevels, { target, regularisers: { decay } }: AscentOrder, levels: Float32Array, signal: AbortSignal): Promise<Place> {
  const values = space.toValues(levels);
  const { objective, score, gradient } = await network.gradients(target, values, 1, signal);
  const weight = decay?.weight ?? 0;
  const penalty = weight === 0 ? 0 : weight * values.reduce((sum, value) => sum + value * value, 0);
  const slope = weight === 0 ? gradient : gradient.map((value, at) => value - 2 * weight * values[at]!);
  return { levels, objective: objective[0]! - penalty, score: score[0]!, gradient: space.toLevelGradient(slope) };
}

function moved({ levels, gradient }: Place, rate: number, bounded: boolean): Float32Array {
  const rms = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0) / gradient.length);
  if (rms === 0) return levels;
  const result = new Float32Array(levels.length);
  for (let at = 0; at < levels.length; at++) {
    const level = levels[at]! + (rate * gradient[at]!) / rms;
    result[at] = bounded ? Math.min(255, Math.max(0, level)) : level;
  }
  return result;
}

/** The same array where no regulariser acts on this step. Small pixels are measured from the mean colour, where the network receives 0, and become it. */
function regularised({ levels, gradient }: Place, { blur, smallNorm, smallContribution }: Regularisers, step: number, space: GreyLevels, { height, width }: AscentOrder): Float32Array {
  let result = levels;
  if (blur && step % blur.every === 0) result = blurred(result, space.planes, height, width, blur.radius);
  const centred = (source: Float32Array) => source.map((level, at) => level - space.middle[Math.floor(at / (height * width))]!);
  if (smallNorm && step % smallNorm.every === 0) result = withoutSmallest(result, centred(result), smallNorm.quantile, space);
  if (smallContribution && step % smallContribution.every === 0) {
    const from = centred(result);
    result = withoutSmallest(result, from.map((value, at) => value * gradient[at]!), smallContribution.quantile, space);
  }
  return result;
}

function stepOf(step: number, { objective, score, levels }: Place, halvings: number): AscentStep {
  return { step, objective, score, halvings, levels };
}

function wholeWithin(random: () => number, most: number): number {
  return Math.floor(random() * (2 * most + 1)) - most;
}
