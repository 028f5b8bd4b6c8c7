/** Convolution (cross-correlation), ONNX Conv with settled pads. */
import { AppError } from '../../../src-shared/errors.ts';
import { featureMap, required, shapeText, windowField, windowOutput, type OpSpec } from './spec.ts';

export const conv: OpSpec<'Conv'> = {
  infer(operands, attributes) {
    const x = required(operands, 0);
    const [batch, channels, height, width] = featureMap(x);
    const weights = required(operands, 1).shape;
    const [outputs, perGroup, rows, columns] = weights;
    if (weights.length !== 4 || typeof outputs !== 'number' || perGroup !== channels / attributes.group || rows !== attributes.kernel[0] || columns !== attributes.kernel[1] || outputs % attributes.group !== 0) {
      throw new AppError('UNSUPPORTED', `weights ${shapeText(weights)} do not fit ${channels} channels in ${attributes.group} group(s) with a ${attributes.kernel.join(' x ')} kernel`);
    }
    return [{ dataType: x.dataType, shape: [batch, outputs, ...windowOutput(height, width, attributes)] }];
  },
  field: (attributes) => windowField(attributes),
};
