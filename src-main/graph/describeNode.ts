/** A node in a few words, as a person would label it in a drawing: sizes of windows, strides, groups; what is 1 or absent is not said. */
import type { Graph, NodeOf, Node } from './graph.ts';
import type { OpKind, Size2, WindowAttributes } from './ops/attributes.ts';

/** E.g. `conv 3x3/2`, `max pool 3x3/2`, `relu`. A comparison has no words of its own: what it decides has. */
export function describeNode(node: Node, graph: Graph): string {
  return (words[node.kind] as Words<OpKind>)(node as never, graph);
}

type Words<K extends OpKind> = (node: NodeOf<K>, graph: Graph) => string;

const words = {
  Conv: ({ attributes }) => `conv ${windowWords(attributes)}${groupWords(attributes.group)}`,
  ConvTranspose: ({ attributes }) => `transposed conv ${windowWords(attributes)}${groupWords(attributes.group)}`,
  ConvWeightGradient: ({ attributes }) => `weight gradient of conv ${windowWords(attributes)}${groupWords(attributes.group)}`,
  MaxPool: ({ attributes }) => `max pool ${windowWords(attributes)}`,
  Unpool: ({ attributes: { height, width } }) => `unpool to ${height}x${width} by switches`,
  AveragePool: ({ attributes }) => `average pool ${windowWords(attributes)}`,
  GlobalAveragePool: () => 'global average pool',
  Relu: () => 'relu',
  LeakyRelu: ({ attributes }) => `leaky relu ${short(attributes.alpha)}`,
  Clip: ({ attributes: { minimum, maximum } }) => (minimum === 0 && Number.isFinite(maximum) ? `relu${short(maximum)}` : `clip ${short(minimum)}..${short(maximum)}`),
  PRelu: () => 'prelu',
  Elu: ({ attributes }) => (attributes.gamma === 1 ? 'elu' : 'selu'),
  ThresholdedRelu: ({ attributes }) => `relu above ${short(attributes.alpha)}`,
  Sigmoid: () => 'sigmoid',
  HardSigmoid: () => 'hard sigmoid',
  HardSwish: () => 'hard swish',
  Tanh: () => 'tanh',
  Softplus: () => 'softplus',
  Erf: () => 'erf',
  Log: () => 'log',
  LRN: ({ attributes }) => `LRN over ${attributes.size}`,
  BatchNormalization: () => 'batch norm',
  Add: (node, graph) => operandWords('add', 'plus', node, graph),
  Sub: (node, graph) => operandWords('subtract', 'minus', node, graph),
  Mul: (node, graph) => operandWords('multiply', 'times', node, graph),
  Pow: ({ attributes }) => `power ${short(attributes.exponent)}`,
  Greater: () => '',
  Where: ({ inputs: [condition] }, graph) => `kept where ${conditionWords(condition!, graph)}`,
  Concat: ({ inputs }) => `concat of ${inputs.length}`,
  Slice: ({ attributes: { axis, start, end } }) => `${axis === 1 ? 'channels' : `slice of axis ${axis},`} ${start}..${end - 1}`,
  Pad: ({ attributes }) => `pad ${attributes.pads.join(',')}`,
  SpatialLinear: ({ attributes: { axis, size } }) => `${axis === 2 ? 'rows' : 'columns'} to ${size}`,
  Gemm: () => 'fully connected',
  Reshape: ({ attributes }) => `reshape to ${attributes.shape.slice(1).join('x') || 'scalar'}`,
  Transpose: ({ attributes }) => `transpose ${attributes.permutation.join(',')}`,
  Softmax: () => 'softmax',
  ReduceSum: ({ attributes }) => `sum over ${attributes.axes.map((axis) => ['batch', 'channels', 'rows', 'columns'][axis] ?? `axis ${axis}`).join(' and ')}`,
  Identity: () => 'identity',
  SpatialMax: () => 'largest of each channel',
} satisfies { readonly [K in OpKind]: Words<K> };

function windowWords({ kernel, strides, dilations }: WindowAttributes): string {
  return `${kernel.join('x')}${pairWords('/', strides)}${pairWords(' dilated ', dilations)}`;
}

function pairWords(before: string, [height, width]: Size2): string {
  if (height === 1 && width === 1) return '';
  return height === width ? `${before}${height}` : `${before}${height}x${width}`;
}

function groupWords(group: number): string {
  return group === 1 ? '' : `, ${group} groups`;
}

function operandWords(verb: string, withConstant: string, { inputs }: Node, graph: Graph): string {
  const constant = inputs.map((input) => graph.tensors.get(input)).find((tensor) => tensor !== undefined);
  if (!constant) return verb;
  return `${withConstant} ${constant.data.length === 1 ? short(Number(constant.data[0])) : 'constants'}`;
}

function conditionWords(name: string, graph: Graph): string {
  const maker = graph.nodes.find((node) => node.outputs.includes(name));
  return maker?.kind === 'Greater' ? `x > ${short(maker.attributes.threshold)}` : 'true';
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
