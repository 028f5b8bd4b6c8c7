/**
 * The onnxruntime engine: a graph is written as ONNX bytes and compiled into a native session. The only folder that loads onnxruntime-node, and it
 * may be loaded in one thread of one process only (it crashes at random otherwise); `run` blocks that process's event loop until it is done.
 */
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { AppError } from '../../../src-shared/errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { writeOnnx } from '../../importers/onnx/write.ts';
import type { Data, Device, Engine, EngineAvailability, Session } from '../engine.ts';
import { failureOf } from './failure.ts';

const require = createRequire(import.meta.url);
/** Severity 3: errors only; onnxruntime warns about unused weights otherwise. */
const logSeverityLevel = 3;
/**
 * onnxruntime takes a Pad by zeros into the max pool behind it, whose own padding never wins: windows of negative values would give another maximum
 * (seen in 1.30). It also takes pads as wide as the kernel into an average pool and then refuses them.
 */
const withoutPadFusion = { optimization: { disable_specified_optimizers: 'Pad_Fusion' } } as const;

export interface OnnxruntimeOptions {
  readonly device: Device;
  /** Threads for one run on the CPU; 0 or absent: as many as cores. */
  readonly threads?: number;
}

export async function createOnnxruntimeEngine({ device, threads }: OnnxruntimeOptions): Promise<Engine> {
  const ort = loadLibrary();
  const sessions = new Set<Session>();
  return {
    kind: 'onnxruntime',
    device,
    description: `onnxruntime ${libraryVersion()} ${device}`,
    async compile(graph) {
      const session = await compile(ort, graph, device, threads ?? 0);
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

async function compile(ort: typeof Ort, graph: Graph, device: Device, threads: number): Promise<Session> {
  let session: Ort.InferenceSession | undefined;
  try {
    session = await ort.InferenceSession.create(writeOnnx(graph), {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      graphOptimizationLevel: 'all',
      logSeverityLevel,
      extra: withoutPadFusion,
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

/** What onnxruntime offers on this machine. WebGPU is compiled into the package but needs a Vulkan, Metal or Direct3D device: only a trial tells. */
export async function onnxruntimeAvailability(): Promise<readonly EngineAvailability[]> {
  let ort: typeof Ort;
  try {
    ort = loadLibrary();
  } catch (error) {
    return [{ engine: 'onnxruntime', device: 'cpu', available: false, description: '', reason: error instanceof Error ? error.message : String(error) }];
  }
  const bundled = new Set(ort.listSupportedBackends().map((backend) => backend.name));
  const known: readonly Device[] = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'];
  const rows: EngineAvailability[] = [];
  for (const device of known) {
    if (device === 'cpu') {
      rows.push({ engine: 'onnxruntime', device, available: true, description: `onnxruntime ${libraryVersion()} cpu`, reason: '' });
      continue;
    }
    const reason = bundled.has(device)
      ? `onnxruntime carries ${device}, but this version of Switchback computes with onnxruntime on the CPU only.`
      : `The onnxruntime package for ${process.platform} ${process.arch} has no ${device} support.`;
    rows.push({ engine: 'onnxruntime', device, available: false, description: '', reason });
  }
  return rows;
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
