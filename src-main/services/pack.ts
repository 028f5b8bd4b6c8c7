/** `workspaces.pack`: one file of the open workspace for a colleague, who needs neither the model nor the images to look at it. */
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { packReport } from '../../src-shared/contract/workspaces.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { CropsTable } from '../store/crops.ts';
import { isWorkspace } from '../store/open.ts';
import { writePack } from '../store/packWriting.ts';
import { keepCrops } from './crops.ts';
import type { WorkspaceService } from './workspaces.ts';

export type PackReport = z.infer<typeof packReport>;

export interface PackRequest {
  readonly path: string;
  /** All if absent. */
  readonly indexes?: readonly string[] | undefined;
  readonly matrices: boolean;
}

export interface PackService {
  /** @throws AppError BAD_REQUEST where the file cannot be written, NOT_FOUND for an index that is not there */
  pack(request: PackRequest, signal?: AbortSignal, progress?: (step: string) => void): Promise<PackReport>;
}

export function createPackService(workspaces: WorkspaceService): PackService {
  return {
    async pack({ path, indexes, matrices }, signal, progress = () => undefined) {
      const { store } = workspaces.required();
      const file = resolve(path);
      if (file === store.path || (await isWorkspace(file))) throw new AppError('BAD_REQUEST', `${file} is a workspace: choose a new file for the pack.`, { path: file });
      const chosen = indexes ? await Promise.all(indexes.map((id) => store.indexes.get(id as IndexId))) : await store.indexes.list();
      if (chosen.length === 0) throw new AppError('NOT_FOUND', 'This workspace holds no index yet, so there is nothing to pack. Index a folder first.', { path: store.path });
      const addPictures = async (crops: CropsTable) => {
        for (const { id, modelName } of chosen) {
          await keepCrops({ ...store, crops }, id, signal ?? new AbortController().signal, { progress: (done, total) => progress(`pictures of ${modelName}: ${done} of ${total}`) });
        }
      };
      const numbers = await writePack(store, file, { indexes, matrices, ...(store.kind === 'folder' ? { addPictures } : {}) }, progress, signal);
      return { path: file, matrices, ...numbers };
    },
  };
}
