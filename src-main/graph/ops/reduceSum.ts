/** Sum over axes, which stay with size 1. */
import { required, type OpSpec } from './spec.ts';

export const reduceSum: OpSpec<'ReduceSum'> = {
  infer(operands, { axes }) {
    const x = required(operands, 0);
    return [{ dataType: x.dataType, shape: x.shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension)) }];
  },
  field: ({ axes }) => (axes.some((axis) => axis >= 2) ? { kind: 'whole' } : { kind: 'same' }),
};
