/** What of a network speaks of classes: the value that holds one score for each (the logits, before any softmax), and the last convolution before them (method.md section 9, occlusion). */
import { AppError } from '../../../src-shared/errors.ts';
import { producers, valueOf, type Graph } from '../../graph/graph.ts';
import { selectLayers } from '../../graph/layerSelection.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { logitsOf } from '../training/trainingGraph.ts';

export type Classifier =
  | { readonly kind: 'classifier'; readonly logits: string; readonly classes: number }
  | { readonly kind: 'none'; readonly reason: string };

export function classifierOf(network: Graph): Classifier {
  try {
    const logits = logitsOf(network);
    return { kind: 'classifier', logits, classes: Number(valueOf(network, logits).shape[1]) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const shape = network.outputs[0] === undefined ? [] : valueOf(network, network.outputs[0]).shape;
    return { kind: 'none', reason: `The network ends in a value of shape [${shape.join(', ')}], not in one score for each class, so it makes no predictions.` };
  }
}

const weighted: ReadonlySet<OpKind> = new Set<OpKind>(['Conv', 'ConvTranspose', 'Gemm']);

/** Name of the last layer of a convolution before the node that makes the logits; of all of them where `logits` is null. Null where there is none. */
export function lastConvolutionBefore(network: Graph, logits: string | null): string | null {
  const makers = producers(network);
  let maker = logits === null ? undefined : makers.get(logits);
  while (maker && !weighted.has(maker.kind)) maker = makers.get(maker.inputs.find((input) => makers.has(input)) ?? '');
  const end = maker ? network.nodes.indexOf(maker) : network.nodes.length;
  return selectLayers(network).findLast((layer) => layer.kind === 'conv' && network.nodes.indexOf(makers.get(layer.name)!) < end)?.name ?? null;
}
