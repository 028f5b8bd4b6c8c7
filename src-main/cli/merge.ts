/** `switchback merge`: parts of an index, computed on several machines, become one. */
import { Command } from 'commander';
import { describePlaces } from '../indexing/mergePlan.ts';
import { mergeWorkspaces } from '../services/merge.ts';
import type { Session } from './session.ts';

interface MergeFlags {
  readonly into: string;
  readonly allowMissing?: boolean;
  readonly json?: boolean;
}

export function mergeCommand(session: Session): Command {
  return new Command('merge')
    .description('put the shards of an index together; any number in any order gives what one run would have given')
    .argument('<workspaces...>', 'workspace folders that "switchback index --shard" made')
    .requiredOption('--into <folder>', 'workspace for the result, made if missing')
    .option('--allow-missing', 'merge what there is, also where shards are missing or unfinished')
    .option('--json', 'one JSON object')
    .action(async (parts: readonly string[], flags: MergeFlags) => {
      const report = await mergeWorkspaces({ parts, into: flags.into, allowMissing: flags.allowMissing ?? false }, (step) => session.progress(step), session.signal);
      if (flags.json) return session.json(report);
      const skipped = report.skipped > 0 ? `, ${report.skipped} of them skipped` : '';
      session.line(`index ${report.index} in ${report.workspace}: ${report.images} images${skipped}${report.changed ? '' : ', complete already'}`);
      if (report.missing.length > 0) session.line(`missing: images ${describePlaces(report.missing)} of the listing; merge again when their shards are done`);
    });
}
