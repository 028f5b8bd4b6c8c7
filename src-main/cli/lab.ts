/** `switchback lab`: questions about one picture, answered into a folder: pictures, exact values as .npy, and result.json with numbers, settings and caption. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { labStudy, saliencyRows } from '../../src-shared/contract/labStudies.ts';
import { AppError } from '../../src-shared/errors.ts';
import { activationsCommand } from './labActivations.ts';
import { occlusionReport } from './labOcclusionReport.ts';
import { addSubjectOptions, openLab, studyAnswer, writeOutcome, type SubjectFlags } from './labOutput.ts';
import { decimal, list, wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import type { LabStudy } from '../services/labStudy.ts';

type StudyFlags = SubjectFlags & Readonly<Record<string, unknown>>;

export function labCommand(session: Session): Command {
  const command = new Command('lab').description('ask about one picture: what is seen where, what the network makes of it, what it would rather see');
  command.addCommand(activationsCommand(session));
  for (const [kind, { description, options, request }] of Object.entries(studies) as [LabStudy['kind'], StudyCommand][]) {
    const study = addSubjectOptions(new Command(kind).description(description), kind !== 'ascend');
    for (const option of options()) study.addOption(option);
    command.addCommand(study.action((flags: StudyFlags) => runStudy(session, kind, request(flags), flags)));
  }
  return command;
}

async function runStudy(session: Session, kind: LabStudy['kind'], request: object, flags: StudyFlags): Promise<void> {
  const parsed = labStudy.safeParse({ kind, ...request });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new AppError('BAD_REQUEST', `--${flagOf(path)}: ${message}.`);
  }
  const { services, subject, picture } = await openLab(session, flags);
  const outcome = await services.lab.study(subject, picture, parsed.data, ({ done, total, step }) => session.progress(total > 0 ? `${done} of ${total}: ${step}` : step), session.signal);
  const answer = studyAnswer(flags, subject, picture, parsed.data, outcome);
  const report = outcome.numbers.kind === 'occlusion' ? occlusionReport(flags.model, picture!.name, parsed.data as Extract<LabStudy, { kind: 'occlusion' }>, outcome.numbers) : null;
  const files = await writeOutcome(flags.out, outcome, { 'result.json': answer, ...(report ? { 'occlusion.json': report } : {}) });
  if (flags.json) return session.json({ out: flags.out, files, ...answer });
  session.line(outcome.caption);
  session.line(`${flags.out}: ${files.join(', ')}`);
}

/** The option that a place in the study comes from. */
function flagOf(path: readonly PropertyKey[]): string {
  const name = path.find((part) => typeof part === 'string' && part !== 'regularisers' && part !== 'target');
  if (name === 'smoothNoise') return 'noise';
  return String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

interface StudyCommand {
  readonly description: string;
  options(): readonly Option[];
  /** The study as the contract has it, but for its kind; what is undefined gets its default there. */
  request(flags: StudyFlags): object;
}

const number = (flags: string, description: string) => new Option(flags, description).argParser(wholeNumber(0, 10_000_000));
const share = (flags: string, description: string) => new Option(flags, description).argParser(decimal);

const targetOptions = () => [
  number('--class <n>', 'a class, counted from 0; the most probable if neither it nor a layer is given'),
  new Option('--layer <name>', 'with --channel, and --y and --x for one unit of it'),
  number('--channel <n>', 'counted from 0'),
  number('--y <row>', 'of a unit'),
  number('--x <column>', 'of a unit'),
];

const studies = {
  occlusion: {
    description: 'a square moves over the picture: probability of the class, most probable class, total of one map (occlusion.json has the shape of a sweep)',
    options: () => [
      number('--class <n>', 'counted from 0; the most probable of the clean picture if absent'),
      new Option('--layer <name>', 'whose map is watched; the last convolution before the class scores if absent'),
      number('--channel <n>', 'the one with the largest total if absent'),
      number('--size <pixels>', 'edge of the square (48)'),
      number('--stride <pixels>', 'between its centres (16)'),
      new Option('--colour <r,g,b>', 'of the square, 0 to 255; the mean colour of the preprocessing if absent').argParser(colour),
    ],
    request: ({ class: index, layer, channel, size, stride, colour: rgb }) => ({ class: index, layer, channel, size, stride, colour: rgb }),
  },
  saliency: {
    description: 'how much each pixel matters to a class, a channel or a unit',
    options: () => [
      ...targetOptions(),
      new Option('--rows <names>', `of ${saliencyRows.join(', ')} (all)`).argParser(list),
      number('--integrated-samples <n>', 'points between an input of zeros and the picture; tripled until they add up (27)'),
      number('--smooth-samples <n>', 'noisy copies (25)'),
      share('--noise <share>', 'deviation of their noise, of the range of values (0.15)'),
      number('--seed <n>', '(1)'),
    ],
    request: (flags) => ({ target: targetOf(flags), rows: flags['rows'], integratedSamples: flags['integratedSamples'], smoothSamples: flags['smoothSamples'], smoothNoise: flags['noise'], seed: flags['seed'] }),
  },
  segment: {
    description: 'cut out what the network looks at: GrabCut, begun from saliency',
    options: () => [...targetOptions(), share('--foreground <quantile>', 'saliency above it is surely the object (0.95)'), share('--background <quantile>', 'below it surely not (0.3)'), share('--smoothing <pixels>', 'blur of the saliency before that (2)'), number('--iterations <n>', '(5)')],
    request: (flags) => ({ target: targetOf(flags), foreground: flags['foreground'], background: flags['background'], smoothing: flags['smoothing'], iterations: flags['iterations'] }),
  },
  ascend: {
    description: 'the picture that a class, a channel or a unit answers to most strongly',
    options: () => [
      ...targetOptions(),
      new Option('--start <from>', 'seeded noise, the mean colour, or --image (noise)').choices(['noise', 'mean', 'picture']),
      number('--steps <n>', '(200)'),
      share('--rate <levels>', 'first step, root mean square in grey levels (4)'),
      number('--keep-every <n>', 'frames that are written (10)'),
      new Option('--unbounded', 'let values leave what a picture can hold'),
      share('--decay <weight>', 'regulariser: weight of the squared values that is taken from the objective'),
      new Option('--blur <pixels,every>', 'regulariser: Gaussian blur every so many steps').argParser(pair),
      new Option('--small-norm <quantile,every>', 'regulariser: weak pixels are cleared').argParser(pair),
      new Option('--small-contribution <quantile,every>', 'regulariser: pixels that contribute little are cleared').argParser(pair),
      number('--jitter <pixels>', 'regulariser: shift round before each step'),
      number('--seed <n>', '(1)'),
    ],
    request(flags) {
      const { blur, smallNorm, smallContribution, decay, jitter } = flags as unknown as Record<'blur' | 'smallNorm' | 'smallContribution', readonly [number, number] | undefined> & { readonly decay?: number; readonly jitter?: number };
      const regularisers = {
        ...(decay === undefined ? {} : { decay: { weight: decay } }),
        ...(blur ? { blur: { radius: blur[0], every: blur[1] } } : {}),
        ...(smallNorm ? { smallNorm: { quantile: smallNorm[0], every: smallNorm[1] } } : {}),
        ...(smallContribution ? { smallContribution: { quantile: smallContribution[0], every: smallContribution[1] } } : {}),
        ...(jitter === undefined ? {} : { jitter: { pixels: jitter } }),
      };
      return { target: targetOf(flags), start: flags['start'], steps: flags['steps'], rate: flags['rate'], keepEvery: flags['keepEvery'], bounded: flags['unbounded'] !== true, regularisers, seed: flags['seed'] };
    },
  },
  adversarial: {
    description: 'the smallest steps that make the network see another class',
    options: () => [
      number('--target <n>', 'the class to be seen, counted from 0').makeOptionMandatory(),
      new Option('--way <way>', 'steps along the gradient, one step of its signs, or small steps of them (steepest)').choices(['steepest', 'fgsm', 'iterative']),
      share('--bound <levels>', 'largest change of a value with fgsm and iterative (8)'),
      share('--rate <levels>', 'of a step: L2 (steepest), or change of each value (iterative)'),
      number('--steps <n>', 'at most (100)'),
    ],
    request: ({ target, way, bound, rate, steps }) => ({ target, way, bound, rate, steps }),
  },
} as const satisfies Record<LabStudy['kind'], StudyCommand>;

function targetOf({ class: index, layer, channel, y, x }: StudyFlags): object | undefined {
  if (layer === undefined) {
    if (channel !== undefined || y !== undefined || x !== undefined) throw new AppError('BAD_REQUEST', '--layer is missing: say whose channel is meant.');
    return index === undefined ? { kind: 'class' } : { kind: 'class', index };
  }
  if (index !== undefined) throw new AppError('BAD_REQUEST', '--class and --layer exclude each other: ask about a class, or about a channel.');
  if (channel === undefined) throw new AppError('BAD_REQUEST', '--channel is missing: say which one of the layer.');
  if ((y === undefined) !== (x === undefined)) throw new AppError('BAD_REQUEST', '--y and --x belong together: give both for a unit, none for the channel.');
  return y === undefined ? { kind: 'channel', layer, channel } : { kind: 'unit', layer, channel, y, x };
}

function colour(text: string): readonly number[] {
  const levels = text.split(',').map(wholeNumber(0, 255));
  if (levels.length !== 3) throw new InvalidArgumentError('It must be three numbers from 0 to 255, such as 124,116,104.');
  return levels;
}

function pair(text: string): readonly [number, number] {
  const values = text.split(',').map((part) => decimal(part));
  if (values.length !== 2) throw new InvalidArgumentError('It must be two numbers separated by a comma.');
  return [values[0]!, values[1]!];
}
