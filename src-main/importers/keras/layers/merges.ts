/** Keras' layers that are called on several values: arithmetic and concatenation. */
import { graphAxis, inOneOrder } from '../axes.ts';
import type { Feature } from '../network.ts';
import { larger, scaleBy, smaller } from '../operations.ts';
import type { Layer, LayerConverter } from './layer.ts';

type Fold = (layer: Layer, a: string, b: string) => string;

/** Several values, two by two from the first; values of lower rank get axes of 1 behind the batch. */
function merge(fold: Fold, finish: (layer: Layer, value: string) => string = (_layer, value) => value): LayerConverter {
  return (layer) => {
    const { network } = layer;
    if (layer.inputs.length < 2) network.refuse(`is called on ${layer.inputs.length} value${layer.inputs.length === 1 ? '' : 's'} instead of two or more`);
    const rank = Math.max(...layer.inputs.map(({ value }) => network.shapeOf(value).length));
    const { values, order } = inOneOrder(network, layer.inputs.map((feature) => widened(layer, feature, rank)));
    return { value: finish(layer, values.reduce((a, b) => fold(layer, a, b))), order };
  };
}

function widened(layer: Layer, feature: Feature, rank: number): Feature {
  const [batch, ...sizes] = layer.network.shapeOf(feature.value);
  if (sizes.length + 1 === rank) return feature;
  const shape = [batch!, ...new Array<number>(rank - sizes.length - 1).fill(1), ...sizes];
  return { value: layer.network.add('Reshape', [feature.value], { shape }), order: 'file' };
}

const plain = (kind: 'Add' | 'Sub' | 'Mul'): Fold => ({ network }, a, b) => network.add(kind, [a, b], {});

const average = merge(plain('Add'), ({ network, inputs }, value) => scaleBy(network, value, 1 / inputs.length));

const concatenate: LayerConverter = (layer) => {
  const { network } = layer;
  const { values, order } = inOneOrder(network, layer.inputs);
  const [value] = values;
  if (value === undefined) return network.refuse('is called on nothing');
  const wish = layer.config.number('axis', layer.config.number('concat_axis', -1));
  return { value: network.add('Concat', values, { axis: graphAxis(network, { value, order }, wish) }), order };
};

/** Keras 1 had one layer for all: `mode` says which. */
const oldModes: ReadonlyMap<string, LayerConverter> = new Map([
  ['sum', merge(plain('Add'))],
  ['mul', merge(plain('Mul'))],
  ['ave', average],
  ['max', merge(({ network }, a, b) => larger(network, a, b))],
  ['concat', concatenate],
]);

const oldMerge: LayerConverter = (layer) => {
  const mode = layer.config.text('mode', 'sum');
  const converter = oldModes.get(mode);
  return converter ? converter(layer) : layer.network.refuse(`merges by ${JSON.stringify(mode)}; known are ${[...oldModes.keys()].join(', ')}`);
};

export const mergeLayers = {
  Add: merge(plain('Add')),
  Subtract: merge(plain('Sub')),
  Multiply: merge(plain('Mul')),
  Average: average,
  Maximum: merge(({ network }, a, b) => larger(network, a, b)),
  Minimum: merge(({ network }, a, b) => smaller(network, a, b)),
  Concatenate: concatenate,
  Merge: oldMerge,
} satisfies Readonly<Record<string, LayerConverter>>;
