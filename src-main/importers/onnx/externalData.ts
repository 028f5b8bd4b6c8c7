/**
 * Weights that an ONNX model keeps in files of their own beside it (IR 4 on: models over 2 GiB, and torch.onnx.export by default). A tensor names
 * its file, and where in it its bytes stand; nothing outside the model's folder is read.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Siblings } from '../format.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './messages.ts';
import type { ReadableOnnxModel } from './read.ts';

/** TensorProto.DataLocation EXTERNAL. */
const external = 1;

/** The model with the bytes of its outside tensors in place. Throws AppError NOT_FOUND (a file is missing), UNREADABLE_FILE (it is too short) or UNSUPPORTED (it lies elsewhere). */
export function withExternalData(file: ReadableOnnxModel, fileName: string, siblings: Siblings): ReadableOnnxModel {
  const contents = new Map<string, Uint8Array>();
  const filled = (tensor: OnnxTensor): OnnxTensor => (tensor.dataLocation === external ? fill(tensor, fileName, siblings, contents) : tensor);
  const attribute = (given: OnnxAttribute): OnnxAttribute => (given.t?.dataLocation === external ? { ...given, t: filled(given.t) } : given);
  const node = (given: OnnxNode): OnnxNode => (given.attributes.some(({ t }) => t?.dataLocation === external) ? { ...given, attributes: given.attributes.map(attribute) } : given);
  const { graph } = file;
  return { ...file, graph: { ...graph, initializers: graph.initializers.map(filled), nodes: graph.nodes.map(node) } };
}

function fill(tensor: OnnxTensor, fileName: string, siblings: Siblings, contents: Map<string, Uint8Array>): OnnxTensor {
  const name = JSON.stringify(tensor.name ?? '');
  const entry = (key: string): string | undefined => tensor.externalData.find((each) => each.key === key)?.value;
  const location = entry('location');
  if (!location) throw new AppError('UNREADABLE_FILE', `The weights ${name} of ${fileName} are kept in another file, but it is not named. Export the model again.`, { file: fileName });
  const content = contents.get(location) ?? readBeside(location, name, fileName, siblings);
  contents.set(location, content);
  const offset = Number(entry('offset') ?? 0);
  const length = Number(entry('length') ?? content.length - offset);
  if (!(Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0 && offset + length <= content.length)) {
    throw new AppError(
      'UNREADABLE_FILE',
      `The weights ${name} should stand in ${location} from byte ${offset} to ${offset + length}, but that file has ${content.length} bytes. Copy it again, or export the model again.`,
      { file: fileName, location },
    );
  }
  return { ...tensor, dataLocation: 0, rawData: content.subarray(offset, offset + length) };
}

function readBeside(location: string, tensor: string, fileName: string, siblings: Siblings): Uint8Array {
  try {
    return siblings.read(location);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
    throw new AppError(
      'NOT_FOUND',
      `${fileName} keeps its weights (${tensor} among them) in the file ${location}, which is not beside it. Put ${location} into the same folder, or save the model as one file: onnx.save(onnx.load("${fileName}"), "one-file.onnx")`,
      { file: fileName, location },
      error,
    );
  }
}
