/**
 * Native TensorFlow is a welcome extra: its package fetches a library of several hundred megabytes at installation, from a place that many lab networks
 * block. It is tried once; where it does not come the package is taken out again, as npm itself does with an optional package whose script
 * fails, and one sentence says so. TensorFlow then runs on WebGPU or WebAssembly; `doctor` says
 * how a newer library is given to the package.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, modules, pinnedNode } from './places.mjs';
import { capture, runStep, say } from './processes.mjs';

const folder = join(modules, '@tensorflow/tfjs-node-gpu');
const librarySource = 'https://storage.googleapis.com/';
const limitMs = 180_000;

/** Tries to complete the optional package; never fails. */
export async function tryNativeTensorflow() {
  if (!existsSync(folder)) {
    sayMissing('npm left its optional package out');
  } else if (!(await loads())) {
    const reason = await fetchLibrary();
    if (reason !== null) {
      rmSync(folder, { recursive: true, force: true });
      sayMissing(reason);
    }
  }
}

/** Null when the library is there and loads, else why not. */
async function fetchLibrary() {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== 'linux-x64' && platform !== 'win32-x64') return `its makers offer no library for ${platform}`;
  if (!(await reachable())) return `its library comes from ${librarySource}, which cannot be reached from here`;
  const { ok } = await runStep('Fetching native TensorFlow', pinnedNode(), ['scripts/install.js', 'gpu', 'download'], { cwd: folder, env: environment(), limitMs });
  if (!ok) return `fetching its library from ${librarySource} failed`;
  return (await loads()) ? null : 'its library was fetched but does not load on this machine';
}

async function loads() {
  // The package asks for functions that newer Node versions dropped; they are put back as the engine does it.
  const script = "const u=require('util');u.isNullOrUndefined??=(v)=>v==null;u.isArray??=Array.isArray;require('@tensorflow/tfjs-node-gpu')";
  return (await capture(pinnedNode(), ['-e', script], { cwd: join(folder, '..'), env: environment({ TF_CPP_MIN_LOG_LEVEL: '3' }), limitMs: 60_000 })).ok;
}

async function reachable() {
  // A proxy is the install script's own business: fetch does not know it.
  if (process.env['HTTPS_PROXY'] !== undefined || process.env['https_proxy'] !== undefined) return true;
  try {
    await fetch(librarySource, { method: 'HEAD', signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}

function sayMissing(reason) {
  say(`Native TensorFlow is not here (${reason}); Switchback uses onnxruntime, and TensorFlow on WebGPU or WebAssembly, instead; "switchback doctor" tells more.`);
}
