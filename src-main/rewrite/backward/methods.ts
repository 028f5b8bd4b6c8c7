/**
 * The methods as rows of one table (method.md section 3). A method says what happens at the few kinds of op where methods differ; everything else
 * is linear and the same for all. Rectifiers, with x the forward input and g the signal from above:
 *   gradient   g * f'(x)             backpropagation
 *   deconvnet  max(g, 0)             Zeiler & Fergus 2013
 *   guided     max(g, 0) * f'(x)     Springenberg et al. 2014
 */
import type { Method } from '../../../src-shared/domain/projection.ts';

export interface MethodRow {
  /** Keep only positive signals at a nonlinearity of the ReLU family. */
  readonly rectifySignal: boolean;
  /** Multiply by the derivative f'(x) at a nonlinearity of the ReLU family. */
  readonly maskByForward: boolean;
  /** Across-channel normalisation: passed through, or its true derivative. */
  readonly lrn: 'identity' | 'derivative';
  /** A product of two computed values: hold the gate constant, or differentiate both factors. */
  readonly gate: 'constant' | 'derivative';
}

export const methodTable = {
  deconvnet: { rectifySignal: true, maskByForward: false, lrn: 'identity', gate: 'constant' },
  guided: { rectifySignal: true, maskByForward: true, lrn: 'identity', gate: 'constant' },
  gradient: { rectifySignal: false, maskByForward: true, lrn: 'derivative', gate: 'derivative' },
} satisfies Record<Method, MethodRow>;
