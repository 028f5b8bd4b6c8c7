/**
 * What a file that is no model looks like, and what to do about it. People meet web pages saved under a model's name, git LFS pointers and
 * networks of other programs (foreignFiles.ts) far more often than broken models, so each gets its own sentence.
 */
import { AppError } from '../../src-shared/errors.ts';
import { describeForeignFile } from './foreignFiles.ts';

/** The error for a file that is certainly no model that Switchback reads, told before any format is tried; undefined for all others. */
export function foreignFile(bytes: Uint8Array, fileName: string): AppError | undefined {
  const sentence = describe(bytes, fileName) ?? describeForeignFile(bytes, fileName);
  return sentence === undefined ? undefined : new AppError('UNREADABLE_FILE', sentence, { file: fileName });
}

/** The error for a file that no format matched; `reasons` are the formats' own. */
export function unrecognizedFile(bytes: Uint8Array, fileName: string, reasons: readonly string[]): AppError {
  const sentence = describeRest(bytes, fileName) ?? `${fileName} is no model that Switchback knows: ${reasons.join('; ')}. ${openThis}`;
  return new AppError('UNREADABLE_FILE', sentence, { file: fileName });
}

const openThis = 'Open an ONNX, Caffe, Keras or TensorFlow.js model.';

function describe(bytes: Uint8Array, fileName: string): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  if (start.startsWith('version https://git-lfs.github.com/spec/')) {
    const size = /^size (\d+)$/m.exec(start)?.[1];
    const holds = size ? ` It stands for a file of ${size} bytes.` : '';
    return `${fileName} is a git LFS pointer, not the model itself.${holds} Fetch it inside its repository with: git lfs pull --include "*${fileName}"`;
  }
  if (/^\s*(<!doctype html|<html|<head)/i.test(start)) {
    return `${fileName} is a web page (HTML) saved under a model's name. Download the model file itself, for example with the page's "raw" or "download" link.`;
  }
  for (const [what, signature] of signatures) {
    if (start.startsWith(signature)) return `${fileName} is ${what}, not a model. ${openThis}`;
  }
  return undefined;
}

function describeRest(bytes: Uint8Array, fileName: string): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  if (start.startsWith('PK\u0003\u0004')) return `${fileName} is a zip archive, not a model. Unpack it and open the model inside.`;
  if (start.startsWith('\u0089HDF\r\n')) return `${fileName} is an HDF5 file, but no Keras network. ${openThis}`;
  if (/^[\t\n\r\u0020-\u007e]*$/.test(start)) {
    const [line = ''] = start.trimStart().split('\n', 1);
    return `${fileName} is a text file that begins with ${JSON.stringify(line.slice(0, 60))}, not a model. ${openThis}`;
  }
  return undefined;
}

const signatures: readonly (readonly [string, string])[] = [
  ['a JPEG picture', '\u00ff\u00d8\u00ff'],
  ['a PNG picture', '\u0089PNG\r\n'],
  ['a GIF picture', 'GIF8'],
  ['a PDF document', '%PDF'],
  ['a gzip archive (unpack it first)', '\u001f\u008b'],
  ['a NumPy array', '\u0093NUMPY'],
  ['a program', '\u007fELF'],
  ['a program', 'MZ'],
];
