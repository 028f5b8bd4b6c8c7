/** The files of features, small pictures and predictions while they grow, and how their rows are made of what the network gives. */
import { resizePixels } from '../dataset/picture.ts';
import { placeOfLargest, probabilitiesOf } from '../lab/question.ts';
import type { GrowingArray } from '../store/growingArray.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { growRowFile, writeRowPaths, type StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { thumbnailSize } from './featurePlan.ts';

export interface Column {
  readonly file: StoredRowFile;
  readonly array: GrowingArray;
  /** Written so far. */
  rows: number;
}

/** @param folder of the score matrix */
export async function openColumn(folder: string, file: StoredRowFile): Promise<Column> {
  const array = await growRowFile(folder, file);
  return { file, array, rows: array.rows };
}

/** `values`: whole rows, the first of them row `at`. Rows that are there already stay as they are. */
export async function writeRows(column: Column, at: number, values: Float32Array | Uint8Array): Promise<void> {
  const width = column.file.shape.reduce((product, size) => product * size, 1);
  const skip = Math.min(values.length / width, Math.max(0, column.rows - at));
  const rest = values.subarray(skip * width);
  if (rest.length === 0) return;
  await column.array.write(at + skip, new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength));
  column.rows = at + skip + rest.length / width;
}

/** The layer of an index whose scores are a file's features or, for predictions, their logits: maxima, and layers of one position. Null where none is. */
export function scoredLayer(index: Pick<StoredIndex, 'layers'>, { what, layer, pooling }: Pick<StoredRowFile, 'what' | 'layer' | 'pooling'>, logits: string | null): StoredIndex['layers'][number] | null {
  const name = what === 'features' ? layer : what === 'predictions' ? logits : null;
  const found = index.layers.find((candidate) => candidate.name === name);
  return found && ((what === 'features' && pooling === 'max') || found.height * found.width === 1) ? found : null;
}

/** A file's rows of what the network gives for it, `[rows, values]`. */
export function rowsOfValues({ what }: Pick<StoredRowFile, 'what'>, values: Float32Array, rows: number): Float32Array {
  return what === 'predictions' ? predictionsOf(values, values.length / rows, rows) : values;
}

/** `[rows, 2]`: most probable class and its probability. */
function predictionsOf(logits: Float32Array, classes: number, rows: number): Float32Array {
  const found = new Float32Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const best = placeOfLargest(scores);
    found[2 * row] = best;
    found[2 * row + 1] = probabilitiesOf(scores)[best]!;
  }
  return found;
}

/** Small pictures of some rows of a batch `[batch, H, W, 3]`, one after the other. */
export async function thumbnails(batch: Uint8Array, rows: readonly number[], [height, width]: readonly [number, number]): Promise<Uint8Array> {
  const [small, narrow] = thumbnailSize([height, width]);
  const bytes = height * width * 3;
  const result = new Uint8Array(rows.length * small * narrow * 3);
  await Promise.all(
    rows.map(async (row, at) => {
      const { pixels } = await resizePixels({ pixels: batch.subarray(row * bytes, (row + 1) * bytes), width, height, channels: 3 }, narrow, small);
      result.set(pixels, at * small * narrow * 3);
    }),
  );
  return result;
}

/** The images of the rows, where no score matrix names them. */
export async function writePaths(store: Store, index: Pick<StoredIndex, 'id' | 'cursor' | 'matrixFolder'>): Promise<void> {
  const atOnce = 10_000;
  const paths: string[] = [];
  for (let from = 0; from < index.cursor; from += atOnce) {
    for (const image of await store.images.page(index.id, from, Math.min(atOnce, index.cursor - from))) if (image.skipped === null) paths.push(image.path);
  }
  await writeRowPaths(scoreMatrixFolder(store.folder, index.matrixFolder), paths);
}
