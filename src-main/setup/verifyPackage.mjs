/**
 * Looks into a packed Switchback (electron-builder's `resources` folder) and says what is missing or too much: machine code of this platform and of no other, the
 * pinned Node, the page, the sample, the licences, and the size. Runs after every packing, also of real installers.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';
import { keyOf, nativeFiles, sizeBudgets } from './targets.mjs';

/**
 * @param {string} folder electron-builder's resources folder, with app.asar in it
 * @param {import('./shippedPackages.mjs').Target} target
 * @returns {string[]} one sentence per problem; empty where all is well
 */
export function verifyPackage(folder, target) {
  const app = join(folder, 'app.asar.unpacked');
  const node = target.platform === 'win32' ? 'node/node.exe' : 'node/node';
  const needed = [
    { what: "the shell's archive", path: join(folder, 'app.asar') },
    { what: 'the pinned Node', path: join(folder, node) },
    { what: 'the licence of Node', path: join(folder, 'node/LICENSE') },
    { what: 'NOTICE', path: join(folder, 'NOTICE.txt') },
    ...['core', 'worker', 'cli'].map((name) => ({ what: `the program "${name}"`, path: join(app, `out/main/${name}.js`) })),
    { what: 'the page', path: join(app, 'out/renderer/index.html') },
    { what: 'the list of licences', path: join(app, 'out/licences.json') },
    { what: 'the sample', path: join(app, 'resources/sample') },
    ...nativeFiles(target).map((file) => ({ what: 'a native file', path: join(app, file) })),
  ];
  const problems = needed.filter(({ path }) => isMissing(path)).map(({ what, path }) => `missing: ${what} (${path})`);
  problems.push(...missingAssets(app), ...missingSample(app), ...foreignNativeFiles(app, target));
  const sizeBytes = sizeOf(folder);
  const budget = sizeBudgets[keyOf(target)];
  if (sizeBytes > budget) problems.push(`too large: ${sizeBytes} bytes where ${budget} are allowed (src-main/setup/targets.mjs)`);
  return problems;
}

/** Bytes of a file, or of all files below a folder. */
export function sizeOf(path) {
  const status = statSync(path);
  return status.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : status.size;
}

function isMissing(path) {
  if (!existsSync(path)) return true;
  const status = statSync(path);
  return status.isDirectory() ? readdirSync(path).length === 0 : status.size === 0;
}

/** Scripts and styles that the page names. */
function missingAssets(app) {
  const page = join(app, 'out/renderer/index.html');
  if (!existsSync(page)) return [];
  const named = [...readFileSync(page, 'utf8').matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');
  return named.filter((address) => isMissing(join(app, 'out/renderer', address))).map((address) => `missing: ${address}, which the page names`);
}

/** The sample is whole or worthless: each of its files must be there. */
function missingSample(app) {
  const source = join(root, 'resources/sample');
  if (!existsSync(source)) return [];
  const names = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !/\.md$/.test(entry.name)).map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1));
  return names.filter((name) => isMissing(join(app, 'resources/sample', name))).map((name) => `missing: ${name} of the sample`);
}

/** Another platform's machine code is dead weight, and a sign that the lists are wrong. */
function foreignNativeFiles(app, target) {
  const modules = join(app, 'node_modules');
  if (!existsSync(modules)) return ['missing: all packages (node_modules)'];
  const own = nativeFiles(target).map((file) => join(app, file));
  return readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(node|dll|dylib|so(\.[\d.]+)?)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !own.some((allowed) => path === allowed || path.startsWith(`${allowed}/`) || path.startsWith(`${allowed}\\`)))
    .map((path) => `too much: ${path} is no native file of ${keyOf(target)}`);
}
