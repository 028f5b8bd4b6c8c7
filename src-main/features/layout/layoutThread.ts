/** Entry of a thread that computes one map: it asks for its rows, reports, and ends with the result. */
import { parentPort } from 'node:worker_threads';
import { toPlainError } from '../../../src-shared/errors.ts';
import type { RowSource } from '../matrix.ts';
import type { FromLayoutThread, ToLayoutThread } from './messages.ts';
import type { LayoutCheckpoints } from './request.ts';
import { runLayout } from './runLayout.ts';

/** Who waits for the block of rows that was asked for last; a run reads one block at a time. */
let onRows: ((data: Float32Array) => void) | null = null;

parentPort?.on('message', (message: ToLayoutThread) => {
  if (message.kind === 'rows') return onRows?.(message.data);
  const { rows, dimensions, request, resumeFrom } = message;
  runLayout(rowsByMessage(rows, dimensions), request, {
    resumeFrom,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    onPositions: (positions, iteration) => tell({ kind: 'positions', positions, iteration }, [positions.buffer]),
    onCheckpoint: (checkpoints) => tell({ kind: 'checkpoint', checkpoints }, buffersOf(checkpoints)),
  }).then(
    (result) => tell({ kind: 'done', result }, [result.positions.buffer]),
    (error: unknown) => tell({ kind: 'failed', error: toPlainError(error) }),
  );
});

function rowsByMessage(rows: number, dimensions: number): RowSource {
  return {
    rows,
    dimensions,
    read(first, count) {
      tell({ kind: 'read', first, count });
      return new Promise((resolve) => (onRows = resolve));
    },
  };
}

function buffersOf({ prepared, settled }: LayoutCheckpoints): ArrayBuffer[] {
  return [prepared, settled].flatMap((bytes) => (bytes ? [bytes.buffer] : []));
}

function tell(message: FromLayoutThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
