/** `switchback evolution`: indexes the same images with every checkpoint of a training, and draws the paper's Figure 4 of chosen channels. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { mostFigureRows } from '../../src-shared/contract/evolution.ts';
import type { FigureFormat } from '../../src-shared/contract/figures.ts';
import { methods, scales, type Method, type Scale } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { EvolutionRow, Series, StartEvolution } from '../services/evolution.ts';
import type { EvolutionCell } from '../services/evolutionRows.ts';
import { channelRanges } from './channelRanges.ts';
import { formatOf } from './figure.ts';
import { addPreprocessingOptions, applyPreprocessing, list, wholeNumber, type PreprocessingFlags } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';
import { waitForJob } from './waitForJob.ts';
import { writeWhole } from './wholeFile.ts';

interface EvolutionFlags extends PreprocessingFlags {
  readonly workspace: string;
  readonly run?: string;
  readonly models?: readonly string[];
  readonly images: string;
  readonly labels?: string;
  readonly epochs?: readonly number[];
  readonly layers?: readonly string[];
  readonly layer?: string;
  readonly channels: readonly number[];
  readonly patches?: boolean;
  readonly method: Method;
  readonly contrast: Scale;
  readonly out?: string;
  readonly engine: StartEvolution['engine'];
  readonly device: StartEvolution['device'];
  readonly batch?: number;
  readonly matrix: StartEvolution['matrix'];
  readonly json?: boolean;
}

export function evolutionCommand(session: Session): Command {
  const command = new Command('evolution')
    .description('index the same images with every checkpoint of a training, and show how features evolve')
    .requiredOption('--workspace <folder>', 'workspace folder, made if missing')
    .option('--run <folder>', 'folder of a training, or of networks whose names end in numbers')
    .option('--models <a,b>', 'instead of --run: the files of the checkpoints', list)
    .requiredOption('--images <folder>', 'folder of images, searched recursively')
    .option('--labels <file.tsv>', 'class of each image: columns file, index, wnid or name')
    .option('--epochs <a,b>', 'only these', (text: string) => list(text).map(wholeNumber(0, 1_000_000_000)))
    .option('--layers <a,b>', 'layers to index, by name; all default layers if absent', list)
    .option('--layer <name>', 'layer whose channels are listed and drawn')
    .option('--channels <a-b,c>', `at most ${mostFigureRows}, e.g. 0-5`, channelRanges(mostFigureRows), [0, 1, 2, 3, 4, 5])
    .option('--patches', 'below each projection its patch')
    .addOption(new Option('--method <method>').choices([...methods]).default('deconvnet'))
    .addOption(new Option('--contrast <scale>', 'of projections: by the 99.5 % quantile, the largest value, one scale for a row, or none').choices([...scales]).default('quantile'))
    .option('--out <file>', 'the figure: .svg, .png or .pdf')
    .addOption(new Option('--engine <engine>').choices(['auto', 'onnxruntime', 'tensorflow']).default('auto'))
    .addOption(new Option('--device <device>').choices(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']).default('auto'))
    .option('--batch <n>', 'images per batch; measured if absent', wholeNumber(1, 1024))
    .addOption(new Option('--matrix <precision>', 'keep every score of every image').choices(['float32', 'float16', 'none']).default('float32'))
    .option('--json', 'one JSON object');
  return addPreprocessingOptions(command).action(async (flags: EvolutionFlags) => {
    const format = flags.out === undefined ? undefined : formatOf(flags.out);
    if (flags.out !== undefined && flags.layer === undefined) throw new AppError('BAD_REQUEST', '--out needs --layer: the layer whose channels are drawn.');
    const services = await session.workspace(flags.workspace, { mode: 'write', create: true });
    const request = requestOf(flags);
    const isChanged = [flags.order, flags.crop, flags.resize, flags.scale, flags.mean, flags.std].some((flag) => flag !== undefined);
    const preprocessing = isChanged ? applyPreprocessing((await services.evolution.inspect(request.source, session.signal)).preprocessing, flags) : undefined;
    const { series: id, jobId } = await services.evolution.start({ ...request, ...(preprocessing ? { preprocessing } : {}) }, session.signal);
    // A layer or channel that is not there is told before the work, not after it.
    if (flags.layer !== undefined) await services.evolution.rows({ series: id, layer: flags.layer, channels: flags.channels });
    if (jobId) await waitForJob(session, services, jobId);
    const series = await services.evolution.get(id);
    const rows = flags.layer === undefined ? [] : await services.evolution.rows({ series: id, layer: flags.layer, channels: flags.channels });
    const figure = format && flags.layer !== undefined ? await drawn(format, flags.layer) : null;
    if (flags.json) {
      const { checkpoints, movement } = series;
      session.json({ series: id, checkpoints, movement, layer: flags.layer ?? null, rows, figure: figure && { out: flags.out, caption: figure.caption } });
    } else tell(session, series, rows, flags.out, figure?.caption);
    for (const note of figure?.notes ?? []) session.note(note);

    async function drawn(fileFormat: FigureFormat, layer: string) {
      const { patches = false, method, contrast: scale, channels } = flags;
      const made = await services.evolutionFigures.draw({ series: id, layer, channels: [...channels], patches, method, seed: 'one', scale, format: fileFormat }, session.signal);
      await writeWhole(resolve(flags.out!), made.bytes);
      return made;
    }
  });
}

function requestOf({ run, models, images, labels, epochs, layers, engine, device, batch, matrix }: EvolutionFlags): StartEvolution {
  if ((run === undefined) === (models === undefined)) throw new AppError('BAD_REQUEST', 'Name the checkpoints with --run, a folder, or with --models, their files; one of the two.');
  return {
    source: run === undefined ? { kind: 'files', paths: models!.map((path) => resolve(path)) } : { kind: 'folder', path: run },
    imagesPath: images,
    engine,
    device,
    matrix,
    ...(labels ? { labelsPath: labels } : {}),
    ...(epochs ? { epochs: [...epochs] } : {}),
    ...(layers ? { layers: [...layers] } : {}),
    ...(batch ? { batch } : {}),
  };
}

function tell(session: Session, { id, checkpoints, movement, epochs }: Series, rows: readonly EvolutionRow[], out: string | undefined, caption: string | undefined): void {
  session.line(`series ${id}: ${checkpoints.map(({ epoch, index, indexed }) => `epoch ${epoch} (index ${index ?? 'none'}, ${indexed} images)`).join(', ')}`);
  if (movement) {
    session.line('Distance of the weights from the last epoch, relative to their size:');
    session.line(table(['layer', ...epochs.map(String)], movement.map(({ title, fromLast }) => [title, ...fromLast.map((distance) => distance?.toFixed(3) ?? '')])));
  }
  if (rows.length > 0) {
    session.line('Strongest image of each channel; ! where it was not among the nine strongest of the epoch before:');
    session.line(table(['channel', ...epochs.map(String)], rows.map(({ channel, cells }) => [String(channel), ...cells.map(cellWords)])));
  }
  if (out) session.line(`${out}: ${caption ?? ''}`);
}

function cellWords(cell: EvolutionCell): string {
  if (cell.kind === 'hit') return `${cell.image}${cell.change === 'sudden' ? ' !' : ''}`;
  return cell.kind === 'dead' ? 'dead' : cell.reason;
}
