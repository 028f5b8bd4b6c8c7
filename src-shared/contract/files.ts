/** The server-side folder picker: what a browser uses where the desktop has a native dialog. */
import * as z from 'zod';
import { path, procedure } from './common.ts';

export const fileEntry = z.object({
  name: z.string(),
  path: z.string(),
  /** `pack`: a packed workspace. */
  kind: z.enum(['folder', 'model', 'pack', 'image', 'other']),
  sizeBytes: z.number(),
});

export const files = {
  /** Entries of a folder, folders first; without a path the user's home folder. At most 2,000 entries; `truncated` says if there were more. */
  list: procedure
    .input(z.object({ path: path.optional() }))
    .output(z.object({ path: z.string(), parent: z.string().nullable(), entries: z.array(fileEntry), truncated: z.boolean() })),
};
