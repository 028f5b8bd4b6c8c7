/**
 * Adversarial pictures (cs231n, "Visualizing and Understanding"; Goodfellow et al. 2015 for the signs): small steps that raise the log probability of another class until the network says
 * it, and says it of the rounded picture too, which is what a file can hold. Everything is in grey levels.
 */
import { normalizePixels } from '../dataset/normalize.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import type { GreyLevels } from './greyLevels.ts';
import { placeOfLargest, probabilitiesOf, type LabNetworkQuestions } from './question.ts';

export interface AdversarialOrder {
  /** `[H, W, 3]` 8-bit RGB. */
  readonly pixels: Uint8Array;
  readonly preprocessing: Preprocessing;
  readonly target: number;
  readonly way: 'steepest' | 'fgsm' | 'iterative';
  readonly bound: number;
  /** L2 of a step (steepest), or change of each value in it (iterative). */
  readonly rate: number;
  readonly steps: number;
}

export interface AdversarialStep {
  readonly step: number;
  /** Probabilities of the target and of the class that the clean picture has. */
  readonly target: number;
  readonly source: number;
  /** The picture so far, in grey levels, and the scores of its classes. */
  readonly levels: Float32Array;
  readonly logits: Float32Array;
}

export interface AdversarialResult {
  readonly clean: Float32Array;
  readonly changed: Float32Array;
  /** The changed picture rounded, `[H, W, 3]`. */
  readonly pixels: Uint8Array;
  /** Scores of the classes. */
  readonly logits: { readonly clean: Float32Array; readonly changed: Float32Array; readonly pixels: Float32Array };
}

/** Where nothing is said: about a hundredth of the usual distance between two photographs, and the finest step of a byte. */
export const defaultRates = { steepest: 25, fgsm: 0, iterative: 1 } as const;

/** @param values the clean picture as the network receives it, `[C, H, W]` */
export async function changeToClass(network: LabNetworkQuestions, space: GreyLevels, values: Float32Array, order: AdversarialOrder, onStep: (step: AdversarialStep) => void, signal: AbortSignal): Promise<AdversarialResult> {
  const target = { layer: null, objective: { kind: 'logProbability', index: order.target } } as const;
  const clean = space.toLevels(values);
  const ask = (levels: Float32Array) => network.gradients(target, space.toValues(levels), 1, signal);
  let levels = clean;
  let answer = await ask(levels);
  const first = answer.logits!;
  const source = placeOfLargest(first);
  const tell = (step: number) => {
    const logits = answer.logits!;
    const probabilities = probabilitiesOf(logits);
    onStep({ step, target: probabilities[order.target]!, source: probabilities[source]!, levels, logits });
  };
  tell(0);
  const most = order.way === 'fgsm' ? 1 : order.steps;
  let rounded = await roundedLook(network, space, levels, order, signal);
  for (let step = 1; step <= most; step++) {
    if (placeOfLargest(answer.logits!) === order.target && placeOfLargest(rounded.logits) === order.target) break;
    levels = stepFrom(levels, clean, space.toLevelGradient(answer.gradient), order);
    answer = await ask(levels);
    tell(step);
    if (placeOfLargest(answer.logits!) === order.target || step === most) rounded = await roundedLook(network, space, levels, order, signal);
  }
  return { clean, changed: levels, pixels: rounded.pixels, logits: { clean: first, changed: answer.logits!, pixels: rounded.logits } };
}

function stepFrom(levels: Float32Array, clean: Float32Array, gradient: Float32Array, { way, bound, rate }: AdversarialOrder): Float32Array {
  const length = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0)) || 1;
  return levels.map((level, at) => {
    const change = way === 'steepest' ? (rate * gradient[at]!) / length : (way === 'fgsm' ? bound : rate) * Math.sign(gradient[at]!);
    const [low, high] = way === 'steepest' ? [0, 255] : [Math.max(0, clean[at]! - bound), Math.min(255, clean[at]! + bound)];
    return Math.min(high, Math.max(low, level + change));
  });
}

async function roundedLook(network: LabNetworkQuestions, space: GreyLevels, levels: Float32Array, { preprocessing }: AdversarialOrder, signal: AbortSignal): Promise<{ readonly pixels: Uint8Array; readonly logits: Float32Array }> {
  const pixels = space.toPixels(levels);
  const { logits } = await network.look({ kind: 'values', values: normalizePixels(pixels, preprocessing, 1), count: 1 }, null, signal);
  return { pixels, logits: logits! };
}
