/** Entry of a thread that builds an index of neighbours and ends, or holds one that was kept, with its rows, and answers searches. */
import { parentPort } from 'node:worker_threads';
import { toPlainError } from '../../../src-shared/errors.ts';
import { createAskedRows } from '../askedRows.ts';
import { indexBytes, indexFromBytes } from './keptIndex.ts';
import type { NeighbourIndex } from './layerSearch.ts';
import { gatherMeasured } from './measuredRows.ts';
import type { FromNeighbourThread, ToNeighbourThread } from './messages.ts';
import { indexMeasured, searchNeighbourIndex } from './neighbourIndex.ts';

const asked = createAskedRows((question) => tell(question));
let opened: NeighbourIndex | null = null;

parentPort?.on('message', (message: ToNeighbourThread) => {
  if (message.kind === 'rows') return asked.given(message);
  answer(message).catch((error: unknown) => tell({ kind: 'failed', error: toPlainError(error) }));
});

async function answer(message: Exclude<ToNeighbourThread, { kind: 'rows' }>): Promise<void> {
  if (message.kind === 'search') {
    const { id, query, request } = message;
    return tell({ kind: 'found', id, found: searchNeighbourIndex(opened!, query, request.k, { except: request.except ?? -1 }) });
  }
  const { rows, dimensions, metric } = message;
  const matrix = await gatherMeasured(asked.source(rows, dimensions), metric, (done, total) => tell({ kind: 'progress', stage: 'reading', done, total }));
  if (message.kind === 'open') {
    opened = indexFromBytes(message.bytes, matrix, metric);
    return tell({ kind: 'opened' });
  }
  const bytes = indexBytes(indexMeasured(matrix, metric, message.seed, (done, total) => tell({ kind: 'progress', stage: 'linking', done, total })));
  tell({ kind: 'built', bytes }, [bytes.buffer]);
}

function tell(message: FromNeighbourThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
