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
   */
  run(feeds: ReadonlyMap<string, Data>, fetches: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, Data>>;
  close(): Promise<void>;
}

export interface Engine {
  readonly kind: EngineKind;
  readonly device: Device;
  /** What runs below, for the index record and `doctor`, e.g. `onnxruntime 1.30.0 cpu` or `tfjs 4.22.0 wasm`. */
  readonly description: string;
  /** Throws AppError UNSUPPORTED naming the node when the engine has no kernel for it. */
  compile(graph: Graph): Promise<Session>;
  close(): Promise<void>;
}

/** An engine and device as the machine has it, or the plain reason why not. */
export interface EngineAvailability {
  readonly engine: EngineKind;
  readonly device: Device;
  readonly available: boolean;
  readonly description: string;
  /** Why it is not available and what to do; empty when available. */
  readonly reason: string;
}
