/** `switchback figure`: the paper's Figure 2 for any layer, as SVG, PNG or PDF. */
import { extname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { figureFormats, mostFigureChannels, type FigureFormat } from '../../src-shared/contract/figures.ts';
import { controls, methods, scales, seeds, type Control, type Method, type Scale, type Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { channelRanges } from './channelRanges.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

interface FigureFlags {
  readonly workspace: string;
  readonly index?: string;
  readonly layer: string;
  readonly channels: readonly number[];
  readonly method: Method;
  readonly seed: Seed;
  readonly control: Control;
  readonly scale: Scale;
  readonly columns?: number;
  readonly out: string;
  readonly json?: boolean;
}

export function figureCommand(session: Session): Command {
  return new Command('figure')
    .description('lay out projections beside patches, channel by channel, with a caption that reproduces it')
    .requiredOption('--workspace <folder>')
    .option('--index <id>', 'the newest if absent')
    .requiredOption('--layer <name>')
    .requiredOption('--channels <a-b,c>', `at most ${mostFigureChannels}, e.g. 0-15 or 3,17,40-43`, channelRanges(mostFigureChannels))
    .addOption(new Option('--method <method>').choices([...methods]).default('deconvnet'))
    .addOption(new Option('--seed <seed>').choices([...seeds]).default('one'))
    .addOption(new Option('--control <control>').choices([...controls]).default('none'))
    .addOption(new Option('--scale <scale>', 'contrast: by the 99.5 % quantile, the largest value, one scale for the nine, or none').choices([...scales]).default('quantile'))
    .option('--columns <n>', 'channels beside each other', wholeNumber(1, 16))
    .requiredOption('--out <file>', '.svg, .png or .pdf')
    .option('--json', 'one JSON object')
    .action(async ({ workspace, index: id, layer: name, out, json, ...request }: FigureFlags) => {
      const format = formatOf(out);
      const services = await session.workspace(workspace, { mode: 'read' });
      const index = await chosenIndex(services, id);
      const layer = await chosenLayer(services, index, name);
      const figure = await services.figures.draw({ ...request, channels: [...request.channels], index, layer: layer.number, format }, session.signal);
      await writeWhole(resolve(out), figure.bytes);
      const { caption, width, height, notes } = figure;
      if (json) session.json({ out, format, width, height, caption });
      else session.line(`${out}: ${caption}`);
      for (const note of notes) session.note(note);
    });
}

/** @throws AppError BAD_REQUEST for another ending */
export function formatOf(out: string): FigureFormat {
  const format = figureFormats.find((each) => extname(out).toLowerCase() === `.${each}`);
  if (!format) throw new AppError('BAD_REQUEST', `--out ${out}: the file must end in .svg, .png or .pdf.`, { out });
  return format;
}
