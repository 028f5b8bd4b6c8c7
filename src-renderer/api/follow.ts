/**
 * Keeps listening to a stream of the core: opens it, hands on each message, opens it again with growing pauses when it breaks.
 * A hidden page lets go of its streams: a browser grants six connections to one host over all its tabs, and a stream holds one for good.
 */
import type { PlainError } from '../../src-shared/errors.ts';
import { toFailure, wasCalledOff } from './failure.ts';

export interface Following<T> {
  /** Opens the stream; rejects when the core is away. */
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<T>>;
  readonly receive: (message: T) => void;
  /** Called when the stream came to its own end. Absent for a stream without end: that one is opened again. */
  readonly ended?: () => void;
  /** Called, and the listening ended, with an error that trying again cannot mend: the core answered and refused. Absent: it is tried again like any other. */
  readonly refused?: (failure: PlainError) => void;
}

const pausesMs = [500, 1000, 2000, 4000, 8000, 15_000];

/** Starts following; returns the function that stops it for good. */
export function follow<T>(following: Following<T>): () => void {
  const stop = new AbortController();
  void keepOpen(following, stop.signal);
  return () => stop.abort();
}

async function keepOpen<T>(following: Following<T>, stopped: AbortSignal): Promise<void> {
  let failures = 0;
  while (!stopped.aborted) {
    await untilVisible(stopped);
    if (stopped.aborted) return;
    const hidden = abortWhenHidden(stopped);
    try {
      for await (const message of await following.open(hidden.signal)) {
        if (stopped.aborted) return;
        failures = 0;
        following.receive(message);
      }
      if (!stopped.aborted && !hidden.signal.aborted && following.ended) return following.ended();
    } catch (thrown) {
      if (stopped.aborted) return;
      const failure = toFailure(thrown);
      if (following.refused && failure.code !== 'UNAVAILABLE' && failure.code !== 'INTERNAL') return following.refused(failure);
      if (!wasCalledOff(thrown)) failures += 1;
    } finally {
      hidden.release();
    }
    if (!hidden.signal.aborted) await pause(pausesMs[Math.min(failures, pausesMs.length - 1)]!, stopped);
  }
}

function abortWhenHidden(stopped: AbortSignal): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const look = (): void => {
    if (document.visibilityState === 'hidden') controller.abort();
  };
  const stop = (): void => controller.abort();
  document.addEventListener('visibilitychange', look);
  stopped.addEventListener('abort', stop);
  return {
    signal: controller.signal,
    release: () => {
      document.removeEventListener('visibilitychange', look);
      stopped.removeEventListener('abort', stop);
    },
  };
}

function untilVisible(stopped: AbortSignal): Promise<void> {
  if (document.visibilityState !== 'hidden') return Promise.resolve();
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.visibilityState === 'hidden' && !stopped.aborted) return;
      document.removeEventListener('visibilitychange', look);
      stopped.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    stopped.addEventListener('abort', look);
  });
}

function pause(milliseconds: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stopped.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
