/**
 * Where Caffe's pools end. Unlike a convolution, a pool rounds the number of its windows up, so that a last window may be partly outside; a window that
 * would begin beyond the picture and its leading pad is left out, but Caffe looks at that only where there are pads. Source: PoolingLayer::Reshape.
 */
import type { Size2 } from '../../graph/ops/attributes.ts';
import { refuse } from './conversion.ts';
import type { CaffeLayer } from './network.ts';

/** Windows along one axis; `begin` is the pad on either end. */
export function poolWindows(size: number, kernel: number, stride: number, begin: number, roundsUp: boolean, hasPads = begin > 0): number {
  const steps = (size + 2 * begin - kernel) / stride;
  const windows = (roundsUp ? Math.ceil(steps) : Math.floor(steps)) + 1;
  return hasPads && (windows - 1) * stride >= size + begin ? windows - 1 : windows;
}

/** Pads `[bottom, right]` with which a rounding-down pool has exactly Caffe's windows. */
export function poolEnds(layer: CaffeLayer, sizes: Size2, kernel: Size2, strides: Size2, begins: Size2, roundsUp: boolean): Size2 {
  const hasPads = begins[0] > 0 || begins[1] > 0;
  const end = (axis: 0 | 1): number => {
    const windows = poolWindows(sizes[axis], kernel[axis], strides[axis], begins[axis], roundsUp, hasPads);
    if (windows < 1) refuse(layer, `has a ${kernel.join(' x ')} window, which does not fit into ${sizes.join(' x ')}`);
    const lastBegin = (windows - 1) * strides[axis] - begins[axis];
    if (lastBegin >= sizes[axis]) refuse(layer, `has a last window that begins outside its ${sizes.join(' x ')} input, which Caffe leaves undefined`);
    return Math.max(0, lastBegin + kernel[axis] - sizes[axis]);
  };
  return [end(0), end(1)];
}
