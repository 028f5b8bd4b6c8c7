/** `switchback pack`: one file of a workspace, to be looked at without the model and the images. */
import { Command } from 'commander';
import { list } from './options.ts';
import type { Session } from './session.ts';

interface PackFlags {
  readonly workspace: string;
  readonly out: string;
  readonly indexes?: readonly string[];
  readonly matrices?: boolean;
  readonly features?: boolean;
  readonly maps: boolean;
  readonly json?: boolean;
}

export function packCommand(session: Session): Command {
  return new Command('pack')
    .description('make one file of a workspace that a colleague can look at without the model and the images')
    .requiredOption('--workspace <folder>')
    .requiredOption('--out <file.switchback>', 'file to write')
    .option('--indexes <a,b>', 'only these indexes', list)
    .option('--matrices', 'with the score matrices: every score of every image')
    .option('--features', 'with the features of layers, so that nearest images of those of the index can be found')
    .option('--no-maps', 'without maps and the small pictures of their images')
    .option('--json', 'one JSON object')
    .action(async (flags: PackFlags) => {
      const services = await session.workspace(flags.workspace, { mode: 'read' });
      const report = await services.packs.pack({ path: flags.out, indexes: flags.indexes, matrices: flags.matrices ?? false, features: flags.features ?? false, maps: flags.maps }, session.signal, (step) => session.progress(step));
      if (flags.json) return session.json(report);
      const { wanted, packed } = report.pictures;
      session.line(`${report.path}: ${(report.sizeBytes / 1e6).toFixed(1)} MB, ${report.indexes} indexes, ${packed} pictures, ${report.projections} projections, ${report.maps} maps, ${report.experiments} experiments`);
      if (packed < wanted) session.note(`${wanted - packed} pictures of images that hold hits are not in it: their files are gone or were changed after they were indexed.`);
      if (report.projections === 0) session.note('It brings no projections: run "switchback atlas" on the workspace first, or a colleague sees patches only.');
    });
}
