/**
 * Ablation (method.md section 9; the paper's Table 3): a network is trained whole and with layers removed or changed in width, everything else equal, and the errors of the last epoch stand side by side. Each variant
 * is a training of its own in the experiment's folder, which goes on by itself after a stop; what is finished is kept as numbers.
 */
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { variantGraph } from '../experiments/ablationGraph.ts';
import { countErrors } from '../experiments/errorRates.ts';
import { paperVariants, type NamedVariant } from '../experiments/paperVariants.ts';
import type { ShownResult } from '../experiments/shownResult.ts';
import { elementCount } from '../graph/graph.ts';
import { writePixelNetwork } from '../importers/onnx/pixelMetadata.ts';
import type { Placement } from '../inference/engine.ts';
import { trainingGraph } from '../rewrite/training/trainingGraph.ts';
import { weightsOf } from '../rewrite/training/trainable.ts';
import { emptyNetwork, type StartingNetwork } from '../training/buildNetwork.ts';
import { edgeFor } from '../training/pictures.ts';
import { splitImages } from '../training/split.ts';
import { classRanks } from './experimentClassRanks.ts';
import { notesOnSkipped, recipeWords } from './experimentLearningWords.ts';
import type { CompleteStudy, ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy, StudyContext, StudyMeans, StudyOutcome } from './experimentStudy.ts';
import type { TrainingRun } from './trainingFiles.ts';
import { findLabelledImages, type FoundImages } from './trainingImages.ts';
import { openArchitecture } from './trainingPlan.ts';

type AblationSpec = ExperimentSpecOf<'ablation'>;
type AblationNumbers = ExperimentNumbersOf<'ablation'>;
type Row = AblationNumbers['rows'][number];

export const ablationStudy: ExperimentStudy<'ablation'> = { complete, run, show };

const whole: NamedVariant = { name: 'Whole network', remove: [], widths: {} };

interface Subject {
  readonly base: StartingNetwork;
  readonly crop: number;
  readonly modelHash: string | null;
  readonly found: FoundImages;
}

async function openSubject({ architecture, recipe, imagesPath, labelsPath }: AblationSpec, signal: AbortSignal): Promise<Subject> {
  const opened = await openArchitecture({ architecture, recipe: { ...recipe, finetune: false } });
  const found = await findLabelledImages(imagesPath, labelsPath, signal);
  return { base: emptyNetwork(opened.architecture, { finetune: false }, found.classes.length), crop: opened.crop, modelHash: opened.modelHash, found };
}

async function complete(_: StudyMeans, spec: AblationSpec, signal: AbortSignal): Promise<CompleteStudy<'ablation'>> {
  const { base, modelHash, found } = await openSubject(spec, signal);
  const variants = spec.variants.length > 0 ? spec.variants : paperVariants(base.graph);
  if (!variants) throw new AppError('BAD_REQUEST', 'Say which layers to remove or to make wider: only for a network of five convolutions and three fully connected layers are the variants of the paper known.');
  for (const variant of variants) {
    const graph = buildVariant(base, variant);
    trainingGraph(graph, base.image, { dropout: spec.recipe.dropout > 0, weights: weightsOf(graph) });
  }
  const hash = createHash('sha256').update(JSON.stringify(found.images.map(({ path, className }) => [path, className]))).digest('hex');
  const modelName = spec.architecture.kind === 'file' ? basename(spec.architecture.path) : { zfnet: 'ZFNet', alexnet: 'AlexNet' }[spec.architecture.kind];
  return {
    spec: {
      ...spec,
      architecture: spec.architecture.kind === 'file' ? { ...spec.architecture, path: resolve(spec.architecture.path) } : spec.architecture,
      recipe: { ...spec.recipe, finetune: false, checkpoints: [] },
      imagesPath: resolve(spec.imagesPath),
      ...(spec.labelsPath === undefined ? {} : { labelsPath: resolve(spec.labelsPath) }),
      variants: variants.map(({ name, remove, widths }) => ({ name, remove: [...remove], widths: { ...widths } })),
    },
    title: `Ablation of ${modelName} on ${basename(spec.imagesPath)}`,
    modelName,
    imagesPath: resolve(spec.imagesPath),
    facts: [modelHash ?? '', hash],
  };
}

async function run(context: StudyContext<'ablation'>): Promise<StudyOutcome<'ablation'>> {
  const { spec, signal } = context;
  const { base, crop, found } = await openSubject(spec, signal);
  const variants: readonly NamedVariant[] = [whole, ...spec.variants];
  // Each is built when it is needed: nine networks of the paper's size would take three gigabytes.
  let rows: Row[] = variants.map((variant) => ({ name: variant.name, removed: variant.remove, widths: variant.widths, parameters: parametersOf(buildVariant(base, variant)), training: null, validation: null, epochs: 0, state: 'waiting', note: null }));
  let record: Pick<TrainingRun, 'trainingImages' | 'validationImages' | 'skipped'> = { trainingImages: 0, validationImages: 0, skipped: found.skipped };
  const numbersOf = (): AblationNumbers => ({ kind: 'ablation', classes: found.classes, trainingImages: record.trainingImages, validationImages: record.validationImages, rows });
  const change = (at: number, to: Partial<Row>) => {
    rows = rows.map((row, place) => (place === at ? { ...row, ...to } : row));
    context.tell(numbersOf());
  };
  for (const [at, variant] of variants.entries()) {
    change(at, { state: 'running' });
    const finished = await context.kept(`variant ${at}`, () =>
      trainVariant(context, { ...base, graph: buildVariant(base, variant) }, crop, found, at, (epoch, share, images) => {
        const total = images * spec.recipe.epochs;
        context.report(Math.round(at * total + images * (epoch - 1 + share)), total * variants.length, `${variant.name}: epoch ${epoch} of ${spec.recipe.epochs}`);
        if (rows[at]!.epochs !== epoch - 1) change(at, { epochs: epoch - 1 });
      }),
    );
    record = finished;
    change(at, { training: finished.training, validation: finished.validation, epochs: spec.recipe.epochs, parameters: finished.parameters, state: 'done' });
  }
  return { numbers: numbersOf(), caption: captionOf(spec, numbersOf()), notes: notesOnSkipped(record.skipped) };
}

interface FinishedVariant extends Pick<Row, 'training' | 'validation' | 'parameters'>, Pick<TrainingRun, 'trainingImages' | 'validationImages' | 'skipped'> {}

/** Trains one variant to its last epoch, from where an earlier run stopped, and judges it. @param onProgress the epoch under way, which share of it is done, and the training images */
async function trainVariant({ spec, inference, training, scratchFolder, signal }: StudyContext<'ablation'>, network: StartingNetwork, crop: number, found: FoundImages, at: number, onProgress: (epoch: number, share: number, images: number) => void): Promise<FinishedVariant> {
  const folder = await scratchFolder();
  const path = join(folder, `variant-${at}.onnx`);
  const outPath = join(folder, `variant-${at}`);
  await writeFile(path, writePixelNetwork(network.graph, { order: network.order, resize: { kind: 'shorterSide', pixels: edgeFor(crop) }, text: 'A variant of a network, not trained yet.', precision: 'float32' }));
  let images = found.images.length;
  const run = await training.train(
    { architecture: { kind: 'file', path }, recipe: spec.recipe, imagesPath: spec.imagesPath, ...(spec.labelsPath === undefined ? {} : { labelsPath: spec.labelsPath }), outPath, engine: spec.engine, device: spec.device },
    (news) => {
      if (news.kind === 'epoch') images = news.run.trainingImages;
      if (news.kind === 'training') onProgress(news.epoch, news.step / news.steps, images);
    },
    signal,
  );
  const judged = await judge(run, outPath);
  await rm(outPath, { recursive: true, force: true });
  await rm(path, { force: true });
  return { ...judged, parameters: run.parameters, trainingImages: run.trainingImages, validationImages: run.validationImages, skipped: run.skipped };

  async function judge({ engine, device, epochs, skipped, classes }: TrainingRun, trained: string): Promise<Pick<FinishedVariant, 'training' | 'validation'>> {
    const left = new Set(skipped.map(({ image }) => image));
    const used = found.images.filter(({ path: image }) => !left.has(image));
    const labels = used.map(({ className }) => classes.indexOf(className));
    const split = splitImages(labels, spec.recipe.validation, spec.recipe.seed);
    const errorsOf = async (which: readonly number[]) => {
      if (which.length === 0) return null;
      const files = which.map((image) => ({ file: join(found.root, used[image]!.file), label: labels[image]! }));
      const ranks = await classRanks(inference, { path: join(trained, epochs.at(-1)!.checkpoint!), placement: { engine, device } as Placement, files }, () => undefined, signal);
      const { top1, top5 } = countErrors(ranks);
      return { top1, top5 };
    };
    return { training: await errorsOf(split.training), validation: await errorsOf(split.validation) };
  }
}

/** With the variant's name in what goes wrong. */
function buildVariant({ graph }: StartingNetwork, variant: NamedVariant): StartingNetwork['graph'] {
  try {
    return variantGraph(graph, variant);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `"${variant.name}": ${error.message}`, error.data, error);
  }
}

function parametersOf(graph: StartingNetwork['graph']): number {
  return weightsOf(graph).reduce((sum, { name }) => sum + elementCount(graph.tensors.get(name)!.shape), 0);
}

function show({ rows, trainingImages, validationImages }: AblationNumbers): ShownResult {
  const percent = (share: number | undefined) => (share === undefined ? null : 100 * share);
  return {
    charts: [],
    tables: [
      {
        title: `Error rates on ${trainingImages} training and ${validationImages} validation images`,
        inFigure: true,
        columns: [{ name: 'Error, %' }, { name: 'Train top-1', digits: 1 }, { name: 'Val top-1', digits: 1 }, { name: 'Val top-5', digits: 1 }, { name: 'Parameters', digits: 0 }],
        rows: rows.map(({ name, training, validation, parameters }) => [name, percent(training?.top1), percent(validation?.top1), percent(validation?.top5), parameters]),
      },
    ],
  };
}

function captionOf({ architecture, recipe, imagesPath, engine, device }: AblationSpec, { classes, trainingImages, validationImages }: AblationNumbers): string {
  const what = architecture.kind === 'file' ? `The network of ${basename(architecture.path)}` : `${architecture.kind === 'zfnet' ? 'ZFNet' : 'AlexNet'} of width ${architecture.width}, input ${architecture.input}${architecture.units === undefined ? '' : `, ${architecture.units} units`}`;
  return `${what}, trained whole and with layers removed or changed in width, all else equal; errors of the last epoch's network on centre crops. ${trainingImages} training and ${validationImages} validation images of ${classes.length} classes of ${basename(imagesPath)}. Recipe: ${recipeWords(recipe)}. Engine ${engine}, device ${device}.`;
}
