/** Table `layer_statistics`: what all channels of a layer did over all ranked images, as the bytes that the indexer packs; written with each batch (hits.commitBatch). */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Statements } from './driver.ts';
import type { Connections } from './open.ts';

export interface StatisticsTable {
  /** The bytes as they were committed, null before the first batch. */
  read(index: IndexId, layer: number): Promise<Uint8Array | null>;
}

export function statisticsTable({ reader }: Connections): StatisticsTable {
  return {
    async read(index, layer) {
      return (await reader.get<{ data: Uint8Array }>('SELECT data FROM layer_statistics WHERE index_id = ? AND layer = ?', [index, layer]))?.data ?? null;
    },
  };
}

/** Runs inside the caller's transaction. */
export async function writeStatistics(statements: Statements, index: IndexId, layers: readonly { readonly layer: number; readonly data: Uint8Array }[]): Promise<void> {
  for (const { layer, data } of layers) {
    await statements.run('INSERT INTO layer_statistics (index_id, layer, data) VALUES (?, ?, ?) ON CONFLICT (index_id, layer) DO UPDATE SET data = excluded.data', [index, layer, data]);
  }
}
