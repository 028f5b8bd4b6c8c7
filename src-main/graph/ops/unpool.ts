/** Unpooling by switches: every signal value is added where its maximum was (method.md section 3: repeated switches are summed). */
import { featureMap, required, type OpSpec } from './spec.ts';

export const unpool: OpSpec<'Unpool'> = {
  infer(operands, { height, width }) {
    const signal = required(operands, 0);
    required(operands, 1);
    const [batch, channels] = featureMap(signal);
    return [{ dataType: signal.dataType, shape: [batch, channels, height, width] }];
  },
  field: () => ({ kind: 'whole' }),
};
