/**
 * The TensorFlow engine: graphs on tfjs. Device cuda is native TensorFlow (@tensorflow/tfjs-node-gpu), webgpu any GPU through Dawn, cpu native TensorFlow where
 * it loads, else WebAssembly, else plain JavaScript. tfjs keeps one current
 * backend per thread; sessions of several backends may live side by side because each sets its own before it works.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Device, Engine, Session } from '../engine.ts';
import { webgpuAdapter } from '../webgpu.ts';
import { loadBackend, loadFirstBackend, type LoadedBackend, type TensorflowBackend } from './backend.ts';
import { compileSession } from './session.ts';

export interface TensorflowOptions {
  /** `auto`: the best that is here. `cuda` insists on a GPU, `cpu` never uses one. */
  readonly device?: Device | 'auto';
  /** One backend and no other, for tests and comparisons; default: the first that loads. */
  readonly backend?: TensorflowBackend;
}

/** Throws AppError UNAVAILABLE when the wished device or backend is not here, with the reason. */
export async function createTensorflowEngine(options: TensorflowOptions = {}): Promise<Engine> {
  const loaded = await choose(options);
  const sessions = new Set<Session>();
  return {
    kind: 'tensorflow',
    device: loaded.device,
    description: loaded.description,
    adapter: async () => (loaded.device === 'webgpu' ? webgpuAdapter() : null),
    async compile(graph) {
      const session = compileSession(loaded, graph);
      sessions.add(session);
      return {
        run: (feeds, fetches, signal) => session.run(feeds, fetches, signal),
        close: async () => {
          sessions.delete(session);
          await session.close();
        },
      };
    },
    async close() {
      for (const session of sessions) await session.close();
      sessions.clear();
    },
  };
}

async function choose({ device = 'auto', backend }: TensorflowOptions): Promise<LoadedBackend> {
  if (backend) return loadBackend(backend);
  if (device === 'cuda') {
    const native = await loadBackend('tensorflow');
    if (native.device === 'cuda') return native;
    throw new AppError('UNAVAILABLE', 'Native TensorFlow is here but found no CUDA GPU; choose the device cpu, or install the NVIDIA driver, CUDA and cuDNN that libtensorflow asks for.', { device });
  }
  if (device === 'webgpu') return loadBackend('webgpu');
  if (device !== 'auto' && device !== 'cpu') {
    throw new AppError('UNAVAILABLE', `TensorFlow runs on cpu, cuda or webgpu, not on ${device}; choose one of these, or the engine onnxruntime.`, { device });
  }
  const found = await loadFirstBackend(['tensorflow', 'wasm', 'cpu']);
  return device === 'cpu' && found.device === 'cuda' ? loadFirstBackend(['wasm', 'cpu']) : found;
}
