/**
 * Opens the workbench: in its own window where an Electron runtime and a display are at hand, else in the browser, after one sentence that says why.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coreNodeOptions, environment, modules, pinnedNode, root } from './places.mjs';
import { handOver, runStep, say } from './processes.mjs';

const electronFolder = join(modules, 'electron');
const failureStamp = join(modules, '.switchback-electron-failed');
const downloadLimitMs = 120_000;
const retryAfterMs = 24 * 3600 * 1000;

/** Runs until the window or the server ends; resolves with the exit code. `args` go on to the workbench. */
export async function startWorkbench(args) {
  const display = displayReason();
  const reason = display ?? (await electronReason());
  if (reason !== null) return serve(reason, args, display === null);
  const started = Date.now();
  const env = environment({ SWITCHBACK_NODE: pinnedNode() });
  delete env['ELECTRON_RUN_AS_NODE'];
  const code = await handOver(electronProgram(), [root, ...args], { cwd: root, env });
  if (code !== 0 && Date.now() - started < 5000) return serve(`Electron ended at once with code ${code} (its message is above)`, args, true);
  return code;
}

function serve(reason, args, hasDisplay) {
  say(`Opening in the browser: ${reason}.`);
  const serveArgs = hasDisplay || args.includes('--no-open') ? args : [...args, '--no-open'];
  return handOver(pinnedNode(), [...coreNodeOptions, join(root, 'out/main/cli.js'), 'serve', ...serveArgs], { cwd: process.cwd(), env: environment() });
}

/** Why no window can be shown on this machine, or null. */
export function displayReason(platform = process.platform, env = process.env, user = process.getuid?.() ?? -1) {
  if (platform !== 'linux') return null;
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return 'this machine has no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
  if (user === 0) return 'Electron refuses to run as root with its sandbox on, and Switchback does not switch the sandbox off';
  return null;
}

/** Why the Electron runtime is not there, or null; tries to fetch it once a day. */
async function electronReason() {
  if (electronProgram() !== null) return null;
  const version = JSON.parse(readFileSync(join(electronFolder, 'package.json'), 'utf8')).version;
  const sentence = `the Electron ${version} runtime is not installed and could not be fetched from github.com`;
  if (failedRecently(version)) return `${sentence} (tried earlier; delete ${failureStamp} to try again)`;
  const { ok } = await runStep('Fetching the Electron runtime', pinnedNode(), [join(electronFolder, 'install.js')], {
    cwd: electronFolder,
    env: environment(),
    limitMs: downloadLimitMs,
  });
  if (ok && electronProgram() !== null) return null;
  rememberFailure(version);
  return sentence;
}

/** Path of the Electron program, or null where only its package is installed. */
function electronProgram() {
  const record = join(electronFolder, 'path.txt');
  if (!existsSync(record)) return null;
  const program = join(electronFolder, 'dist', readFileSync(record, 'utf8').trim());
  return existsSync(program) ? program : null;
}

function rememberFailure(version) {
  try {
    writeFileSync(failureStamp, JSON.stringify({ version, at: Date.now() }));
  } catch {
    // A clone that may not be written to: the next start tries again.
  }
}

function failedRecently(version) {
  if (!existsSync(failureStamp)) return false;
  try {
    const failure = JSON.parse(readFileSync(failureStamp, 'utf8'));
    return failure.version === version && Date.now() - failure.at < retryAfterMs;
  } catch {
    return false;
  }
}
