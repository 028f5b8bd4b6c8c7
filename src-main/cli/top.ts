/** `switchback top`: the strongest images of a layer's channels, or the weakest, of all images or of one class. */
import { Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import type { IndexedLayer } from '../services/indexing.ts';
import type { Services } from '../services/services.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';

interface TopFlags {
  readonly workspace: string;
  readonly layer: string;
  readonly channel?: number;
  readonly k?: number;
  readonly class?: string;
  readonly lowest?: boolean;
  readonly positions?: boolean;
  readonly unique?: boolean;
  readonly index?: string;
  readonly json?: boolean;
}

/** Where the position is not known, y, x and box are null. */
interface ListedChannel {
  readonly channel: number;
  readonly dead: boolean;
  /** With --unique: why the list is shorter than the index keeps. */
  readonly shorter?: string | null;
  readonly hits: readonly { readonly rank: number; readonly image: string; readonly score: number; readonly y: number | null; readonly x: number | null; readonly box: readonly number[] | null }[];
}

export function topCommand(session: Session): Command {
  return new Command('top')
    .description('list the strongest hits of each channel of a layer; more of them, the weakest or those of one class come from the score matrix')
    .requiredOption('--workspace <folder>')
    .requiredOption('--layer <name>')
    .option('--channel <n>', 'one channel, counted from 0', wholeNumber(0, 10_000_000))
    .option('--k <n>', 'images per channel; all there are where n is larger', wholeNumber(1, 10_000_000))
    .option('--class <class>', 'only images of this class: its index, wnid or name')
    .option('--lowest', 'the weakest images first')
    .option('--positions', 'forward the images whose positions are not known yet')
    .option('--unique', 'of photographs that are the same, or nearly, only the strongest')
    .option('--index <id>', 'the newest if absent')
    .option('--json', 'one JSON object')
    .action(async (flags: TopFlags) => {
      const services = await session.workspace(flags.workspace, { mode: flags.positions ? 'write if free' : 'read' });
      const index = await chosenIndex(services, flags.index);
      const layer = await chosenLayer(services, index, flags.layer);
      if (flags.channel !== undefined && flags.channel >= layer.channels) {
        throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has channels 0 to ${layer.channels - 1}; there is no channel ${flags.channel}.`, { layer: layer.name, channel: flags.channel });
      }
      const channels = await listed(services, index, layer, flags, session.signal);
      if (flags.json) return session.json({ layer: layer.name, channels });
      for (const { channel, dead, hits, shorter } of channels) {
        session.line(`channel ${channel}${dead ? ': dead, no image excites it' : ''}`);
        if (hits.length > 0) session.line(table(['rank', 'image', 'score', 'y', 'x', 'box'], hits.map((hit) => [String(hit.rank), hit.image, hit.score.toFixed(4), String(hit.y ?? '-'), String(hit.x ?? '-'), hit.box?.join(' ') ?? '-'])));
        if (shorter) session.note(`channel ${channel}: ${shorter}`);
      }
    });
}

/** The stored hits where they are the answer, so that an index without a matrix has them too. */
async function listed(services: Services, index: string, layer: IndexedLayer, { channel, k, class: wish, lowest = false, positions = false, unique = false }: TopFlags, signal: AbortSignal): Promise<readonly ListedChannel[]> {
  const { top } = await services.indexing.get(index);
  if (unique) {
    if (wish !== undefined || lowest || (k ?? top) > top) throw new AppError('BAD_REQUEST', `--unique hides duplicates in the list of the ${top} strongest images; leave out --class, --lowest and a larger --k.`);
    const lists = await services.duplicates.hits(index, layer.number, channel, signal);
    return lists.map(({ hits, unique: { shorter }, ...each }) => ({ ...each, hits: hits.slice(0, k), shorter }));
  }
  if (wish === undefined && !lowest && (k ?? top) <= top) {
    const stored = await services.indexing.hits(index, layer.number, channel);
    return stored.map((each) => ({ ...each, hits: each.hits.slice(0, k) }));
  }
  const request = { index, layer: layer.number, k: k ?? top, lowest, positions, ...(wish === undefined ? {} : { class: wish }) };
  const found = channel === undefined ? await services.scores.topOfLayer(request, signal) : [{ channel, ...(await services.scores.top({ ...request, channel }, signal)) }];
  return found.map((each) => ({ channel: each.channel, dead: each.dead, hits: each.hits.map(({ imageNumber: _number, ...hit }) => hit) }));
}
