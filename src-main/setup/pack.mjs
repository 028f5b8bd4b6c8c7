/**
 * `npm run pack` makes this platform's installers in dist/ (electron-builder fetches Electron's runtime for that). `npm run pack:check` packs with a stand-in in
 * place of that runtime, so that nothing is fetched, and then lives in the result: tests/e2e/packaged.test.ts.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, modules, pinnedNode, root } from './places.mjs';
import { capture, handOver } from './processes.mjs';

const builder = join(modules, 'electron-builder/cli.js');
const configuration = join(root, 'electron-builder.config.mjs');

/** Real installers of this platform. Resolves with the exit code. */
export function packInstallers(args) {
  return handOver(pinnedNode(), [builder, '--config', configuration, '--publish', 'never', ...args], { cwd: root, env: environment() });
}

/**
 * Packs this platform's folder into `output` with a stand-in for Electron. Throws an Error with electron-builder's words.
 * @param {string} output
 * @returns {Promise<{ folder: string, resources: string }>} the unpacked program and its resources folder
 */
export async function packWithStandIn(output) {
  rmSync(output, { recursive: true, force: true });
  const standIn = join(output, 'electron');
  writeStandIn(standIn);
  const env = environment({ SWITCHBACK_ELECTRON_DIST: standIn, SWITCHBACK_PACK_OUTPUT: join(output, 'app') });
  const { ok, output: words } = await capture(pinnedNode(), [builder, '--config', configuration, '--publish', 'never', '--dir'], { cwd: root, env, limitMs: 300_000 });
  if (!ok) throw new Error(`electron-builder could not pack:\n${words.trim().split('\n').slice(-30).join('\n')}`);
  const folder = join(output, 'app', process.arch === 'arm64' ? 'linux-arm64-unpacked' : 'linux-unpacked');
  return { folder, resources: join(folder, 'resources') };
}

/** What electron-builder asks of a runtime: a program that carries fuses, and the files that come with it. It runs nothing. */
function writeStandIn(folder) {
  mkdirSync(join(folder, 'resources'), { recursive: true });
  mkdirSync(join(folder, 'locales'));
  const fuses = Buffer.concat([Buffer.from('#!/bin/false stand-in for Electron\n'), Buffer.from(['dL7pKGdnNz796Pbb', 'jQWNKmHXBZaB9tsX'].join('')), Buffer.from([1, 8]), Buffer.from('10110000')]);
  writeFileSync(join(folder, 'electron'), fuses, { mode: 0o755 });
  writeFileSync(join(folder, 'chrome-sandbox'), 'stand-in\n', { mode: 0o755 });
  for (const [name, text] of [['version', '45.4.1'], ['LICENSE', 'stand-in\n'], ['LICENSES.chromium.html', '<p>stand-in</p>\n'], ['locales/en-US.pak', 'stand-in\n']]) writeFileSync(join(folder, name), text);
}
