/** Opening and making workspace folders. A core has at most one open. */
import * as z from 'zod';
import { path, procedure } from './common.ts';

export const workspace = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
});

export const recentWorkspace = workspace.extend({
  openedAt: z.string(),
  /** False when the folder has gone; it stays listed so that a person can see what is missing. */
  exists: z.boolean(),
  indexes: z.int(),
  images: z.int(),
});

export const workspaces = {
  current: procedure.output(workspace.nullable()),
  recent: procedure.output(z.array(recentWorkspace)),
  open: procedure.input(z.object({ path })).output(workspace),
  /** Makes a new workspace: in the given folder, or in the user's data folder under a free name. */
  create: procedure.input(z.object({ path: path.optional(), name: z.string().min(1).max(120).optional() })).output(workspace),
  forget: procedure.input(z.object({ path })).output(z.object({})),
};
