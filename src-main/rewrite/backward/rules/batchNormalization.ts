/** Down through batch normalisation with fixed statistics: scaled by gamma / sqrt(variance + epsilon); the shift is dropped. */
import { AppError } from '../../../../src-shared/errors.ts';
import { first, type Rule } from '../rule.ts';

export const batchNormalization: Rule<'BatchNormalization'> = {
  saves: [],
  backward({ node, signal, tensorOf, shapeOf, emit, constant }) {
    const gamma = tensorOf(1);
    const variance = tensorOf(4);
    if (!gamma || !variance) throw new AppError('UNSUPPORTED', `Batch normalisation ${JSON.stringify(node.name)} has computed statistics; only constant ones can be projected through.`);
    const factors = Float32Array.from({ length: gamma.data.length }, (_, channel) => Number(gamma.data[channel]) / Math.sqrt(Number(variance.data[channel]) + node.attributes.epsilon));
    const spatial = shapeOf(node.inputs[0]!).length - 2;
    return first(emit('Mul', [signal, constant(`${node.name}:scale`, [1, factors.length, ...new Array<number>(spatial).fill(1)], factors)], {}));
  },
};
