/**
 * The methods as rows of one table (method.md section 3). A method says what happens at the few kinds of op where methods differ; everything else
 * is linear and the same for all. Rectifiers, with x the forward input and g the signal from above:
 *   gradient   g * f'(x)             backpropagation
 *   deconvnet  max(g, 0)             Zeiler & Fergus 2013
 *   guided     max(g, 0) * f'(x)     Springenberg et al. 2014
 * Four of the columns are the switches by which Mahendran & Vedaldi, "Salient Deconvolutional Networks" (2016), tell such methods apart: the forward ReLU mask,
 * the backward ReLU, the pooling switches and the passing of LRN. Their DeSaliNet sets all four, so on networks of these ops it is guided backpropagation.
 */
import type { Method } from '../../../src-shared/domain/projection.ts';

export interface MethodRow {
  /** Backward ReLU: keep only positive signals at a nonlinearity of the ReLU family. */
  readonly rectifySignal: boolean;
  /** Forward ReLU mask: multiply by the derivative f'(x) at a nonlinearity of the ReLU family. */
  readonly maskByForward: boolean;
  /** Max pooling: back to where this image's maximum was, or to the centre of the window. */
  readonly unpool: 'switches' | 'centre';
  /** Across-channel normalisation: passed through, or its true derivative. */
  readonly lrn: 'identity' | 'derivative';
  /** A product of two computed values: hold the gate constant, or differentiate both factors. */
  readonly gate: 'constant' | 'derivative';
  /** What is done with the signal that arrives at the image: nothing, or multiplied by the image (as the network sees it, preprocessed). */
  readonly arrival: 'signal' | 'timesImage';
}

const gradient = { rectifySignal: false, maskByForward: true, unpool: 'switches', lrn: 'derivative', gate: 'derivative', arrival: 'signal' } as const satisfies MethodRow;

export const methodTable = {
  deconvnet: { rectifySignal: true, maskByForward: false, unpool: 'switches', lrn: 'identity', gate: 'constant', arrival: 'signal' },
  guided: { rectifySignal: true, maskByForward: true, unpool: 'switches', lrn: 'identity', gate: 'constant', arrival: 'signal' },
  gradient,
  gradientInput: { ...gradient, arrival: 'timesImage' },
  desalinet: { rectifySignal: true, maskByForward: true, unpool: 'switches', lrn: 'identity', gate: 'constant', arrival: 'signal' },
} satisfies Record<Method, MethodRow>;
