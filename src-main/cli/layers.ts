/** `switchback layers`: the layers of an index. */
import { Command } from 'commander';
import { chosenIndex } from './chosenIndex.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';

export function layersCommand(session: Session): Command {
  return new Command('layers')
    .description('list the layers of an index')
    .requiredOption('--workspace <folder>')
    .option('--index <id>', 'the newest if absent')
    .option('--json', 'one JSON object')
    .action(async (flags: { workspace: string; index?: string; json?: boolean }) => {
      const services = await session.workspace(flags.workspace, { mode: 'read' });
      const layers = await services.indexing.layers(await chosenIndex(services, flags.index));
      if (flags.json) {
        return session.json({
          layers: layers.map(({ name, title, kind, number, channels, height, width, receptiveField, dead, images }) => ({ name, title, kind, number, channels, height, width, receptiveField, dead, images })),
        });
      }
      session.line(
        table(
          ['no', 'layer', 'title', 'kind', 'channels', 'size', 'receptive field', 'dead', 'images'],
          layers.map((layer) => [String(layer.number), layer.name, layer.title, layer.kind, String(layer.channels), `${layer.height} x ${layer.width}`, layer.receptiveField.size.join(' x '), layer.dead === null ? '-' : String(layer.dead), String(layer.images)]),
        ),
      );
    });
}
