/** Builds an index of neighbours, or searches one that was kept, in a thread of its own, so that the core answers meanwhile; the thread asks for the rows block by block. */
import { Worker } from 'node:worker_threads';
import { AppError, fromPlainError } from '../../../src-shared/errors.ts';
import { giveRows } from '../askedRows.ts';
import type { Metric, RowSource } from '../matrix.ts';
import type { FromNeighbourThread, ToNeighbourThread } from './messages.ts';
import type { NearestRequest, Neighbours } from './nearestRows.ts';

/** Of what is left to chance: the same rows give the same index. */
const seed = 1;

/** From the sources the entry lies beside this file; built, beside every chunk. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './neighbourThread.ts' : './neighbourThread.js', import.meta.url);

export interface IndexOrder {
  readonly source: RowSource;
  readonly metric: Metric;
  readonly signal: AbortSignal;
  readonly onProgress: (stage: 'reading' | 'linking', done: number, total: number) => void;
}

/** The bytes to keep. Rejects with the signal's reason as soon as it is aborted, and with what reading a row threw. */
export async function buildIndexInThread({ source, metric, signal, onProgress }: IndexOrder): Promise<Uint8Array<ArrayBuffer>> {
  signal.throwIfAborted();
  const thread = startThread(source);
  const stop = () => thread.fail(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      thread.listen((message) => {
        if (message.kind === 'progress') onProgress(message.stage, message.done, message.total);
        if (message.kind === 'built') resolve(message.bytes);
      }, reject);
      thread.tell({ kind: 'build', rows: source.rows, dimensions: source.dimensions, metric, seed });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await thread.close();
  }
}

export interface IndexSearcher {
  /** Fewer than asked for where the index leads no further. Rejects when the thread has ended. */
  search(query: Float32Array, request: NearestRequest): Promise<Neighbours>;
  close(): Promise<void>;
}

/**
 * Holds the rows and the index in a thread until it is closed; `source` is read before this resolves, and not later.
 * @throws AppError CONFLICT, UNREADABLE_FILE where the bytes are not those of an index over these rows
 */
export async function openIndexInThread(source: RowSource, metric: Metric, bytes: Uint8Array<ArrayBuffer>): Promise<IndexSearcher> {
  const thread = startThread(source);
  const waiting = new Map<number, { resolve(found: Neighbours): void; reject(error: unknown): void }>();
  let ids = 0;
  let ended: unknown;
  try {
    await new Promise<void>((resolve, reject) => {
      thread.listen(
        (message) => {
          if (message.kind === 'opened') resolve();
          if (message.kind === 'found') {
            waiting.get(message.id)?.resolve(message.found);
            waiting.delete(message.id);
          }
        },
        (error) => {
          ended ??= error;
          reject(error as Error);
          for (const each of waiting.values()) each.reject(error);
          waiting.clear();
        },
      );
      thread.tell({ kind: 'open', rows: source.rows, dimensions: source.dimensions, metric, bytes }, [bytes.buffer]);
    });
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    search: (query, request) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended as Error);
        const id = ids++;
        waiting.set(id, { resolve, reject });
        thread.tell({ kind: 'search', id, query, request });
      }),
    async close() {
      thread.fail(new AppError('CANCELLED', 'The search for neighbours was stopped.'));
      await thread.close();
    },
  };
}

/** A thread whose questions for rows are answered; everything else goes to who listens. */
function startThread(source: RowSource) {
  const worker = new Worker(entry, { execArgv: [] });
  let onMessage: (message: FromNeighbourThread) => void = () => undefined;
  let onFailure: (error: unknown) => void = () => undefined;
  const tell = (message: ToNeighbourThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer);
  const fail = (error: unknown) => onFailure(error);
  worker.on('message', (message: FromNeighbourThread) => {
    if (message.kind === 'read') return void giveRows(source, message, tell).catch(fail);
    if (message.kind === 'failed') return fail(fromPlainError(message.error));
    onMessage(message);
  });
  worker.once('error', fail);
  worker.once('exit', (code) => fail(new AppError('INTERNAL', `The thread of the neighbours ended with code ${code}.`)));
  return {
    tell,
    fail,
    listen(message: typeof onMessage, failure: typeof onFailure): void {
      [onMessage, onFailure] = [message, failure];
    },
    close: async () => void (await worker.terminate()),
  };
}
