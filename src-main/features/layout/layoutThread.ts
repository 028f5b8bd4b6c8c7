/** Entry of a thread that computes one map: it asks for its rows, reports, and ends with the result. */
import { parentPort } from 'node:worker_threads';
import { toPlainError } from '../../../src-shared/errors.ts';
import { createAskedRows } from '../askedRows.ts';
import type { FromLayoutThread, ToLayoutThread } from './messages.ts';
import type { LayoutCheckpoints } from './request.ts';
import { runLayout } from './runLayout.ts';

const asked = createAskedRows((question) => tell(question));

parentPort?.on('message', (message: ToLayoutThread) => {
  if (message.kind === 'rows') return asked.given(message);
  const { rows, dimensions, request, resumeFrom } = message;
  runLayout(asked.source(rows, dimensions), request, {
    resumeFrom,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    onPositions: (positions, iteration) => tell({ kind: 'positions', positions, iteration }, [positions.buffer]),
    onCheckpoint: (checkpoints) => tell({ kind: 'checkpoint', checkpoints }, buffersOf(checkpoints)),
  }).then(
    (result) => tell({ kind: 'done', result }, [result.positions.buffer]),
    (error: unknown) => tell({ kind: 'failed', error: toPlainError(error) }),
  );
});

function buffersOf({ prepared, settled }: LayoutCheckpoints): ArrayBuffer[] {
  return [prepared, settled].flatMap((bytes) => (bytes ? [bytes.buffer] : []));
}

function tell(message: FromLayoutThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
