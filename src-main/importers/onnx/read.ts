/** Bytes of an ONNX file -> its messages, with one clear sentence where the file is cut off or broken. */
import { AppError } from '../../../src-shared/errors.ts';
import { readMessage, WireError } from '../protobuf/readMessage.ts';
import { onnxSchema, type OnnxGraph, type OnnxModel } from './messages.ts';

export type ReadableOnnxModel = OnnxModel & { readonly graph: OnnxGraph };

/** Throws AppError UNREADABLE_FILE. Weights are views into `bytes`. */
export function readOnnx(bytes: Uint8Array, fileName: string): ReadableOnnxModel {
  let model: OnnxModel;
  try {
    model = readMessage<OnnxModel>(onnxSchema, 'Model', bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const data = { file: fileName, offset: error.offset, sizeBytes: bytes.length };
    if (error.reason === 'truncated') {
      throw new AppError('UNREADABLE_FILE', `${fileName} is cut off: ${error.message}. Download or export it again.`, data, error);
    }
    throw new AppError('UNREADABLE_FILE', `${fileName} is broken at byte ${error.offset}: ${error.message}. Download or export it again.`, data, error);
  }
  const { graph } = model;
  if (!graph) throw new AppError('UNREADABLE_FILE', `${fileName} is an ONNX file without a graph, or cut off before it. Download or export it again.`, { file: fileName });
  return { ...model, graph };
}
