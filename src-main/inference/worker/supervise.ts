/**
 * One inference process as the core sees it: started when first needed, started again after a death, ended when idle. It carries calls and cancellations,
 * watches for hanging, and tells the truth when the process dies: the call that ran then is rejected, those that had not begun go to the next process.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { AppError, fromPlainError } from '../../../src-shared/errors.ts';
import type { Limits } from './limits.ts';
import { diedOfMemory, kernelKills } from './outOfMemory.ts';
import type { CallName, FromWorker, NextWork } from './protocol.ts';

export interface Worker {
  call<R>(name: CallName, parameters: unknown, signal: AbortSignal | undefined): Promise<R>;
  /** Later calls meet a fresh process; this one ends when its calls are done. */
  restart(): void;
  processId(): number | undefined;
  /** Ends the process; calls under way are rejected. */
  close(): Promise<void>;
}

export interface WorkerOptions {
  readonly entry: string;
  /** For messages, e.g. `onnxruntime on cpu`. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly idleMs: number;
  readonly log?: (line: string) => void;
}

interface Pending {
  readonly id: number;
  readonly name: CallName;
  readonly parameters: unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Running {
  readonly process: ChildProcess;
  /** By id; a cancelled call is no longer here, though it may still run. */
  readonly pending: Map<number, Pending>;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;
  current: { readonly id: number; readonly name: CallName; next: NextWork } | undefined;
  /** Whether any call ever began: a process that dies before that would die again. */
  hasBegun: boolean;
  isRetired: boolean;
  /** Without a sign of life. */
  silentMs: number;
  idleMs: number;
  residentBytes: number;
}

const closingMs = 3000;
/** A pipe that another process holds open is not waited for longer. */
const lastWordsMs = 1000;

export function createWorker({ entry, name: placement, environment, limits, idleMs, log }: WorkerOptions): Worker {
  const alive = new Set<Running>();
  let current: Running | undefined;
  let nextId = 1;
  let closed = false;

  function start(): Running {
    const child = fork(entry, [], {
      env: { ...process.env, ...environment, SWITCHBACK_TOKEN: undefined, SWITCHBACK_CORE_PROCESS: String(process.pid) },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--expose-gc'],
    });
    const killsBefore = kernelKills();
    let lastWords = '';
    let how: string | undefined;
    let goneNow = (): void => undefined;
    const running: Running = {
      process: child, pending: new Map(), gone: new Promise((resolve) => (goneNow = resolve)), current: undefined,
      hasBegun: false, isRetired: false, silentMs: 0, idleMs: 0, residentBytes: 0,
    };
    alive.add(running);

    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-4000);
      log?.(text.trimEnd());
    });
    child.on('message', (message: FromWorker) => heard(running, message));

    let last = performance.now();
    const watch = setInterval(() => {
      const now = performance.now();
      // A machine that slept between two looks is not taken for a process that hangs.
      const passed = Math.min(now - last, 2 * limits.lookMs);
      last = now;
      if (!running.current && running.pending.size === 0) {
        running.idleMs += passed;
        if (running.idleMs > idleMs) retire(running);
        return;
      }
      running.idleMs = 0;
      running.silentMs += passed;
      const limitMs = limits.of(running.current && { ...running.current, isCancelled: !running.pending.has(running.current.id) });
      if (running.silentMs <= limitMs) return;
      how = 'hung';
      child.kill('SIGKILL');
    }, limits.lookMs);
    watch.unref();

    const ended = (code: number | null, signal: NodeJS.Signals | null, failure?: Error) => {
      if (!alive.delete(running)) return;
      clearInterval(watch);
      if (current === running) current = undefined;
      const cause = how ?? failure?.message ?? (signal ? `signal ${signal}` : `exit code ${code}`);
      const error = closed ? new AppError('CANCELLED', 'Switchback is closing.') : deathOf(placement, cause, how === undefined && diedOfMemory(signal, lastWords, running.residentBytes, killsBefore));
      for (const call of running.pending.values()) {
        if (running.hasBegun && call.id !== running.current?.id && !closed) send(call);
        else call.reject(error);
      }
      goneNow();
    };
    child.on('exit', (code, signal) => {
      if (current === running) current = undefined;
      if (running.pending.size === 0 || !child.stderr || child.stderr.closed) return ended(code, signal);
      // Why it died, which it said last, may still be on its way.
      const late = setTimeout(() => ended(code, signal), lastWordsMs);
      child.stderr.once('close', () => {
        clearTimeout(late);
        ended(code, signal);
      });
    });
    child.on('error', (failure) => ended(null, null, failure));
    return running;
  }

  function heard(running: Running, message: FromWorker): void {
    if (message.kind === 'ready') {
      running.silentMs = 0;
      return;
    }
    if (message.kind === 'began') {
      running.current = { id: message.id, name: message.name, next: 'compute' };
      running.hasBegun = true;
    } else {
      if (running.current?.next === 'compute') limits.learn(running.current.name, running.silentMs);
      if (message.kind !== 'alive') finished(running, message);
      else if (running.current) running.current.next = message.next;
    }
    running.silentMs = 0;
  }

  function finished(running: Running, message: Extract<FromWorker, { readonly kind: 'result' | 'error' }>): void {
    const call = running.pending.get(message.id);
    running.pending.delete(message.id);
    running.current = undefined;
    running.residentBytes = message.residentBytes;
    if (message.kind === 'result') call?.resolve(message.result);
    else call?.reject(fromPlainError(message.error));
    if (running.isRetired && running.pending.size === 0) disconnect(running);
  }

  function send(call: Pending): void {
    current ??= start();
    current.pending.set(call.id, call);
    // A failed send means that the process is going; its exit rejects the call.
    current.process.send({ kind: 'call', id: call.id, name: call.name, parameters: call.parameters }, () => undefined);
  }

  /** It takes no more calls and ends after its last. */
  function retire(running: Running): void {
    if (running.isRetired) return;
    if (current === running) current = undefined;
    running.isRetired = true;
    if (running.pending.size === 0 && !running.current) disconnect(running);
  }

  function disconnect(running: Running): void {
    if (running.process.connected) running.process.disconnect();
    setTimeout(() => running.process.kill('SIGKILL'), closingMs).unref();
  }

  return {
    call<R>(name: CallName, parameters: unknown, signal: AbortSignal | undefined) {
      return new Promise<R>((resolve, reject) => {
        if (signal?.aborted) return reject(new AppError('CANCELLED', 'Cancelled.'));
        if (closed) return reject(new AppError('CANCELLED', 'Switchback is closing.'));
        const id = nextId++;
        const abort = () => {
          for (const running of alive) {
            if (!running.pending.delete(id)) continue;
            running.process.send({ kind: 'cancel', id }, () => undefined);
            if (running.isRetired && running.pending.size === 0 && !running.current) disconnect(running);
          }
          reject(new AppError('CANCELLED', 'Cancelled.'));
        };
        signal?.addEventListener('abort', abort, { once: true });
        const settle = () => signal?.removeEventListener('abort', abort);
        send({
          id, name, parameters,
          resolve: (result) => (settle(), resolve(result as R)),
          reject: (error) => (settle(), reject(error as Error)),
        });
      });
    },
    restart() {
      if (current) retire(current);
    },
    processId: () => current?.process.pid,
    async close() {
      closed = true;
      current = undefined;
      const leaving = [...alive];
      for (const running of leaving) {
        running.isRetired = true;
        disconnect(running);
      }
      await Promise.all(leaving.map(({ gone }) => gone));
    },
  };
}

function deathOf(placement: string, how: string, forMemory: boolean): AppError {
  if (forMemory) return new AppError('OUT_OF_MEMORY', `The inference process of ${placement} ran out of memory and ended (${how}). Close other programs, or use a smaller batch.`, { how });
  if (how === 'hung') return new AppError('UNAVAILABLE', `The inference process of ${placement} gave no sign of life for too long and was ended. The driver or the device may hang.`, { how });
  return new AppError('UNAVAILABLE', `The inference process ended unexpectedly (${how}).`, { how });
}
