/**
 * Class labels from a tab-separated file: a header line `file`, `index` and `wnid` and/or `name` (any order, other columns allowed), then one line per image.
 * `file` is an image's relative path or its base name. Without a file the class folders are the labels.
 */
import { readFile } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';
import { classOf } from './scan.ts';

export interface Label {
  /** Class index, counted from 0. */
  readonly index: number;
  /** WordNet id, e.g. `n01440764`; null where the file has no such column. */
  readonly wnid: string | null;
  readonly name: string | null;
}

/** By relative path or base name, NFC, '/' separators. */
export type Labels = ReadonlyMap<string, Label>;

/** @throws AppError NOT_FOUND when the file is missing, UNREADABLE_FILE naming the line that is wrong */
export async function readLabels(file: string): Promise<Labels> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `The labels file ${file} cannot be read: check the path.`, { path: file }, cause);
  });
  return parseLabels(text, file);
}

/** @param file only named in messages */
export function parseLabels(text: string, file: string): Labels {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = (lines[0] ?? '').split('\t').map((cell) => cell.trim().toLowerCase());
  const column = { file: header.indexOf('file'), index: header.indexOf('index'), wnid: header.indexOf('wnid'), name: header.indexOf('name') };
  if (column.file === -1 || column.index === -1 || (column.wnid === -1 && column.name === -1)) {
    throw wrong(file, 1, `the header is "${header.join(', ').slice(0, 120)}" but must name the tab-separated columns file, index, and wnid or name`);
  }
  const labels = new Map<string, Label>();
  const lineOf = new Map<string, number>();
  lines.forEach((line, i) => {
    if (i === 0 || line.trim() === '') return;
    const number = i + 1;
    const cells = line.split('\t');
    if (cells.length < header.length) throw wrong(file, number, `${cells.length} columns where the header has ${header.length}; separate them with tabs`);
    const key = cellOf(cells, column.file)?.replaceAll('\\', '/').normalize('NFC');
    if (!key) throw wrong(file, number, 'the file name is empty');
    const index = cellOf(cells, column.index) ?? '';
    if (!/^\d{1,9}$/.test(index)) throw wrong(file, number, `the class index is "${index}" but must be a whole number from 0`);
    const earlier = lineOf.get(key);
    if (earlier !== undefined) throw wrong(file, number, `"${key}" has a label on line ${earlier} already`);
    lineOf.set(key, number);
    labels.set(key, { index: Number(index), wnid: cellOf(cells, column.wnid), name: cellOf(cells, column.name) });
  });
  if (labels.size === 0) throw wrong(file, lines.length, 'there is no label after the header');
  return labels;
}

/** The label of an image: by its relative path, else by its base name, else null. */
export function labelOf(labels: Labels, path: string): Label | null {
  return labels.get(path) ?? labels.get(path.slice(path.lastIndexOf('/') + 1)) ?? null;
}

/** An image's class in all the words that are known of it; all null for an image without one. */
export interface ImageClass {
  /** What is shown: name, else wnid, else index; the class folder where there is no labels file. */
  readonly className: string | null;
  readonly classIndex: number | null;
  readonly classWnid: string | null;
}

/** @param labels null: class folders. A folder that is named like a WordNet id is one; folders have no index of their own. */
export function classesOf(labels: Labels | null, path: string): ImageClass {
  if (labels) {
    const label = labelOf(labels, path);
    return label ? { className: label.name ?? label.wnid ?? String(label.index), classIndex: label.index, classWnid: label.wnid } : noClass;
  }
  const folder = classOf(path);
  return { className: folder, classIndex: null, classWnid: folder !== null && /^n\d{8}$/.test(folder) ? folder : null };
}

const noClass: ImageClass = { className: null, classIndex: null, classWnid: null };

function cellOf(cells: readonly string[], column: number): string | null {
  return column === -1 ? null : (cells[column]?.trim() || null);
}

function wrong(file: string, line: number, what: string): AppError {
  return new AppError('UNREADABLE_FILE', `${file}, line ${line}: ${what}.`, { path: file, line });
}
