/** A linear map along one spatial axis: resizing, padding by reflection or repetition. */
import { AppError } from '../../../src-shared/errors.ts';
import { featureMap, required, shapeText, type OpSpec } from './spec.ts';

export const spatialLinear: OpSpec<'SpatialLinear'> = {
  infer(operands, { axis, size }) {
    const x = required(operands, 0);
    const shape = [...featureMap(x)];
    const matrix = required(operands, 1).shape;
    if (matrix.length !== 2 || matrix[0] !== size || matrix[1] !== shape[axis]) {
      throw new AppError('UNSUPPORTED', `the matrix ${shapeText(matrix)} does not map axis ${axis} of ${shapeText(x.shape)} to ${size}`);
    }
    shape[axis] = size;
    return [{ dataType: x.dataType, shape }];
  },
  field: ({ axis, window }) => ({
    kind: 'window',
    size: axis === 2 ? [window.size, 1] : [1, window.size],
    stride: axis === 2 ? [window.stride, 1] : [1, window.stride],
    offset: axis === 2 ? [window.offset, 0] : [0, window.offset],
  }),
};
