/** Axes in another order. */
import { AppError } from '../../../src-shared/errors.ts';
import { required, shapeText, type OpSpec } from './spec.ts';

export const transpose: OpSpec<'Transpose'> = {
  infer(operands, { permutation }) {
    const x = required(operands, 0);
    if (permutation.length !== x.shape.length || new Set(permutation).size !== permutation.length) {
      throw new AppError('UNSUPPORTED', `cannot permute ${shapeText(x.shape)} by ${permutation.join(', ')}`);
    }
    return [{ dataType: x.dataType, shape: permutation.map((axis) => x.shape[axis]!) }];
  },
  field({ permutation }) {
    const rank = permutation.length;
    return permutation[rank - 1] === rank - 1 && permutation[rank - 2] === rank - 2 ? { kind: 'same' } : { kind: 'whole' };
  },
};
