/** `switchback diagnose`: what is right or wrong with an architecture, of one model or of two beside each other. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import type { DiagnosedModel, DiagnosticComparison, DiagnosticReport } from '../services/diagnostics.ts';
import type { Services } from '../services/services.ts';
import { sentenceWords } from './diagnosticSentences.ts';
import { addCropOption, cropPair } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';
import { writeWhole } from './wholeFile.ts';

interface DiagnoseFlags {
  readonly model?: string;
  readonly against?: string;
  readonly workspace?: string;
  readonly index?: string;
  readonly againstIndex?: string;
  readonly crop?: number | readonly [number, number];
  readonly out?: string;
  readonly json?: boolean;
}

export function diagnoseCommand(session: Session): Command {
  const command = new Command('diagnose')
    .description("an architecture's diagnostics: first filters, their frequencies and aliasing, dead channels, how evenly channels are used; of one model or two")
    .option('--model <file>', 'model file; not needed with --index')
    .option('--against <file>', 'another model, shown beside it')
    .option('--workspace <folder>', 'where indexes of the models are: those of the same file are used')
    .option('--index <id>', 'the index to use')
    .option('--against-index <id>', 'the index of the other model')
    .option('--out <folder>', 'write the pictures as PNG')
    .option('--json', 'one JSON object');
  return addCropOption(command).action(async (flags: DiagnoseFlags) => {
    const services = flags.workspace ? await session.workspace(flags.workspace, { mode: 'write if free' }) : session.services('read');
    const left = await modelOf(services, flags.model, flags.index, flags);
    if (!left) throw new AppError('BAD_REQUEST', 'Name the model with --model, or its index with --workspace and --index.');
    const right = await modelOf(services, flags.against, flags.againstIndex, flags);
    if (!right) {
      const report = await services.diagnostics.model(left, session.signal);
      if (flags.out) await writePictures(services, flags.out, picturesOf(report, ''));
      return flags.json ? session.json(report) : tellReport(session, report);
    }
    const comparison = await services.diagnostics.compare({ left, right }, session.signal);
    if (flags.out) await writePictures(services, flags.out, [...picturesOf(comparison.left, 'left-'), ...picturesOf(comparison.right, 'right-'), ['left-shared', comparison.shared.left.media], ['right-shared', comparison.shared.right.media]]);
    if (flags.json) return session.json(comparison);
    return tellComparison(session, comparison);
  });
}

/** The given index; else the newest of the workspace that was made with this very file; else the file alone. */
async function modelOf(services: Services, path: string | undefined, index: string | undefined, { workspace, crop }: DiagnoseFlags): Promise<DiagnosedModel | null> {
  if (index !== undefined) {
    if (workspace === undefined) throw new AppError('BAD_REQUEST', `Index ${index} needs --workspace: the workspace that holds it.`, { index });
    return { kind: 'index', index };
  }
  if (path === undefined) return null;
  const size = cropPair(crop);
  if (workspace !== undefined) {
    const { modelHash } = await services.models.inspect(path, undefined, size);
    const known = (await services.indexing.list()).find((record) => record.modelHash === modelHash && record.state !== 'empty');
    if (known) return { kind: 'index', index: known.id };
  }
  return { kind: 'file', path, ...(size ? { crop: size } : {}) };
}

type NamedPicture = readonly [name: string, media: string];

function picturesOf({ filters, measures }: DiagnosticReport, prefix: string): readonly NamedPicture[] {
  const ofMeasures = measures.flatMap((measure): NamedPicture[] => ('media' in measure && measure.media !== null ? [[`${prefix}${measure.kind}`, measure.media]] : []));
  return [[`${prefix}filters`, filters.media], ...ofMeasures];
}

async function writePictures(services: Services, out: string, pictures: readonly NamedPicture[]): Promise<void> {
  const folder = resolve(out);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new AppError('BAD_REQUEST', `${folder} cannot be made: ${error instanceof Error ? error.message : String(error)}.`, { out }, error);
  });
  for (const [name, media] of pictures) await writeWhole(join(folder, `${name}.png`), services.diagnostics.picture(media.split('/').at(-1)!));
}

function tellReport(session: Session, { model, filters, measures }: DiagnosticReport): void {
  session.line(`${model.name}: ${filters.filters} first filters of ${filters.inputs} x ${filters.kernel.join(' x ')}, stride ${filters.stride.join(' x ')}${model.index ? `, index ${model.index}` : ''}`);
  for (const { kind, sentence } of measures) session.line(`${kind}: ${sentenceWords(sentence)}`);
}

function tellComparison(session: Session, comparison: DiagnosticComparison): void {
  tellReport(session, comparison.left);
  tellReport(session, comparison.right);
  session.line(table(['measure', comparison.left.model.name, comparison.right.model.name, ''], comparison.differences.map(({ kind, left, right, sentence }) => [kind, left?.toFixed(3) ?? '', right?.toFixed(3) ?? '', sentenceWords(sentence)])));
}
