/** Windows in TensorFlow's terms: what `same` and `valid` padding mean in explicit pads, forwards and for transposed convolutions. */
import type { Pads, Size2, WindowAttributes } from '../../graph/ops/attributes.ts';

export type Padding = 'same' | 'valid';

/** `same`: the output has ceil(size / stride) steps, what is missing is divided with the larger half at the end. */
export function windowOn(size: Size2, padding: Padding, kernel: Size2, strides: Size2, dilations: Size2 = [1, 1]): WindowAttributes {
  const window = { kernel, strides, dilations };
  if (padding === 'valid') return { ...window, pads: [0, 0, 0, 0] };
  const totals = ([0, 1] as const).map((axis) => {
    const steps = Math.ceil(size[axis] / strides[axis]);
    return Math.max(0, (steps - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - size[axis]);
  });
  return { ...window, pads: divided(totals as [number, number]) };
}

/** A transposed convolution that makes exactly `output` rows and columns: the way back of a convolution with this padding on that size. */
export function transposedWindow(size: Size2, output: Size2, padding: Padding, kernel: Size2, strides: Size2, dilations: Size2): WindowAttributes & { readonly outputPadding: Size2 } {
  const full = ([0, 1] as const).map((axis) => strides[axis] * (size[axis] - 1) + dilations[axis] * (kernel[axis] - 1) + 1);
  const totals = full.map((length, axis) => (padding === 'same' ? Math.max(0, length - output[axis]!) : 0));
  const missing = full.map((length, axis) => output[axis]! - (length - totals[axis]!));
  return { kernel, strides, dilations, pads: divided(totals as [number, number]), outputPadding: missing as [number, number] };
}

function divided([rows, columns]: readonly [number, number]): Pads {
  const top = Math.floor(rows / 2);
  const left = Math.floor(columns / 2);
  return [top, left, rows - top, columns - left];
}
