/** Transposed convolution, ONNX ConvTranspose: also the way back through a Conv. */
import { AppError } from '../../../src-shared/errors.ts';
import { featureMap, required, shapeText, type OpSpec } from './spec.ts';

export const convTranspose: OpSpec<'ConvTranspose'> = {
  infer(operands, { kernel, strides, dilations, pads, outputPadding, group }) {
    const x = required(operands, 0);
    const [batch, channels, height, width] = featureMap(x);
    const weights = required(operands, 1).shape;
    const [inputs, perGroup] = weights;
    if (weights.length !== 4 || inputs !== channels || typeof perGroup !== 'number' || weights[2] !== kernel[0] || weights[3] !== kernel[1]) {
      throw new AppError('UNSUPPORTED', `transposed weights ${shapeText(weights)} do not fit ${channels} channels with a ${kernel.join(' x ')} kernel`);
    }
    const rows = strides[0] * (height - 1) + outputPadding[0] + dilations[0] * (kernel[0] - 1) + 1 - pads[0] - pads[2];
    const columns = strides[1] * (width - 1) + outputPadding[1] + dilations[1] * (kernel[1] - 1) + 1 - pads[1] - pads[3];
    return [{ dataType: x.dataType, shape: [batch, perGroup * group, rows, columns] }];
  },
  /** Output row y is reached from input rows with stride * row - top <= y: ceil((top + y - (k-1)d) / s) .. floor((top + y) / s); a window of fixed, possibly rational size holds them for every y. */
  field({ kernel, strides, dilations, pads }) {
    const span = [dilations[0] * (kernel[0] - 1), dilations[1] * (kernel[1] - 1)] as const;
    return {
      kind: 'window',
      size: [span[0] / strides[0] + 1, span[1] / strides[1] + 1],
      stride: [1 / strides[0], 1 / strides[1]],
      offset: [(pads[0] - span[0]) / strides[0], (pads[1] - span[1]) / strides[1]],
    };
  },
};
