/**
 * What the classes of a network are called, by their place from 0: from a file with a line for each class, of which a WordNet id may stand first; from a tab-separated table that names the
 * columns index, and name or wnid; or from JSON, a list of names or an object by index (names, or pairs of wnid and name).
 */
import { readFile, stat } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';

export interface ClassName {
  readonly name: string | null;
  readonly wnid: string | null;
}

const largestFileBytes = 16 * 2 ** 20;
const mostClasses = 1_000_000;
const wordNetId = /^n\d{8}$/;

/** @throws AppError NOT_FOUND when the file is missing, UNREADABLE_FILE where it names no classes */
export async function readClassNames(file: string): Promise<readonly ClassName[]> {
  const size = (await stat(file).catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `The file of class names ${file} cannot be read: check the path.`, { path: file }, cause);
  })).size;
  if (size > largestFileBytes) throw new AppError('UNREADABLE_FILE', `${file} has ${Math.ceil(size / 2 ** 20)} MB; a file of class names has at most ${largestFileBytes / 2 ** 20}.`, { path: file });
  return parseClassNames(await readFile(file, 'utf8'), file);
}

/** @param file only named in messages */
export function parseClassNames(text: string, file: string): readonly ClassName[] {
  const content = text.replace(/^\uFEFF/, '').trim();
  const names = content.startsWith('[') || content.startsWith('{') ? fromJson(content, file) : fromLines(content.split(/\r?\n/));
  if (names.length === 0 || names.length > mostClasses) throw new AppError('UNREADABLE_FILE', `${file} names no classes: it needs a line for each class, a table with the columns index and name or wnid, or a JSON list.`, { path: file });
  return names;
}

function fromLines(lines: readonly string[]): readonly ClassName[] {
  const header = lines[0]!.split('\t').map((cell) => cell.trim().toLowerCase());
  const [index, name, wnid] = ['index', 'name', 'wnid'].map((column) => header.indexOf(column)) as [number, number, number];
  if (index === -1 || (name === -1 && wnid === -1)) return lines.map(fromWords);
  const named: ClassName[] = [];
  for (const line of lines.slice(1)) {
    const cells = line.split('\t').map((cell) => cell.trim());
    const place = Number(cells[index]);
    if (cells[index] && Number.isInteger(place) && place >= 0 && place < mostClasses) named[place] = { name: cells[name] || null, wnid: cells[wnid] || null };
  }
  return Array.from(named, (each) => each ?? { name: null, wnid: null });
}

function fromJson(text: string, file: string): readonly ClassName[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new AppError('UNREADABLE_FILE', `${file} is no JSON: ${(cause as Error).message}`, { path: file }, cause);
  }
  if (Array.isArray(parsed)) return parsed.map(fromValue);
  const named: ClassName[] = [];
  for (const [key, value] of Object.entries(parsed as object)) if (/^\d{1,6}$/.test(key)) named[Number(key)] = fromValue(value);
  return Array.from(named, (each) => each ?? { name: null, wnid: null });
}

function fromValue(value: unknown): ClassName {
  if (Array.isArray(value)) return { wnid: wordNetId.test(String(value[0])) ? String(value[0]) : null, name: String(value.at(-1)) };
  return typeof value === 'string' ? fromWords(value) : { name: null, wnid: null };
}

function fromWords(line: string): ClassName {
  const [first = '', ...rest] = line.trim().split(/\s+/);
  return wordNetId.test(first) ? { wnid: first, name: rest.join(' ') || null } : { wnid: null, name: line.trim() || null };
}
