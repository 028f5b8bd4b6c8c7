/**
 * Graph -> graph: a network and a loss become one step of training (Zeiler & Fergus 2013, section 3: stochastic gradient descent with momentum on the
 * cross-entropy). The weights are inputs, so that a compiled session serves every step; forward, loss, the way back to every weight, and the update of every
 * weight are one graph that any engine runs. The way back is the plain gradient of rewrite/backward, with rules for the weights added (weightRules.ts).
 *
 * Batch normalisation trains its scale and shift with the statistics that the network stores; they are not measured anew on each batch.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { createGraphBuilder } from '../../graph/build.ts';
import { producers, valueOf, type Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { methodTable } from '../backward/methods.ts';
import { copyForward, walk } from '../backward/walk.ts';
import { truncate } from '../probe/truncate.ts';
import { addLoss, type Loss } from './loss.ts';
import { rectifyAfterPooling, spellOutBatchNormalization, withDropout, type DropoutMask } from './prepare.ts';
import { weightsOf, type Weight } from './trainable.ts';
import { trainingRuleOf } from './weightRules.ts';

export interface TrainedWeight extends Weight {
  readonly shape: readonly number[];
  /** Name of the derivative of the loss by the weight, shaped like it. */
  readonly gradient: string;
}

export interface TrainingGraph extends Pick<Loss, 'targets' | 'shares' | 'loss' | 'correct'> {
  /** Inputs: the image, `targets`, `shares`, the masks, and every trained weight under its own name. Outputs: `loss`, `correct`, the gradients. */
  readonly graph: Graph;
  readonly image: string;
  readonly classes: number;
  readonly masks: readonly DropoutMask[];
  readonly weights: readonly TrainedWeight[];
}

export interface TrainingOptions {
  /** Fully connected units are dropped by masks that are fed. */
  readonly dropout?: boolean;
  /** The weights that train; all of them if absent. */
  readonly weights?: readonly Weight[];
}

/** Throws AppError UNSUPPORTED where the network has no logits or a node without a derivative. */
export function trainingGraph(network: Graph, image: string, { dropout = false, weights = weightsOf(network) }: TrainingOptions = {}): TrainingGraph {
  const logits = logitsOf(network);
  const prepared = rectifyAfterPooling(spellOutBatchNormalization(truncate(network, [logits])));
  const { graph: forward, masks } = dropout ? withDropout(prepared) : { graph: prepared, masks: [] };
  const build = createGraphBuilder(`${network.name} training`);
  for (const input of forward.inputs) build.input(input.name, input.dataType, input.shape);
  const trained = new Set(weights.map((weight) => weight.name).filter((name) => forward.tensors.has(name)));
  for (const tensor of forward.tensors.values()) {
    if (trained.has(tensor.name)) build.input(tensor.name, tensor.dataType, tensor.shape);
    else build.tensor(tensor);
  }
  const path = dependsOn(forward, trained);
  if (!path.has(logits)) throw new AppError('BAD_REQUEST', `The network ${network.name} has no weights that could be trained.`);
  const switches = copyForward(build, forward, path, true);
  const loss = addLoss(build, logits);
  const { signals } = walk(build, { forward, path, switches, method: methodTable.gradient, ruleOf: trainingRuleOf }, logits, loss.signal);
  const list = weights.flatMap((weight): TrainedWeight[] => {
    const gradient = signals.get(weight.name);
    return trained.has(weight.name) && gradient !== undefined ? [{ ...weight, shape: valueOf(forward, weight.name).shape as readonly number[], gradient }] : [];
  });
  const outputs = [loss.loss, loss.correct, ...list.map((weight) => weight.gradient)];
  const graph = verify(truncate(build.finish(outputs), outputs));
  if (!graph.inputs.some((input) => input.name === image)) throw new AppError('UNSUPPORTED', `The output of ${network.name} does not depend on its image ${JSON.stringify(image)}, so there is nothing to learn.`);
  return { graph, image, classes: Number(valueOf(forward, logits).shape[1]), masks, weights: list, targets: loss.targets, shares: loss.shares, loss: loss.loss, correct: loss.correct };
}

/** The value that the loss is taken of: the network's first output, or what its softmax reads. Throws AppError UNSUPPORTED where that is no list of classes. */
export function logitsOf(network: Graph): string {
  const makers = producers(network);
  const output = network.outputs[0] ?? '';
  let logits = output;
  for (let node = makers.get(logits); node?.kind === 'Softmax' || node?.kind === 'Identity'; node = makers.get(logits)) logits = node.inputs[0]!;
  const { shape } = valueOf(network, logits);
  const isList = typeof shape[1] === 'number' && (shape.length === 2 || (shape.length === 4 && shape[2] === 1 && shape[3] === 1));
  if (!isList) throw new AppError('UNSUPPORTED', `The output ${JSON.stringify(output)} of ${network.name} has shape [${shape.join(', ')}]; training needs one value for each class. Choose a network that ends in a classifier.`, { output });
  return logits;
}

/** Names of the weights and of everything computed from them. */
function dependsOn(forward: Graph, weights: ReadonlySet<string>): ReadonlySet<string> {
  const path = new Set(weights);
  for (const node of forward.nodes) if (node.inputs.some((input) => path.has(input))) for (const output of node.outputs) if (output !== '') path.add(output);
  return path;
}
