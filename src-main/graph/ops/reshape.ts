/** The same elements in another shape. Positions survive only where height and width do. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Shape } from '../graph.ts';
import { required, shapeText, type OpSpec } from './spec.ts';

export const reshape: OpSpec<'Reshape'> = {
  infer(operands, { shape }) {
    const x = required(operands, 0);
    if (fixedCount(x.shape) !== fixedCount(shape) || batches(x.shape) !== batches(shape)) {
      throw new AppError('UNSUPPORTED', `cannot reshape ${shapeText(x.shape)} to ${shapeText(shape)}`);
    }
    return [{ dataType: x.dataType, shape }];
  },
  field({ shape }, operands) {
    const from = operands[0]?.shape ?? [];
    return from.at(-1) === shape.at(-1) && from.at(-2) === shape.at(-2) && from.length >= 4 && shape.length >= 4 ? { kind: 'same' } : { kind: 'whole' };
  },
};

function fixedCount(shape: Shape): number {
  return shape.reduce<number>((product, dimension) => (dimension === 'batch' ? product : product * dimension), 1);
}

function batches(shape: Shape): number {
  return shape.filter((dimension) => dimension === 'batch').length;
}
