/** `workspaces.pack`: one file of the open workspace for a colleague, who needs neither the model nor the images to look at it. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { packReport, packSizes } from '../../src-shared/contract/workspaces.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { LabUploadsTable } from '../store/labUploads.ts';
import { isWorkspace, type Store } from '../store/open.ts';
import { packableFiles, type PackPart } from '../store/packParts.ts';
import { writePack, type PackContents } from '../store/packWriting.ts';
import { keepCrops } from './crops.ts';
import { partsOf } from './experimentParts.ts';
import { subjectOfIndex } from './labSubject.ts';
import type { WorkspaceService } from './workspaces.ts';

export type PackReport = z.infer<typeof packReport>;
export type PackSizes = z.infer<typeof packSizes>;

export interface PackRequest {
  readonly path: string;
  /** All if absent. */
  readonly indexes?: readonly string[] | undefined;
  readonly matrices: boolean;
  /** False if absent. */
  readonly features?: boolean;
  /** True if absent. */
  readonly maps?: boolean;
}

export interface PackService {
  /** @throws AppError NOT_FOUND for an index that is not there */
  sizes(indexes?: readonly string[]): Promise<PackSizes>;
  /** @throws AppError BAD_REQUEST where the file cannot be written, NOT_FOUND for an index that is not there */
  pack(request: PackRequest, signal?: AbortSignal, progress?: (step: string) => void): Promise<PackReport>;
}

export function createPackService(workspaces: WorkspaceService, inference: InferenceClient): PackService {
  return {
    async sizes(indexes) {
      const { store } = workspaces.required();
      await chosenOf(store, indexes);
      const files = await packableFiles(store, store.folder, indexes);
      const bytesOf = (part: PackPart) => files.reduce((sum, { parts, bytes }) => sum + (parts[0] === part ? bytes : 0), 0);
      const database = (await stat(store.source.file)).size - (await store.projections.size());
      return { base: Math.max(0, database), maps: bytesOf('maps'), features: bytesOf('features'), matrices: bytesOf('matrices'), mapCount: new Set(files.flatMap(({ name, record }) => (name.startsWith('maps/') ? [record] : []))).size };
    },
    async pack({ path, indexes, matrices, features = false, maps = true }, signal, progress = () => undefined) {
      const { store } = workspaces.required();
      const file = resolve(path);
      if (file === store.path || (await isWorkspace(file))) throw new AppError('BAD_REQUEST', `${file} is a workspace: choose a new file for the pack.`, { path: file });
      const chosen = await chosenOf(store, indexes);
      if (chosen.length === 0) throw new AppError('NOT_FOUND', 'This workspace holds no index yet, so there is nothing to pack. Index a folder first.', { path: store.path });
      const complete: PackContents['complete'] = async ({ crops, labUploads }) => {
        for (const index of chosen) {
          await nameClasses(inference, store, index, labUploads, signal);
          await keepCrops({ ...store, crops }, index.id, signal ?? new AbortController().signal, { also: await studiedImages(store, index), progress: (done, total) => progress(`pictures of ${index.modelName}: ${done} of ${total}`) });
        }
      };
      const parts: PackPart[] = [...(maps ? ['maps' as const] : []), ...(features ? ['features' as const] : []), ...(matrices ? ['matrices' as const] : [])];
      const numbers = await writePack(store, file, { indexes, parts, ...(store.kind === 'folder' ? { complete } : {}) }, progress, signal);
      return { path: file, matrices, features, ...numbers };
    },
  };
}

async function chosenOf(store: Store, indexes: readonly string[] | undefined): Promise<readonly StoredIndex[]> {
  return indexes ? Promise.all(indexes.map((id) => store.indexes.get(id as IndexId))) : store.indexes.list();
}

/** How many classes the network has, and their names as far as they are known: maps that are coloured by predictions ask for them where there is no network. */
async function nameClasses(inference: InferenceClient, store: Store, index: StoredIndex, labUploads: LabUploadsTable, signal: AbortSignal | undefined): Promise<void> {
  const subject = await subjectOfIndex(inference, store, index, signal).catch(() => null);
  signal?.throwIfAborted();
  if (subject?.description.classifier.kind !== 'classifier') return;
  const { names } = subject;
  await labUploads.nameClasses(index.modelHash, Array.from({ length: subject.description.classifier.classes }, (_, place) => names[place] ?? { name: null, wnid: null }));
}

/** More of them would make a pack large. */
const mostStudied = 2000;

/** Images that an experiment names or a person marked parts on: they are shown beside their numbers, whether they hold a hit or not. */
async function studiedImages(store: Store, index: StoredIndex): Promise<readonly number[]> {
  const studied = new Set((await partsOf(store, index).catch(() => [])).map(({ imageNumber }) => imageNumber));
  for (const { id, caption } of await store.experiments.list({ index: index.id, limit: 1000 })) {
    if (caption === null) continue;
    const { spec, numbers } = await store.experiments.get(id);
    for (const { images } of [spec, numbers] as readonly { readonly images?: unknown }[]) {
      for (const image of Array.isArray(images) ? (images as unknown[]) : []) {
        const number = typeof image === 'number' ? image : (image as { readonly imageNumber?: unknown } | null)?.imageNumber;
        if (typeof number === 'number' && Number.isInteger(number)) studied.add(number);
      }
    }
  }
  return [...studied].sort((a, b) => a - b).slice(0, mostStudied);
}
