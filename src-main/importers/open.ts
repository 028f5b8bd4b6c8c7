/**
 * Opens a model file of any known format, told apart by content and never by its name.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import type { Model } from '../graph/graph.ts';
import { verify } from '../graph/verify.ts';
import { caffeFormat } from './caffe/format.ts';
import type { ImportReport, ModelFormat, OpenOptions } from './format.ts';
import { kerasFormat } from './keras/format.ts';
import { onnxFormat } from './onnx/format.ts';
import { withinNameLimits } from './names.ts';
import { maximumModelBytes, siblingsOf } from './siblings.ts';
import { tensorflowjsFormat } from './tensorflowjs/format.ts';
import { foreignFile, unrecognizedFile } from './unrecognized.ts';

const formats: readonly ModelFormat[] = [onnxFormat, tensorflowjsFormat, kerasFormat, caffeFormat];

export interface OpenedModel {
  readonly model: Model;
  readonly report: ImportReport;
  /**
   * The key under which indexes of this model are kept, lower-case hex: SHA-256 of the file; of a model in several files, of their sorted
   * SHA-256 in hex, so that it does not matter which of them was opened.
   */
  readonly modelHash: string;
  /** Of all its files. */
  readonly sizeBytes: number;
}

/**
 * Reads the model at `path`. Throws AppError: NOT_FOUND (no file there), UNREADABLE_FILE (not a model, or a broken one), UNSUPPORTED (an operator
 * or form that Switchback cannot run, named), BAD_REQUEST with `data.needs` = 'inputSize' (the file leaves the input size open).
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  const fileName = basename(path);
  const bytes = await readModelFile(path, fileName);
  const foreign = foreignFile(bytes, fileName);
  if (foreign) throw foreign;
  const reasons: string[] = [];
  for (const format of formats) {
    const match = format.match(bytes);
    if (match.kind === 'no') {
      reasons.push(`not ${format.name}, as ${match.reason}`);
      continue;
    }
    const siblings = siblingsOf(path);
    const { model: converted, report } = await format.convert(bytes, fileName, options, siblings);
    const model = withinNameLimits(converted, fileName);
    verify(model.graph);
    refuseWithoutFeatureMaps(model, fileName);
    const files = [bytes, ...siblings.parts.values()];
    return { model, report, modelHash: hashOf(files), sizeBytes: files.reduce((sum, file) => sum + file.length, 0) };
  }
  throw unrecognizedFile(bytes, fileName, reasons);
}

async function readModelFile(path: string, fileName: string): Promise<Uint8Array> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new AppError('NOT_FOUND', `There is no file ${path}. Check the path.`, { path }, error);
    throw unreadable(path, error);
  });
  if (status.isDirectory()) throw folderError(path);
  if (status.size === 0) throw new AppError('UNREADABLE_FILE', `${fileName} is empty (0 bytes). Download or export it again.`, { path });
  if (status.size > maximumModelBytes) {
    throw new AppError('UNSUPPORTED', `${fileName} has ${status.size} bytes; model files up to 2 GiB can be read. Export it with smaller weights.`, { path, sizeBytes: status.size });
  }
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
}

/** Two kinds of networks are folders. */
function folderError(path: string): AppError {
  const holds = (name: string): boolean => existsSync(join(path, name));
  if (holds('saved_model.pb')) {
    return new AppError('UNREADABLE_FILE', `${path} is a TensorFlow SavedModel. Make an ONNX of it with: python -m tf2onnx.convert --saved-model ${path} --output model.onnx`, { path });
  }
  if (holds('Manifest.json') && holds('Data')) {
    return new AppError('UNREADABLE_FILE', `${path} is a Core ML package, which cannot be turned into an ONNX. Open the network that it was converted from.`, { path });
  }
  return new AppError('UNREADABLE_FILE', `${path} is a folder. Choose the model file in it, for example model.onnx.`, { path });
}

function hashOf(files: readonly Uint8Array[]): string {
  const hashes = files.map((file) => createHash('sha256').update(file).digest('hex'));
  return hashes.length === 1 ? hashes[0]! : createHash('sha256').update(hashes.sort().join('\n')).digest('hex');
}

function unreadable(path: string, error: NodeJS.ErrnoException): AppError {
  return new AppError('UNREADABLE_FILE', `${path} cannot be read (${error.code ?? error.message}). Check its permissions.`, { path }, error);
}

function refuseWithoutFeatureMaps(model: Model, fileName: string): void {
  if (model.graph.nodes.some((node) => node.kind === 'Conv' || node.kind === 'ConvTranspose')) return;
  throw new AppError('UNSUPPORTED', `The network in ${fileName} has no convolution, so no channels with positions to look at. Open a convolutional network.`, { file: fileName });
}
