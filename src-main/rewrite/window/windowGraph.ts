/**
 * Graph -> graph: the same network on one unit's window instead of the whole image. Convolutions and pools lose their padding; where a window reaches
 * over the real border, a validity mask per sample puts back what the border holds there: zero for convolutions and averages, far below all for max pools,
 * the pad value for Pad. So units in corners, at edges and inside share one shape and one batch, and any projection rewrite applies to the result.
 */
import { createGraphBuilder, type GraphBuilder } from '../../graph/build.ts';
import { valueOf, type Graph, type Node, type NodeOf } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from '../probe/truncate.ts';
import { valuesOnPath } from '../probe/valuesOnPath.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { neededRanges, operandRange, type Range, type Stretch } from './ranges.ts';

/** A mask that the windowed graph is fed: 1 where a position of the window exists in the real value. */
export interface MaskInput {
  readonly name: string;
  readonly range: Range;
  /** Size of the real value. */
  readonly height: number;
  readonly width: number;
}

export interface WindowGraph {
  /** Inputs: the image's window (zero outside the image) under the image's name, and the masks. Output: the layer, `[N, C, 1, 1]`. */
  readonly graph: Graph;
  readonly imageInput: string;
  readonly masks: readonly MaskInput[];
  /** What a unit needs of the image. */
  readonly image: Range;
}

/** Added where the real value ends: far below every real activation, and far from overflowing in whatever reads it before it is masked. */
const neverWins = -1e30;
const noPads = [0, 0, 0, 0] as const;

/** Undefined where the layer's units see more than a window of the image (neededRanges). */
export function windowGraph(network: Graph, imageInput: string, layer: string): WindowGraph | undefined {
  const forward = truncate(network, [layer]);
  const onPath = valuesOnPath(forward, imageInput);
  const ranges = onPath.has(layer) ? neededRanges(forward, layer, onPath) : undefined;
  const image = ranges?.get(imageInput);
  if (!ranges || !image || forward.inputs.length !== 1) return undefined;

  const build = createGraphBuilder(`${network.name} ${layer} window`);
  const [batch, channels] = valueOf(forward, imageInput).shape;
  build.input(imageInput, 'float32', [batch!, channels!, image[0].size, image[1].size]);
  const weaver = createWeaver(build, forward, ranges, imageInput, layer);
  for (const node of forward.nodes) {
    if (!onPath.has(node.outputs[0]!)) {
      for (const input of node.inputs) weaver.constant(input);
      build.copy(node);
    } else writeNode(build, forward, node, ranges.get(node.outputs[0]!)!, weaver, onPath);
  }
  return { graph: verify(build.finish([layer])), imageInput, masks: weaver.masks, image };
}

/** Whether a stretch of some unit reaches outside a value; `units` is the layer's size along the axis. */
function leaves({ stride, offset, size }: Stretch, units: number, real: number): boolean {
  return offset < 0 || stride * (units - 1) + offset + size > real;
}

interface Weaver {
  readonly masks: MaskInput[];
  /** Brings a constant over. */
  constant(name: string): void;
  /** The stretch of a value that a node needs; as it is where no unit reaches over the real value's end, else with there what the border asks for. */
  operand(value: string, range: Range, border: Border): string;
  /** The mask of a stretch as float32, or undefined where no unit reaches over. */
  share(value: string, range: Range): string | undefined;
  /** A value that is zero wherever the real one has ended needs no mask to be so. */
  readonly endsInZeros: Set<string>;
}

/** What stands where a real value has ended. A number other than 0 is a pad value. */
type Border = 'anything' | 'never wins' | number;

/** Ops that leave zeros as zeros. */
const keepsZeros: ReadonlySet<OpKind> = new Set<OpKind>(['Relu', 'LeakyRelu', 'PRelu', 'LRN', 'Identity', 'Concat', 'Slice']);

function createWeaver(build: GraphBuilder, forward: Graph, ranges: ReadonlyMap<string, Range>, imageInput: string, layer: string): Weaver {
  const masks: MaskInput[] = [];
  const endsInZeros = new Set([imageInput]);
  const [, , layerRows, layerColumns] = valueOf(forward, layer).shape as number[];

  const scalar = (value: number) => {
    const name = `window:fill ${value}`;
    return build.has(name) ? name : build.tensor({ name, dataType: 'float32', shape: [], data: Float32Array.of(value) });
  };

  function mask(value: string, range: Range): string | undefined {
    const [, , height, width] = valueOf(forward, value).shape as number[];
    if (!leaves(range[0], layerRows!, height!) && !leaves(range[1], layerColumns!, width!)) return undefined;
    const name = `window:valid ${height} x ${width} ${range.map(({ stride, offset, size }) => `${stride} ${offset} ${size}`).join(' ')}`;
    if (!masks.some((candidate) => candidate.name === name)) {
      build.input(name, 'bool', ['batch', 1, range[0].size, range[1].size]);
      masks.push({ name, range, height: height!, width: width! });
    }
    return name;
  }

  /** A choice between two constants, one number per position. */
  function choice(valid: string, inside: number, outside: number): string {
    const name = `${valid} ${inside} or ${outside}`;
    if (!build.has(name)) build.add('Where', [valid, scalar(inside), scalar(outside)], {}, { name, outputs: [name] });
    return name;
  }

  return {
    masks,
    endsInZeros,
    constant(name) {
      const tensor = forward.tensors.get(name);
      if (tensor && !build.has(name)) build.tensor(tensor);
    },
    operand(value, range, border) {
      const full = ranges.get(value)!;
      let name = value;
      for (const axis of [0, 1] as const) {
        const start = range[axis].offset - full[axis].offset;
        if (range[axis].size === full[axis].size) continue;
        const cut = build.freeName(`${value}:window`);
        build.add('Slice', [name], { axis: axis + 2, start, end: start + range[axis].size }, { name: cut, outputs: [cut] });
        name = cut;
      }
      const valid = border === 'anything' || (border === 0 && endsInZeros.has(value)) ? undefined : mask(value, range);
      if (valid === undefined) return name;
      const bordered = build.freeName(`${value}:bordered`);
      const names = { name: bordered, outputs: [bordered] };
      // One number per position, spread over the channels by the engine's plainest ops: a choice for every element takes three times as long.
      if (border === 0) build.add('Mul', [name, choice(valid, 1, 0)], {}, names);
      else if (border === 'never wins') build.add('Add', [name, choice(valid, 0, neverWins)], {}, names);
      else build.add('Where', [valid, name, scalar(border as number)], {}, names);
      return bordered;
    },
    share(value, range) {
      const valid = mask(value, range);
      return valid === undefined ? undefined : choice(valid, 1, 0);
    },
  };
}

function writeNode(build: GraphBuilder, forward: Graph, node: Node, range: Range, weaver: Weaver, onPath: ReadonlySet<string>): void {
  const rangeOf = (operand: number) => operandRange(forward, node, operand, range)!;
  const operands = (border: Border) =>
    node.inputs.map((input, operand) => {
      if (input === '' || !onPath.has(input)) {
        weaver.constant(input);
        return input;
      }
      return weaver.operand(input, rangeOf(operand), border);
    });
  const names = { name: node.name, outputs: node.outputs };
  switch (node.kind) {
    case 'Conv':
      build.add('Conv', operands(0), { ...node.attributes, pads: noPads }, names);
      return;
    case 'MaxPool':
      writeMaxPool(build, node, operands('never wins'), weaver.share(node.outputs[0]!, range));
      weaver.endsInZeros.add(node.outputs[0]!);
      return;
    case 'AveragePool':
      writeAveragePool(build, node, operands(0), weaver.share(node.inputs[0]!, rangeOf(0)));
      return;
    case 'Pad':
      // The window of the padded value is the window of the value itself, with the pad value around it.
      build.add('Identity', operands(node.attributes.value), {}, names);
      return;
    default:
      build.add(node.kind, operands('anything'), node.attributes as never, names);
      if (keepsZeros.has(node.kind) && node.inputs.every((input) => !onPath.has(input) || weaver.endsInZeros.has(input))) weaver.endsInZeros.add(node.outputs[0]!);
  }
}

/**
 * What a window beyond the real border found is put back to zero at once: there are fewer such values than later. So no signal comes to those windows on the way down, and none
 * needs masking below them, as no window with a real position ever chose another.
 */
function writeMaxPool(build: GraphBuilder, node: NodeOf<'MaxPool'>, operands: readonly string[], share: string | undefined): void {
  const attributes = { ...node.attributes, pads: noPads };
  const output = node.outputs[0]!;
  const pooled = share === undefined ? output : build.freeName(`${output}:pooled`);
  build.add('MaxPool', operands, attributes, { name: node.name, outputs: [pooled] });
  if (share !== undefined) build.add('Mul', [pooled, share], {}, { name: `${node.name}:ended`, outputs: [output] });
}

/** A divisor that counts real positions only is the mean of the mask: mean over the window = sum / k, so the mean of real positions = that / share. */
function writeAveragePool(build: GraphBuilder, node: NodeOf<'AveragePool'>, operands: readonly string[], share: string | undefined): void {
  const attributes = { ...node.attributes, pads: noPads, countIncludePad: true };
  if (node.attributes.countIncludePad || share === undefined) {
    build.add('AveragePool', operands, attributes, { name: node.name, outputs: node.outputs });
    return;
  }
  const step = (suffix: string, make: (name: string) => void): string => {
    const name = build.freeName(`${node.outputs[0]}:${suffix}`);
    make(name);
    return name;
  };
  const mean = step('mean', (name) => build.add('AveragePool', operands, attributes, { name, outputs: [name] }));
  const real = step('real', (name) => build.add('AveragePool', [share], attributes, { name, outputs: [name] }));
  // A window wholly outside is masked by whoever reads it; until then it must stay finite.
  const least = step('least', (name) => build.add('Clip', [real], { minimum: 1e-6, maximum: Infinity }, { name, outputs: [name] }));
  const factor = step('factor', (name) => build.add('Pow', [least], { exponent: -1 }, { name, outputs: [name] }));
  build.add('Mul', [mean, factor], {}, { name: node.name, outputs: node.outputs });
}
