/** The nine topologies of the test data whose weights are one constant (data/INDEX.md, onnx-light), filled with seeded weights so that they are real networks. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elementCount, type Model } from '../../src-main/graph/graph.ts';
import { constantOf, numbersOf } from '../../src-main/importers/onnx/constants.ts';
import { onnxSchema, type OnnxTensor } from '../../src-main/importers/onnx/messages.ts';
import { readOnnx, type ReadableOnnxModel } from '../../src-main/importers/onnx/read.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { writeMessage } from '../../src-main/importers/protobuf/writeMessage.ts';
import { normalFloats, seededRandom } from './graphs.ts';
import { dataPath } from './testData.ts';

export const lightNetworks = ['zfnet512', 'bvlc_alexnet', 'vgg19', 'inception_v1', 'inception_v2', 'resnet50', 'densenet121', 'shufflenet', 'squeezenet'] as const;

/** The network with seeded weights, as the importer gives it. */
export async function filledLightNetwork(name: (typeof lightNetworks)[number], seed: number): Promise<Model> {
  const path = dataPath(`onnx-light/light_${name}.onnx`);
  const folder = mkdtempSync(join(tmpdir(), 'switchback-light-'));
  try {
    const filled = join(folder, `${name}.onnx`);
    writeFileSync(filled, writeMessage(onnxSchema, 'Model', fillWeights(readOnnx(readFileSync(path), path), seed)));
    return (await openModel(filled)).model;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The file with every ConstantOfShape of weights replaced by an initializer of seeded values, scaled for the operator that reads it. */
export function fillWeights(file: ReadableOnnxModel, seed: number): ReadableOnnxModel {
  const { graph } = file;
  const shapes = new Map(graph.initializers.map((tensor) => [tensor.name, constantOf(tensor)]));
  const random = normalNumbers(seed);
  const filled: OnnxTensor[] = [];
  const nodes = graph.nodes.filter((node) => {
    if (node.opType !== 'ConstantOfShape') return true;
    const dims = numbersOf(shapes.get(node.inputs[0])!)!;
    const [name] = node.outputs as [string];
    const { mean, deviation } = spread(graph.nodes, name, dims);
    const data = Float32Array.from({ length: elementCount(dims) }, () => mean + deviation * random());
    filled.push({ name, dims, dataType: 1, rawData: new Uint8Array(data.buffer), floatData: new Float32Array(0), int32Data: [], int64Data: [], doubleData: new Float64Array(0), externalData: [] });
    return false;
  });
  return { ...file, irVersion: 4, graph: { ...graph, nodes, initializers: [...graph.initializers, ...filled] } };
}

function spread(nodes: ReadableOnnxModel['graph']['nodes'], name: string, dims: readonly number[]): { mean: number; deviation: number } {
  const reader = nodes.find((node) => node.inputs.includes(name))!;
  if (reader.opType === 'Unsqueeze' || (reader.opType === 'Reshape' && reader.inputs[0] === name)) return spread(nodes, reader.outputs[0]!, dims);
  const place = reader.inputs.indexOf(name);
  if (reader.opType === 'Mul' || (reader.opType === 'BatchNormalization' && place === 1)) return { mean: 1, deviation: 0.1 };
  if (reader.opType === 'BatchNormalization' && place === 4) return { mean: 1, deviation: 0 };
  if (reader.opType === 'BatchNormalization' && place === 3) return { mean: 0, deviation: 0 };
  if (place === 1 && (reader.opType === 'Conv' || reader.opType === 'Gemm')) return { mean: 0, deviation: Math.sqrt(2 / elementCount(dims.slice(1))) };
  return { mean: 0, deviation: 0.05 };
}

/** Seeded normal numbers, taken round and round from a table of prime length: vgg19 needs 143 million of them. */
export function normalNumbers(seed: number): () => number {
  const table = normalFloats(seededRandom(seed), 1048573);
  let next = 0;
  return () => table[next === table.length - 1 ? (next = 0) : ++next]!;
}
