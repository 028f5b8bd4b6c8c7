/** `switchback top`: the hits of a layer's channels. */
import { Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';

export function topCommand(session: Session): Command {
  return new Command('top')
    .description('list the strongest hits of each channel of a layer')
    .requiredOption('--workspace <folder>')
    .requiredOption('--layer <name>')
    .option('--channel <n>', 'one channel, counted from 0', wholeNumber(0, 10_000_000))
    .option('--index <id>', 'the newest if absent')
    .option('--json', 'one JSON object')
    .action(async (flags: { workspace: string; layer: string; channel?: number; index?: string; json?: boolean }) => {
      const services = await session.workspace(flags.workspace, { mode: 'read' });
      const index = await chosenIndex(services, flags.index);
      const layer = await chosenLayer(services, index, flags.layer);
      if (flags.channel !== undefined && flags.channel >= layer.channels) {
        throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has channels 0 to ${layer.channels - 1}; there is no channel ${flags.channel}.`, { layer: layer.name, channel: flags.channel });
      }
      const channels = await services.indexing.hits(index, layer.number, flags.channel);
      if (flags.json) return session.json({ layer: layer.name, channels });
      for (const { channel, dead, hits } of channels) {
        session.line(`channel ${channel}${dead ? ': dead, no image excites it' : ''}`);
        if (hits.length > 0) session.line(table(['rank', 'image', 'score', 'y', 'x', 'box'], hits.map((hit) => [String(hit.rank), hit.image, hit.score.toFixed(4), String(hit.y), String(hit.x), hit.box.join(' ')])));
      }
    });
}
