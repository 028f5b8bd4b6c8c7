/**
 * Finding a TensorFlow.js backend: native TensorFlow through @tensorflow/tfjs-node-gpu where that optional package loads, WebGPU (Dawn, any GPU without CUDA),
 * WebAssembly, plain JavaScript. All are CommonJS and share one registry, so they are required, not imported: a second copy of tfjs-core would be a second engine.
 *
 * Standard output belongs to the command line's JSON: tfjs runs in production mode, where its notices stay silent (others go to standard error).
 */
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type * as tfjsCore from '@tensorflow/tfjs-core';
import { AppError } from '../../../src-shared/errors.ts';
import type { Device } from '../engine.ts';
import { noGpuAdvice, webgpuAdapter } from '../webgpu.ts';

export type Tensorflow = typeof tfjsCore;

/** Names under which tfjs registers them: `tensorflow` is native, `cpu` is plain JavaScript. */
export const tensorflowBackends = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type TensorflowBackend = (typeof tensorflowBackends)[number];

export interface LoadedBackend {
  readonly tf: Tensorflow;
  readonly backend: TensorflowBackend;
  readonly device: Device;
  /** E.g. `tfjs 4.22.0 wasm`. */
  readonly description: string;
  /** What went wrong since it was last asked, where the backend does not throw but computes on with nothing (WebGPU). */
  takeError?(): string | undefined;
}

/** Loads one backend and makes it ready. Throws AppError UNAVAILABLE with the reason. Loading the same one again costs nothing. */
export async function loadBackend(backend: TensorflowBackend): Promise<LoadedBackend> {
  const loading = loaded.get(backend) ?? loaders[backend]();
  loaded.set(backend, loading);
  return loading;
}

/** The first of the given backends that loads. Throws AppError UNAVAILABLE with all reasons when none does. */
export async function loadFirstBackend(backends: readonly TensorflowBackend[]): Promise<LoadedBackend> {
  const refused: string[] = [];
  for (const backend of backends) {
    try {
      return await loadBackend(backend);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused.push(error.message);
    }
  }
  throw new AppError('UNAVAILABLE', `No TensorFlow backend can be used: ${refused.join(' ')}`);
}

const require = createRequire(import.meta.url);
const loaded = new Map<TensorflowBackend, Promise<LoadedBackend>>();

const loaders = { tensorflow: loadNative, webgpu: loadWebgpu, wasm: loadWasm, cpu: loadPlain } satisfies Record<TensorflowBackend, () => Promise<LoadedBackend>>;

async function loadNative(): Promise<LoadedBackend> {
  const name = '@tensorflow/tfjs-node-gpu';
  if (!canResolve(name)) throw new AppError('UNAVAILABLE', `Native TensorFlow is not here because the optional package ${name} is not installed; run "npm install ${name}@4.22.0" to add it. ${newerLibrary}`);
  restoreRemovedUtilities();
  try {
    require(name);
    const tf = core();
    await activate(tf, 'tensorflow');
    const onGpu = (tf.backend() as unknown as { readonly isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
    return { tf, backend: 'tensorflow', device: onGpu ? 'cuda' : 'cpu', description: `tfjs ${tf.version_core} native TensorFlow ${onGpu ? 'cuda' : 'cpu'}` };
  } catch (error) {
    throw new AppError('UNAVAILABLE', `Native TensorFlow is not here because ${name} does not load (${firstLine(error)}); reinstall it where libtensorflow can be fetched. ${newerLibrary}`, {}, error);
  }
}

async function loadWebgpu(): Promise<LoadedBackend> {
  const name = '@tensorflow/tfjs-backend-webgpu';
  // Asked first: the backend itself fails on a missing adapter with a null pointer.
  if (!(await webgpuAdapter())) throw new AppError('UNAVAILABLE', noGpuAdvice);
  try {
    const tf = core();
    require(name);
    await activate(tf, 'webgpu');
    // Small tensors would otherwise be computed in JavaScript on the side, by other rules of rounding.
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    return { tf, backend: 'webgpu', device: 'webgpu', description: `tfjs ${tf.version_core} webgpu`, takeError: errorsOf((tf.backend() as unknown as { readonly device: GpuDevice }).device) };
  } catch (error) {
    throw new AppError('UNAVAILABLE', `TensorFlow on WebGPU is not here because ${name} does not start (${firstLine(error)}).`, {}, error);
  }
}

interface GpuDevice {
  onuncapturederror: ((event: { readonly error: { readonly message: string; readonly constructor: { readonly name: string } }; preventDefault(): void }) => void) | null;
  readonly lost: Promise<{ readonly message: string }>;
}

/** A shader that does not compile, a buffer that finds no memory: WebGPU tells later and on the side, and the result is zeros. The first error says most. */
function errorsOf(device: GpuDevice): () => string | undefined {
  let first: string | undefined;
  device.onuncapturederror = (event) => {
    event.preventDefault();
    first ??= `${event.error.constructor.name}: ${event.error.message}`;
  };
  void device.lost.then(({ message }) => (first ??= `the GPU device was lost: ${message}`));
  return () => {
    const error = first;
    first = undefined;
    return error;
  };
}

async function loadWasm(): Promise<LoadedBackend> {
  const name = '@tensorflow/tfjs-backend-wasm';
  const before = { uncaughtException: process.listeners('uncaughtException'), unhandledRejection: process.listeners('unhandledRejection') };
  try {
    const tf = core();
    const { setWasmPaths } = require(name) as { setWasmPaths(folder: string): void };
    setWasmPaths(dirname(require.resolve(name)) + sep);
    await activate(tf, 'wasm');
    return { tf, backend: 'wasm', device: 'cpu', description: `tfjs ${tf.version_core} wasm` };
  } catch (error) {
    throw new AppError('UNAVAILABLE', `TensorFlow on WebAssembly is not here because ${name} does not load (${firstLine(error)}); run "npm ci" to repair the installation.`, {}, error);
  } finally {
    // The compiled module adds handlers that rethrow whatever fails anywhere in the process; errors of the program are not its business.
    for (const listener of process.listeners('uncaughtException')) if (!before.uncaughtException.includes(listener)) process.off('uncaughtException', listener);
    for (const listener of process.listeners('unhandledRejection')) if (!before.unhandledRejection.includes(listener)) process.off('unhandledRejection', listener);
  }
}

async function loadPlain(): Promise<LoadedBackend> {
  const name = '@tensorflow/tfjs-backend-cpu';
  try {
    const tf = core();
    require(name);
    await activate(tf, 'cpu');
    return { tf, backend: 'cpu', device: 'cpu', description: `tfjs ${tf.version_core} plain JavaScript` };
  } catch (error) {
    throw new AppError('UNAVAILABLE', `TensorFlow in plain JavaScript is not here because ${name} does not load (${firstLine(error)}); run "npm ci" to repair the installation.`, {}, error);
  }
}

function core(): Tensorflow {
  const tf = require('@tensorflow/tfjs-core') as Tensorflow;
  if (!tf.env().getBool('PROD')) tf.enableProdMode();
  return tf;
}

async function activate(tf: Tensorflow, backend: TensorflowBackend): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`backend ${backend} did not start`);
  await tf.ready();
}

function canResolve(name: string): boolean {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** The package's own library is libtensorflow 2.9.1; its install script takes another from a file beside it (tfjs-node's README and scripts/install.js). */
const newerLibrary =
  'It brings libtensorflow 2.9.1, for CUDA 11.2 and cuDNN 8.1; for newer GPUs put a file custom-binary.json with {"tf-lib": "<address of a newer libtensorflow-gpu .tar.gz>"} into its folder scripts and run "node scripts/install.js gpu download" there. TensorFlow on webgpu uses any GPU without it.';

/** tfjs-node-gpu calls two old functions of node:util: one that Node 23 removed, one that prints a deprecation. */
function restoreRemovedUtilities(): void {
  const utilities = require('node:util') as { isNullOrUndefined?: unknown; isArray?: unknown };
  utilities.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  utilities.isArray = Array.isArray;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim();
}
