/**
 * Builds out/ when the sources changed, judged by their content, so that switching branches or a fresh clone never runs stale code and a second
 * start builds nothing. Also puts `switchback` where `npx switchback` looks for it.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { writeLicences } from './licences.mjs';
import { coreNodeOptions, environment, modules, pinnedNode, root } from './places.mjs';
import { runStep } from './processes.mjs';

const sourceFolders = ['src-shared', 'src-main', 'src-renderer', 'resources'];
const sourceFiles = ['electron.vite.config.ts', 'package.json', 'package-lock.json', 'tsconfig.base.json'];
const stampPath = join(root, 'out/.build-stamp');

/** Builds if anything changed since the last build. Throws an Error with the compiler's own words. */
export async function ensureBuilt() {
  const stamp = `${hashOfSources(root)}\n`;
  if (!existsSync(stampPath) || readFileSync(stampPath, 'utf8') !== stamp) {
    rmSync(stampPath, { force: true });
    const program = join(modules, 'electron-vite/bin/electron-vite.js');
    const { ok, output } = await runStep('Building', pinnedNode(), [program, 'build'], { cwd: root, env: environment({ NODE_ENV: 'production' }) });
    if (!ok) throw new Error(`The build failed:\n${stripVTControlCharacters(output).trim()}`);
    writeLicences();
    writeFileSync(stampPath, stamp);
  }
  placeCommand();
}

/** SHA-256 over names and contents of all sources below a folder, in a fixed order. */
export function hashOfSources(folder) {
  const hash = createHash('sha256');
  const files = [...sourceFolders.flatMap((name) => filesBelow(join(folder, name))), ...sourceFiles.map((name) => join(folder, name))];
  for (const file of files) {
    if (!existsSync(file)) continue;
    const content = readFileSync(file);
    hash.update(`${relative(folder, file).replaceAll('\\', '/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/**
 * `npx switchback` inside the repository runs out/main/cli.js on the pinned Node, whatever Node the machine has. npm 10 leaves the link `node` out,
 * which npm 11 makes.
 */
function placeCommand() {
  const node = relative(join(modules, '.bin'), pinnedNode());
  const nodePath = join(modules, '.bin/node');
  if (process.platform !== 'win32' && !existsSync(nodePath)) {
    rmSync(nodePath, { force: true });
    symlinkSync(node, nodePath);
  }
  const options = coreNodeOptions.join(' ');
  // As environment() in places.mjs has them.
  const threads = 'cores=$(getconf _NPROCESSORS_ONLN || echo 2)\nexport UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-$((cores + 4))}" MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-$cores}"';
  const script = `#!/bin/sh\nhere=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)\n${threads}\nexec "$here/${node.replaceAll('\\', '/')}" ${options} "$here/../../out/main/cli.js" "$@"\n`;
  const shellPath = join(modules, '.bin/switchback');
  if (!existsSync(shellPath) || readFileSync(shellPath, 'utf8') !== script) {
    rmSync(shellPath, { force: true });
    writeFileSync(shellPath, script);
    chmodSync(shellPath, 0o755);
  }
  if (process.platform === 'win32') {
    writeFileSync(join(modules, '.bin/switchback.cmd'), `@"%~dp0\\${node}" ${options} "%~dp0\\..\\..\\out\\main\\cli.js" %*\r\n`);
  }
}
