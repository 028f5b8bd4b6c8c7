/** Down through average pooling: each output's signal is spread evenly over its window, with the forward divisor. */
import { outputPaddingOf } from './conv.ts';
import { first, type Rule } from '../rule.ts';
import type { WindowAttributes } from '../../../graph/ops/attributes.ts';

export const averagePool: Rule<'AveragePool'> = {
  saves: [],
  backward({ node, signal, shapeOf, emit, constant }) {
    const { kernel, strides, dilations, pads, countIncludePad } = node.attributes;
    const [, channels, height, width] = shapeOf(node.inputs[0]!) as number[];
    const [, , rows, columns] = shapeOf(node.outputs[0]!) as number[];
    const shares = new Float32Array(rows! * columns!);
    for (let y = 0; y < rows!; y++) {
      for (let x = 0; x < columns!; x++) {
        const counted = countIncludePad
          ? kernel[0] * kernel[1]
          : inside(node.attributes, 0, y, height!) * inside(node.attributes, 1, x, width!);
        shares[y * columns! + x] = 1 / counted;
      }
    }
    const shared = emit('Mul', [signal, constant(`${node.name}:shares`, [1, 1, rows!, columns!], shares)], {});
    const ones = constant(`${node.name}:ones`, [channels!, 1, ...kernel], new Float32Array(channels! * kernel[0] * kernel[1]).fill(1));
    return first(
      emit('ConvTranspose', [shared, ones], { kernel, strides, dilations, pads, group: channels!, outputPadding: outputPaddingOf(node.attributes, height!, width!) }),
    );
  },
};

/** How many taps of the window at output position `at` fall inside the input along one axis. */
function inside({ kernel, strides, dilations, pads }: WindowAttributes, axis: 0 | 1, at: number, size: number): number {
  let count = 0;
  for (let tap = 0; tap < kernel[axis]; tap++) {
    const position = at * strides[axis] - pads[axis] + tap * dilations[axis];
    if (position >= 0 && position < size) count++;
  }
  return count;
}
