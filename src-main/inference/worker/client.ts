/**
 * The core's side of the inference process: starts it when first needed, carries calls and cancellations, and tells the truth when it dies.
 * The next call after a death starts a new process; who called decides whether to try again.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { AppError, fromPlainError } from '../../../src-shared/errors.ts';
import type { CallName, FromWorker, WorkerCalls } from './protocol.ts';

export interface InferenceClient {
  call<K extends CallName>(name: K, parameters: WorkerCalls[K][0], signal?: AbortSignal): Promise<WorkerCalls[K][1]>;
  /** Process number of the running worker, for the log and for tests; undefined while none runs. */
  processId(): number | undefined;
  close(): Promise<void>;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export interface InferenceClientOptions {
  /** File that the process runs. */
  readonly entry: string;
  /** Receives what the worker writes to its error output. */
  readonly log?: (line: string) => void;
}

export function createInferenceClient({ entry, log }: InferenceClientOptions): InferenceClient {
  let worker: ChildProcess | undefined;
  let nextId = 1;
  let closed = false;
  const pending = new Map<number, Pending>();

  function running(): ChildProcess {
    if (worker) return worker;
    if (closed) throw new AppError('CANCELLED', 'Switchback is closing.');
    const started = fork(entry, [], { env: { ...process.env, SWITCHBACK_TOKEN: undefined }, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    worker = started;
    started.stderr?.setEncoding('utf8').on('data', (text: string) => log?.(text.trimEnd()));
    started.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') return;
      const call = pending.get(message.id);
      pending.delete(message.id);
      if (message.kind === 'result') call?.resolve(message.result);
      else call?.reject(fromPlainError(message.error));
    });
    const ended = (how: string) => {
      if (worker !== started) return;
      worker = undefined;
      const calls = [...pending.values()];
      pending.clear();
      for (const call of calls) call.reject(new AppError('UNAVAILABLE', `The inference process ended unexpectedly (${how}).`, { how }));
    };
    started.on('exit', (code, signal) => ended(signal ? `signal ${signal}` : `exit code ${code}`));
    started.on('error', (error) => ended(error.message));
    return started;
  }

  return {
    call(name, parameters, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new AppError('CANCELLED', 'Cancelled.'));
        const id = nextId++;
        const process = running();
        const abort = () => {
          pending.delete(id);
          process.send({ kind: 'cancel', id }, () => undefined);
          reject(new AppError('CANCELLED', 'Cancelled.'));
        };
        signal?.addEventListener('abort', abort, { once: true });
        const settle = () => signal?.removeEventListener('abort', abort);
        pending.set(id, {
          resolve: (result) => (settle(), resolve(result as never)),
          reject: (error) => (settle(), reject(error as Error)),
        });
        // A failed send means that the process is going; its exit rejects the call.
        process.send({ kind: 'call', id, name, parameters }, () => undefined);
      });
    },
    processId: () => worker?.pid,
    async close() {
      closed = true;
      const last = worker;
      if (!last) return;
      const exited = new Promise((resolve) => last.once('exit', resolve));
      last.disconnect();
      const timer = setTimeout(() => last.kill('SIGKILL'), 3000);
      await exited;
      clearTimeout(timer);
    },
  };
}
