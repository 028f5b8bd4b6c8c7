/**
 * HDF5 files, as far as Keras uses them: groups, text attributes, arrays of numbers. The only file that loads the HDF5 library (WebAssembly), and only
 * when a network needs it. Sizes in a file are checked before anything is read by them.
 */
import type { Dataset, File, Group } from 'h5wasm';
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount } from '../../graph/graph.ts';
import type { FileTensor } from './operations.ts';

export interface Hdf5File {
  /** A text attribute of a group ('' is the file's root), undefined where there is none. */
  text(group: string, attribute: string): string | undefined;
  /** A list of texts; Keras cuts long ones into `name0`, `name1` ... */
  texts(group: string, attribute: string): readonly string[] | undefined;
  /** Names in a group, empty where it is none. */
  children(group: string): readonly string[];
  isArray(path: string): boolean;
  /** Numbers as float32, undefined where there is no array. Throws AppError UNREADABLE_FILE or UNSUPPORTED. */
  array(path: string): FileTensor | undefined;
}

/** Weights hardly compress: an array this much larger than the file that should hold it is a lie. */
const largestExpansion = 64;
const largestArrayBytes = 2 ** 30;

/** Opens the file for the time of `read`. Throws AppError UNREADABLE_FILE where it is broken. */
export async function readHdf5<T>(bytes: Uint8Array, fileName: string, read: (file: Hdf5File) => T): Promise<T> {
  const library = await import('h5wasm');
  const { FS: files } = await library.ready;
  silence(files);
  const path = `/${fileName.replace(/[^\w.]/g, '_')}.reading`;
  let file: File | undefined;
  try {
    // The library's description leaves `canOwn` out: the bytes are taken as they are, not copied.
    files.writeFile(path, bytes, { canOwn: true } as object);
    file = new library.File(path, 'r');
    if (file.file_id < 0n) throw new Error('it does not open');
    return read(viewOf(file, library, bytes.length, fileName));
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new AppError('UNREADABLE_FILE', `${fileName} is a broken or cut off HDF5 file (${reason}). Download or save it again.`, { file: fileName }, error);
  } finally {
    try {
      file?.close();
    } finally {
      if (files.analyzePath(path).exists) files.unlink(path);
    }
  }
}

interface LibraryFiles {
  readonly streams: { readonly [descriptor: number]: { readonly path?: string } | undefined };
  close(stream: object): void;
  open(path: string, flags: string): unknown;
}

/** The library prints traces of its own of every failed look-up: its standard error leads nowhere. Descriptors are given out from the lowest free one. */
function silence(library: object): void {
  const files = library as LibraryFiles;
  const errors = files.streams[2];
  if (!errors || errors.path === '/dev/null') return;
  files.close(errors);
  files.open('/dev/null', 'w');
}

type Library = Pick<typeof import('h5wasm'), 'Dataset' | 'Group'>;

function viewOf(file: File, library: Library, fileBytes: number, fileName: string): Hdf5File {
  const groupAt = (path: string): Group | undefined => {
    const entity = path === '' ? file : entityAt(file, path);
    return entity instanceof library.Group ? entity : undefined;
  };
  const datasetAt = (path: string): Dataset | undefined => {
    const entity = entityAt(file, path);
    return entity instanceof library.Dataset ? entity : undefined;
  };
  const attribute = (group: string, name: string): unknown => {
    const found = groupAt(group)?.attrs[name];
    if (!found) return undefined;
    const { shape, metadata } = found;
    if (elementCount(shape ?? []) * metadata.size > fileBytes) throw broken(fileName, `its attribute ${name} claims ${elementCount(shape ?? [])} values of ${metadata.size} bytes`);
    return found.value;
  };
  const list = (group: string, name: string): readonly string[] | undefined => {
    const value = attribute(group, name);
    if (value === undefined || value === null) return undefined;
    return Array.isArray(value) ? value.flat().filter((each) => typeof each === 'string') : typeof value === 'string' ? [value] : [];
  };
  return {
    text(group, name) {
      const value = attribute(group, name);
      return typeof value === 'string' ? value : undefined;
    },
    texts(group, name) {
      const whole = list(group, name);
      if (whole) return whole;
      const parts: string[] = [];
      for (let count = 0; ; count++) {
        const part = list(group, `${name}${count}`);
        if (!part) return count === 0 ? undefined : parts;
        parts.push(...part);
      }
    },
    children: (group) => groupAt(group)?.keys() ?? [],
    isArray: (path) => datasetAt(path) !== undefined,
    array(path) {
      const dataset = datasetAt(path);
      return dataset && numbersOf(dataset, path, fileBytes, fileName);
    },
  };
}

/** Links that lead out of the file or nowhere are nothing. */
function entityAt(file: File, path: string): unknown {
  try {
    return file.get(path);
  } catch {
    return undefined;
  }
}

function numbersOf(dataset: Dataset, path: string, fileBytes: number, fileName: string): FileTensor {
  const { shape, metadata } = dataset;
  if (!shape) throw broken(fileName, `its array ${path} has no shape`);
  const wantedBytes = elementCount(shape) * metadata.size;
  if (!(wantedBytes <= Math.min(fileBytes * largestExpansion, largestArrayBytes))) {
    throw broken(fileName, `its array ${path} claims ${shape.join(' x ')} values, ${wantedBytes} bytes, in a file of ${fileBytes}`);
  }
  const { value } = dataset;
  if (typeof value === 'number') return { shape, data: Float32Array.of(value) };
  if (value instanceof Float32Array) return { shape, data: value };
  if (ArrayBuffer.isView(value)) return { shape, data: Float32Array.from(value as unknown as ArrayLike<number | bigint>, Number) };
  throw new AppError('UNSUPPORTED', `The array ${path} of ${fileName} does not hold numbers. Save the network with float32 weights.`, { file: fileName });
}

function broken(fileName: string, reason: string): AppError {
  return new AppError('UNREADABLE_FILE', `${fileName} is a broken HDF5 file: ${reason}. Download or save it again.`, { file: fileName });
}
