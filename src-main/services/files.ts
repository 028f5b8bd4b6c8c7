/**
 * The folder picker of browser mode: names, kinds and sizes of one folder; hidden entries stay hidden, nothing is read, and nothing is listed outside of the
 * folders that whoever started the core chose.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type * as z from 'zod';
import type { fileEntry } from '../../src-shared/contract/files.ts';
import { AppError } from '../../src-shared/errors.ts';

type FileEntry = z.infer<typeof fileEntry>;

export interface Listing {
  readonly path: string;
  readonly parent: string | null;
  readonly entries: FileEntry[];
  readonly truncated: boolean;
}

export interface FileService {
  list(path?: string): Promise<Listing>;
}

const mostEntries = 2000;
const modelExtensions = new Set(['.onnx', '.caffemodel', '.prototxt', '.h5', '.keras', '.json', '.pb']);
const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif', '.bmp', '.heic', '.jxl']);
const packExtension = '.switchback';
const kindOrder = { folder: 0, model: 1, pack: 2, image: 3, other: 4 } as const;

/** `roots`: what may be listed, with all below; absent: the whole machine. */
export function createFileService(roots?: readonly string[]): FileService {
  return {
    async list(path) {
      const folder = resolve(path ?? (await firstFolder(roots)));
      await refuseOutside(folder, roots);
      const found = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        throw new AppError('NOT_FOUND', `The folder ${folder} cannot be opened: ${reasonOf(error)}.`, { path: folder }, error);
      });
      // Folders first, so that a large folder of images never hides its sub-folders.
      const visible = found.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()));
      const entries = await Promise.all(
        visible.slice(0, mostEntries).map(async (entry): Promise<FileEntry> => {
          const full = join(folder, entry.name);
          const status = await stat(full).catch(() => undefined);
          const kind = status?.isDirectory() ? 'folder' : kindOf(entry.name);
          return { name: entry.name, path: full, kind, sizeBytes: status?.isFile() ? status.size : 0 };
        }),
      );
      entries.sort((a, b) => kindOrder[a.kind] - kindOrder[b.kind] || a.name.localeCompare(b.name));
      const parent = dirname(folder);
      return { path: folder, parent: parent === folder || !(await isInside(parent, roots)) ? null : parent, entries, truncated: visible.length > mostEntries };
    },
  };
}

/** The person's home where it may be shown, else the first folder that may. */
async function firstFolder(roots: readonly string[] | undefined): Promise<string> {
  return roots === undefined || (await isInside(homedir(), roots)) ? homedir() : (roots[0] ?? homedir());
}

async function refuseOutside(folder: string, roots: readonly string[] | undefined): Promise<void> {
  if (await isInside(folder, roots)) return;
  throw new AppError('BAD_REQUEST', `The folder ${folder} is outside of what this workbench lists (${roots?.join(', ')}). Type its path where one is asked for, or start "switchback serve" with --root ${folder}.`, { path: folder });
}

/** Links count as where they lead, so that none leads out. What is not there is judged by its nearest folder that is. */
async function isInside(path: string, roots: readonly string[] | undefined): Promise<boolean> {
  if (roots === undefined) return true;
  const real = await realPlace(path);
  for (const root of roots) {
    const way = relative(await realPlace(root), real);
    if (way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))) return true;
  }
  return false;
}

async function realPlace(path: string): Promise<string> {
  const full = resolve(path);
  const found = await realpath(full).catch(() => undefined);
  if (found !== undefined) return found;
  const parent = dirname(full);
  return parent === full ? full : join(await realPlace(parent), relative(parent, full));
}

function kindOf(name: string): FileEntry['kind'] {
  const extension = extname(name).toLowerCase();
  if (extension === packExtension) return 'pack';
  return modelExtensions.has(extension) ? 'model' : imageExtensions.has(extension) ? 'image' : 'other';
}

export function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'it is not there';
    case 'ENOTDIR':
      return 'it is not a folder';
    case 'EACCES':
    case 'EPERM':
      return 'you may not read it';
    default:
      return error.message;
  }
}
