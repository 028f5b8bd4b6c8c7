/** The ranking key: a channel's largest value and where it first stands in row-major order (method.md section 1, "score"). */
import { AppError } from '../../../src-shared/errors.ts';
import { required, shapeText, type OpSpec } from './spec.ts';

export const spatialMax: OpSpec<'SpatialMax'> = {
  infer(operands) {
    const { shape } = required(operands, 0);
    if (shape.length !== 4 && shape.length !== 2) throw new AppError('UNSUPPORTED', `expected [N, C, H, W] or [N, C], got ${shapeText(shape)}`);
    const channels = [shape[0]!, shape[1]!];
    return [
      { dataType: 'float32', shape: channels },
      { dataType: 'int64', shape: channels },
    ];
  },
  field: () => ({ kind: 'whole' }),
};
