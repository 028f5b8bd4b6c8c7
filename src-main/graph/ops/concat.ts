/** Joining values along one axis; along channels it moves no position. */
import { AppError } from '../../../src-shared/errors.ts';
import { required, shapeText, type OpSpec } from './spec.ts';

export const concat: OpSpec<'Concat'> = {
  infer(operands, { axis }) {
    const first = required(operands, 0);
    let total = 0;
    for (let index = 0; index < operands.length; index++) {
      const { shape } = required(operands, index);
      const size = shape[axis];
      const fits = shape.length === first.shape.length && shape.every((dimension, at) => at === axis || dimension === first.shape[at]);
      if (!fits || typeof size !== 'number') throw new AppError('UNSUPPORTED', `cannot join ${shapeText(first.shape)} and ${shapeText(shape)} along axis ${axis}`);
      total += size;
    }
    return [{ dataType: first.dataType, shape: first.shape.map((dimension, at) => (at === axis ? total : dimension)) }];
  },
  field: ({ axis }, operands, operand) => (operands[operand]?.shape.length === 4 && axis < 2 ? { kind: 'same' } : { kind: 'whole' }),
};
