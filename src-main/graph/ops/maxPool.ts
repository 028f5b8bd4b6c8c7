/** Max pooling, with its switches as a second output where they are asked for. */
import { featureMap, required, windowField, windowOutput, type OpSpec } from './spec.ts';

export const maxPool: OpSpec<'MaxPool'> = {
  infer(operands, attributes, outputs) {
    const x = required(operands, 0);
    const [batch, channels, height, width] = featureMap(x);
    const shape = [batch, channels, ...windowOutput(height, width, attributes)];
    const pooled = { dataType: x.dataType, shape };
    return outputs > 1 ? [pooled, { dataType: 'int64', shape }] : [pooled];
  },
  field: (attributes) => windowField(attributes),
};
