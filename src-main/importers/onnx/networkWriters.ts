/**
 * Operators as a person, or another program, wants to find them in a file that holds a network: by their name where ONNX has one, even where several
 * operators run faster (operatorWriters.ts).
 */
import type { OperatorWriter } from './nodeWriter.ts';

const lrn: OperatorWriter<'LRN'> = (node, { add }) => {
  const { size, alpha, beta, bias } = node.attributes;
  add('LRN', node.inputs, node.outputs, { size, alpha: { float: alpha }, beta: { float: beta }, bias: { float: bias } });
};

export const networkWriters = { LRN: lrn } as const;
