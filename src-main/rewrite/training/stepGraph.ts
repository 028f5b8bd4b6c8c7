/**
 * Graph -> graph: the training graph with the update of its weights behind it (Zeiler & Fergus 2013, section 3, and Krizhevsky et al. 2012, section 5):
 *   v' = momentum * v - rate * (gradient + decay * w),   w' = w + v'
 * and each convolution filter whose root mean square exceeds a radius is scaled back to that radius.
 */
import { extend, type GraphBuilder } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from '../probe/truncate.ts';
import type { TrainingGraph } from './trainingGraph.ts';

export interface Descent {
  readonly momentum: number;
  /** Acts on filters and matrices, never on biases. */
  readonly weightDecay: number;
  /** Radius for the root mean square of a filter; null leaves filters as they become. */
  readonly filterRms: number | null;
}

export interface UpdatedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Graph input: what momentum has gathered, shaped like the weight. */
  readonly velocity: string;
  /** Graph outputs. */
  readonly nextWeight: string;
  readonly nextVelocity: string;
}

export interface StepGraph {
  /** Inputs: those of the training graph, the velocities and `rate`. Outputs: loss, correct, and both of each weight. */
  readonly graph: Graph;
  /** Graph input `[1]`: the learning rate. */
  readonly rate: string;
  readonly weights: readonly UpdatedWeight[];
}

export function stepGraph(training: TrainingGraph, descent: Descent): StepGraph {
  const build = extend(training.graph, `${training.graph.name} step`);
  const rate = build.input(build.freeName('rate'), 'float32', [1]);
  const steps = stepsOf(build);
  const momentum = steps.number('momentum', descent.momentum);
  const decay = descent.weightDecay > 0 ? steps.number('decay', descent.weightDecay) : undefined;
  const weights = training.weights.map(({ name, role, shape, gradient }): UpdatedWeight => {
    const velocity = build.input(build.freeName(`velocity:${name}`), 'float32', shape);
    const slope = decay !== undefined && (role === 'filter' || role === 'matrix') ? steps.add('Add', [gradient, steps.add('Mul', [name, decay], {})], {}) : gradient;
    const nextVelocity = steps.add('Sub', [steps.add('Mul', [velocity, momentum], {}), steps.add('Mul', [slope, rate], {})], {});
    const moved = steps.add('Add', [name, nextVelocity], {});
    const nextWeight = role === 'filter' && descent.filterRms !== null ? bounded(build, moved, shape, descent.filterRms) : moved;
    return { name, shape, velocity, nextWeight, nextVelocity };
  });
  const outputs = [training.loss, training.correct, ...weights.flatMap((weight) => [weight.nextWeight, weight.nextVelocity])];
  return { graph: verify(truncate(build.finish(outputs), outputs)), rate, weights };
}

/** Filters `[M, ...]`, each scaled back to the radius where its root mean square exceeds it. */
function bounded(build: GraphBuilder, filters: string, shape: readonly number[], radius: number): string {
  const steps = stepsOf(build);
  const each = shape.slice(1).reduce((product, size) => product * size, 1);
  const squares = steps.add('ReduceSum', [steps.add('Mul', [filters, filters], {})], { axes: shape.slice(1).map((_, axis) => axis + 1) });
  const isLarge = steps.add('Greater', [squares], { threshold: radius * radius * each });
  const factor = steps.add('Mul', [steps.add('Pow', [squares], { exponent: -0.5 }), steps.number('radius', radius * Math.sqrt(each))], {});
  return steps.add('Mul', [filters, steps.add('Where', [isLarge, factor, steps.number('one', 1)], {})], {});
}

function stepsOf(build: GraphBuilder) {
  return {
    add: <K extends OpKind>(kind: K, inputs: readonly string[], attributes: Parameters<typeof build.add<K>>[2]): string => build.add(kind, inputs, attributes, { name: build.freeName(`step:${kind}`) })[0]!,
    number: (name: string, value: number): string => build.tensor({ name: build.freeName(`step:${name}`), dataType: 'float32', shape: [1], data: Float32Array.of(value) }),
  };
}
