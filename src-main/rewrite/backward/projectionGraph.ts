/**
 * Graph -> graph: the network forward to a layer, then from a seed at that layer back to the pixels by a method (method.md section 3).
 * The walker only carries signals; what happens at an op is its rule's business. Forward nodes that no rule needs are cut away at the end.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Method, Rectified } from '../../../src-shared/domain/projection.ts';
import { createGraphBuilder, type GraphBuilder } from '../../graph/build.ts';
import { producers, valueOf, type Graph, type Node } from '../../graph/graph.ts';
import { activationKinds } from '../../graph/layerSelection.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from '../probe/truncate.ts';
import { valuesOnPath } from '../probe/valuesOnPath.ts';
import { forwardView, gateOf } from './gates.ts';
import { methodTable, type MethodRow } from './methods.ts';
import type { RuleContext } from './rule.ts';
import { rectifierKinds } from './rules/rectifiers.ts';
import { ruleOf } from './rules/rules.ts';

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

  const build = createGraphBuilder(`${network.name} ${layer} ${method}`);
  for (const input of forward.inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of forward.tensors.values()) build.tensor(tensor);
  const row: MethodRow = { ...methodTable[method], ...(options.unpool ? { unpool: options.unpool } : {}) };
  const switches = copyForward(build, forward, path, row.unpool === 'switches');
  const seed = build.input(build.freeName('seed'), 'float32', valueOf(forward, start).shape);
  const walked = options.passesUpperBound ? withoutUpperBound(forward, start) : forward;
  const { arrived, steps } = walk(build, walked, path, switches, start, seed, row);
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

/** Copies the forward pass; pools on the path also write their switches where they are wanted. Returns the switches by pool output. */
function copyForward(build: GraphBuilder, forward: Graph, path: ReadonlySet<string>, withSwitches: boolean): ReadonlyMap<string, string> {
  const switches = new Map<string, string>();
  for (const node of forward.nodes) {
    const output = node.outputs[0]!;
    if (node.kind === 'MaxPool' && withSwitches && path.has(output)) {
      const name = node.outputs[1] || build.freeName(`${output}:switches`);
      switches.set(output, name);
      build.add('MaxPool', node.inputs, node.attributes, { name: node.name, outputs: [output, name] });
    } else build.copy(node);
  }
  return switches;
}

/** Carries signals from the start to the image: the name of the image's signal, and the nodes added for each node. A value with several readers accumulates. */
function walk(build: GraphBuilder, forward: Graph, path: ReadonlySet<string>, switches: ReadonlyMap<string, string>, start: string, seed: string, row: MethodRow): { readonly arrived: string; readonly steps: ReadonlyMap<string, readonly string[]> } {
  const signals = new Map<string, string>([[start, seed]]);
  const constants = new Map<string, string>();
  const steps = new Map<string, string[]>();
  const view = forwardView(forward, producers(forward));
  const imageInput = [...path][0]!;
  for (let index = forward.nodes.length - 1; index >= 0; index--) {
    const node = forward.nodes[index]!;
    const signal = signals.get(node.outputs[0]!);
    if (signal === undefined || !path.has(node.outputs[0]!)) continue;
    const rule = ruleOf(node.kind);
    if (!rule) throw noWayDown(node);
    const added: string[] = [];
    steps.set(node.name, added);
    const context = {
      node,
      signal,
      switches: switches.get(node.outputs[0]!) ?? '',
      method: row,
      forward: view,
      wants: (operand: number) => path.has(node.inputs[operand] ?? ''),
      shapeOf: (name: string) => build.valueOf(name).shape,
      tensorOf: (operand: number) => forward.tensors.get(node.inputs[operand] ?? ''),
      emit: (kind: OpKind, inputs: readonly string[], attributes: object) => {
        const name = build.freeName(`back:${node.name}${added.length > 0 ? `:${added.length + 1}` : ''}`);
        added.push(name);
        return build.add(kind, inputs, attributes as never, { name, outputs: [name] })[0]!;
      },
      constant: (name: string, shape: readonly number[], data: Float32Array) => {
        // Shared among rules only: a value of the network or a signal may have the same name.
        const shared = constants.get(name) ?? build.tensor({ name: build.freeName(`back:${name}`), dataType: 'float32', shape, data });
        constants.set(name, shared);
        return shared;
      },
      build,
    } as unknown as RuleContext<OpKind>;
    for (const [operand, down] of rule.backward(context)) {
      const target = node.inputs[operand]!;
      const other = signals.get(target);
      signals.set(target, other === undefined ? down : build.add('Add', [other, down], {}, { name: build.freeName(`back:${target}:sum`) })[0]!);
    }
  }
  const image = signals.get(imageInput);
  if (image === undefined) throw new AppError('UNSUPPORTED', `No signal reaches the image from ${JSON.stringify(start)}.`);
  return { arrived: image, steps };
}

function noWayDown(node: Node): AppError {
  const advice = node.kind === 'Softmax' ? 'Choose the layer before it: the logits are projected, never the probabilities.' : 'Choose a layer before it.';
  return new AppError('UNSUPPORTED', `There is no way down through ${node.kind} (node ${JSON.stringify(node.name)}). ${advice}`, { node: node.name, op: node.kind });
}
