/**
 * The TensorFlow engine: graphs on tfjs, native where @tensorflow/tfjs-node-gpu loads, else WebAssembly, else plain JavaScript. tfjs keeps one current
 * backend per thread; sessions of several backends may live side by side because each sets its own before it works.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Device, Engine, EngineAvailability, Session } from '../engine.ts';
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

/** What of TensorFlow this machine has: one entry for the GPU, one for the processor. */
export async function tensorflowAvailability(): Promise<readonly EngineAvailability[]> {
  const native = await loadBackend('tensorflow').catch((error: unknown) => refusal(error));
  if (typeof native !== 'string' && native.device === 'cuda') {
    const { found } = await loadFirstBackend(['wasm', 'cpu']);
    return [entry('cuda', native.description, ''), entry('cpu', found.description, '')];
  }
  const { found } = typeof native === 'string' ? await loadFirstBackend(['wasm', 'cpu']) : { found: native };
  const below = found.backend === 'wasm' ? 'Switchback uses WebAssembly instead.' : found.backend === 'cpu' ? 'Switchback uses plain JavaScript instead, which is slow.' : 'it runs on the processor.';
  const reason = typeof native === 'string' ? native : 'native TensorFlow is here but found no CUDA GPU;';
  return [entry('cuda', '', `${reason} ${below}`), entry('cpu', found.description, '')];
}

async function choose({ device = 'auto', backend }: TensorflowOptions): Promise<LoadedBackend> {
  if (backend) return loadBackend(backend);
  if (device === 'cuda') {
    const native = await loadBackend('tensorflow');
    if (native.device === 'cuda') return native;
    throw new AppError('UNAVAILABLE', 'TensorFlow is native here but found no CUDA GPU; choose the device cpu, or install the NVIDIA driver, CUDA and cuDNN that libtensorflow asks for.', { device });
  }
  if (device !== 'auto' && device !== 'cpu') {
    throw new AppError('UNAVAILABLE', `TensorFlow runs on cpu or cuda, not on ${device}; choose one of these, or the engine onnxruntime.`, { device });
  }
  const { found } = await loadFirstBackend(['tensorflow', 'wasm', 'cpu']);
  if (device === 'cpu' && found.device === 'cuda') return (await loadFirstBackend(['wasm', 'cpu'])).found;
  return found;
}

function entry(device: Device, description: string, reason: string): EngineAvailability {
  return { engine: 'tensorflow', device, available: reason === '', description, reason };
}

function refusal(error: unknown): string {
  if (error instanceof AppError) return error.message;
  throw error;
}
