/**
 * Networks in ONNX form that Switchback cannot show, told before anything is converted: what is quantized to 8 bits, and what has no spatial
 * channels. Each gets the sentence that says what to open instead, rather than the name of the first operator that fails.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { fedInputs } from './imageInput.ts';
import type { OnnxGraph, OnnxNode } from './messages.ts';

/** Operators that quantizers put in (ONNX QDQ and QOperator forms, and those of onnxruntime's own domain). */
const quantized = /^(DynamicQuantizeLinear|QuantizeLinear|DequantizeLinear|ConvInteger|MatMulInteger|QLinear\w+|QGemm|QAttention|MatMulNBits)$/;

/** Products of two values; of a running value with itself or another they are attention. */
const products = new Set(['MatMul', 'Einsum', 'Attention', 'MultiHeadAttention', 'GroupQueryAttention']);

/** A vision transformer cuts its picture into patches by one convolution; a convolutional network has more. */
const mostPatchConvolutions = 1;

/** Throws AppError UNSUPPORTED. */
export function refuseOtherNetworks(graph: OnnxGraph, fileName: string): void {
  const rounded = graph.nodes.find((node) => quantized.test(node.opType ?? ''));
  if (rounded) {
    throw new AppError(
      'UNSUPPORTED',
      `${fileName} is quantized to whole numbers (${rounded.opType} in ${place(rounded)}): its values are rounded, and nothing can be carried back through them. Open the float32 model that it was made from, the input of quantize_static, or export the network again without quantization.`,
      { file: fileName, op: rounded.opType ?? '' },
    );
  }
  if (graph.nodes.filter(({ opType }) => opType === 'Conv' || opType === 'ConvTranspose').length > mostPatchConvolutions) return;
  const attention = firstAttention(graph);
  if (!attention) return;
  throw new AppError(
    'UNSUPPORTED',
    `The network in ${fileName} is a transformer: ${attention.opType} in ${place(attention)} multiplies two values that are both computed from its input (attention). It has no spatial channels to look at. Open a convolutional network.`,
    { file: fileName, node: attention.name ?? '' },
  );
}

function firstAttention(graph: OnnxGraph): OnnxNode | undefined {
  const running = new Set(fedInputs(graph).map(({ name }) => name ?? ''));
  for (const node of graph.nodes) {
    const operands = node.inputs.filter((input) => running.has(input));
    if (products.has(node.opType ?? '') && (operands.length > 1 || node.opType!.endsWith('Attention'))) return node;
    if (operands.length > 0 && node.opType !== 'Shape') for (const output of node.outputs) running.add(output);
  }
  return undefined;
}

function place(node: OnnxNode): string {
  return node.name ? `node ${JSON.stringify(node.name)}` : `the node that makes ${JSON.stringify(node.outputs[0] ?? '')}`;
}
