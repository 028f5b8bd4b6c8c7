/** A stretch of one axis. */
import { AppError } from '../../../src-shared/errors.ts';
import { required, shapeText, type OpSpec } from './spec.ts';

export const slice: OpSpec<'Slice'> = {
  infer(operands, { axis, start, end }) {
    const x = required(operands, 0);
    const size = x.shape[axis];
    if (typeof size !== 'number' || start < 0 || end > size || start >= end) {
      throw new AppError('UNSUPPORTED', `cannot take ${start}..${end} of axis ${axis} of ${shapeText(x.shape)}`);
    }
    return [{ dataType: x.dataType, shape: x.shape.map((dimension, at) => (at === axis ? end - start : dimension)) }];
  },
  field: ({ axis, start }) => (axis < 2 ? { kind: 'same' } : { kind: 'window', size: [1, 1], stride: [1, 1], offset: axis === 2 ? [start, 0] : [0, start] }),
};
