/**
 * Files of half the size: filters and matrices as float16, each behind a Cast to float32, so that whoever runs the file computes as before with the rounded values.
 * Short lists (biases, scales, variances) stay as they are: they take no room, and some of them are divided by.
 */
/// <reference lib="esnext.float16" />
import { dataTypeNumbers, type OnnxNode, type OnnxTensor } from './messages.ts';
import type { WritableOnnxModel } from './write.ts';

/** Constants of fewer elements stay float32. */
const fewestElements = 1024;
/** What float16 can hold without losing more than its last digit of the largest value: the largest finite value, and the smallest normal one. */
const [largest, smallest] = [65_504, 2 ** -14];

/** The model with its large float32 constants rounded to float16; one whose values do not fit stays as it is. */
export function withHalfWeights(model: WritableOnnxModel): WritableOnnxModel {
  const { graph } = model;
  const names = new Set([...graph.initializers.map((tensor) => tensor.name!), ...graph.nodes.flatMap((node) => node.outputs), ...graph.inputs.map((input) => input.name!)]);
  const casts: OnnxNode[] = [];
  const initializers = graph.initializers.map((tensor) => {
    const halves = halvesOf(tensor);
    if (!halves) return tensor;
    let name = `${tensor.name!}/half`;
    while (names.has(name)) name += '_';
    names.add(name);
    casts.push({ opType: 'Cast', name: `${name}/cast`, inputs: [name], outputs: [tensor.name!], attributes: [{ name: 'to', type: 2, i: dataTypeNumbers.float32, floats: [], ints: [], strings: [] }] });
    return { ...tensor, name, dataType: dataTypeNumbers.float16, rawData: new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength) };
  });
  return { ...model, graph: { ...graph, nodes: [...casts, ...graph.nodes], initializers } };
}

function halvesOf({ dataType, dims, rawData }: OnnxTensor): Float16Array<ArrayBuffer> | undefined {
  const count = dims.reduce((product, size) => product * size, 1);
  if (dataType !== dataTypeNumbers.float32 || dims.length < 2 || count < fewestElements || !rawData) return undefined;
  const values = new Float32Array(rawData.buffer, rawData.byteOffset, count);
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most === 0 || (most >= smallest && most <= largest) ? Float16Array.from(values) : undefined;
}
