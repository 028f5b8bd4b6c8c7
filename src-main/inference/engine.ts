/**
 * What every engine promises: compile a graph once, run it many times. Nothing here knows a library (design.md section 3).
 * Two engines given the same graph and feeds must agree (method.md section 3, "Comparing two computations").
 */
import type { Graph } from '../graph/graph.ts';

export const engineKinds = ['onnxruntime', 'tensorflow', 'reference'] as const;
export type EngineKind = (typeof engineKinds)[number];

export const devices = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type Device = (typeof devices)[number];

/** Row-major values on their way into or out of a session; int64 as BigInt64Array, bool and uint8 as Uint8Array. */
export interface Data {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

export interface Session {
  /**
   * Runs the graph on a batch. `feeds` holds every graph input by name (all with the same batch size); `fetches` are names among graph.outputs.
   * Rejects with the signal's reason when aborted before or between steps; a run under way in native code ends first.
   * A NaN is only sure to be seen where it arises: SpatialMax reports it on every processor, but pools of every engine may drop it, and on WebGPU even a ReLU
   * makes it 0, as a shader need not honour NaN.
   */
  run(feeds: ReadonlyMap<string, Data>, fetches: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, Data>>;
  close(): Promise<void>;
}

export interface GpuAdapter {
  /** Adapter, vendor and driver, as far as the library tells. */
  readonly driver: string;
  /** The processor plays it: it works, and is very slow. */
  readonly software: boolean;
}

export interface CompileOptions {
  /** The session runs in short bursts, or with nothing beside it: it may keep every core busy while it waits for its own threads. Default: false. */
  readonly alone?: boolean;
  /** Another process computes beside this one on the same cores: take half of them. Default: false. */
  readonly beside?: boolean;
  /** The session runs now and then: between runs it holds its weights and nothing else. Default: false. */
  readonly seldom?: boolean;
}

export interface Engine {
  readonly kind: EngineKind;
  readonly device: Device;
  /** What runs below, for the index record and `doctor`, e.g. `onnxruntime 1.30.0 cpu` or `tfjs 4.22.0 wasm`. */
  readonly description: string;
  /** Which GPU it is, where it is one. */
  adapter?(): Promise<GpuAdapter | null>;
  /** Throws AppError UNSUPPORTED naming the node when the engine has no kernel for it. */
  compile(graph: Graph, options?: CompileOptions): Promise<Session>;
  close(): Promise<void>;
}

/** Where a graph is computed. One process computes at one placement (design.md section 1). */
export interface Placement {
  readonly engine: EngineKind;
  readonly device: Device;
}

/** Where it is computed if nothing may be measured or chosen by the machine: what is left open is onnxruntime on the processor, which every machine has. */
export function fixedPlacement({ engine, device }: { readonly engine: EngineKind | 'auto'; readonly device: Device | 'auto' }): Placement {
  return { engine: engine === 'auto' ? 'onnxruntime' : engine, device: device === 'auto' ? 'cpu' : device };
}

/** What came of comparing a device with the reference on a tiny network. */
export interface SelfTestResult {
  readonly passed: boolean;
  /** Largest difference over the largest value, in the worst of its outputs; Infinity where the device gave none or a NaN. */
  readonly worst: number;
  /** Where the worst was, as a sentence with the numbers. */
  readonly detail: string;
}

/** An engine and device as the machine has it, or the plain reason why not. */
export interface EngineAvailability extends Placement, GpuAdapter {
  /** It can be used: it loads, and it passed the self-test where that was run. */
  readonly available: boolean;
  readonly description: string;
  /** Why it is not available and what to do; empty when available. */
  readonly reason: string;
  /** Null where it was not run. */
  readonly selfTest: SelfTestResult | null;
  /** Of a small network (selfTest/benchmark.ts), to compare devices of one machine; null where it was not measured. */
  readonly imagesPerSecond: number | null;
}

/** The row of a placement that cannot be used, e.g. because the process that tried it crashed. */
export function unavailableRow({ engine, device }: Placement, reason: string): EngineAvailability {
  return { engine, device, available: false, description: '', reason, driver: '', software: false, selfTest: null, imagesPerSecond: null };
}
