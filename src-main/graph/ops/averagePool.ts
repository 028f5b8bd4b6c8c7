/** Average pooling. */
import { featureMap, required, windowField, windowOutput, type OpSpec } from './spec.ts';

export const averagePool: OpSpec<'AveragePool'> = {
  infer(operands, attributes) {
    const x = required(operands, 0);
    const [batch, channels, height, width] = featureMap(x);
    return [{ dataType: x.dataType, shape: [batch, channels, ...windowOutput(height, width, attributes)] }];
  },
  field: (attributes) => windowField(attributes),
};
