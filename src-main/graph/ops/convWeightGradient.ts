/** What a convolution's weights are told by the signal at its output: the correlation of its input with that signal, summed over the batch. */
import { AppError } from '../../../src-shared/errors.ts';
import { featureMap, required, shapeText, windowOutput, type OpSpec } from './spec.ts';

export const convWeightGradient: OpSpec<'ConvWeightGradient'> = {
  infer(operands, attributes) {
    const x = required(operands, 0);
    const signal = required(operands, 1);
    const [batch, channels, height, width] = featureMap(x);
    const [signalBatch, outputs, ...size] = featureMap(signal);
    const { group, kernel } = attributes;
    if (signalBatch !== batch || channels % group !== 0 || outputs % group !== 0 || windowOutput(height, width, attributes).join() !== size.join()) {
      throw new AppError('UNSUPPORTED', `a signal ${shapeText(signal.shape)} is not what a ${kernel.join(' x ')} convolution in ${group} group(s) makes of ${shapeText(x.shape)}`);
    }
    return [{ dataType: x.dataType, shape: [outputs, channels / group, ...kernel] }];
  },
  field: () => ({ kind: 'whole' }),
};
