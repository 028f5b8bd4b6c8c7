/**
 * What a file that is no model looks like, and what to do about it. People meet web pages saved under a model's name, git LFS pointers and
 * PyTorch files far more often than broken models, so each gets its own sentence.
 */
import { AppError } from '../../src-shared/errors.ts';

/** The error for a file that no format matched; `reasons` are the formats' own, for the details. */
export function unrecognizedFile(bytes: Uint8Array, fileName: string, reasons: readonly string[]): AppError {
  const sentence = describe(bytes, fileName) ?? `${fileName} is no model that Switchback knows: ${reasons.join('; ')}. Open an ONNX file (.onnx).`;
  return new AppError('UNREADABLE_FILE', sentence, { file: fileName });
}

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
  if (start.startsWith('PK\u0003\u0004')) return describeArchive(start, fileName);
  if (start.startsWith('\u0080\u0002\u008a\u000al\u00fc\u009cF\u00f9 j\u00a8P\u0019')) return pyTorch(fileName);
  if (start.startsWith('\u0089HDF\r\n')) {
    return `${fileName} is an HDF5 file, probably a Keras network. This version opens ONNX: convert it with python -m tf2onnx.convert --keras ${fileName} --output model.onnx --inputs-as-nchw <input name>`;
  }
  for (const [what, signature] of signatures) {
    if (start.startsWith(signature)) return `${fileName} is ${what}, not a model. Open an ONNX file (.onnx).`;
  }
  if (/^[\t\n\r\u0020-\u007e]*$/.test(start)) {
    const [line = ''] = start.trimStart().split('\n', 1);
    return `${fileName} is a text file that begins with ${JSON.stringify(line.slice(0, 60))}, not a model. Open an ONNX file (.onnx).`;
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

function describeArchive(start: string, fileName: string): string {
  if (/\.pkl|\/version|\.format_version/.test(start) || /\.(pt|pth)$/i.test(fileName)) return pyTorch(fileName);
  return `${fileName} is a zip archive, not a model. Unpack it and open the ONNX file (.onnx) inside.`;
}

function pyTorch(fileName: string): string {
  return `${fileName} is a PyTorch file: it holds weights, but not the network in a form others can run. Load it in Python and export it with: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx")`;
}
