/**
 * Channels last. Files of tf2onnx, and single stretches of others (ConvNeXt), hold feature maps as `[N, H, W, C]` between two Transposes. The graph
 * knows `[N, C, H, W]` only, so such a value is kept channels first and merely *seen* channels last: the Transposes vanish, what works
 * on such values is rewritten for the other order, and only where that cannot be done a real Transpose stands in the graph.
 */
import { stridesOf, type Shape } from '../../graph/graph.ts';
import { numbersOf } from './constants.ts';
import type { Attributes, Conversion, Operator } from './conversion.ts';
import { layerNormalizationOver } from './operators/normalization.ts';
import { pickAlong } from './rearrange.ts';
import { axesOf, normalizeAxis } from './shapes.ts';

/** Axis i of a channels-last value is axis `toLast[i]` of the same value channels first, and the other way round. */
const toLast = [0, 2, 3, 1] as const;
const toFirst = [0, 3, 1, 2] as const;

export interface Layout {
  /** Notes that the graph's value `source` holds channels first what the file calls `name` and has channels last. */
  see(name: string, source: string): void;
  isKnown(name: string): boolean;
  /** Converts an operator under the names of the graph's values. */
  arrange(operator: Operator, convert: (operator: Operator) => void): void;
  /** The graph's value behind a name of the file, whatever its order of axes. */
  sourceOf(name: string): string;
  /** Shape of a value as the file has it. */
  shapeOf(name: string): Shape;
  /** How many Transposes vanished. */
  absorbed(): number;
}

type Convert = (operator: Operator) => void;

/** An operator in the other order: what adds it, and whether the file has its results channels last. */
interface Rewritten {
  readonly seenLast: boolean;
  write(convert: Convert): void;
}

/** `conversion` speaks of the graph's own values. */
export function createLayout(conversion: Conversion): Layout {
  /** Channels-last values of the file -> their channels-first values in the graph. */
  const views = new Map<string, string>();
  /** Names of the file that stand for a value of the graph with another name. */
  const aliases = new Map<string, string>();
  /** Channels-last values that had to be made after all. */
  const lasting = new Map<string, string>();
  let absorbed = 0;

  const sourceOf = (name: string): string => views.get(name) ?? aliases.get(name) ?? name;

  /** A real Transpose where nothing else helps. */
  const settled = (name: string): string => {
    const source = views.get(name);
    if (source === undefined) return aliases.get(name) ?? name;
    const output = name === source ? conversion.intermediate(`${name}/channelsLast`) : name;
    conversion.add('Transpose', [source], { permutation: toLast }, [output]);
    lasting.set(name, output);
    return output;
  };

  /** Does away with a Transpose between the two orders; true when nothing is left to do. */
  const vanishes = ({ attributes, inputs, outputs }: Operator): boolean => {
    const [x] = inputs as readonly [string];
    const [output] = outputs as readonly [string];
    const wish = attributes.integers('perm')?.join();
    const source = views.get(x);
    if (source === undefined) {
      const own = aliases.get(x) ?? x;
      const shape = conversion.shapeOf(own);
      if (wish !== toLast.join() || shape.length !== 4 || shape[0] !== 'batch') return false;
      views.set(output, own);
    } else if (wish === toFirst.join()) {
      aliases.set(output, source);
    } else return false;
    absorbed++;
    return true;
  };

  return {
    see: (name, source) => views.set(name, source),
    isKnown: (name) => views.has(name) || aliases.has(name),
    sourceOf,
    shapeOf(name) {
      const source = views.get(name);
      if (source === undefined) return conversion.shapeOf(aliases.get(name) ?? name);
      const shape = conversion.shapeOf(source);
      return toLast.map((axis) => shape[axis]!);
    },
    arrange(operator, convert) {
      if (operator.type === 'Transpose' && vanishes(operator)) return;
      const seen = operator.inputs.some((input) => views.has(input));
      const rewritten = seen ? rewrite(operator, conversion, views, sourceOf) : undefined;
      if (!rewritten) return convert({ ...operator, inputs: operator.inputs.map((input) => lasting.get(input) ?? settled(input)) });
      rewritten.write(convert);
      if (rewritten.seenLast) for (const output of operator.outputs) if (output) views.set(output, output);
    },
    absorbed: () => absorbed,
  };
}

/** Types that take every value for itself, so that the order of axes does not matter. */
const pointwise = new Set([
  'Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'Clip', 'ThresholdedRelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Softplus', 'Erf', 'Log', 'Gelu', 'Swish', 'Mish',
  'Identity', 'Dropout', 'Cast', 'Sqrt', 'Reciprocal', 'Neg',
]);
const broadcasting = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sum', 'Mean', 'Max', 'Min', 'PRelu', 'Pow']);
const reducing = new Set(['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceSumSquare']);

/** The operator for channels first; undefined where its values must stand as the file has them. */
function rewrite(operator: Operator, conversion: Conversion, views: ReadonlyMap<string, string>, sourceOf: (name: string) => string): Rewritten | undefined {
  const { type, inputs, attributes } = operator;
  const own: Operator = { ...operator, inputs: inputs.map(sourceOf) };
  const as = (changes: Partial<Operator>, seenLast = true): Rewritten => ({ seenLast, write: (convert) => convert({ ...own, ...changes }) });
  if (pointwise.has(type)) return as({});
  if (broadcasting.has(type)) {
    const names = inputs.map((input) => views.get(input) ?? broadcastOperand(conversion, sourceOf(input)));
    return conversion.opset < 7 || names.includes(undefined) ? undefined : as({ inputs: names as string[] });
  }
  if (!views.has(inputs[0]!)) return undefined;
  const axis = (fallback: number): number => normalizeAxis(operator, attributes.integer('axis', fallback), 4);
  if (type === 'Concat') return inputs.every((input) => views.has(input)) ? as({ attributes: withIntegers(attributes, { axis: toLast[axis(1)]! }) }) : undefined;
  if (type === 'Split') return as({ attributes: withIntegers(attributes, { axis: toLast[axis(0)]! }) });
  // Before opset 13 an axis meant all behind it, too.
  if (type === 'Softmax' || type === 'LogSoftmax') return conversion.opset >= 13 && axis(-1) === 3 ? as({ attributes: withIntegers(attributes, { axis: 1 }) }) : undefined;
  if (reducing.has(type)) return rewriteReduction(operator, conversion, as);
  if (type === 'MatMul') return matrixAsConvolution(operator, conversion, own);
  if (type === 'LayerNormalization') return axis(-1) === 3 ? { seenLast: true, write: () => layerNormalizationOver(own, conversion, [1], 2) } : undefined;
  if (type === 'Pad') return rewritePads(operator, conversion, as);
  if (type === 'Squeeze') return rewriteSqueeze(operator, conversion, own);
  return undefined;
}

/** What stands beside a channels-last value: constants are turned, running values of four axes get a Transpose. */
function broadcastOperand(conversion: Conversion, name: string): string | undefined {
  const constant = conversion.constant(name);
  if (!constant) return conversion.shapeOf(name).length === 4 ? conversion.step('Transpose', [name], { permutation: toFirst }, 'channelsFirst') : undefined;
  if (constant.data.length === 1) return name;
  if (constant.shape.length > 4) return undefined;
  const shape = [...new Array<number>(4 - constant.shape.length).fill(1), ...constant.shape];
  const strides = stridesOf(shape);
  const turned = pickAlong(constant, toFirst.map((axis) => shape[axis]!), toFirst.map((axis) => strides[axis]!), 0);
  return conversion.know(`${name}/channelsFirst`, { ...turned, shape: turned.shape[0] === 1 ? turned.shape.slice(1) : turned.shape });
}

/** Without the reduced axes the others must stand in the same order as before. */
function rewriteReduction(operator: Operator, conversion: Conversion, as: (changes: Partial<Operator>, seenLast: boolean) => Rewritten): Rewritten | undefined {
  const axes = axesOf(operator, conversion.constant(operator.inputs[1] ?? ''), 4, 'operand');
  if (!axes) return undefined;
  const moved = axes.map((axis) => toLast[axis]!).sort((a, b) => a - b);
  const keeps = operator.attributes.integer('keepdims', 1) === 1;
  const left = toLast.filter((_, axis) => !axes.includes(axis));
  if (!keeps && left.some((axis, at) => at > 0 && axis < left[at - 1]!)) return undefined;
  const [x] = operator.inputs as readonly [string];
  const changed = as({ attributes: withIntegers(operator.attributes, { axes: moved }) }, keeps);
  return { seenLast: keeps, write: (convert) => changed.write((given) => convert({ ...given, inputs: [given.inputs[0] ?? x] })) };
}

/** The last axis times a fixed matrix `[K, M]` is a 1 x 1 convolution. */
function matrixAsConvolution(operator: Operator, conversion: Conversion, own: Operator): Rewritten | undefined {
  const matrix = conversion.constant(operator.inputs[1] ?? '');
  if (matrix?.shape.length !== 2) return undefined;
  const [rows, columns] = matrix.shape as readonly [number, number];
  return {
    seenLast: true,
    write() {
      const weights = conversion.know(`${operator.inputs[1]!}/weights`, pickAlong(matrix, [columns, rows, 1, 1], [1, columns, 0, 0], 0));
      const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
      conversion.add('Conv', [own.inputs[0]!, weights, ''], { ...window, group: 1 }, operator.outputs);
    },
  };
}

function rewritePads(operator: Operator, conversion: Conversion, as: (changes: Partial<Operator>) => Rewritten): Rewritten | undefined {
  const constant = conversion.constant(operator.inputs[1] ?? '');
  const pads = operator.attributes.integers('pads') ?? (constant ? numbersOf(constant) : undefined);
  if (pads?.length !== 8 || operator.inputs[3]) return undefined;
  const turned = [...toFirst.map((axis) => pads[axis]!), ...toFirst.map((axis) => pads[axis + 4]!)];
  return as({ attributes: withIntegers(operator.attributes, { pads: turned }) });
}

/** Height and width of 1 go away; which stood last makes no difference then. */
function rewriteSqueeze(operator: Operator, conversion: Conversion, own: Operator): Rewritten | undefined {
  const axes = axesOf(operator, conversion.constant(operator.inputs[1] ?? ''), 4, 'operand');
  const [batch, channels, height, width] = conversion.shapeOf(own.inputs[0]!);
  if (axes?.join() !== '1,2' || height !== 1 || width !== 1) return undefined;
  return { seenLast: false, write: () => conversion.add('Reshape', [own.inputs[0]!], { shape: [batch!, channels!] }, operator.outputs) };
}

/** The same attributes with some numbers put in their place. */
function withIntegers(attributes: Attributes, changed: Readonly<Record<string, number | readonly number[]>>): Attributes {
  return {
    ...attributes,
    integer(name, fallback) {
      const value = changed[name];
      return typeof value === 'number' ? value : attributes.integer(name, fallback);
    },
    integers(name) {
      const value = changed[name];
      return typeof value === 'object' ? value : attributes.integers(name);
    },
  };
}
