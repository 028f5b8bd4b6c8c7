/**
 * What is kept only to save time, how much room it takes, and clearing it: of the open workspace the cache of projections, the small projections and the input crops that stay with an index, features and maps of its images; of
 * this machine compiled code and what is known of its devices. Score matrices are named beside them because they are large, but they are results and not cleared here.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import type { cacheKind, keptCache } from '../../src-shared/contract/settings.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { Store } from '../store/open.ts';
import { isRowFileName } from '../store/rowFiles.ts';
import type { UserFolders } from './folders.ts';
import type { OpenWorkspace, WorkspaceService } from './workspaces.ts';

export type CacheKind = z.infer<typeof cacheKind>;
export type KeptCache = z.infer<typeof keptCache>;

export interface StorageService {
  list(): Promise<{ caches: KeptCache[]; matrixBytes: number }>;
  /** @throws AppError CONFLICT where it cannot be cleared now, with the reason */
  clear(kind: CacheKind): Promise<KeptCache>;
}

/** One of them: its size, what stands in the way of clearing it, and how it is cleared. */
interface Cache {
  size(): Promise<{ readonly bytes: number; readonly entries: number }>;
  obstacle(): Promise<string | null>;
  clear(): Promise<void>;
}

export function createStorageService(workspaces: WorkspaceService, folders: UserFolders, inference: InferenceClient): StorageService {
  function caches(): Partial<Record<CacheKind, Cache>> {
    const opened = workspaces.current() ? workspaces.required() : null;
    return { ...(opened ? workspaceCaches(opened) : {}), ...(folders.cache === undefined ? {} : machineCaches(folders.cache, inference)) };
  }
  const described = async (kind: CacheKind, cache: Cache): Promise<KeptCache> => ({ kind, ...(await cache.size()), obstacle: await cache.obstacle() });
  return {
    async list() {
      const list = await Promise.all(Object.entries(caches()).map(([kind, cache]) => described(kind as CacheKind, cache)));
      const features = list.find(({ kind }) => kind === 'features')?.bytes ?? 0;
      return { caches: list, matrixBytes: workspaces.current() ? Math.max(0, (await sizeOfFolder(join(workspaces.required().store.folder, 'activations'))).bytes - features) : 0 };
    },
    async clear(kind) {
      const cache = caches()[kind];
      if (!cache) throw new AppError('WORKSPACE', 'No workspace is open, so that there is nothing to clear of it. Open one first.', { kind });
      const obstacle = await cache.obstacle();
      if (obstacle !== null) throw new AppError('CONFLICT', obstacle, { kind });
      await cache.clear();
      return described(kind, cache);
    },
  };
}

function workspaceCaches({ store, queue, readOnly }: OpenWorkspace): Record<'projections' | 'keptProjections' | 'crops' | 'features' | 'maps', Cache> {
  const writable = () => Promise.resolve(readOnly ?? (queue.isBusy() ? 'A job is running in this workspace and uses it. Clear it when the job is done.' : null));
  return {
    projections: {
      size: async () => ({ bytes: await store.projections.size(), entries: await store.projections.count() }),
      obstacle: writable,
      clear: () => store.projections.clear(),
    },
    keptProjections: {
      size: async () => counted(await store.keptProjections.total()),
      obstacle: writable,
      clear: () => store.keptProjections.clear(),
    },
    crops: {
      size: async () => counted(await store.crops.total()),
      obstacle: async () => (await writable()) ?? (await missingFolder(store)),
      async clear() {
        for (const { id } of await store.indexes.list()) await store.crops.clear(id);
      },
    },
    features: {
      size: async () => ({ bytes: (await sizeOfFolder(join(store.folder, 'activations'), isRowFileName)).bytes, entries: (await store.rowFiles.list()).length }),
      obstacle: async () => (await writable()) ?? (await missingFolder(store)),
      async clear() {
        for (const { id } of await store.rowFiles.list()) await store.rowFiles.delete(id);
      },
    },
    maps: {
      size: async () => ({ bytes: (await sizeOfFolder(join(store.folder, 'maps'))).bytes, entries: (await store.maps.list()).length }),
      obstacle: writable,
      async clear() {
        for (const { id } of await store.maps.list()) await store.maps.delete(id);
      },
    },
  };
}

/** Crops are the only pictures that are left of a folder that has gone. */
async function missingFolder(store: Store): Promise<string | null> {
  for (const { imagesPath } of await store.indexes.list()) {
    const there = await stat(imagesPath).then((found) => found.isDirectory(), () => false);
    if (!there) return `The image folder ${imagesPath} is not there, so that these pictures could not be made again. Bring the folder back first.`;
  }
  return null;
}

function machineCaches(folder: string, inference: InferenceClient): Record<'code' | 'devices', Cache> {
  const [code, devices] = [join(folder, 'code'), join(folder, 'devices.json')];
  const free = () => Promise.resolve(null);
  return {
    code: { size: () => sizeOfFolder(code), obstacle: free, clear: () => rm(code, { recursive: true, force: true }) },
    devices: {
      async size() {
        const bytes = (await stat(devices).catch(() => null))?.size ?? 0;
        return { bytes, entries: bytes > 0 ? 1 : 0 };
      },
      obstacle: free,
      async clear() {
        inference.devices.forget();
        await rm(devices, { force: true });
      },
    },
  };
}

function counted({ kept, bytes }: { readonly kept: number; readonly bytes: number }): { readonly bytes: number; readonly entries: number } {
  return { bytes, entries: kept };
}

/** Of all files in it, or those of certain names; nothing for a folder that is not there. */
async function sizeOfFolder(folder: string, isCounted: (name: string) => boolean = () => true): Promise<{ readonly bytes: number; readonly entries: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile() && isCounted(entry.name)).map((entry) => stat(join(entry.parentPath, entry.name)).then(({ size }) => size, () => 0)));
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), entries: sizes.length };
}
