/**
 * What the system hands over to be opened, as data: files on the command line or double-clicked, and links. All of it is somebody else's text. A link can
 * only show a place of a workspace that the person has opened before; it names no file, and starts nothing.
 */
import { isAbsolute, resolve } from 'node:path';
import type { DesktopOpening } from '../../src-shared/contract/desktopBridge.ts';
import { linkScheme } from './ipcChannels.ts';

const modelEndings = ['.onnx', '.caffemodel', '.prototxt', '.h5', '.hdf5', '.keras', '.json', '.pb'];
const packEnding = '.switchback';
const longestLinkCharacters = 2000;
/** Words of a query that say how something is looked at. Others, which may name files, are left out. */
const lookingWords = ['hit', 'method', 'seed', 'scale', 'control', 'left', 'right', 'layer', 'epoch'];

export interface FileFacts {
  readonly exists: (path: string) => boolean;
  readonly isFolder: (path: string) => boolean;
}

/**
 * What the arguments of a start ask to open, in their order. `argv`: all of it, the program first; `folder`: where a relative path begins. Switches
 * (Electron's own, `--workspace W` apart) and what is not there are passed over.
 */
export function openingsOf(argv: readonly string[], folder: string, files: FileFacts): DesktopOpening[] {
  const openings: DesktopOpening[] = [];
  const rest = argv.slice(1);
  for (const [position, argument] of rest.entries()) {
    if (rest[position - 1] === '--workspace') openings.push({ kind: 'workspace', path: resolve(folder, argument) });
    else if (argument.startsWith(`${linkScheme}:`)) openings.push(...linked(argument));
    else if (!argument.startsWith('-') && argument !== '.') openings.push(...filed(resolve(folder, argument), files));
  }
  return openings;
}

/** What a file or folder is opened as; undefined where it is not there or is none of ours. */
export function openingOfPath(path: string, { exists, isFolder }: FileFacts): DesktopOpening | undefined {
  if (!isAbsolute(path) || !exists(path)) return undefined;
  const name = path.toLowerCase();
  if (name.endsWith(packEnding)) return { kind: 'workspace', path };
  if (isFolder(path)) return { kind: exists(resolve(path, 'workspace.sqlite')) ? 'workspace' : 'images', path };
  return modelEndings.some((ending) => name.endsWith(ending)) ? { kind: 'model', path } : undefined;
}

/** The place that a link `switchback://workspace/<id>/...` names; undefined for anything else. */
export function openingOfLink(link: string): DesktopOpening | undefined {
  // Steps upwards are undone before anyone can see them.
  if (link.length > longestLinkCharacters || !URL.canParse(link) || /[/\\](\.|%2e)/i.test(link)) return undefined;
  const { protocol, host, pathname, searchParams } = new URL(link);
  if (protocol !== `${linkScheme}:` || host !== 'workspace' || !/^(\/[A-Za-z0-9_-]{1,64}){1,10}\/?$/.test(pathname)) return undefined;
  const query = new URLSearchParams([...searchParams].filter(([word]) => lookingWords.includes(word)));
  return { kind: 'place', address: `/w${pathname.replace(/\/$/, '')}${query.size > 0 ? `?${query.toString()}` : ''}` };
}

/** The workspace that a place belongs to. */
export function workspaceIdOf(address: string): string {
  return address.split(/[/?]/)[2] ?? '';
}

function linked(link: string): DesktopOpening[] {
  const opening = openingOfLink(link);
  return opening === undefined ? [] : [opening];
}

function filed(path: string, files: FileFacts): DesktopOpening[] {
  const opening = openingOfPath(path, files);
  return opening === undefined ? [] : [opening];
}
