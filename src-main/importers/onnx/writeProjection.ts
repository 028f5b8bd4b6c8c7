/**
 * A projection as an ONNX file that runs anywhere without Switchback: the graph of rewrite/backward behind three numbers that say which unit. Inputs `image` float32
 * `[1, C, H, W]` (preprocessed), `channel`, `row`, `column` int64 scalars; output `projection` float32 `[1, C, H, W]`. The seed, 1.0 at the unit, is made inside:
 * equal to the wanted channel, row and column at once. Numbers that name no unit give a projection of zeros.
 */
import { valueOf } from '../../graph/graph.ts';
import type { ProjectionGraph } from '../../rewrite/backward/projectionGraph.ts';
import { writeMessage } from '../protobuf/writeMessage.ts';
import { dataTypeNumbers, onnxSchema, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from './messages.ts';
import { onnxModel, tensorMessage } from './write.ts';

const unitInputs = ['channel', 'row', 'column'] as const;

/** `description` becomes the file's doc string. Throws AppError UNSUPPORTED where one ONNX file cannot hold the weights. */
export function writeProjection(projection: ProjectionGraph, description: string): Uint8Array {
  const model = onnxModel(projection.graph);
  const renamed = renaming(model.graph.nodes, model.graph.initializers, projection);
  const seed = seedNodes(renamed(projection.seed), fixedShape(projection, projection.seed));
  const { nodes, initializers } = model.graph;
  const imageShape = fixedShape(projection, projection.image);
  return writeMessage(onnxSchema, 'Model', {
    ...model,
    docString: description,
    graph: {
      ...model.graph,
      nodes: [...seed.nodes, ...nodes.map((node) => ({ ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) }))],
      initializers: [...seed.initializers, ...initializers.map((tensor) => ({ ...tensor, name: renamed(tensor.name!) }))],
      inputs: [valueInfo('image', 'float32', imageShape), ...unitInputs.map((name) => valueInfo(name, 'int64', []))],
      outputs: [valueInfo('projection', 'float32', imageShape)],
    },
  });
}

/** The network may use the names of the file's inputs and outputs for values of its own: those give way. */
function renaming(nodes: readonly OnnxNode[], initializers: readonly OnnxTensor[], { image, projection }: ProjectionGraph): (name: string) => string {
  const names = new Map([[image, 'image'], [projection, 'projection']]);
  const taken = new Set([...nodes.flatMap((node) => [...node.inputs, ...node.outputs]), ...initializers.map((tensor) => tensor.name!)]);
  const reserved = (name: string) => name === 'image' || name === 'projection' || name.startsWith('unit/') || (unitInputs as readonly string[]).includes(name);
  for (const wish of [...taken].filter((name) => reserved(name) && !names.has(name))) {
    let name = `network/${wish}`;
    while (taken.has(name)) name = `network/${name}`;
    names.set(wish, name);
    taken.add(name);
  }
  return (name) => names.get(name) ?? name;
}

/** `shape`: `[1, C, H, W]`, or `[1, C]`, whose only row and column are 0. */
function seedNodes(seed: string, shape: readonly number[]): { readonly nodes: readonly OnnxNode[]; readonly initializers: readonly OnnxTensor[] } {
  const [, channels, rows = 1, columns = 1] = shape as readonly [number, number, number?, number?];
  const along = (axis: number, size: number) => shape.map((_, at) => (at === axis ? size : 1));
  const numbersOf = (name: string, dimensions: readonly number[], count: number): OnnxTensor =>
    tensorMessage({ name: `unit/${name}s`, dataType: 'int64', shape: dimensions, data: BigInt64Array.from({ length: count }, (_, at) => BigInt(at)) });
  const node = (opType: string, inputs: readonly string[], output: string): OnnxNode => ({
    opType, name: output, inputs, outputs: [output],
    attributes: opType === 'Cast' ? [{ name: 'to', type: 2, i: dataTypeNumbers.float32, floats: [], ints: [], strings: [] }] : [],
  });
  return {
    initializers: [numbersOf('channel', along(1, channels), channels), numbersOf('row', along(2, rows), rows), numbersOf('column', along(3, columns), columns)],
    nodes: [
      ...unitInputs.map((name) => node('Equal', [`unit/${name}s`, name], `unit/is-${name}`)),
      node('And', ['unit/is-channel', 'unit/is-row'], 'unit/is-both'),
      node('And', ['unit/is-both', 'unit/is-column'], 'unit/is'),
      node('Cast', ['unit/is'], seed),
    ],
  };
}

function fixedShape({ graph }: ProjectionGraph, name: string): readonly number[] {
  return valueOf(graph, name).shape.map((dimension) => (dimension === 'batch' ? 1 : dimension));
}

function valueInfo(name: string, dataType: 'float32' | 'int64', shape: readonly number[]): OnnxValueInfo {
  return { name, type: { tensorType: { elementType: dataTypeNumbers[dataType], shape: { dimensions: shape.map((value) => ({ value })) } } } };
}
