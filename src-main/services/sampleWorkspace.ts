/** The sample in one click: its pictures drawn, its workspace opened, the trained network indexed on them. Each step does only what is missing, so that it can be left at any moment and asked for again. */
import { join } from 'node:path';
import type * as z from 'zod';
import type { sampleProgress, sampleStatus } from '../../src-shared/contract/sample.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { isWorkspace } from '../store/open.ts';
import type { IndexingService } from './indexing.ts';
import { countSamplePictures, drawSampleFolder } from './sample.ts';
import { copySampleNetwork, readSampleNetwork } from './sampleNetwork.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type SampleStatus = z.infer<typeof sampleStatus>;
export type SampleProgress = z.infer<typeof sampleProgress>;

export interface SampleService {
  status(): Promise<SampleStatus>;
  open(signal?: AbortSignal): AsyncGenerator<SampleProgress, void, void>;
}

/** Where the sample comes from, and where it goes; a part that is absent is the person's data folder. */
export interface SamplePlace {
  /** Checkpoints and their record. */
  readonly network: string;
  readonly pictures: string;
  readonly workspace: string;
  /** Of each class; all if absent. */
  readonly perClass?: number;
}

/** In the person's data folder. */
export function samplePlace(network: string, data: string): SamplePlace {
  return { network, pictures: join(data, 'sample', 'pictures'), workspace: join(data, 'sample', 'workspace') };
}

const progressEveryMs = 250;
/** Trying every device and batch size of a machine takes longer than indexing so small a network. */
const way = { device: 'cpu', batch: 16 } as const;

export function createSampleService(place: SamplePlace, workspaces: WorkspaceService, indexing: IndexingService, inference: Pick<InferenceClient, 'call'>): SampleService {
  // Two clicks draw one sample.
  const inTurn = createTurns(1);
  const checkpoints = join(place.workspace, 'training', 'sample');
  return {
    async status() {
      const found = await readSampleNetwork(place.network).catch((error: unknown) => {
        if (error instanceof AppError) return error.message;
        throw error;
      });
      const exists = await isWorkspace(place.workspace);
      return {
        network: typeof found === 'string' ? null : found.network,
        missing: typeof found === 'string' ? found : null,
        pictures: { ...(await countSamplePictures(place.pictures, undefined, place.perClass)), path: place.pictures },
        workspacePath: exists ? place.workspace : null,
        checkpointsPath: exists ? checkpoints : null,
      };
    },
    async *open(signal = new AbortController().signal) {
      await readSampleNetwork(place.network);
      // First, as another workspace may be busy: nobody should wait for the drawing to be told that.
      await workspaces.create({ path: place.workspace, name: 'Sample' });
      yield* drawn(place, signal, inTurn);
      const workspace = await workspaces.create({ path: place.workspace });
      yield { kind: 'opening', workspace };
      const modelPath = await copySampleNetwork(place.network, checkpoints, place.pictures);
      const { preprocessing } = await inference.call('inspect', { path: modelPath }, signal);
      const { index, jobId } = await indexing.start({ modelPath, imagesPath: place.pictures, preprocessing, top: 9, engine: 'auto', ...way }, signal);
      yield { kind: 'ready', workspace, index, jobId };
    },
  };
}

/** Draws, and tells now and then how far it has come. */
async function* drawn({ pictures, perClass }: SamplePlace, signal: AbortSignal, inTurn: ReturnType<typeof createTurns>): AsyncGenerator<SampleProgress, void, void> {
  let progress: SampleProgress = { kind: 'drawing', done: 0, of: 0 };
  const left = new AbortController();
  const drawing = inTurn(() => drawSampleFolder(pictures, { ...(perClass ? { perClass } : {}), onProgress: (done, of) => (progress = { kind: 'drawing', done, of }) }, AbortSignal.any([signal, left.signal])));
  const ended = drawing.then(() => true, () => true);
  try {
    for (let isOver = false; !isOver; ) {
      isOver = await Promise.race([ended, new Promise<false>((resolve) => setTimeout(resolve, progressEveryMs, false))]);
      if (progress.of > 0) yield progress;
    }
    await drawing;
  } finally {
    left.abort(new AppError('CANCELLED', 'Cancelled.'));
    await ended;
  }
}
