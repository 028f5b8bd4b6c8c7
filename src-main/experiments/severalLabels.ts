/**
 * A table of images that may have several classes each: tab-separated, a header that names the columns `file` and `name`, `wnid` or `index` (any order, others allowed), a row for each image and class, or one row with
 * the classes separated by semicolons. `file` is a relative path or a base name, as in labels of one class.
 */
import { AppError } from '../../src-shared/errors.ts';

export interface SeveralLabels {
  /** Sorted. */
  readonly classes: readonly string[];
  /** Places among `classes`, ascending; none for an image that the table does not name. @param path relative, '/', NFC */
  classesOf(path: string): readonly number[];
}

/** @param file only named in messages. Throws AppError UNREADABLE_FILE that names the line. */
export function parseSeveralLabels(text: string, file: string): SeveralLabels {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = lines[0]!.split('\t').map((cell) => cell.trim().toLowerCase());
  const fileColumn = header.indexOf('file');
  const classColumn = ['name', 'wnid', 'index'].map((name) => header.indexOf(name)).find((column) => column !== -1);
  if (fileColumn === -1 || classColumn === undefined) throw wrong(file, 1, `the header is "${header.join(', ').slice(0, 120)}" but must name the tab-separated columns file, and name, wnid or index`);
  const marked = new Map<string, Set<string>>();
  lines.forEach((line, at) => {
    if (at === 0 || line.trim() === '') return;
    const cells = line.split('\t').map((cell) => cell.trim());
    const image = cells[fileColumn]?.replaceAll('\\', '/').normalize('NFC');
    if (!image) throw wrong(file, at + 1, 'the file name is empty');
    const names = (cells[classColumn] ?? '').split(';').map((name) => name.trim()).filter((name) => name !== '');
    const own = marked.get(image) ?? new Set();
    for (const name of names) own.add(name);
    marked.set(image, own);
  });
  const classes = [...new Set([...marked.values()].flatMap((names) => [...names]))].sort();
  if (classes.length < 2) throw wrong(file, lines.length, `the table names ${classes.length === 0 ? 'no class' : 'one class'}; it takes two or more to tell them apart`);
  const place = new Map(classes.map((name, at) => [name, at]));
  return {
    classes,
    classesOf(path) {
      const names = marked.get(path) ?? marked.get(path.slice(path.lastIndexOf('/') + 1)) ?? [];
      return [...names].map((name) => place.get(name)!).sort((a, b) => a - b);
    },
  };
}

function wrong(file: string, line: number, what: string): AppError {
  return new AppError('UNREADABLE_FILE', `${file}, line ${line}: ${what}.`, { path: file, line });
}
