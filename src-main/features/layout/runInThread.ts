/** Runs one map in a thread of its own, so that the core answers while it settles; the thread asks for the rows block by block. */
import { Worker } from 'node:worker_threads';
import { AppError, fromPlainError } from '../../../src-shared/errors.ts';
import { giveRows } from '../askedRows.ts';
import type { RowSource } from '../matrix.ts';
import type { FromLayoutThread, ToLayoutThread } from './messages.ts';
import type { LayoutCheckpoints, LayoutRequest, LayoutResult, LayoutWatch } from './request.ts';

export interface LayoutOrder extends LayoutWatch {
  readonly rows: RowSource;
  readonly request: LayoutRequest;
  readonly resumeFrom?: LayoutCheckpoints;
  readonly signal: AbortSignal;
}

/** From the sources the entry lies beside this file; built, beside every chunk. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './layoutThread.ts' : './layoutThread.js', import.meta.url);

/**
 * Resolves with the finished map. Rejects with the signal's reason as soon as it is aborted (the thread is ended at once; what onCheckpoint was given last is
 * where to go on), with CONFLICT if `resumeFrom` belongs to another request or to rows of another shape, with UNREADABLE_FILE if it is broken, and with
 * what reading a row or one of the callbacks threw.
 */
export async function runLayoutInThread(order: LayoutOrder): Promise<LayoutResult> {
  order.signal.throwIfAborted();
  const worker = new Worker(entry, { execArgv: [] });
  const stopping = new AbortController();
  try {
    return await new Promise<LayoutResult>((resolve, reject) => {
      order.signal.addEventListener('abort', () => reject(order.signal.reason as Error), { once: true, signal: stopping.signal });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new AppError('INTERNAL', `The thread of the map ended with code ${code} before the map was done.`)));
      const tell = (message: ToLayoutThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer);
      worker.on('message', (message: FromLayoutThread) => {
        answer(order, message, tell, resolve, reject).catch(reject);
      });
      const { rows, dimensions } = order.rows;
      tell({ kind: 'start', rows, dimensions, request: order.request, resumeFrom: order.resumeFrom ?? {} });
    });
  } finally {
    stopping.abort();
    await worker.terminate();
  }
}

async function answer(
  order: LayoutOrder,
  message: FromLayoutThread,
  tell: (message: ToLayoutThread, transfer: ArrayBuffer[]) => void,
  resolve: (result: LayoutResult) => void,
  reject: (error: unknown) => void,
): Promise<void> {
  switch (message.kind) {
    case 'read':
      return giveRows(order.rows, message, tell);
    case 'progress':
      return order.onProgress?.(message.progress);
    case 'positions':
      return order.onPositions?.(message.positions, message.iteration);
    case 'checkpoint':
      return order.onCheckpoint?.(message.checkpoints);
    case 'done':
      return resolve(message.result);
    case 'failed':
      return reject(fromPlainError(message.error));
  }
}
