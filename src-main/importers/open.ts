/**
 * Opens a model file of any known format, told apart by content and never by its name.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import type { Model } from '../graph/graph.ts';
import { verify } from '../graph/verify.ts';
import type { ImportReport, ModelFormat, OpenOptions } from './format.ts';
import { onnxFormat } from './onnx/format.ts';
import { unrecognizedFile } from './unrecognized.ts';

const formats: readonly ModelFormat[] = [onnxFormat];

/** Node reads no larger file into one buffer, and no ONNX file is larger. */
const maximumBytes = 2 ** 31 - 1;

export interface OpenedModel {
  readonly model: Model;
  readonly report: ImportReport;
  /** SHA-256 of the file, lower-case hex: the key under which indexes of this model are kept. */
  readonly modelHash: string;
  readonly sizeBytes: number;
}

/**
 * Reads the model at `path`. Throws AppError: NOT_FOUND (no file there), UNREADABLE_FILE (not a model, or a broken one), UNSUPPORTED (an operator
 * or form that Switchback cannot run, named), BAD_REQUEST with `data.needs` = 'inputSize' (the file leaves the input size open).
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  const fileName = basename(path);
  const bytes = await readModelFile(path, fileName);
  const reasons: string[] = [];
  for (const format of formats) {
    const match = format.match(bytes);
    if (match.kind === 'no') {
      reasons.push(`not ${format.name}, as ${match.reason}`);
      continue;
    }
    const { model, report } = format.convert(bytes, fileName, options);
    verify(model.graph);
    refuseWithoutFeatureMaps(model, fileName);
    return { model, report, modelHash: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
  }
  throw unrecognizedFile(bytes, fileName, reasons);
}

async function readModelFile(path: string, fileName: string): Promise<Uint8Array> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new AppError('NOT_FOUND', `There is no file ${path}. Check the path.`, { path }, error);
    throw unreadable(path, error);
  });
  if (status.isDirectory()) throw new AppError('UNREADABLE_FILE', `${path} is a folder. Choose the model file in it, for example model.onnx.`, { path });
  if (status.size === 0) throw new AppError('UNREADABLE_FILE', `${fileName} is empty (0 bytes). Download or export it again.`, { path });
  if (status.size > maximumBytes) {
    throw new AppError('UNSUPPORTED', `${fileName} has ${status.size} bytes; model files up to 2 GiB can be read. Export it with smaller weights.`, { path, sizeBytes: status.size });
  }
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: NodeJS.ErrnoException): AppError {
  return new AppError('UNREADABLE_FILE', `${path} cannot be read (${error.code ?? error.message}). Check its permissions.`, { path }, error);
}

function refuseWithoutFeatureMaps(model: Model, fileName: string): void {
  if (model.graph.nodes.some((node) => node.kind === 'Conv' || node.kind === 'ConvTranspose')) return;
  throw new AppError('UNSUPPORTED', `The network in ${fileName} has no convolution, so no channels with positions to look at. Open a convolutional network.`, { file: fileName });
}
