/**
 * Keeps the input crops of images that hold hits while nothing else is to be done: once a workspace is open and no job runs, and again after every job. An index is done without it, so it
 * lengthens nothing; after it looking needs no image file. Stops as soon as a job begins, and goes on when that has ended.
 */
import { keepCrops } from './crops.ts';
import type { OpenWorkspace, WorkspaceService } from './workspaces.ts';

export interface CropKeeping {
  /** For a process that stays; commands that end when they are done leave it to `atlas`, `pack` and whoever looks. */
  start(): void;
  close(): Promise<void>;
}

const watchIntervalMs = 250;

export function createCropKeeping(workspaces: WorkspaceService): CropKeeping {
  const closing = new AbortController();
  let watching: Promise<void> | undefined;
  let stop = async (): Promise<void> => undefined;

  async function watch(): Promise<void> {
    for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, closing.signal)) {
      await stop();
      if (workspaces.current()?.readOnly !== null || workspaces.required().queue.isBusy()) continue;
      const stopped = new AbortController();
      const pass = keepAll(workspaces.required(), stopped.signal);
      stop = () => {
        stopped.abort();
        return pass;
      };
    }
    await stop();
  }

  return {
    start() {
      watching ??= watch();
    },
    async close() {
      closing.abort();
      await watching;
    },
  };
}

/** Whatever ends it, a later pass goes on: the workspace may be closed, an index deleted, the disk full. */
async function keepAll({ store }: OpenWorkspace, signal: AbortSignal): Promise<void> {
  const indexes = await store.indexes.list().catch(() => []);
  for (const { id, cursor, images } of indexes) {
    // While an index grows its hits come and go.
    if (cursor === images) await keepCrops(store, id, signal, { atOnce: 1 }).catch(() => undefined);
    if (signal.aborted) return;
  }
}
