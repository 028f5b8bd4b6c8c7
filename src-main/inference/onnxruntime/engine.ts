/**
 * The onnxruntime engine: a graph is written as ONNX bytes and compiled into a native session. The only folder that loads onnxruntime-node, and it
 * may be loaded in one thread of one process only (it crashes at random otherwise); `run` blocks that process's event loop until it is done.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type * as Ort from 'onnxruntime-node';
import { AppError } from '../../../src-shared/errors.ts';
import { createGraphBuilder } from '../../graph/build.ts';
import { withoutWeights, type Graph } from '../../graph/graph.ts';
import { writeOnnx } from '../../importers/onnx/write.ts';
import type { CompileOptions, Data, Device, Engine, GpuAdapter, Session } from '../engine.ts';
import { noGpuAdvice, webgpuAdapter } from '../webgpu.ts';
import { failureOf } from './failure.ts';

const require = createRequire(import.meta.url);
/** Severity 3: errors only; onnxruntime warns about unused weights otherwise. */
const logSeverityLevel = 3;
/**
 * onnxruntime takes a Pad by zeros into the max pool behind it, whose own padding never wins: windows of negative values would give another maximum
 * (seen in 1.30). It also takes pads as wide as the kernel into an average pool and then refuses them.
 */
const withoutPadFusion = { optimization: { disable_specified_optimizers: 'Pad_Fusion' } } as const;
/**
 * Whether threads that wait for each other spin or sleep. Beside a decoder on the same cores, spinning doubles the processor time of a run and halves its
 * speed; alone, sleeping costs the small steps of a projection a quarter of theirs.
 */
const waiting = (alone: boolean) => ({ session: { intra_op: { allow_spinning: alone ? '1' : '0' } } });

export interface OnnxruntimeOptions {
  readonly device: Device;
  /** Threads for one run on the CPU; 0 or absent: as many as cores. */
  readonly threads?: number;
}

/** Throws AppError UNAVAILABLE with the reason and what to do. What is listed as supported need not work: every device but the CPU is tried with a graph of one node. */
export async function createOnnxruntimeEngine({ device, threads }: OnnxruntimeOptions): Promise<Engine> {
  const ort = loadLibrary();
  if (device !== 'cpu') await tryDevice(ort, device);
  const sessions = new Set<Session>();
  return {
    kind: 'onnxruntime',
    device,
    description: `onnxruntime ${libraryVersion()} ${device}`,
    adapter: () => adapterOf(device),
    async compile(graph, { alone = false, beside = false, seldom = false } = {}) {
      // A run waits for its slowest thread by spinning, whatever is allowed: where threads must share a core with others, fewer of them compute more.
      const session = await compile(ort, graph, { device, threads: threads ?? (beside ? Math.ceil(availableParallelism() / 2) : 0), alone, seldom });
      sessions.add(session);
      return {
        run: (feeds, fetches, signal) => session.run(feeds, fetches, signal),
        async close() {
          sessions.delete(session);
          await session.close();
        },
      };
    },
    async close() {
      for (const session of sessions) await session.close();
    },
  };
}

async function compile(ort: typeof Ort, network: Graph, { device, threads, alone, seldom }: Required<OnnxruntimeOptions & Pick<CompileOptions, 'alone' | 'seldom'>>): Promise<Session> {
  // What lives as long as the session must not hold the weights a second time.
  const graph = withoutWeights(network);
  let session: Ort.InferenceSession | undefined;
  try {
    session = await ort.InferenceSession.create(writeOnnx(network, device === 'webgpu' ? 'webgpu' : 'standard'), {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      graphOptimizationLevel: 'all',
      // Planning memory ahead holds a second block per batch size (180 MB for squeezenet1.1 with 16 images), and makes ranking no faster.
      enableMemPattern: alone,
      // An arena, which each session has for itself, keeps what its largest run took.
      enableCpuMemArena: !seldom,
      logSeverityLevel,
      extra: { ...withoutPadFusion, ...waiting(alone) },
      ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { node, text } = failureOf(graph, error);
    throw new AppError(node ? 'UNSUPPORTED' : 'UNAVAILABLE', `onnxruntime on ${device} cannot compile ${graph.name}: ${text}`, { graph: graph.name, device, ...(node ? { node: node.name, op: node.kind } : {}) }, error);
  }
  return {
    async run(feeds, fetches, signal) {
      signal?.throwIfAborted();
      if (!session) throw new Error(`the session of ${graph.name} is closed`);
      const given: Record<string, Ort.Tensor> = {};
      for (const { name, dataType } of graph.inputs) {
        const data = feeds.get(name);
        if (!data) throw new Error(`${graph.name}: input ${name} is not fed`);
        given[name] = new ort.Tensor(dataType, data.data as never, [...data.shape]);
      }
      const results = await session.run(given, [...fetches]).catch((error: unknown) => {
        const { node, text } = failureOf(graph, error);
        throw new AppError('INTERNAL', `onnxruntime on ${device} failed in ${graph.name}: ${text}`, { graph: graph.name, device, ...(node ? { node: node.name, op: node.kind } : {}) }, error);
      });
      signal?.throwIfAborted();
      return new Map(fetches.map((name) => [name, fromTensor(results[name]!)]));
    },
    async close() {
      await session?.release();
      session = undefined;
    },
  };
}

function fromTensor(tensor: Ort.Tensor): Data {
  return { shape: [...tensor.dims], data: tensor.data as Data['data'] };
}

/** onnxruntime itself does not tell which GPU it took; both ask Dawn for the fastest. */
async function adapterOf(device: Device): Promise<GpuAdapter | null> {
  return device === 'webgpu' ? webgpuAdapter().catch(() => null) : null;
}

async function tryDevice(ort: typeof Ort, device: Device): Promise<void> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new AppError('UNAVAILABLE', reason, { engine: 'onnxruntime', device }, cause);
  };
  // A provider that is not in the package is dropped with a warning only, and the CPU computes in its place.
  if (!ort.listSupportedBackends().some((backend) => backend.name === device)) refuse(`The onnxruntime package for ${process.platform} ${process.arch} has no ${device} support.`);
  const session = await compile(ort, trialGraph(), { device, threads: 0, alone: false, seldom: false }).catch((error: unknown) => refuse(absence(device, firstLine(error)), error));
  const { data } = (await session.run(new Map([['x', { shape: [1, 1], data: Float32Array.of(-1) }]]), ['y'])).get('y')!;
  await session.close();
  if (data[0] !== 0) refuse(`onnxruntime on ${device} computes max(-1, 0) = ${data[0]}.`);
}

function absence(device: Device, message: string): string {
  if (/Failed to get a WebGPU adapter|No supported adapters/.test(message)) return noGpuAdvice;
  if (device === 'cuda' && /load shared library/.test(message)) {
    return 'onnxruntime brings its CUDA libraries apart: they need CUDA 12 and cuDNN 9, and "node node_modules/onnxruntime-node/script/install.js" fetches them. WebGPU uses the same GPU without them.';
  }
  return message;
}

function trialGraph(): Graph {
  const build = createGraphBuilder('trial');
  build.input('x', 'float32', ['batch', 1]);
  return build.finish(build.add('Relu', ['x'], {}, { outputs: ['y'] }));
}

function loadLibrary(): typeof Ort {
  try {
    return require('onnxruntime-node') as typeof Ort;
  } catch (error) {
    throw new AppError('UNAVAILABLE', `onnxruntime-node cannot be loaded on this machine: ${firstLine(error)}`, {}, error);
  }
}

function libraryVersion(): string {
  return (require('onnxruntime-node/package.json') as { version: string }).version;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
