/** `switchback rescan`: looks at an index's folder again and computes only what was added or changed. */
import { Command } from 'commander';
import { chosenIndex } from './chosenIndex.ts';
import type { Session } from './session.ts';
import { waitForJob } from './waitForJob.ts';

export function rescanCommand(session: Session): Command {
  return new Command('rescan')
    .description('bring an index up to date with its folder: images that were added, changed or removed')
    .requiredOption('--workspace <folder>')
    .option('--index <id>', 'the newest if absent')
    .option('--json', 'one JSON object')
    .action(async (flags: { workspace: string; index?: string; json?: boolean }) => {
      const services = await session.workspace(flags.workspace, { mode: 'write' });
      const index = await chosenIndex(services, flags.index);
      const { jobId, ...found } = await services.indexing.rescan(index, session.signal);
      if (found.recomputes !== null) session.note(found.recomputes);
      if (jobId) await waitForJob(session, services, jobId);
      const record = await services.indexing.get(index);
      if (flags.json) return session.json({ index, images: record.indexed, skipped: record.skipped, ...found });
      session.line(`index ${index}: ${found.added} added, ${found.changed} changed, ${found.removed} removed, ${found.unchanged} unchanged; ${record.indexed} images${record.skipped > 0 ? `, ${record.skipped} skipped` : ''}`);
    });
}
