/** The runner of jobs that build an index of neighbours (neighbourIndexes.ts). The file appears whole at the end: a job that was stopped begins anew, and the same features give the same bytes. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { buildIndexInThread } from '../features/neighbours/inThread.ts';
import type { JobRunner } from '../jobs/queue.ts';
import { writeNeighbourFile } from '../store/neighbourFiles.ts';
import type { Store } from '../store/open.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { createFeatureRows } from './featureRows.ts';
import { pausing } from './indexJob.ts';
import type { Metric } from './neighbourIndexes.ts';

export interface NeighbourJobRequest {
  /** Id of the row file. */
  readonly features: string;
  readonly metric: Metric;
}

const words = { reading: 'reading the features', linking: 'linking each image with those around it' } as const;

export function neighbourRunner(store: Store): JobRunner {
  return async (job, progress, signal) => {
    const { features: id, metric } = job.request as NeighbourJobRequest;
    try {
      const index = await store.indexes.get(job.indexId as IndexId);
      const file = await store.rowFiles.get(id);
      const rows = file && (await createFeatureRows().open(store, index, file));
      if (!rows || rows.file.id !== id) throw new AppError('CONFLICT', 'The features that this index of neighbours was to be built over are gone, or the index has other images by now. Compute the features, then ask for the index of neighbours again.', { features: id });
      try {
        const bytes = await buildIndexInThread({
          source: rows,
          metric,
          signal,
          onProgress: (stage, done, total) => progress.report(stage === 'linking' ? done : 0, total, words[stage]),
        });
        await writeNeighbourFile(scoreMatrixFolder(store.folder, rows.file.folder), rows.file, metric, bytes);
      } finally {
        await rows.close();
      }
    } catch (error) {
      throw pausing(error);
    }
  };
}
