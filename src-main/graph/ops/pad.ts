/** Padding with a constant on the two spatial axes. */
import { featureMap, required, type OpSpec } from './spec.ts';

export const pad: OpSpec<'Pad'> = {
  infer(operands, { pads }) {
    const x = required(operands, 0);
    const [batch, channels, height, width] = featureMap(x);
    return [{ dataType: x.dataType, shape: [batch, channels, height + pads[0] + pads[2], width + pads[1] + pads[3]] }];
  },
  field: ({ pads }) => ({ kind: 'window', size: [1, 1], stride: [1, 1], offset: [-pads[0], -pads[1]] }),
};
