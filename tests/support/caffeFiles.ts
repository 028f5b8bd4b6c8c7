/** Small Caffe networks made in memory: a prototxt as text, a .caffemodel of the blobs given. */
import { convertCaffe } from '../../src-main/importers/caffe/format.ts';
import { caffeSchema } from '../../src-main/importers/caffe/weights.ts';
import { verify } from '../../src-main/graph/verify.ts';
import type { Model } from '../../src-main/graph/graph.ts';
import type { ImportReport, OpenOptions, Siblings } from '../../src-main/importers/format.ts';
import { writeMessage } from '../../src-main/importers/protobuf/writeMessage.ts';
import { AppError } from '../../src-shared/errors.ts';

export type Blobs = Readonly<Record<string, readonly { readonly shape: readonly number[]; readonly data: readonly number[] | Float32Array }[]>>;

/** A .caffemodel of the newest syntax. */
export function caffemodel(blobs: Blobs): Uint8Array {
  const layers = Object.entries(blobs).map(([name, list]) => ({ name, blobs: list.map(({ shape, data }) => ({ shape: { dim: shape }, data })) }));
  return writeMessage(caffeSchema, 'Net', { name: 'net', layers });
}

/** Files by name in place of a folder. */
export function filesBeside(files: Readonly<Record<string, Uint8Array | string>>): Siblings {
  const read = (name: string): Uint8Array => {
    const file = files[name];
    if (file === undefined) throw new AppError('NOT_FOUND', `no ${name}`);
    return typeof file === 'string' ? new TextEncoder().encode(file) : file;
  };
  return { list: () => Object.keys(files).sort(), read, peek: (name, maximumBytes) => read(name).subarray(0, maximumBytes) };
}

/** Opens a prototxt (`net.prototxt`) with its weights beside it (`net.caffemodel`), and other files. The weights hold an `unused` layer beside those given, so that they are never empty. */
export function openCaffe(text: string, blobs: Blobs, options: OpenOptions = {}, others: Readonly<Record<string, Uint8Array | string>> = {}): { readonly model: Model; readonly report: ImportReport } {
  const opened = convertCaffe(new TextEncoder().encode(text), 'net.prototxt', options, filesBeside({ 'net.caffemodel': caffemodel({ unused: [{ shape: [1], data: [0] }], ...blobs }), ...others }));
  verify(opened.model.graph);
  return opened;
}

/** A network's head: one input `data` of this shape. */
export function inputText(...shape: readonly number[]): string {
  return `input: "data" input_shape { ${shape.map((size) => `dim: ${size}`).join(' ')} }\n`;
}

/** One layer in the newest syntax, from `data` to `y`. */
export function layerText(type: string, rest = '', name = 'y'): string {
  return `layer { name: "${name}" type: "${type}" bottom: "data" top: "${name}" ${rest} }\n`;
}
