/**
 * `switchback experiment KIND`: the paper's experiments on an index of the workspace. The spec is JSON as the contract has it (src-shared/contract/experiments.ts), without what may be left out; the
 * folder gets the whole spec, the numbers as JSON and CSV, and the figure. The same command goes on with an experiment that was stopped, and finds one that is done.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { experimentSpec } from '../../src-shared/contract/experiments.ts';
import { box } from '../../src-shared/contract/common.ts';
import { experimentKinds, type ExperimentKind } from '../../src-shared/domain/experiments.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { ExperimentResult } from '../services/experiments.ts';
import { studyOf } from '../services/experimentJob.ts';
import type { ExperimentSpec } from '../services/experimentStudy.ts';
import type { Services } from '../services/services.ts';
import { chosenIndex } from './chosenIndex.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';
import { waitForJob } from './waitForJob.ts';
import { writeWhole } from './wholeFile.ts';

interface ExperimentFlags {
  readonly spec?: string;
  readonly workspace: string;
  readonly out: string;
  readonly afresh?: boolean;
  readonly json?: boolean;
}

const descriptions: Readonly<Record<ExperimentKind, string>> = {
  error: 'top-1 and top-5 error over labelled images, centre crop and ten crops (Table 2)',
  invariance: 'how features move when pictures are shifted, scaled and rotated (Figure 5)',
  correspondence: 'how alike features change when the same part is hidden on different pictures (Table 1)',
  evidence: 'the channels of a layer whose scores tell a class apart',
  features: 'classifiers on the features of each layer (Table 7)',
  generalise: 'a new softmax on fixed features, from few images of each class (Tables 4-6)',
  ablation: 'networks with layers removed or widths changed (Table 3)',
};

/** Parts that a spec file may mark itself, by the image's path within the folder; boxes in input pixels, half-open. */
const marks = z.array(z.object({ image: z.string(), name: z.string().trim().min(1).max(60), box }));

export function experimentCommand(session: Session): Command {
  const command = new Command('experiment').description("the paper's experiments on an index of a workspace");
  for (const kind of experimentKinds) {
    command.addCommand(
      new Command(kind)
        .description(descriptions[kind])
        .option('--spec <file.json>', `what to do; defaults for all that is left out${kind === 'correspondence' ? ' ("marks": [{image, name, box}] marks parts first)' : ''}`)
        .requiredOption('--workspace <folder>', 'workspace folder')
        .requiredOption('--out <folder>', 'for spec.json, result.json, result.csv and the figure; made if missing')
        .option('--afresh', 'do it again where the same was done before')
        .option('--json', 'one JSON object')
        .action((flags: ExperimentFlags) => run(session, kind, flags)),
    );
  }
  return command;
}

async function run(session: Session, kind: ExperimentKind, { spec: file, workspace, out, afresh = false, json = false }: ExperimentFlags): Promise<void> {
  const given = file === undefined ? {} : await readSpec(file);
  const services = await session.workspace(workspace, { mode: 'write' });
  const { marks: marked, ...wishes } = given;
  const index = kind === 'ablation' || typeof wishes['index'] === 'string' ? {} : { index: await chosenIndex(services, undefined) };
  const spec = checked({ ...wishes, ...index, kind }, file);
  if (marked !== undefined && 'index' in spec) await mark(services, spec.index, marked, file);
  const { id, jobId } = await services.experiments.start({ spec, afresh }, session.signal);
  const before = await services.experiments.get(id);
  if (before.state !== 'done') await waitForJob(session, services, jobId, 'pieces');
  const result = await services.experiments.get(id);
  const files = await write(services, result, out);
  if (json) session.json({ id, kind, title: result.title, spec: result.spec, numbers: result.numbers, caption: result.caption, notes: result.notes, files });
  else tell(session, result, files);
}

async function readSpec(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('BAD_REQUEST', `The spec ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { spec: file }, cause);
  });
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (cause) {
    throw new AppError('BAD_REQUEST', `The spec ${file} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}.`, { spec: file }, cause);
  }
  throw new AppError('BAD_REQUEST', `The spec ${file} must be one JSON object, such as {"index": "…"}.`, { spec: file });
}

function checked(wishes: Record<string, unknown>, file: string | undefined): ExperimentSpec {
  const parsed = experimentSpec.safeParse(wishes);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new AppError('BAD_REQUEST', `${file ?? 'The spec'}: ${first!.path.length > 0 ? `"${first!.path.join('.')}": ` : ''}${first!.message}.`, { spec: file ?? null });
}

async function mark(services: Services, index: string, marked: unknown, file: string | undefined): Promise<void> {
  const parsed = marks.safeParse(marked);
  if (!parsed.success) throw new AppError('BAD_REQUEST', `${file ?? 'The spec'}: "marks" must be a list of {image, name, box: [y0, x0, y1, x1]}: ${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}.`, { spec: file ?? null });
  const { store } = services.workspaces.required();
  for (const { image: path, name, box: where } of parsed.data) {
    const image = await store.images.findByPath(index as IndexId, path);
    if (!image) throw new AppError('NOT_FOUND', `The index ${index} has no image ${JSON.stringify(path)}.`, { index, image: path });
    await services.experiments.parts.set({ index, imageNumber: image.number, name, box: where });
  }
}

/** @returns the files' paths */
async function write(services: Services, { id, spec }: ExperimentResult, out: string): Promise<readonly string[]> {
  const folder = resolve(out);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new AppError('BAD_REQUEST', `The folder ${folder} cannot be made: ${cause instanceof Error ? cause.message : String(cause)}.`, { out: folder }, cause);
  });
  const text = new TextEncoder();
  const files: readonly (readonly [string, Uint8Array])[] = [
    ['spec.json', text.encode(`${JSON.stringify(spec, null, 2)}\n`)],
    ['result.json', text.encode((await services.experiments.export(id, 'json')).text)],
    ['result.csv', text.encode((await services.experiments.export(id, 'csv')).text)],
    ['figure.svg', (await services.experiments.drawFigure(id, 'svg')).bytes],
    ['figure.png', (await services.experiments.drawFigure(id, 'png')).bytes],
  ];
  for (const [name, bytes] of files) await writeWhole(join(folder, name), bytes);
  return files.map(([name]) => join(folder, name));
}

function tell(session: Session, { id, title, spec, numbers, caption, notes }: ExperimentResult, files: readonly string[]): void {
  session.line(`experiment ${id}: ${title}`);
  for (const { columns, rows, inFigure, title: name } of numbers ? studyOf(spec).show(numbers).tables : []) {
    if (!inFigure) continue;
    session.line(name);
    session.line(table(columns.map((column) => column.name), rows.map((row) => row.map((cell, at) => (typeof cell === 'number' ? cell.toFixed(columns[at]!.digits ?? 3) : (cell ?? ''))))));
  }
  session.line(caption);
  for (const note of notes) session.note(note);
  session.line(files.join(', '));
}
