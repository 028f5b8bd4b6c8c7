/** The network as a study of one picture sees it: questions and answers. Who computes them, and where, is handed in. */
import type { LabObjective, LabPictures, Gradients, Look } from '../inference/worker/labCalls.ts';

export type { Gradients, LabObjective, LabPictures, Look };

export interface LabNetworkQuestions {
  /** `totalsOf`: a layer whose channel totals are wanted too. Logits are null where the network has none. */
  look(pictures: LabPictures, totalsOf: string | null, signal: AbortSignal): Promise<Look>;
  /** @param values `[count, C, H, W]` as the network receives them; `layer`: null for the logits; `beneath`: before the layer's own activation where that is of the ReLU family */
  gradients(target: { readonly layer: string | null; readonly objective: LabObjective; readonly beneath?: boolean }, values: Float32Array, count: number, signal: AbortSignal): Promise<Gradients>;
}

/** Softmax of the scores of one picture. */
export function probabilitiesOf(logits: Float32Array): Float32Array {
  const largest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = logits.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

/** The place of the largest value, the first where several are. */
export function placeOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}
