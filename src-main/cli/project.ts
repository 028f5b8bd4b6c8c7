/** `switchback project`: one unit back to pixels, as numbers (.npy) or a picture (.png); or all hits into a folder. */
import { extname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { controls, methods, seeds, type Control, type Method, type Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { npyBytes } from '../store/npy.ts';
import { wholeNumber } from './options.ts';
import { projectAllHits } from './projectHits.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

interface ProjectFlags {
  readonly workspace: string;
  readonly index?: string;
  readonly layer?: string;
  readonly channel?: number;
  readonly allHits?: boolean;
  readonly hit?: number;
  readonly image?: string;
  readonly y?: number;
  readonly x?: number;
  readonly method: Method;
  readonly seed: Seed;
  readonly control: Control;
  readonly out: string;
  readonly json?: boolean;
}

export function projectCommand(session: Session): Command {
  return new Command('project')
    .description('project a unit back to pixels')
    .requiredOption('--workspace <folder>')
    .option('--index <id>', 'the newest if absent')
    .option('--layer <name>', 'with --all-hits all if absent')
    .option('--channel <n>', 'counted from 0', wholeNumber(0, 10_000_000))
    .option('--all-hits', 'every hit of every channel, exact, as .npy files with index.json in the folder --out; goes on where it was stopped')
    .option('--hit <n>', 'rank of the hit, counted from 1', wholeNumber(1, 100))
    .option('--image <path>', 'image by its path relative to the indexed folder, with --y and --x')
    .option('--y <row>', 'row of the unit', wholeNumber(0, 1_000_000))
    .option('--x <column>', 'column of the unit', wholeNumber(0, 1_000_000))
    .addOption(new Option('--method <method>').choices([...methods]).default('deconvnet'))
    .addOption(new Option('--seed <seed>', "one: 1 at the unit; value: its own activation; map: its channel's whole map; logit: 1 at a class score").choices([...seeds]).default('one'))
    .addOption(new Option('--control <control>', "honesty control: random weights, or window centres instead of this image's switches").choices([...controls]).default('none'))
    .requiredOption('--out <file>', '.npy: float32 [C, H, W], signed; .png: as it is shown; with --all-hits a folder')
    .option('--json', 'one JSON object')
    .action(async (flags: ProjectFlags) => {
      if (flags.allHits) return allHits(session, flags);
      const wanted = oneUnit(flags);
      const extension = extname(flags.out).toLowerCase();
      if (extension !== '.npy' && extension !== '.png') throw new AppError('BAD_REQUEST', `--out ${flags.out}: the file must end in .npy or .png.`, { out: flags.out });
      const services = await session.workspace(flags.workspace, { mode: 'read' });
      const id = await chosenIndex(services, flags.index);
      const layer = await chosenLayer(services, id, wanted.layer);
      const unit = await chosenUnit(services, id, layer.number, wanted);
      const index = await services.workspaces.required().store.indexes.get(id as IndexId);
      const [projection] = await services.projections.many(index, layer.number, [unit], flags.method, flags.seed, session.signal, flags.control);
      const { record, values } = projection!;
      const [height, width] = index.preprocessing.crop;
      const bytes =
        extension === '.npy'
          ? npyBytes(values, [values.length / (height * width), height, width])
          : await services.pictures.projection({ index: id, layer: layer.number, channel: wanted.channel, image: unit.imageNumber, y: unit.y, x: unit.x, size: Math.max(height, width), method: flags.method, seed: flags.seed, control: flags.control, scale: 'quantile', area: 'input' }, session.signal);
      await writeWhole(resolve(flags.out), bytes);
      const { layer: name, channel, image, y, x, method, seed, control, box, support, absmax, rectified } = record;
      if (flags.json) session.json({ layer: name, channel, image, y, x, method, seed, ...(control === 'none' ? {} : { control }), box, support, absmax, rectified });
      else session.line(`${flags.out}: ${name} ${channel} on ${image} at row ${y}, column ${x}, ${method}, seed ${seed}; ${rectified.handled} of ${rectified.total} nonlinearities rectified; largest value ${absmax.toPrecision(4)}`);
      for (const note of record.notes) session.note(note);
    });
}

type UnitFlags = ProjectFlags & { readonly layer: string; readonly channel: number };

function oneUnit(flags: ProjectFlags): UnitFlags {
  const { layer, channel } = flags;
  if (layer === undefined || channel === undefined) throw new AppError('BAD_REQUEST', `--${layer === undefined ? 'layer' : 'channel'} is missing: say which unit, or --all-hits.`);
  return { ...flags, layer, channel };
}

async function allHits(session: Session, flags: ProjectFlags): Promise<void> {
  const { method, seed, control, out } = flags;
  const extra = (['channel', 'hit', 'image', 'y', 'x'] as const).find((name) => flags[name] !== undefined);
  if (extra) throw new AppError('BAD_REQUEST', `--all-hits takes whole layers; leave out --${extra}.`);
  const services = await session.workspace(flags.workspace, { mode: 'read' });
  const index = await chosenIndex(services, flags.index);
  const layers = flags.layer === undefined ? await services.indexing.layers(index) : [await chosenLayer(services, index, flags.layer)];
  const { written, done, hits, folder, lost } = await projectAllHits(session, services, { index, layers, method, seed, control, out });
  if (lost.length > 0) {
    throw new AppError('UNREADABLE_FILE', `${folder} holds ${done} of ${hits} projections, ${written} of them written now; the others cannot be made. ${lost.slice(0, 3).join(' ')}`, { out: folder, hits, done, written, lost: lost.length });
  }
  if (flags.json) session.json({ index, out: folder, hits, written });
  else session.line(`${folder}: ${hits} projections, ${written} of them written now, listed in index.json`);
}

async function chosenUnit(services: Services, index: string, layer: number, flags: UnitFlags) {
  if (flags.hit !== undefined) {
    if (flags.image !== undefined || flags.y !== undefined || flags.x !== undefined) throw new AppError('BAD_REQUEST', 'Say which unit once: --hit N, or --image PATH --y ROW --x COLUMN, not both.');
    const { hits, dead } = await services.indexing.channel(index, layer, flags.channel);
    const hit = hits.find((candidate) => candidate.rank === flags.hit);
    if (!hit) throw new AppError('NOT_FOUND', dead ? `Channel ${flags.channel} is dead: no image excites it.` : `Channel ${flags.channel} has ${hits.length} hits; there is no hit ${flags.hit}.`, { channel: flags.channel });
    return { channel: flags.channel, imageNumber: hit.imageNumber, y: hit.y, x: hit.x };
  }
  if (flags.image === undefined || flags.y === undefined || flags.x === undefined) throw new AppError('BAD_REQUEST', 'Say which unit: --hit N, or --image PATH --y ROW --x COLUMN.');
  const image = await services.workspaces.required().store.images.findByPath(index as IndexId, flags.image);
  if (!image) throw new AppError('NOT_FOUND', `The index ${index} has no image ${JSON.stringify(flags.image)}. Paths are relative to the indexed folder.`, { image: flags.image });
  return { channel: flags.channel, imageNumber: image.number, y: flags.y, x: flags.x };
}
