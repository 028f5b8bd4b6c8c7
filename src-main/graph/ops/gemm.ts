/** Fully connected layer: `[N, K]` times a constant matrix. */
import { AppError } from '../../../src-shared/errors.ts';
import { required, shapeText, type OpSpec } from './spec.ts';

export const gemm: OpSpec<'Gemm'> = {
  infer(operands, { transposeB }) {
    const a = required(operands, 0);
    const b = required(operands, 1);
    const inner = b.shape[transposeB ? 1 : 0];
    const outputs = b.shape[transposeB ? 0 : 1];
    if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[1] !== inner || outputs === undefined) {
      throw new AppError('UNSUPPORTED', `cannot multiply ${shapeText(a.shape)} by ${shapeText(b.shape)}${transposeB ? ' transposed' : ''}`);
    }
    return [{ dataType: a.dataType, shape: [a.shape[0]!, outputs] }];
  },
  field: () => ({ kind: 'whole' }),
};
