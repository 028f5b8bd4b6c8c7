/** The sample: pictures that Switchback draws itself and a network trained on them, for a first look without any download. */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { indexId, jobId, procedure } from './common.ts';
import { openedWorkspace } from './workspaces.ts';

/** What came with Switchback. */
export const sampleNetwork = z.object({
  /** For a person, e.g. "ZFNet, width 0.33, 96 x 96". */
  title: z.string(),
  classes: z.array(z.string()).readonly(),
  parameters: z.int(),
  /** Share from 0 to 1; null where it was trained without validation. */
  validationError: z.number().nullable(),
  /** Epochs of the checkpoints, ascending; the last one is the trained network. */
  epochs: z.array(z.int()).readonly(),
  sizeBytes: z.number(),
});

export const sampleStatus = z.object({
  /** Null where this copy of Switchback has none; `missing` says why. */
  network: sampleNetwork.nullable(),
  missing: z.string().nullable(),
  pictures: z.object({ drawn: z.int(), of: z.int(), path: z.string() }),
  /** The sample's workspace in the user's data folder; null where it was not opened yet. */
  workspacePath: z.string().nullable(),
  /** Folder of the checkpoints: the run for `evolution`. */
  checkpointsPath: z.string().nullable(),
});

export const sampleProgress = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('drawing'), done: z.int(), of: z.int() }),
  /** The workspace is open, its index is being started. */
  z.object({ kind: z.literal('opening'), workspace: openedWorkspace }),
  /** The last: the index runs as job `jobId`, or is complete (null). Its atlas can be opened now. */
  z.object({ kind: z.literal('ready'), workspace: openedWorkspace, index: indexId, jobId: jobId.nullable() }),
]);

export const sample = {
  status: procedure.output(sampleStatus),
  /**
   * Draws what is missing of the pictures, opens the sample's workspace (made on first use), and starts the index of the trained network. What was drawn is kept when the stream is
   * left early. Fails as `workspaces.open` does while a job runs in another workspace.
   */
  open: procedure.input(z.object({})).output(eventIterator(sampleProgress)),
};
