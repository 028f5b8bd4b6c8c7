/** Opening and making workspace folders, and packing one into a file for a colleague. A core has at most one open. */
import * as z from 'zod';
import { indexId, path, procedure } from './common.ts';

export const workspace = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
});

export const openedWorkspace = workspace.extend({
  /** `pack`: one file that somebody packed; it brings its pictures, but neither model nor images. */
  kind: z.enum(['folder', 'pack']),
  /** Why nothing can be changed or computed anew here, for a person; null where all can. */
  readOnly: z.string().nullable(),
});

export const packReport = z.object({
  path: z.string(),
  sizeBytes: z.int(),
  indexes: z.int(),
  /** Images that hold a hit, and how many of their pictures are in the pack; the rest could be read no more. */
  pictures: z.object({ wanted: z.int(), packed: z.int() }),
  projections: z.int(),
  maps: z.int(),
  experiments: z.int(),
  matrices: z.boolean(),
  features: z.boolean(),
});

/** Bytes that each part of a pack would have before it is written. */
export const packSizes = z.object({
  /** Hits, statistics, notes, experiments, kept pictures and projections; more where pictures are still to be read. */
  base: z.number(),
  /** Finished maps, and the small pictures of their images. */
  maps: z.number(),
  /** Features of layers, with their indexes of neighbours. */
  features: z.number(),
  matrices: z.number(),
  mapCount: z.int(),
});

export const recentWorkspace = workspace.extend({
  openedAt: z.string(),
  /** False when the folder has gone; it stays listed so that a person can see what is missing. */
  exists: z.boolean(),
  indexes: z.int(),
  images: z.int(),
});

export const workspaces = {
  current: procedure.output(openedWorkspace.nullable()),
  recent: procedure.output(z.array(recentWorkspace)),
  /** A workspace folder, or a pack. Where the disk cannot be written, for reading only. */
  open: procedure.input(z.object({ path })).output(openedWorkspace),
  /** Makes a new workspace: in the given folder, or in the user's data folder under a free name. */
  create: procedure.input(z.object({ path: path.optional(), name: z.string().min(1).max(120).optional() })).output(openedWorkspace),
  forget: procedure.input(z.object({ path })).output(z.object({})),
  /** What the parts of `pack` would take, before it is asked for. */
  packSizes: procedure.input(z.object({ indexes: z.array(indexId).min(1).max(1000).optional() })).output(packSizes),
  /** Writes one file with everything a colleague needs to look: hits, statistics, notes, marked parts, experiments, the pictures of images that hold hits, the kept projections, finished maps. Features and score matrices on request. */
  pack: procedure
    .input(z.object({ path, indexes: z.array(indexId).min(1).max(1000).optional(), matrices: z.boolean().default(false), maps: z.boolean().default(true), features: z.boolean().default(false) }))
    .output(packReport),
};
