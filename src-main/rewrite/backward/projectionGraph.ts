/**
 * Graph -> graph: the network forward to a layer, then from a seed at that layer back to the pixels by a method (method.md section 3).
 * The walk itself is walk.ts. Forward nodes that no rule needs are cut away at the end.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Method, Rectified } from '../../../src-shared/domain/projection.ts';
import { rewrite } from '../../graph/build.ts';
import { producers, valueOf, type Graph, type Node } from '../../graph/graph.ts';
import { activationKinds } from '../../graph/layerSelection.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from '../probe/truncate.ts';
import { valuesOnPath } from '../probe/valuesOnPath.ts';
import { forwardView, gateOf } from './gates.ts';
import { methodTable, type MethodRow } from './methods.ts';
import { rectifierKinds } from './rules/rectifiers.ts';
import { copyForward, walk } from './walk.ts';

export interface ProjectionGraph {
  /** Inputs: the network's image, and `seed` shaped like `seedShape`. Outputs: `projection` like the image, and the layer's activation. */
  readonly graph: Graph;
  readonly image: string;
  readonly seed: string;
  readonly projection: string;
  /** Value that the seed stands for: the layer, or the input of its activation. */
  readonly start: string;
  readonly rectified: Rectified;
  /** Values made on the way down through a node of the network, in order, by that node's name. Sums of branches belong to no node. */
  readonly steps: ReadonlyMap<string, readonly string[]>;
}

export interface ProjectionOptions {
  /** Start at the input of the layer's own activation (where the unit sits at the activation's upper bound). */
  readonly belowActivation?: boolean;
  /** Let the upper bound of the layer's own activation pass the signal: for one unit the same as choosing between the two starts, without knowing its activation. */
  readonly passesUpperBound?: boolean;
  /** Control: unpool to the centre of each window whatever the method says. */
  readonly unpool?: 'centre';
}

export function projectionGraph(network: Graph, imageInput: string, layer: string, method: Method, options: ProjectionOptions = {}): ProjectionGraph {
  const start = options.belowActivation ? activationInput(network, layer) : layer;
  const forward = truncate(network, [start]);
  const path = valuesOnPath(forward, imageInput);
  if (!path.has(start)) throw new AppError('UNSUPPORTED', `The layer ${JSON.stringify(layer)} does not depend on the image, so it cannot be projected back to it.`, { layer });

  const build = rewrite(forward, `${network.name} ${layer} ${method}`);
  const row: MethodRow = { ...methodTable[method], ...(options.unpool ? { unpool: options.unpool } : {}) };
  const switches = copyForward(build, forward, path, row.unpool === 'switches');
  const seed = build.input(build.freeName('seed'), 'float32', valueOf(forward, start).shape);
  const walked = options.passesUpperBound ? withoutUpperBound(forward, start) : forward;
  const { signals, steps } = walk(build, { forward: walked, path, switches, method: row }, start, seed);
  const arrived = signals.get(imageInput);
  if (arrived === undefined) throw new AppError('UNSUPPORTED', `No signal reaches the image from ${JSON.stringify(start)}.`);
  const picture = row.arrival === 'timesImage' ? build.add('Mul', [arrived, imageInput], {}, { name: build.freeName('back:image') })[0]! : arrived;
  const projection = build.add('Identity', [picture], {}, { name: 'projection', outputs: [build.freeName('projection')] })[0]!;

  const cut = truncate(build.finish([projection, start]), [projection, start]);
  const whole: Graph = { ...cut, inputs: build.finish([projection]).inputs };
  return { graph: verify(whole), image: imageInput, seed, projection, start, rectified: countRectified(network, imageInput, layer, start, method), steps };
}

/** Erf is a nonlinearity too (GELU is made of it), though no layer ends at it. */
const nonlinearities: ReadonlySet<OpKind> = new Set<OpKind>([...activationKinds, 'Erf']);

/** n of m nonlinearities between layer and image are given a ReLU-family row by the method (gradient: 0); those inside a gate that it holds constant are not. */
function countRectified(network: Graph, imageInput: string, layer: string, start: string, method: Method): Rectified {
  const row = methodTable[method];
  const forward = truncate(network, [layer]);
  const path = valuesOnPath(forward, imageInput);
  const view = forwardView(forward, producers(forward));
  const reached = new Set([start]);
  let [handled, total] = [0, 0];
  for (const node of forward.nodes.toReversed()) {
    const output = node.outputs[0]!;
    if (!path.has(output)) continue;
    if (nonlinearities.has(node.kind)) total++;
    if (!reached.has(output)) continue;
    if (row.rectifySignal && rectifierKinds.has(node.kind)) handled++;
    const held = node.kind === 'Mul' && row.gate === 'constant' && node.inputs.every((input) => path.has(input)) ? gateOf(node, view) : undefined;
    node.inputs.forEach((input, index) => index !== held && reached.add(input));
  }
  return { handled, total };
}

export function rectifiedBy(network: Graph, imageInput: string, layer: string, method: Method, belowActivation = false): Rectified {
  return countRectified(network, imageInput, layer, belowActivation ? activationInput(network, layer) : layer, method);
}

/** The upper bound at which the layer's own activation saturates, or undefined where it has none. */
export function upperBoundOf(network: Graph, layer: string): number | undefined {
  const node = producers(network).get(layer);
  return node?.kind === 'Clip' && node.attributes.maximum !== Infinity ? node.attributes.maximum : undefined;
}

function activationInput(network: Graph, layer: string): string {
  const node = producers(network).get(layer);
  if (!node || !activationKinds.has(node.kind)) throw new Error(`${layer} is not the output of an activation`);
  return node.inputs[0]!;
}

/** The same network for the walk down, with the bound lifted; its forward pass keeps it. */
function withoutUpperBound(forward: Graph, start: string): Graph {
  const lift = (node: Node): Node => (node.kind === 'Clip' && node.outputs[0] === start ? { ...node, attributes: { ...node.attributes, maximum: Infinity } } : node);
  return { ...forward, nodes: forward.nodes.map(lift) };
}
