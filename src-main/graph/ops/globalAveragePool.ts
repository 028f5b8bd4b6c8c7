/** Mean over all positions of a channel. */
import { featureMap, required, type OpSpec } from './spec.ts';

export const globalAveragePool: OpSpec<'GlobalAveragePool'> = {
  infer(operands) {
    const x = required(operands, 0);
    const [batch, channels] = featureMap(x);
    return [{ dataType: x.dataType, shape: [batch, channels, 1, 1] }];
  },
  field: () => ({ kind: 'whole' }),
};
