/** `switchback lab activations`: what every layer makes of a picture, as sheets of maps, with the predictions. */
import { join, resolve } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { activationOrders, activationScales } from '../../src-shared/contract/lab.ts';
import { isSigned, limitOf, ordered, sheetOf, type ActivationOrder, type ActivationScale } from '../services/lab.ts';
import { logitsOf, topPredictions } from '../services/labStudy.ts';
import { mapsOf } from '../services/labUnits.ts';
import { npyBytes } from '../store/npy.ts';
import { addSubjectOptions, openLab, writeOutcome, type SubjectFlags } from './labOutput.ts';
import { list, wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

interface ActivationFlags extends SubjectFlags {
  readonly layers?: readonly string[];
  readonly sort: ActivationOrder;
  readonly contrast: ActivationScale;
  readonly tile: number;
  readonly values?: boolean;
  readonly top: number;
}

export function activationsCommand(session: Session): Command {
  return addSubjectOptions(new Command('activations').description('predictions, and the maps of every layer as sheets of tiles'), true)
    .option('--layers <a,b>', 'names or titles; all if absent', list)
    .addOption(new Option('--sort <order>', 'of the tiles').choices([...activationOrders]).default('channel'))
    .addOption(new Option('--contrast <scale>', 'one scale for all maps of a layer, or each its own').choices([...activationScales]).default('shared'))
    .option('--tile <pixels>', 'edge of a tile', wholeNumber(4, 512), 64)
    .option('--values', 'write the maps as .npy too')
    .option('--top <n>', 'predictions', wholeNumber(1, 1000), 5)
    .action(async (flags: ActivationFlags) => {
      const { services, subject, picture } = await openLab(session, flags);
      const { classifier, layers: all } = subject.description;
      const predictions = classifier.kind === 'classifier' ? topPredictions(subject, await logitsOf({ subject, signal: session.signal }, picture!), flags.top) : [];
      const layers = flags.layers ? await Promise.all(flags.layers.map((name) => subject.layer(name))) : all;
      const folder = resolve(flags.out);
      await mkdir(folder, { recursive: true });
      const rows = [];
      for (const [at, layer] of layers.entries()) {
        session.progress(`layer ${at + 1} of ${layers.length}: ${layer.title}`);
        const maps = await mapsOf(services.inference, subject, picture!, layer, session.signal);
        const name = `${String(layer.number).padStart(4, '0')}-${layer.title.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 80)}`;
        const columns = Math.ceil(Math.sqrt(layer.channels));
        await writeWhole(join(folder, `${name}.png`), await sheetOf(maps, layer, flags.sort, flags.contrast, flags.tile, columns));
        if (flags.values) await writeWhole(join(folder, `${name}.npy`), npyBytes(maps, [layer.channels, layer.height, layer.width]));
        rows.push({ layer: layer.name, title: layer.title, file: `${name}.png`, columns, limit: limitOf(maps), signed: isSigned(maps, layer), channels: ordered(maps, layer, flags.sort) });
      }
      const answer = { image: picture!.name, predictions, reason: classifier.kind === 'none' ? classifier.reason : null, layers: rows };
      await writeOutcome(flags.out, { pictures: [], files: [] }, { 'activations.json': answer });
      if (flags.json) return session.json({ out: flags.out, ...answer });
      if (answer.reason) session.note(answer.reason);
      for (const { index, name, wnid, probability } of predictions) session.line(`${(100 * probability).toFixed(2).padStart(6)} %  ${index} ${name ?? wnid ?? ''}`.trimEnd());
      session.line(`${flags.out}: ${rows.length} sheets, activations.json`);
    });
}
