/** `switchback atlas`: projects all hits ahead and keeps them in the workspace, with the crops they come from; goes on where it was stopped. */
import { Command } from 'commander';
import { methods, type Method } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { list } from './options.ts';
import type { Session } from './session.ts';
import { waitForJob } from './waitForJob.ts';

interface AtlasFlags {
  readonly workspace: string;
  readonly index?: string;
  readonly layers?: readonly string[];
  readonly methods: readonly string[];
  readonly json?: boolean;
}

export function atlasCommand(session: Session): Command {
  return new Command('atlas')
    .description('project the hits of all channels ahead, and keep them in the workspace')
    .requiredOption('--workspace <folder>')
    .option('--index <id>', 'the newest if absent')
    .option('--layers <a,b>', 'layers by name; all if absent', list)
    .option('--methods <a,b>', `of ${methods.join(', ')}`, list, ['deconvnet'])
    .option('--json', 'one JSON object')
    .action(async (flags: AtlasFlags) => {
      const chosen = flags.methods.map((name) => methodNamed(name));
      const services = await session.workspace(flags.workspace, { mode: 'write' });
      const index = await chosenIndex(services, flags.index);
      const layers = flags.layers && (await Promise.all(flags.layers.map(async (name) => (await chosenLayer(services, index, name)).number)));
      const startedMs = performance.now();
      const { jobId } = await services.atlas.start({ index, methods: chosen, ...(layers ? { layers } : {}) });
      if (jobId) await waitForJob(session, services, jobId, 'projections');
      const seconds = Math.round((performance.now() - startedMs) / 10) / 100;
      const { crops, projections } = await services.atlas.kept(index);
      if (flags.json) return session.json({ index, crops, projections, seconds });
      const bytes = crops.bytes + projections.reduce((sum, each) => sum + each.bytes, 0);
      const kept = projections.reduce((sum, each) => sum + each.kept, 0);
      session.line(`index ${index}: ${kept} projections and ${crops.kept} input crops are kept (${Math.ceil(bytes / 2 ** 20)} MB)${jobId ? ` after ${seconds} s` : '; nothing was missing'}`);
    });
}

function methodNamed(name: string): Method {
  const found = methods.find((method) => method === name);
  if (!found) throw new AppError('BAD_REQUEST', `There is no method ${JSON.stringify(name)}. The methods: ${methods.join(', ')}.`, { method: name });
  return found;
}
