/** Down through a linear map along a spatial axis: the transposed matrix. */
import { AppError } from '../../../../src-shared/errors.ts';
import { first, type Rule } from '../rule.ts';

export const spatialLinear: Rule<'SpatialLinear'> = {
  saves: [],
  backward({ node, signal, tensorOf, emit, constant }) {
    const matrix = tensorOf(1);
    if (!matrix) throw new AppError('UNSUPPORTED', `Node ${JSON.stringify(node.name)} (SpatialLinear) has a computed matrix; only a constant one can be projected through.`, { node: node.name, op: node.kind });
    const [rows, columns] = matrix.shape as readonly [number, number];
    const transposed = new Float32Array(matrix.data.length);
    for (let at = 0; at < transposed.length; at++) transposed[at] = Number(matrix.data[(at % rows) * columns + Math.floor(at / rows)]);
    // Which outputs saw an input position is not kept, so each may look at all of them.
    const window = { size: rows, stride: 0, offset: 0 };
    return first(emit('SpatialLinear', [signal, constant(`${node.name}:transposed`, [columns, rows], transposed)], { axis: node.attributes.axis, size: columns, window }));
  },
};
