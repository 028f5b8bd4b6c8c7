/**
 * Finds the images of a folder (method.md section 6, "Scan"). Paths are relative, with '/', in Unicode NFC and in the order of their UTF-8 bytes,
 * so that the same folder gives the same list on every system; `file` keeps the name as the disk has it, because a disk may hold NFD names.
 * Nothing is decoded here, and a large folder is handed over in pieces. Real folders are walked first and links after them: a folder that a link leads to is entered only if the scan has not been
 * there yet, which rules out loops. A link to a file is an image under the link's own name.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';

export interface ScannedImage {
  /** Relative to the root, '/' separators, NFC. */
  readonly path: string;
  /** The same place as the disk spells it; `join(root, file)` opens it. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface Scan {
  /** Absolute. */
  readonly root: string;
  /** In path order. */
  readonly images: readonly ScannedImage[];
  /** Files without a known image extension (hidden ones are not counted). */
  readonly ignored: number;
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** What a scan found beside the images. */
export type ScanRest = Omit<Scan, 'images'>;

/** Extensions that are tried, lower case. Some of them (bmp, ico, heic, jxl) cannot be decoded and end with that reason instead of silently missing. */
export const imageExtensions: ReadonlySet<string> = new Set([
  'jpg', 'jpeg', 'jpe', 'jfif', 'png', 'apng', 'gif', 'webp', 'avif', 'tif', 'tiff', 'bmp', 'dib', 'ico', 'heic', 'heif', 'jxl', 'jp2', 'ppm', 'pgm', 'pbm', 'pnm',
]);

/** Lists the images under `root`; for folders that fit into memory. Fails as `scanInto` does. */
export async function scanImages(root: string, signal?: AbortSignal): Promise<Scan> {
  const all: ScannedImage[] = [];
  const rest = await scanInto(root, async (images) => void all.push(...images), signal);
  const { images, collisions } = withoutCollisions(all);
  return { ...rest, images, unreadable: [...rest.unreadable, ...collisions].sort((a, b) => comparePaths(a.path, b.path)) };
}

/**
 * Finds the images under `root` and hands them over in pieces, in no particular order; two of them may have the same path (names that are the same in NFC).
 * @throws AppError NOT_FOUND when the root is missing, BAD_REQUEST when it is not a folder, UNREADABLE_FILE when it may not be read; the signal's reason when aborted.
 */
export async function scanInto(root: string, add: (images: readonly ScannedImage[]) => Promise<void>, signal?: AbortSignal): Promise<ScanRest> {
  const absolute = resolve(root);
  const found = await stat(absolute).catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `The image folder ${absolute} cannot be opened: ${causeOf(cause)}. Choose a folder that exists.`, { path: absolute }, cause);
  });
  if (!found.isDirectory()) throw new AppError('BAD_REQUEST', `${absolute} is a file, not a folder of images. Choose the folder that holds it.`, { path: absolute });

  const walk: Walk = { root: absolute, entered: new Set(), add, piece: [], unreadable: [], ignored: 0, links: [], signal };
  await walkFolder(walk, '');
  for (let link = walk.links.shift(); link !== undefined; link = walk.links.shift()) await followLink(walk, link);
  if (walk.piece.length > 0) await add(walk.piece);

  const rootFailure = walk.unreadable.find((entry) => entry.path === '');
  if (rootFailure) throw new AppError('UNREADABLE_FILE', `The image folder ${absolute} cannot be read: ${rootFailure.reason}.`, { path: absolute });
  return { root: absolute, ignored: walk.ignored, unreadable: walk.unreadable.sort((a, b) => comparePaths(a.path, b.path)) };
}

/** The class an image belongs to: the first folder of its relative path, null for an image directly in the root. */
export function classOf(path: string): string | null {
  const slash = path.indexOf('/');
  return slash === -1 ? null : path.slice(0, slash);
}

/** Order of the paths' UTF-8 bytes, which is that of their code points; UTF-16 order differs where one side has a surrogate. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA === unitB) continue;
    const surrogateA = unitA >= 0xd800 && unitA <= 0xdfff;
    const surrogateB = unitB >= 0xd800 && unitB <= 0xdfff;
    if (surrogateA !== surrogateB) return surrogateA ? 1 : -1;
    return unitA - unitB;
  }
  return a.length - b.length;
}

const pieceSize = 5000;

interface Walk {
  readonly root: string;
  /** Real paths of the folders that were walked. */
  readonly entered: Set<string>;
  readonly add: (images: readonly ScannedImage[]) => Promise<void>;
  /** Found and not handed over yet. */
  piece: ScannedImage[];
  readonly unreadable: { path: string; reason: string }[];
  ignored: number;
  /** Links found so far and not followed yet, on-disk relative paths. */
  readonly links: string[];
  readonly signal: AbortSignal | undefined;
  /** Why the images could not be handed over. */
  refused?: { readonly cause: unknown };
}

async function walkFolder(walk: Walk, folder: string): Promise<void> {
  walk.signal?.throwIfAborted();
  const absolute = join(walk.root, folder);
  try {
    const real = await realpath(absolute);
    if (walk.entered.has(real)) return;
    walk.entered.add(real);
    const entries = await readdir(absolute, { withFileTypes: true });
    entries.sort((a, b) => comparePaths(a.name, b.name));
    const files: string[] = [];
    const folders: string[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) walk.links.push(file);
      else if (entry.isDirectory()) folders.push(file);
      else if (entry.isFile() && isImageName(entry.name)) files.push(file);
      else walk.ignored++;
    }
    await addImages(walk, files);
    for (const inner of folders) await walkFolder(walk, inner);
  } catch (thrown) {
    walk.signal?.throwIfAborted();
    if (walk.refused) throw walk.refused.cause;
    walk.unreadable.push({ path: folder.normalize('NFC'), reason: `the folder cannot be read: ${causeOf(thrown)}` });
  }
}

async function followLink(walk: Walk, file: string): Promise<void> {
  walk.signal?.throwIfAborted();
  try {
    const target = await stat(join(walk.root, file));
    if (target.isDirectory()) await walkFolder(walk, file);
    else if (target.isFile() && isImageName(file)) await addImages(walk, [file]);
    else walk.ignored++;
  } catch (thrown) {
    walk.signal?.throwIfAborted();
    if (walk.refused) throw walk.refused.cause;
    walk.unreadable.push({ path: file.normalize('NFC'), reason: `the link leads nowhere: ${causeOf(thrown)}` });
  }
}

/** Sizes and dates of some files at a time: a disk answers many questions at once faster than one by one. */
async function addImages(walk: Walk, files: readonly string[]): Promise<void> {
  const atOnce = 64;
  for (let start = 0; start < files.length; start += atOnce) {
    walk.signal?.throwIfAborted();
    await Promise.all(
      files.slice(start, start + atOnce).map(async (file) => {
        try {
          const { size, mtimeMs } = await stat(join(walk.root, file));
          walk.piece.push({ path: file.normalize('NFC'), file, sizeBytes: size, modifiedMs: Math.trunc(mtimeMs) });
        } catch (thrown) {
          // A name that is not valid UTF-8 comes back with replacement characters and cannot be opened by that name.
          const reason = file.includes('\uFFFD') ? 'the file name is not valid Unicode; rename it' : `the file cannot be opened: ${causeOf(thrown)}`;
          walk.unreadable.push({ path: file.normalize('NFC'), reason });
        }
      }),
    );
    if (walk.piece.length < pieceSize) continue;
    const piece = walk.piece;
    walk.piece = [];
    // A failure here is the receiver's, not the folder's.
    await walk.add(piece).catch((cause: unknown) => {
      walk.refused = { cause };
      throw cause;
    });
  }
}

/** Sorts, and keeps one of several names that are the same in NFC: the one that comes first as the disk spells it. */
function withoutCollisions(all: readonly ScannedImage[]): { images: ScannedImage[]; collisions: { path: string; reason: string }[] } {
  const sorted = [...all].sort((a, b) => comparePaths(a.path, b.path) || comparePaths(a.file, b.file));
  const images: ScannedImage[] = [];
  const collisions: { path: string; reason: string }[] = [];
  for (const image of sorted) {
    if (images.at(-1)?.path === image.path) collisions.push({ path: image.path, reason: 'another file has the same name in a different Unicode spelling; rename one of them' });
    else images.push(image);
  }
  return { images, collisions };
}

function isImageName(name: string): boolean {
  const dot = name.lastIndexOf('.');
  return dot !== -1 && imageExtensions.has(name.slice(dot + 1).toLowerCase());
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is a file',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'too many links',
  ENAMETOOLONG: 'the path is too long',
  EIO: 'the disk reports an error',
};

/** A system error in words. */
function causeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return causes[code] ?? (code || String(thrown));
}
