/** The network of an index as its spine: the drawn network with the index's own layers marked. Read from the model file once per set of layers. */
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type * as z from 'zod';
import { drawnSpine } from '../../src-shared/contract/indexing.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { readJson, writeJson } from './folders.ts';
import type { WorkspaceService } from './workspaces.ts';

export type DrawnSpine = z.infer<typeof drawnSpine>;

export interface SpineService {
  /** Without rows, and with the reason, where the model file cannot be read: a workspace can be looked at without it. */
  spine(index: string, signal?: AbortSignal): Promise<DrawnSpine>;
}

/** Another number whenever the drawing or its form changes. */
const drawingVersion = 1;

/** `cache`: folder where drawings outlive the process, so that a known model shows at once. */
export function createSpineService(workspaces: WorkspaceService, inference: InferenceClient, cache?: string): SpineService {
  const kept = new LRUCache<string, DrawnSpine>({ max: 16 });
  return {
    async spine(id, signal) {
      const index = await workspaces.required().store.indexes.get(id as IndexId);
      const numbers = new Map(index.layers.map(({ name, number }) => [name, number]));
      const key = createHash('sha256').update(JSON.stringify([drawingVersion, index.modelHash, index.preprocessing.crop, ...numbers])).digest('hex').slice(0, 32);
      const file = cache ? join(cache, 'spines', `${key}.json`) : null;
      const known = kept.get(key) ?? (file ? drawnSpine.safeParse(await readJson(file)).data : undefined);
      if (known) {
        kept.set(key, known);
        return known;
      }
      try {
        const rows = await inference.call('spine', { model: { path: index.modelPath, hash: index.modelHash }, crop: index.preprocessing.crop, ends: [...numbers.keys()] }, signal);
        const spine: DrawnSpine = { reason: null, rows: rows.map(({ lanes, name, what }) => ({ lanes, layer: numbers.get(name) ?? null, what })) };
        kept.set(key, spine);
        // A drawing that cannot be kept is made again next time.
        if (file) await writeJson(file, spine).catch(() => undefined);
        return spine;
      } catch (error) {
        if (error instanceof AppError && error.code !== 'CANCELLED') return { reason: error.message, rows: [] };
        throw error;
      }
    },
  };
}
