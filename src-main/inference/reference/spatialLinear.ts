/** A linear map along one spatial axis: y[.., i, ..] = sum over j of matrix[i, j] * x[.., j, ..]. */
import { elementCount } from '../../graph/graph.ts';
import { floats, type Kernel } from './kernel.ts';

export const spatialLinear: Kernel<'SpatialLinear'> = (inputs, { axis, size }) => {
  const x = floats(inputs, 0);
  const matrix = floats(inputs, 1);
  const length = x.shape[axis]!;
  const shape = x.shape.map((old, at) => (at === axis ? size : old));
  const step = elementCount(x.shape.slice(axis + 1));
  const data = new Float32Array(elementCount(shape));
  for (let at = 0; at < data.length; at++) {
    const row = Math.floor(at / step) % size;
    const start = Math.floor(at / (step * size)) * length * step + (at % step);
    let sum = 0;
    for (let j = 0; j < length; j++) sum += matrix.data[row * length + j]! * x.data[start + j * step]!;
    data[at] = sum;
  }
  return [{ shape, data }];
};
