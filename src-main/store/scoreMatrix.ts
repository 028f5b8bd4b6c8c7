/**
 * The score matrix (design.md section 4): every score of every image, one NumPy file per layer, `[images, channels]`, in a folder of its own beside the database.
 *
 *     activations/<index>/0001.npy ...   one per layer, by layer number; float32 or float16
 *                         layers.json    layer number -> file, name, title, channels
 *                         images.json    row -> path, one path per line
 *                         images.npy     row -> image number of the manifest, int32
 *
 * Broken images have no row. Growing is safe at any instant: rows are written behind the counted ones and flushed, then the store commits its cursor, then the headers
 * count the new rows. After a kill the files may hold more than the store knows; opening cuts them back, so that a resumed run ends with the same bytes.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { allWritten, inWords } from './filePieces.ts';
import { openGrowingArray, type GrowingArray } from './growingArray.ts';
import { bytesPerElement, encodeFloats, npyHeaderBytes } from './npy.ts';
import { openPathList, type PathList } from './pathList.ts';

export type Precision = 'float32' | 'float16';

export interface MatrixLayer {
  readonly number: number;
  /** The value's name, and what people call it. */
  readonly name: string;
  readonly title?: string;
  readonly channels: number;
}

export interface MatrixOptions {
  readonly layers: readonly MatrixLayer[];
  readonly precision: Precision;
  /** Rows of these layers that the store has committed. Files that hold more are cut back; 0 starts them anew. */
  readonly rows: number;
  /** Rows whose images are known already: more than `rows` while layers are added to a finished index. Default: `rows`. */
  readonly images?: number;
}

export interface MatrixBatch {
  /** In rising order of their numbers, going on from the last row. */
  readonly images: readonly { readonly number: number; readonly path: string }[];
  /** Every layer of the matrix once; scores `[images, channels]`. */
  readonly layers: readonly { readonly number: number; readonly scores: Float32Array }[];
}

/** Per commit: append (as often as you like), flush, the store's own commit, confirm. */
export interface ScoreMatrixWriter {
  /** Rows written so far, confirmed or not. */
  readonly rows: number;
  /** Writes behind the last row. What fails half-way can be appended again. @throws AppError WORKSPACE where the disk is full or cannot be written */
  append(batch: MatrixBatch): Promise<void>;
  /** Waits until everything appended so far would survive a power cut; call it before the store commits. */
  flush(): Promise<void>;
  /** Counts the rows of the last flush in the headers; call it after the store has committed them. */
  confirm(): Promise<void>;
  /** Leaves the headers as they were confirmed. */
  close(): Promise<void>;
}

/** Where the matrix of an index lies. */
export function scoreMatrixFolder(workspaceFolder: string, index: string): string {
  return join(workspaceFolder, 'activations', index);
}

/** Bytes of all layers and of images.npy; images.json takes the length of the paths on top. */
export function scoreMatrixBytes(layers: readonly { readonly channels: number }[], images: number, precision: Precision): number {
  const perImage = layers.reduce((sum, { channels }) => sum + channels * bytesPerElement(precision), bytesPerElement('int32'));
  return images * perImage + (layers.length + 1) * npyHeaderBytes;
}

/**
 * Opens the matrix for growing, makes what is missing, and cuts back what the store does not know.
 * @throws AppError UNREADABLE_FILE naming the file that holds less than `rows` rows, or others than expected: its layer must start over
 */
export async function openScoreMatrix(folder: string, { layers, precision, rows, images = rows }: MatrixOptions): Promise<ScoreMatrixWriter> {
  await inWords(folder, () => mkdir(folder, { recursive: true }));
  const opened: { close(): Promise<void> }[] = [];
  const closeAll = async () => {
    for (let next = opened.pop(); next; next = opened.pop()) await next.close();
  };
  const kept = <T extends { close(): Promise<void> }>(file: T): T => {
    opened.push(file);
    return file;
  };
  try {
    const numbers = kept(await openGrowingArray(join(folder, 'images.npy'), 'int32', [], images));
    const paths = kept(await openPathList(join(folder, 'images.json'), images));
    const files = new Map<number, GrowingArray>();
    for (const layer of layers) files.set(layer.number, kept(await openGrowingArray(join(folder, layerFile(layer.number)), precision, [layer.channels], rows)));
    await writeLayers(folder, layers);
    return createWriter({ folder, layers, precision, rows, images, numbers, paths, files, closeAll });
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

/** Numbers of the layers that have a file. Empty where no matrix is kept. */
export async function keptLayers(folder: string): Promise<readonly number[]> {
  return (await readLayers(folder)).map((layer) => layer.number);
}

/** Removes the folder with everything in it; nothing where there is none. */
export async function removeScoreMatrix(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

interface WriterState extends Required<MatrixOptions> {
  readonly folder: string;
  readonly numbers: GrowingArray;
  readonly paths: PathList;
  readonly files: ReadonlyMap<number, GrowingArray>;
  closeAll(): Promise<void>;
}

function createWriter({ folder, layers, precision, rows: firstRows, images: firstImages, numbers, paths, files, closeAll }: WriterState): ScoreMatrixWriter {
  let rows = firstRows;
  let images = firstImages;
  let flushed = { rows, images };
  const everyFile = [numbers, ...files.values()];

  async function appendImages(batch: MatrixBatch): Promise<void> {
    const known = batch.images.slice(0, Math.max(0, images - rows));
    if (known.length > 0) {
      const stored = await numbers.readInt32(rows, known.length);
      known.forEach(({ number }, i) => {
        if (stored[i] !== number) throw new AppError('CONFLICT', `Row ${rows + i} of ${folder} belongs to image ${stored[i]}, not ${number}: the images of this index have changed. Index the folder again.`, { path: folder, row: rows + i });
      });
    }
    const added = batch.images.slice(known.length);
    if (added.length === 0) return;
    await numbers.write(images, new Uint8Array(Int32Array.from(added, ({ number }) => number).buffer));
    await paths.append(added.map(({ path }) => path));
    images += added.length;
  }

  return {
    get rows() {
      return rows;
    },
    async append(batch) {
      const scores = new Map(batch.layers.map((layer) => [layer.number, layer.scores]));
      for (const { number, channels } of layers) {
        const length = scores.get(number)?.length;
        if (length !== batch.images.length * channels) throw new Error(`append: layer ${number} has ${length ?? 'no'} scores for ${batch.images.length} images of ${channels} channels.`);
      }
      await inWords(folder, async () => {
        await allWritten(layers.map(({ number }) => files.get(number)!.write(rows, encodeFloats(scores.get(number)!, precision))));
        await appendImages(batch);
      });
      rows += batch.images.length;
    },
    async flush() {
      const appended = { rows, images };
      await inWords(folder, () => allWritten([...everyFile.map((file) => file.flush()), paths.flush()]));
      flushed = appended;
    },
    confirm: () => inWords(folder, () => allWritten([numbers.count(flushed.images), ...[...files.values()].map((file) => file.count(flushed.rows))])),
    close: closeAll,
  };
}

export function layerFile(number: number): string {
  return `${String(number).padStart(4, '0')}.npy`;
}

interface LayerEntry extends Required<MatrixLayer> {
  readonly file: string;
}

async function readLayers(folder: string): Promise<readonly LayerEntry[]> {
  const file = join(folder, 'layers.json');
  const text = await readFile(file, 'utf8').catch(() => '[]');
  try {
    return JSON.parse(text) as LayerEntry[];
  } catch (cause) {
    throw new AppError('UNREADABLE_FILE', `${file} is broken: it is not JSON. Index the folder again.`, { path: file }, cause);
  }
}

/** Layers that were there stay listed. */
async function writeLayers(folder: string, layers: readonly MatrixLayer[]): Promise<void> {
  const added = new Set(layers.map((layer) => layer.number));
  const entries = [
    ...(await readLayers(folder)).filter((entry) => !added.has(entry.number)),
    ...layers.map(({ number, name, title = name, channels }): LayerEntry => ({ number, file: layerFile(number), name, title, channels })),
  ].sort((a, b) => a.number - b.number);
  const temporary = join(folder, 'layers.json.tmp');
  await inWords(folder, async () => {
    await writeFile(temporary, `[\n${entries.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`, { flush: true });
    await rename(temporary, join(folder, 'layers.json'));
  });
}
