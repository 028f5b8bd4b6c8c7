/** `switchback compare`: two layers over the images that both have: best partners of their channels, and the images that two channels disagree about. */
import { Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';

interface Flags {
  readonly workspace: string;
  readonly left?: string;
  readonly right?: string;
  readonly leftLayer: string;
  readonly rightLayer?: string;
  readonly leftChannel?: number;
  readonly rightChannel?: number;
  readonly limit: number;
  readonly json?: boolean;
}

export function compareCommand(session: Session): Command {
  return new Command('compare')
    .description('two layers of one index or of two: which channels say the same about the images that both have, and where two channels differ')
    .requiredOption('--workspace <folder>')
    .option('--left <index>', 'the newest if absent')
    .option('--right <index>', 'the left one if absent')
    .requiredOption('--left-layer <name>')
    .option('--right-layer <name>', 'the left name if absent')
    .option('--left-channel <n>', 'with --right-channel: the images whose scores differ most', wholeNumber(0, 10_000_000))
    .option('--right-channel <n>', 'of the right layer', wholeNumber(0, 10_000_000))
    .option('--limit <n>', 'images per list', wholeNumber(1, 1000), 9)
    .option('--json', 'one JSON object')
    .action(async (flags: Flags) => {
      if ((flags.leftChannel === undefined) !== (flags.rightChannel === undefined)) throw new AppError('BAD_REQUEST', '--left-channel and --right-channel go together: name both, or neither.');
      const services = await session.workspace(flags.workspace, { mode: 'read' });
      const left = await chosenIndex(services, flags.left);
      const right = flags.right ? await chosenIndex(services, flags.right) : left;
      const sides = {
        left: { index: left, layer: (await chosenLayer(services, left, flags.leftLayer)).number },
        right: { index: right, layer: (await chosenLayer(services, right, flags.rightLayer ?? flags.leftLayer)).number },
      };
      if (flags.leftChannel !== undefined && flags.rightChannel !== undefined) {
        const found = await services.compare.differences({ left: { ...sides.left, channel: flags.leftChannel }, right: { ...sides.right, channel: flags.rightChannel }, limit: flags.limit }, session.signal);
        if (flags.json) return session.json(found);
        const rows = (['leftMore', 'rightMore'] as const).flatMap((list) => found[list].map((each) => [list === 'leftMore' ? 'left' : 'right', each.image, ...[each.leftScore, each.rightScore].map((score) => score.toFixed(4)), ...[each.leftDeviations, each.rightDeviations].map((value) => value.toFixed(2))]));
        session.line(table(['more', 'image', 'left score', 'right score', 'left dev.', 'right dev.'], rows));
        return session.line(`correlation ${found.correlation?.toFixed(4) ?? '-'} over ${found.images} images`);
      }
      const found = await services.compare.channels(sides, session.signal);
      if (flags.json) return session.json(found);
      if (found.kind === 'impossible') throw new AppError('NOT_FOUND', found.message, { reason: found.reason });
      const rows = (['left', 'right'] as const).flatMap((side) => found[side].map((each) => [side, String(each.channel), String(each.partner ?? '-'), each.correlation?.toFixed(4) ?? '-', each.mutual ? 'yes' : '']));
      session.line(table(['side', 'channel', 'best partner', 'correlation', 'mutual'], rows));
      session.line(`over ${found.images} images`);
    });
}
