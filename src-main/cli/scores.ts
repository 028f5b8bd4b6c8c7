/** `switchback scores`: questions to the score matrix of an index; `top` asks it for images, this command for everything else. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { ImageClass } from '../services/imageClasses.ts';
import type { IndexedLayer } from '../services/indexing.ts';
import type { Services } from '../services/services.ts';
import { npyBytes } from '../store/npy.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { decimal, wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';
import { writeWhole } from './wholeFile.ts';

interface Flags {
  readonly workspace: string;
  readonly index?: string;
  readonly layer: string;
  readonly channel: number;
  readonly limit: number;
  readonly json?: boolean;
}

export function scoresCommand(session: Session): Command {
  return new Command('scores')
    .description('what the scores of an index say beyond its hits')
    .addCommand(keptCommand(session))
    .addCommand(classesCommand(session))
    .addCommand(perClassCommand(session))
    .addCommand(histogramCommand(session))
    .addCommand(selectivityCommand(session))
    .addCommand(excitedCommand(session))
    .addCommand(similarCommand(session))
    .addCommand(correlationCommand(session));
}

function keptCommand(session: Session): Command {
  return question('kept', 'how many scores are kept, and where').action(async (flags: Flags) => {
    const { services, index } = await open(session, flags);
    const kept = await services.scores.kept(index);
    if (flags.json) return session.json(kept);
    session.line(kept.precision === null ? `index ${index} keeps no scores` : `index ${index} keeps ${kept.rows} rows of ${kept.layers.length} layers as ${kept.precision}: ${kept.bytes} bytes`);
  });
}

function classesCommand(session: Session): Command {
  return question('classes', 'the classes of the images').action(async (flags: Flags) => {
    const { services, index } = await open(session, flags);
    const classes = await services.scores.classes(index);
    if (flags.json) return session.json({ classes });
    session.line(table(['class', 'wnid', 'name', 'images'], classes.map((each) => [String(each.index), each.wnid ?? '-', each.name ?? '-', String(each.images)])));
  });
}

function perClassCommand(session: Session): Command {
  return limited(ofChannel('per-class', 'the strongest images of each class, classes by their best'), 10)
    .option('--k <n>', 'images per class', wholeNumber(1, 100), 9)
    .action(async (flags: Flags & { readonly k: number }) => {
      const { services, index, layer } = await openLayer(session, flags);
      const classes = await services.scores.topPerClass({ index, layer: layer.number, channel: flags.channel, k: flags.k, classes: flags.limit }, session.signal);
      if (flags.json) return session.json({ classes });
      for (const { class: of, hits } of classes) {
        session.line(`class ${of.index} ${className(of)}`);
        session.line(table(['rank', 'image', 'score'], hits.map((hit) => [String(hit.rank), hit.image, hit.score.toFixed(4)])));
      }
    });
}

function histogramCommand(session: Session): Command {
  return ofChannel('histogram', 'exact counts of the scores of a channel')
    .option('--bins <n>', 'bins of equal width', wholeNumber(1, 10_000), 32)
    .option('--from <score>', 'start of the first bin; the smallest score if absent', decimal)
    .option('--to <score>', 'end of the last bin; the largest score if absent', decimal)
    .action(async (flags: Flags & { readonly bins: number; readonly from?: number; readonly to?: number }) => {
      const { services, index, layer } = await openLayer(session, flags);
      const found = await services.scores.histogram({ index, layer: layer.number, channel: flags.channel, bins: flags.bins, from: flags.from, to: flags.to }, session.signal);
      if (flags.json) return session.json(found);
      const width = (found.to - found.from) / found.counts.length;
      session.line(table(['from', 'to', 'images'], found.counts.map((count, bin) => [(found.from + bin * width).toPrecision(5), (found.from + (bin + 1) * width).toPrecision(5), String(count)])));
      session.line(`${found.below} below, ${found.above} above, ${found.nan} not a number`);
    });
}

function selectivityCommand(session: Session): Command {
  return limited(ofChannel('selectivity', 'the classes that a channel tells from all others'), 20).action(async (flags: Flags) => {
    const { services, index, layer } = await openLayer(session, flags);
    const found = await services.scores.selectivity({ index, layer: layer.number, channel: flags.channel, limit: flags.limit }, session.signal);
    if (flags.json) return session.json(found);
    session.line(table(['class', 'images', 'mean', 'area under ROC'], found.classes.map((each) => [className(each.class), String(each.images), each.mean.toFixed(4), each.auc?.toFixed(4) ?? '-'])));
    session.line(`mean of all ${found.images} labelled images: ${found.mean?.toFixed(4) ?? '-'}`);
  });
}

function excitedCommand(session: Session): Command {
  return limited(question('excited', 'the channels that an image excites'), 20)
    .requiredOption('--layer <name>')
    .requiredOption('--image <path>', 'relative to the indexed folder')
    .action(async (flags: Flags & { readonly image: string }) => {
      const { services, index, layer } = await openLayer(session, flags);
      const image = await services.workspaces.required().store.images.findByPath(index as IndexId, flags.image);
      if (!image) throw new AppError('NOT_FOUND', `The index ${index} has no image ${JSON.stringify(flags.image)}. Paths are relative to the indexed folder.`, { image: flags.image });
      const found = await services.scores.excited({ index, layer: layer.number, image: image.number, limit: flags.limit }, session.signal);
      if (flags.json) return session.json(found);
      session.line(table(['channel', 'score', 'images that score lower', 'deviations'], found.channels.map((each) => [String(each.channel), each.score.toFixed(4), `${(each.shareLower * 100).toFixed(1)} %`, each.deviations?.toFixed(2) ?? '-'])));
    });
}

function similarCommand(session: Session): Command {
  return limited(ofChannel('similar', 'the channels whose scores go along with this one, or against it'), 12).action(async (flags: Flags) => {
    const { services, index, layer } = await openLayer(session, flags);
    const found = await services.scores.similar({ index, layer: layer.number, channel: flags.channel, limit: flags.limit }, session.signal);
    if (flags.json) return session.json(found);
    session.line(table(['channel', 'correlation'], [...found.similar, ...found.opposite.toReversed()].map((each) => [String(each.channel), each.correlation.toFixed(4)])));
  });
}

function correlationCommand(session: Session): Command {
  return question('correlation', 'the correlation of all channels of a layer with each other')
    .requiredOption('--layer <name>')
    .requiredOption('--out <file.npy>', 'float32 [channels, channels]; NaN for a channel that always says the same')
    .action(async (flags: Flags & { readonly out: string }) => {
      if (!flags.out.toLowerCase().endsWith('.npy')) throw new AppError('BAD_REQUEST', `--out ${flags.out}: the file must end in .npy.`, { out: flags.out });
      const { services, index, layer } = await openLayer(session, flags);
      const { images, values } = await services.scores.correlations({ index, layer: layer.number }, session.signal);
      await writeWhole(resolve(flags.out), npyBytes(values, [layer.channels, layer.channels]));
      if (flags.json) return session.json({ out: flags.out, layer: layer.name, channels: layer.channels, images });
      session.line(`${flags.out}: ${layer.channels} x ${layer.channels} over ${images} images`);
    });
}

function question(name: string, description: string): Command {
  return new Command(name).description(description).requiredOption('--workspace <folder>').option('--index <id>', 'the newest if absent').option('--json', 'one JSON object');
}

function ofChannel(name: string, description: string): Command {
  return question(name, description).requiredOption('--layer <name>').requiredOption('--channel <n>', 'counted from 0', wholeNumber(0, 10_000_000));
}

function limited(command: Command, count: number): Command {
  return command.option('--limit <n>', 'rows of the answer', wholeNumber(1, 10_000), count);
}

async function open(session: Session, flags: Pick<Flags, 'workspace' | 'index'>): Promise<{ readonly services: Services; readonly index: string }> {
  const services = await session.workspace(flags.workspace, { mode: 'read' });
  return { services, index: await chosenIndex(services, flags.index) };
}

async function openLayer(session: Session, flags: Pick<Flags, 'workspace' | 'index' | 'layer'>): Promise<{ readonly services: Services; readonly index: string; readonly layer: IndexedLayer }> {
  const opened = await open(session, flags);
  return { ...opened, layer: await chosenLayer(opened.services, opened.index, flags.layer) };
}

function className({ index, wnid, name }: Pick<ImageClass, 'index' | 'wnid' | 'name'>): string {
  return name ?? wnid ?? String(index);
}
