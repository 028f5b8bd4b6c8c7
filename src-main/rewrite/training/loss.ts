/**
 * Softmax cross-entropy on logits, and its derivative: l_n = log sum_k exp(z_nk) - z_n,label, with the largest logit taken off first so that nothing overflows.
 * Each image counts by its share (1 / images; 0 for rows that only fill the batch), so that the loss is a mean and the gradients need no division.
 */
import type { GraphBuilder } from '../../graph/build.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';

export interface Loss {
  /** Graph input `[N, K]`: 1 at the label, 0 elsewhere. */
  readonly targets: string;
  /** Graph input `[N, 1]`. */
  readonly shares: string;
  /** `[1, 1]`. */
  readonly loss: string;
  /** `[N, 1]`: 1 where no logit is larger than the label's, else 0. */
  readonly correct: string;
  /** The signal at the logits, in their shape: share * (softmax - target). */
  readonly signal: string;
}

/** @param logits name of a value `[N, K]` or `[N, K, 1, 1]` */
export function addLoss(build: GraphBuilder, logits: string): Loss {
  const { shape } = build.valueOf(logits);
  const classes = Number(shape[1]);
  const add = <K extends OpKind>(kind: K, inputs: readonly string[], attributes: Parameters<typeof build.add<K>>[2]) => build.add(kind, inputs, attributes, { name: build.freeName(`loss:${kind}`) })[0]!;
  const number = (name: string, value: number) => build.tensor({ name: build.freeName(`loss:${name}`), dataType: 'float32', shape: [1], data: Float32Array.of(value) });
  const targets = build.input(build.freeName('targets'), 'float32', ['batch', classes]);
  const shares = build.input(build.freeName('shares'), 'float32', ['batch', 1]);

  const z = shape.length === 2 ? logits : add('Reshape', [logits], { shape: ['batch', classes] });
  const largest = add('SpatialMax', [add('Reshape', [z], { shape: ['batch', 1, 1, classes] })], {});
  const below = add('Sub', [z, largest], {});
  const total = add('ReduceSum', [exponentials(build, below)], { axes: [1] });
  const atLabel = add('ReduceSum', [add('Mul', [below, targets], {})], { axes: [1] });
  const each = add('Sub', [add('Log', [total], {}), atLabel], {});
  const loss = build.add('ReduceSum', [add('Mul', [each, shares], {})], { axes: [0, 1] }, { name: build.freeName('loss') })[0]!;
  const isLargest = add('Greater', [atLabel], { threshold: -smallestGap });
  const correct = build.add('Where', [isLargest, number('one', 1), number('zero', 0)], {}, { name: build.freeName('correct') })[0]!;

  const difference = add('Sub', [add('Softmax', [z], { axis: 1 }), targets], {});
  const flat = add('Mul', [difference, shares], {});
  const signal = shape.length === 2 ? flat : add('Reshape', [flat], { shape });
  return { targets, shares, loss, correct, signal };
}

/** Smaller than any difference of two float32 logits of ordinary size. */
const smallestGap = 1e-30;

/** e^x for x <= 0, by the op kinds that there are: elu(x) + 1. Its rounding is absolute, which does no harm in a sum that holds a 1. */
function exponentials(build: GraphBuilder, x: string): string {
  const shifted = build.add('Elu', [x], { alpha: 1, gamma: 1 }, { name: build.freeName('loss:exponential') })[0]!;
  const one = build.tensor({ name: build.freeName('loss:unit'), dataType: 'float32', shape: [1], data: Float32Array.of(1) });
  return build.add('Add', [shifted, one], {}, { name: build.freeName('loss:exponentials') })[0]!;
}
