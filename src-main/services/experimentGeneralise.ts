/**
 * Generalisation (method.md section 9; the paper's Tables 4 to 6): all layers of a network stay as they are, a new softmax on the features of one of them learns the classes of other images from a few of each; beside it,
 * where it is asked for, the same network learns the same images from scratch. Images with several classes get one classifier for each class against the rest, and average precision.
 */
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { drawPerClass, type Draw } from '../classifiers/folds.ts';
import type { Features } from '../classifiers/samples.ts';
import { firstClasses } from '../classifiers/trial.ts';
import { accuracyByClass, meanOfClasses, spreadOf } from '../experiments/foldStatistics.ts';
import type { ShownResult } from '../experiments/shownResult.ts';
import type { Placement } from '../inference/engine.ts';
import { seededNumbers } from '../rewrite/training/seededNumbers.ts';
import { createClassifierThreads, type ClassifierThreads } from './classifierThreads.ts';
import { classRanks } from './experimentClassRanks.ts';
import { featureChoice, readFeatures, type FeatureChoice } from './experimentFeatureRows.ts';
import { classedImages, type ClassedImages } from './experimentClassedImages.ts';
import { notesOnSkipped, penaltyParts, recipeWords } from './experimentLearningWords.ts';
import type { CompleteStudy, ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy, StudyContext, StudyMeans, StudyOutcome } from './experimentStudy.ts';
import { factsOfIndex, hiddenLayers, layersMeant, openNetwork, subjectWords, type ExperimentSubjectNetwork } from './experimentSubject.ts';

type GeneraliseSpec = ExperimentSpecOf<'generalise'>;
type GeneraliseNumbers = ExperimentNumbersOf<'generalise'>;
type Row = GeneraliseNumbers['rows'][number];

export const generaliseStudy: ExperimentStudy<'generalise'> = { complete, run, show };

/** As it is kept, of one fold. */
interface FoldScore {
  readonly score: number;
  readonly ofClass: readonly (number | null)[];
}

async function complete({ store, inference }: StudyMeans, spec: GeneraliseSpec, signal: AbortSignal): Promise<CompleteStudy<'generalise'>> {
  const { index, subject } = await openNetwork({ store, inference }, spec.index, signal);
  const data = await classedImages(store, index, spec.labelsPath);
  const [layer] = await layersMeant(subject, [spec.layer ?? hiddenLayers(subject).at(-1)!.name]);
  if (spec.scratch && data.targets.kind === 'several') throw new AppError('BAD_REQUEST', 'A network from scratch learns one class for each image; leave it out where images have several.');
  if (spec.scratch && index.preprocessing.crop[0] !== index.preprocessing.crop[1]) throw new AppError('UNSUPPORTED', `The network takes images of ${index.preprocessing.crop.join(' x ')} pixels; training cuts squares. Leave the comparison with a network from scratch out.`);
  possibleCounts(data, spec);
  return {
    spec: {
      ...spec,
      layer: layer!.name,
      ...(spec.labelsPath === undefined ? {} : { labelsPath: resolve(spec.labelsPath) }),
      perClass: ascending(spec.perClass),
      penalties: ascending(spec.penalties),
      scratch: spec.scratch && { folds: Math.min(spec.scratch.folds, spec.folds), recipe: { ...spec.scratch.recipe, finetune: false, checkpoints: [], validation: 0 } },
    },
    title: `Generalisation of ${index.modelName} to ${basename(spec.labelsPath ?? index.imagesPath)}`,
    modelName: index.modelName,
    imagesPath: index.imagesPath,
    facts: [...factsOfIndex(index), data.hash],
  };
}

async function run(context: StudyContext<'generalise'>): Promise<StudyOutcome<'generalise'>> {
  const { store, spec, signal } = context;
  const network = await openNetwork(context, spec.index, signal);
  const data = await classedImages(store, network.index, spec.labelsPath);
  const [layer] = await layersMeant(network.subject, [spec.layer!]);
  const counts = possibleCounts(data, spec);
  const choice = featureChoice(layer!, spec.pool, data.images.length);
  const drawn = (perClass: number, fold: number) => drawPerClass(firstClasses(data.targets, data.images.length), { perClass, largest: counts.at(-1)!, testPerClass: spec.testPerClass }, seededNumbers(spec.seed, `fold ${fold}`));
  let rows: readonly Row[] = [];
  let perClass: GeneraliseNumbers['perClass'] = [];
  const numbersOf = (): GeneraliseNumbers => ({ kind: 'generalise', layer: layer!.name, layerTitle: layer!.title, classes: data.classes, measure: data.targets.kind === 'single' ? 'accuracy' : 'averagePrecision', skipped: data.skipped, rows, perClass });
  const add = (way: Row['way'], count: number, folds: readonly FoldScore[]) => {
    const { training, test } = drawn(count, 0);
    const scores = folds.map(({ score }) => score);
    const { mean, deviation } = spreadOf(scores);
    rows = [...rows, { perClass: count, way, mean, deviation, folds: scores, trainingImages: training.length, testImages: test.length }];
    if (way === 'fixed') perClass = data.classes.map((name, at) => ({ class: name, value: meanOrNull(folds.map(({ ofClass }) => ofClass[at] ?? null)) }));
    context.tell(numbersOf());
  };

  const work: Work = { context, data, network, total: counts.length * spec.folds, scratchTotal: spec.scratch ? counts.length * spec.scratch.folds : 0 };
  const threads = createClassifierThreads(signal);
  try {
    let features: Promise<Features> | undefined;
    for (const count of counts) add('fixed', count, await fixedFolds(work, threads, count, (fold) => drawn(count, fold), () => (features ??= layerFeatures(work, layer!, choice))));
  } finally {
    await threads.close();
  }
  if (spec.scratch) {
    for (const count of counts) {
      const folds: FoldScore[] = [];
      for (let fold = 0; fold < spec.scratch.folds; fold++) folds.push(await context.kept(`scratch ${count} ${fold}`, () => trainFromScratch(work, spec.scratch!, count, fold, drawn(count, fold), rows.length * spec.folds)));
      add('scratch', count, folds);
    }
  }
  return { numbers: numbersOf(), caption: captionOf(spec, numbersOf(), choice, network), notes: [...notesOnSkipped(data.skipped), ...(choice.note === null ? [] : [choice.note]), ...notesOnCounts(spec, counts, data)] };
}

interface Work {
  readonly context: StudyContext<'generalise'>;
  readonly data: ClassedImages;
  readonly network: ExperimentSubjectNetwork;
  /** Folds with fixed layers, and from scratch. */
  readonly total: number;
  readonly scratchTotal: number;
}

/** A training from scratch takes the time of many classifiers. */
const scratchWeight = 20;

async function layerFeatures({ context: { inference, signal, report }, data, network: { index, subject }, total, scratchTotal }: Work, layer: Layer, choice: FeatureChoice): Promise<Features> {
  const request = { inference, index, network: subject.network, images: data.images, signal };
  const found = await readFeatures(request, [{ layer, choice }], (images) => report(0, total + scratchWeight * scratchTotal, `${layer.title}: features of ${images} of ${data.images.length} images`));
  return found.get(layer.name)!;
}

async function fixedFolds({ context, data, total, scratchTotal }: Work, threads: ClassifierThreads, count: number, drawn: (fold: number) => Draw, features: () => Promise<Features>): Promise<readonly FoldScore[]> {
  const { spec } = context;
  const place = spec.perClass.indexOf(count);
  let done = Math.min(total, place * spec.folds);
  return Promise.all(
    Array.from({ length: spec.folds }, async (_, fold) => {
      const result = await context.kept<FoldScore>(`fixed ${count} ${fold}`, async () => {
        const loss = data.targets.kind === 'single' ? 'softmax' : 'logistic';
        const [found] = await threads.run({ features: await features(), targets: data.targets, ...drawn(fold), losses: [loss], penalties: spec.penalties, parts: Math.min(penaltyParts, count) }, spec.seed + fold);
        return { score: found!.score, ofClass: found!.ofClass };
      });
      context.report(++done, total + scratchWeight * scratchTotal, `${count} images of each class: fold ${done - place * spec.folds} of ${spec.folds}`);
      return result;
    }),
  );
}

/** The network's own build with first weights, on the images of one draw alone; judged by the images that the fixed layers are judged by. */
async function trainFromScratch({ context, data, network: { index }, total, scratchTotal }: Work, { recipe }: NonNullable<GeneraliseSpec['scratch']>, count: number, fold: number, { training, test }: Draw, before: number): Promise<FoldScore> {
  const { spec, signal, inference } = context;
  const labels = firstClasses(data.targets, data.images.length);
  const name = `scratch-${count}-${fold}`;
  const folder = await context.scratchFolder();
  const labelsPath = join(folder, `${name}.tsv`);
  // Numbers as names: classes come back in their own order.
  const lines = Array.from(training, (row) => `${data.images[row]!.path}\t${labels[row]}\t${String(labels[row]).padStart(9, '0')}`);
  await writeFile(labelsPath, `file\tindex\tname\n${lines.join('\n')}\n`);
  const outPath = join(folder, name);
  const made = counted(spec, count) * spec.scratch!.folds + fold;
  const run = await context.training.train(
    { architecture: { kind: 'file', path: index.modelPath, input: index.preprocessing.crop[0] }, recipe, imagesPath: index.imagesPath, labelsPath, outPath, engine: 'auto', device: 'auto' },
    (news) => {
      if (news.kind !== 'training') return;
      const share = (news.epoch - 1 + news.step / news.steps) / news.epochs;
      context.report(Math.min(total, before) + Math.round(scratchWeight * (made + share)), total + scratchWeight * scratchTotal, `from scratch, ${count} images of each class: epoch ${news.epoch} of ${news.epochs}`);
    },
    signal,
  );
  const classOf = new Map(run.classes.map((padded, place) => [Number(padded), place]));
  const judged = [...test].filter((row) => classOf.has(labels[row]!));
  const files = judged.map((row) => ({ file: join(index.imagesPath, data.images[row]!.file), label: classOf.get(labels[row]!)! }));
  const ranks = await classRanks(inference, { path: join(outPath, run.epochs.at(-1)!.checkpoint!), placement: { engine: run.engine, device: run.device } as Placement, files }, () => undefined, signal);
  const ofClass = accuracyByClass(ranks, judged.map((row) => labels[row]!), data.classes.length);
  return { score: meanOfClasses(ofClass), ofClass };
}

function counted({ perClass }: GeneraliseSpec, count: number): number {
  return perClass.indexOf(count);
}

/** The numbers of images per class for which at least half of the classes have enough, one left to test on. Throws AppError BAD_REQUEST where none is. */
function possibleCounts({ images, classes, targets }: ClassedImages, { perClass }: GeneraliseSpec): readonly number[] {
  const sizes = new Map<number, number>();
  for (const label of firstClasses(targets, images.length)) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const possible = ascending(perClass).filter((count) => [...sizes.values()].filter((size) => size > count).length * 2 >= sizes.size);
  if (possible.length > 0) return possible;
  throw new AppError('BAD_REQUEST', `${perClass.join(', ')} training images of each class were asked for, but the ${classes.length} classes have ${Math.max(...sizes.values())} images at most, and each needs one more to be tested on. Ask for fewer, or add images.`);
}

function notesOnCounts({ perClass }: GeneraliseSpec, counts: readonly number[], { targets }: ClassedImages): readonly string[] {
  const left = perClass.filter((count) => !counts.includes(count));
  return [
    ...(left.length === 0 ? [] : [`${left.join(', ')} training images of each class were left out: most classes have fewer.`]),
    ...(targets.kind === 'several' ? ['Images of several classes are drawn by the first of them.'] : []),
  ];
}

function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  return values.every((value) => value === null) ? null : meanOfClasses(values);
}

const wayNames = { fixed: 'Fixed layers, new softmax', scratch: 'From scratch' } as const;

function show({ rows, perClass, measure }: GeneraliseNumbers): ShownResult {
  const counts = [...new Set(rows.map((row) => row.perClass))];
  const ways = (['scratch', 'fixed'] as const).filter((way) => rows.some((row) => row.way === way));
  const cell = (way: Row['way'], count: number) => rows.find((row) => row.way === way && row.perClass === count);
  const what = measure === 'accuracy' ? 'Accuracy, %' : 'Average precision, %';
  return {
    charts: counts.length < 2 ? [] : [{ title: `${what.replace(', %', '')} by training images`, across: 'Training images of each class', up: what, range: [0, 100], lines: ways.map((way) => ({ name: wayNames[way], isMain: way === 'fixed', points: rows.filter((row) => row.way === way).map((row) => [row.perClass, 100 * row.mean] as const) })) }],
    tables: [
      {
        title: `${what} by training images of each class`,
        inFigure: true,
        columns: [{ name: what }, ...counts.flatMap((count) => [{ name: `${count}/class`, digits: 1 }, { name: '±', digits: 1 }])],
        rows: ways.map((way) => [wayNames[way], ...counts.flatMap((count) => [cell(way, count)?.mean, cell(way, count)?.deviation].map((share) => (share === undefined ? null : 100 * share)))]),
      },
      { title: `${what}, class by class, at the most training images`, inFigure: measure === 'averagePrecision' && perClass.length <= 30, columns: [{ name: 'Class' }, { name: what, digits: 1 }], rows: perClass.map(({ class: name, value }) => [name, value === null ? null : 100 * value]) },
      { title: 'Folds', inFigure: false, columns: [{ name: 'way' }, { name: 'images per class', digits: 0 }, { name: 'fold', digits: 0 }, { name: 'value' }, { name: 'training images', digits: 0 }, { name: 'test images', digits: 0 }], rows: rows.flatMap((row) => row.folds.map((value, fold) => [row.way, row.perClass, fold + 1, value, row.trainingImages, row.testImages])) },
    ],
  };
}

function captionOf({ folds, testPerClass, penalties, scratch, seed, labelsPath }: GeneraliseSpec, { layerTitle, classes, measure }: GeneraliseNumbers, { words, dimension }: FeatureChoice, network: ExperimentSubjectNetwork): string {
  const classifier = measure === 'accuracy' ? 'a softmax (L2)' : 'one logistic classifier for each class against the rest (L2)';
  const measured = measure === 'accuracy' ? "mean of the classes' accuracies" : "mean of the classes' average precisions";
  const beside = scratch ? ` From scratch: the same layers, trained on the same images, ${scratch.folds} ${scratch.folds === 1 ? 'fold' : 'folds'}, recipe: ${recipeWords(scratch.recipe)}.` : '';
  return `All layers fixed, ${classifier} on ${dimension} features of ${layerTitle} (${words}), standardised on the training images; C chosen from ${penalties.join(', ')} on ${penaltyParts} parts of them. ${classes.length} classes${labelsPath === undefined ? '' : ` of ${basename(labelsPath)}`}, at most ${testPerClass} test images of each, the same for all numbers of training images; ${measured}, its mean and deviation over ${folds} folds. Seed ${seed}.${beside} ${subjectWords(network)}`;
}
