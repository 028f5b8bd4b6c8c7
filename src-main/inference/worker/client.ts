/**
 * The core's side of inference: a small pool of processes, one per placement, each started when first needed and ended when idle for long or when the
 * core closes. A driver that crashes or hangs takes no other placement down with it; who called decides whether to try again.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Placement } from '../engine.ts';
import { createDeviceSurvey, type DeviceMemory, type DeviceSurvey } from '../selfTest/survey.ts';
import type { CallName, WorkerCalls } from './protocol.ts';
import { createLanes } from './lanes.ts';
import { placementName, routeOf } from './routes.ts';
import { createWorker, type Worker } from './supervise.ts';
import { createLimits, type LimitOptions } from './limits.ts';

export interface InferenceClient {
  /**
   * Rejects with AppError: UNAVAILABLE with `data.how` when the process died (`signal ...`, `exit code ...`) or was ended because it gave no sign of life
   * (`hung`); OUT_OF_MEMORY; CANCELLED at once when the signal aborts; whatever the call itself throws.
   */
  call<K extends CallName>(name: K, parameters: WorkerCalls[K][0], signal?: AbortSignal): Promise<WorkerCalls[K][1]>;
  /** Which devices there are and which is best; each is tried in a process of its own. */
  readonly devices: DeviceSurvey;
  /** Later calls of this placement meet a fresh process; calls under way end in the old one. */
  restart(placement: Placement): void;
  /** Process numbers of the running workers by placement, e.g. `onnxruntime on cpu`, for the log and for tests. */
  processes(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export interface InferenceClientOptions {
  /** File that the processes run. */
  readonly entry: string;
  /** Receives what the workers write to their error output. */
  readonly log?: (line: string) => void;
  /** What each process may hold in compiled networks; default: a quarter of the machine's memory, at most 2 GiB. */
  readonly memoryBudgetBytes?: () => Promise<number | null>;
  /** Folder where processes keep their compiled program: the next ones start in a third of the time. */
  readonly codeCache?: string;
  /** What earlier runs found of this machine's devices. */
  readonly deviceMemory?: DeviceMemory;
  /** A process that had nothing to do for so long is ended. */
  readonly idleMs?: number;
  readonly limits?: LimitOptions;
}

const defaultIdleMs = 10 * 60_000;

export function createInferenceClient({ entry, log, memoryBudgetBytes, codeCache, deviceMemory, idleMs = defaultIdleMs, limits }: InferenceClientOptions): InferenceClient {
  const workers = new Map<string, Worker>();
  const starting = new Map<string, Promise<Worker>>();
  /** Processes whose one call is over. */
  const leaving = new Set<Promise<void>>();
  const lanes = createLanes(async () => (await memoryBudgetBytes?.()) ?? null);
  let survey: DeviceSurvey | undefined;
  let nextOwn = 1;
  let closed = false;

  async function start(name: string): Promise<Worker> {
    const budget = (await memoryBudgetBytes?.()) ?? null;
    return createWorker({
      entry,
      name,
      environment: { ...(budget === null ? {} : { SWITCHBACK_MEMORY_BUDGET: String(budget) }), ...(codeCache === undefined ? {} : { NODE_COMPILE_CACHE: codeCache }) },
      limits: createLimits(limits),
      idleMs,
      ...(log ? { log } : {}),
    });
  }

  async function callOwn<K extends CallName>(name: K, placement: Placement, parameters: WorkerCalls[K][0], signal: AbortSignal | undefined): Promise<WorkerCalls[K][1]> {
    const key = `${placementName(placement)} (${name} ${nextOwn++})`;
    const worker = await started(key, placementName(placement));
    try {
      return await worker.call(name, parameters, signal);
    } finally {
      workers.delete(key);
      const gone = worker.close().finally(() => leaving.delete(gone));
      leaving.add(gone);
    }
  }

  async function started(key: string, name: string): Promise<Worker> {
    const running = workers.get(key);
    if (running) return running;
    const begun = starting.get(key) ?? start(name);
    starting.set(key, begun);
    try {
      const worker = await begun;
      if (closed) throw new AppError('CANCELLED', 'Switchback is closing.');
      workers.set(key, worker);
      return worker;
    } finally {
      starting.delete(key);
    }
  }

  const client: InferenceClient = {
    async call(name, parameters, signal) {
      if (closed) throw new AppError('CANCELLED', 'Switchback is closing.');
      if (signal?.aborted) throw new AppError('CANCELLED', 'Cancelled.');
      const { placement, alone } = routeOf(name, parameters);
      if (alone) return callOwn(name, placement, parameters, signal);
      const key = placementName(placement);
      const callAt = async (lane: string, given: unknown) => (await started(lane, key)).call<WorkerCalls[typeof name][1]>(name, given, signal);
      return name === 'score' ? lanes.score(key, parameters as WorkerCalls['score'][0], callAt) : callAt(key, parameters);
    },
    get devices() {
      return (survey ??= createDeviceSurvey((placement, options, signal) => client.call('probe', { placement, ...options }, signal), undefined, deviceMemory));
    },
    restart: (placement) => lanes.namesOf(placementName(placement)).forEach((lane) => workers.get(lane)?.restart()),
    processes: () => new Map([...workers].flatMap(([key, worker]) => (worker.processId() === undefined ? [] : [[key, worker.processId()!] as const]))),
    async close() {
      closed = true;
      await Promise.all([...[...workers.values()].map((worker) => worker.close()), ...leaving]);
      workers.clear();
    },
  };
  return client;
}
