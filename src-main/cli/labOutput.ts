/** What the commands of the lab share: the network and picture that are asked about, and the folder that answers go to. */
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { readClassNames } from '../dataset/classNames.ts';
import { encodePng } from '../dataset/picture.ts';
import { fixedPlacement, type Device, type EngineKind } from '../inference/engine.ts';
import type { LabStudy, StudyOutcome } from '../services/labStudy.ts';
import { openSubject, pictureOfFile, type LabSubject, type SeenPicture } from '../services/labSubject.ts';
import type { Services } from '../services/services.ts';
import { addPreprocessingOptions, applyPreprocessing, cropPair, type PreprocessingFlags } from './options.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

export interface SubjectFlags extends PreprocessingFlags {
  readonly model: string;
  readonly image?: string;
  readonly labels?: string;
  readonly engine: EngineKind | 'auto';
  readonly device: Device | 'auto';
  readonly out: string;
  readonly json?: boolean;
}

export function addSubjectOptions(command: Command, needsImage: boolean): Command {
  command.requiredOption('--model <file>');
  if (needsImage) command.requiredOption('--image <file>');
  else command.option('--image <file>', 'to begin from, with --start picture');
  return addPreprocessingOptions(command)
    .option('--labels <file>', 'names of the classes: a line for each, a table with the columns index and name or wnid, or JSON')
    .addOption(new Option('--engine <engine>').choices(['auto', 'onnxruntime', 'tensorflow']).default('auto'))
    .addOption(new Option('--device <device>').choices(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']).default('auto'))
    .requiredOption('--out <folder>')
    .option('--json', 'one JSON object');
}

export interface OpenedLab {
  readonly services: Services;
  readonly subject: LabSubject;
  readonly picture: SeenPicture | null;
}

export async function openLab(session: Session, flags: SubjectFlags): Promise<OpenedLab> {
  const services = session.services();
  const report = await services.models.inspect(flags.model, session.signal, cropPair(flags.crop));
  const preprocessing = applyPreprocessing(report.preprocessing, flags);
  const subject = await openSubject(
    services.inference,
    { modelName: report.name, modelPath: report.path, modelHash: report.modelHash, preprocessing, placement: fixedPlacement(flags), names: flags.labels ? await readClassNames(resolve(flags.labels)) : null, layers: [] },
    session.signal,
  );
  return { services, subject, picture: flags.image === undefined ? null : await pictureOfFile(resolve(flags.image), preprocessing, session.signal) };
}

/** What result.json and `--json` say. */
export function studyAnswer(flags: SubjectFlags, subject: LabSubject, picture: SeenPicture | null, study: LabStudy, { numbers, caption, pictures }: StudyOutcome) {
  const legends = Object.fromEntries(pictures.flatMap(({ name, legend }) => (legend ? [[`${name}.png`, legend] as const] : [])));
  return { model: basename(flags.model), image: picture?.name ?? null, preprocessing: subject.network.preprocessing, study, numbers, legends, caption };
}

/** Returns the names of the files, in the order they were written. */
export async function writeOutcome(out: string, { pictures, files }: Pick<StudyOutcome, 'pictures' | 'files'>, documents: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  const write = async (name: string, bytes: Uint8Array) => {
    await writeWhole(join(folder, name), bytes);
    written.push(name);
  };
  for (const [name, document] of Object.entries(documents)) await write(name, new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`));
  for (const { name, picture } of pictures) await write(`${name}.png`, await encodePng(picture.pixels, picture.width, picture.height, 4));
  for (const { name, bytes } of files) await write(name, bytes);
  return written;
}
