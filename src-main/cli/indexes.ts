/** `switchback indexes`: what a workspace holds; `--delete` removes one. */
import { Command } from 'commander';
import type { Session } from './session.ts';
import { table } from './table.ts';

export function indexesCommand(session: Session): Command {
  return new Command('indexes')
    .description('list the indexes of a workspace, newest first, or delete one')
    .requiredOption('--workspace <folder>')
    .option('--delete <id>', 'delete this index with all its hits')
    .option('--json', 'one JSON object')
    .action(async (flags: { workspace: string; delete?: string; json?: boolean }) => {
      const services = await session.workspace(flags.workspace, { mode: flags.delete ? 'write' : 'read' });
      if (flags.delete) await services.indexing.delete(flags.delete);
      const indexes = await services.indexing.list();
      if (flags.json) return session.json({ indexes });
      if (indexes.length === 0) return session.line('No indexes.');
      session.line(
        table(
          ['index', 'model', 'images', 'indexed', 'skipped', 'state', 'engine', 'made'],
          indexes.map((index) => [index.id, index.modelName, String(index.images), String(index.indexed), String(index.skipped), index.outdated ? `${index.state}, outdated` : index.state, index.engineDescription, index.createdAt]),
        ),
      );
    });
}
