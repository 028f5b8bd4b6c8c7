/**
 * Installs what package-lock.json names, once. Install scripts stay off (several download from places that a lab machine cannot reach); the two
 * that matter are run here, each with its own answer to failure: sqlite3 must be there, native TensorFlow may be missing.
 *
 * "Installed" is judged by comparing package-lock.json with npm's own record in node_modules, so that a person's own `npm ci` counts too; a stamp
 * spares that comparison at every start.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSqlite } from './buildSqlite.mjs';
import { tryNativeTensorflow } from './nativeTensorflow.mjs';
import { modules, pinnedNode, pinnedNodePackage, root } from './places.mjs';
import { runStep, say } from './processes.mjs';

const stampPath = join(modules, '.switchback-setup');

/** Makes node_modules complete. Throws an Error whose message says what is missing and what to do. */
export async function ensureInstalled() {
  pinnedNode();
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp && existsSync(pinnedNode())) return;
  const lacking = firstMissingPackage(JSON.parse(lock));
  if (lacking !== null) {
    say(existsSync(modules) ? `Packages have to be installed again: ${lacking}.` : 'First start: packages have to be installed (about two minutes).');
    await installWithNpm();
    if (!existsSync(pinnedNode())) {
      throw new Error(`npm left out ${pinnedNodePackage().folder}, the Node that Switchback runs on. Run "npm ci --include=optional" and read what it says.`);
    }
  }
  await buildSqlite();
  await tryNativeTensorflow();
  writeFileSync(stampPath, stamp);
}

/**
 * What node_modules lacks of a lock file, as "name version", or null when everything that must be there is there.
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean, link?: boolean }> }} lock
 * @param {{ packages: Record<string, { version?: string }> } | null} installed npm's own record, node_modules/.package-lock.json
 */
export function firstMissingPackage(lock, installed = installedPackages()) {
  if (installed === null) return 'node_modules is not there';
  const pinned = `node_modules/${pinnedNodePackage().folder}`;
  for (const [place, wanted] of Object.entries(lock.packages)) {
    const mayBeMissing = place === '' || wanted.link === true || ((wanted.optional === true || wanted.devOptional === true) && place !== pinned);
    if (mayBeMissing) continue;
    const found = installed.packages[place];
    if (found?.version !== wanted.version) {
      return `${place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)} ${wanted.version} is ${found === undefined ? 'missing' : `there as ${found.version}`}`;
    }
  }
  return null;
}

function installedPackages() {
  const record = join(modules, '.package-lock.json');
  return existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : null;
}

async function installWithNpm() {
  rmSync(stampPath, { force: true });
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  // `npm start` tells where npm itself lies; anything else that set the variable (yarn, pnpm) is not npm.
  const npm = process.env['npm_execpath'] ?? '';
  const viaNode = /npm-cli\.c?js$/.test(npm) && existsSync(npm);
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', NODE_ENV: 'development' };
  const { ok, output } = viaNode
    ? await runStep('Installing packages', process.execPath, [npm, ...args], { cwd: root, env })
    : await runStep('Installing packages', process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd: root, env, shell: process.platform === 'win32' });
  if (!ok) throw new Error(`npm could not install the packages. It said:\n${output.trim()}`);
}
