/**
 * Feature analysis (method.md section 9; the paper's Table 7): how well a linear classifier on each layer's features tells the classes of the images apart, by depth. Each fold of each layer is kept, and follows from the
 * seed alone.
 */
import { basename } from 'node:path';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { dealOut } from '../classifiers/folds.ts';
import type { Trial } from '../classifiers/trial.ts';
import { spreadOf } from '../experiments/foldStatistics.ts';
import type { ShownResult } from '../experiments/shownResult.ts';
import { seededNumbers, shuffled } from '../rewrite/training/seededNumbers.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { createClassifierThreads } from './classifierThreads.ts';
import { featureChoice, heldTogether, readFeatures, type FeatureChoice } from './experimentFeatureRows.ts';
import { classedImages, type ClassedImages } from './experimentClassedImages.ts';
import { notesOnSkipped, penaltyParts } from './experimentLearningWords.ts';
import type { CompleteStudy, ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy, StudyContext, StudyMeans, StudyOutcome } from './experimentStudy.ts';
import { factsOfIndex, hiddenLayers, layersMeant, openNetwork, subjectWords } from './experimentSubject.ts';
import type { LabSubject } from './labSubject.ts';

type FeaturesSpec = ExperimentSpecOf<'features'>;
type FeaturesNumbers = ExperimentNumbersOf<'features'>;
type ClassifierKind = FeaturesSpec['classifiers'][number];

export const featuresStudy: ExperimentStudy<'features'> = { complete, run, show };

/** As it is kept. */
type FoldResult = readonly { readonly loss: string; readonly penalty: number; readonly score: number }[];

async function complete({ store, inference }: StudyMeans, spec: FeaturesSpec, signal: AbortSignal): Promise<CompleteStudy<'features'>> {
  const { index, subject } = await openNetwork({ store, inference }, spec.index, signal);
  const { hash } = await classedImages(store, index);
  const layers = await layersMeant(subject, spec.layers ?? ownLayers(subject, index));
  return {
    spec: { ...spec, layers: layers.map(({ name }) => name), penalties: [...new Set(spec.penalties)].sort((a, b) => a - b) },
    title: `Feature analysis of ${index.modelName} on ${basename(index.imagesPath)}`,
    modelName: index.modelName,
    imagesPath: index.imagesPath,
    facts: [...factsOfIndex(index), hash],
  };
}

/** Those of the index before the class scores. */
function ownLayers(subject: LabSubject, index: StoredIndex): readonly string[] {
  const hidden = hiddenLayers(subject).map(({ name }) => name);
  const own = hidden.filter((name) => index.layers.some((layer) => layer.name === name));
  return own.length > 0 ? own : hidden;
}

async function run(context: StudyContext<'features'>): Promise<StudyOutcome<'features'>> {
  const { store, inference, spec, signal } = context;
  const network = await openNetwork(context, spec.index, signal);
  const { index, subject } = network;
  const layers = await layersMeant(subject, spec.layers!);
  const data = await classedImages(store, index);
  const folds = foldsOf(data, spec);
  const wanted = layers.map((layer) => ({ layer, choice: featureChoice(layer, spec.pool, data.images.length) }));
  const key = ({ name }: Layer, fold: number) => `${name} ${fold}`;
  const missing = wanted.filter(({ layer }) => folds.some((_, fold) => context.known(key(layer, fold)) === undefined));
  const total = layers.length * folds.length;
  let done = (layers.length - missing.length) * folds.length;
  const results = new Map<string, readonly FoldResult[]>();
  const numbersOf = (): FeaturesNumbers => ({
    kind: 'features',
    classes: data.classes,
    images: data.images.length,
    skipped: data.skipped,
    folds: folds.length,
    rows: wanted.flatMap(({ layer, choice }, at) => (results.has(layer.name) ? spec.classifiers.map((classifier) => rowOf(layer, at + 1, choice, classifier, results.get(layer.name)!)) : [])),
  });
  for (const { layer } of wanted) if (!missing.some((each) => each.layer === layer)) results.set(layer.name, folds.map((_, fold) => context.known<FoldResult>(key(layer, fold))!));
  const threads = createClassifierThreads(signal);
  try {
    for (const group of heldTogether(missing, data.images.length)) {
      const features = await readFeatures({ inference, index, network: subject.network, images: data.images, signal }, group, (images) => context.report(done, total, `features of ${images} of ${data.images.length} images`));
      for (const { layer } of group) {
        const found = await Promise.all(
          folds.map(async ({ training, test }, fold) => {
            const result = await context.kept<FoldResult>(key(layer, fold), async () => {
              const trial = await threads.run({ features: features.get(layer.name)!, targets: data.targets, training, test, losses: spec.classifiers, penalties: spec.penalties, parts: penaltyParts }, spec.seed + fold);
              return trial.map(({ loss, penalty, score }) => ({ loss, penalty, score }));
            });
            context.report(++done, total, `${layer.title}: classifiers`);
            return result;
          }),
        );
        results.set(layer.name, found);
        context.tell(numbersOf());
      }
    }
  } finally {
    await threads.close();
  }
  const numbers = numbersOf();
  return { numbers, caption: captionOf(spec, numbers, wanted.map(({ choice }) => choice), subjectWords(network)), notes: [...new Set([...numbers.rows.flatMap(({ note }) => note ?? []), ...notesOnSkipped(data.skipped)])] };
}

/** Every image is tested on once; which others train follows from the seed. */
export function foldsOf({ images, targets }: Pick<ClassedImages, 'images' | 'targets'>, { folds, trainPerClass, seed }: Pick<FeaturesSpec, 'folds' | 'trainPerClass' | 'seed'>): readonly Pick<Trial, 'training' | 'test'>[] {
  const labels = targets.kind === 'single' ? targets.labels : new Int32Array(images.length);
  const part = dealOut(labels, folds, seededNumbers(seed, 'folds'));
  return Array.from({ length: folds }, (_, fold) => {
    const left = new Map<number, number>();
    const training = [...shuffled(images.length, seededNumbers(seed, `training ${fold}`))].filter((row) => {
      if (part[row] === fold) return false;
      const taken = left.get(labels[row]!) ?? 0;
      left.set(labels[row]!, taken + 1);
      return trainPerClass === undefined || taken < trainPerClass;
    });
    return { training: Uint32Array.from(training).sort(), test: Uint32Array.from([...part.keys()].filter((row) => part[row] === fold)) };
  });
}

function rowOf(layer: Layer, depth: number, { pooling, dimension, note }: FeatureChoice, classifier: ClassifierKind, folds: readonly FoldResult[]): FeaturesNumbers['rows'][number] {
  const own = folds.map((results) => results.find(({ loss }) => loss === classifier)!);
  const { mean, deviation } = spreadOf(own.map(({ score }) => score));
  return { layer: layer.name, title: layer.title, depth, classifier, dimension, pool: pooling, note, accuracy: mean, deviation, penalties: own.map(({ penalty }) => penalty) };
}

const classifierNames: Readonly<Record<ClassifierKind, string>> = { svm: 'Linear SVM', softmax: 'Softmax' };

function show({ rows }: FeaturesNumbers): ShownResult {
  const kinds = [...new Set(rows.map(({ classifier }) => classifier))];
  const percent = (share: number) => 100 * share;
  return {
    charts: [{ title: 'Accuracy by depth', across: 'Layer, from the input on', up: 'Mean accuracy per class, %', range: [0, 100], lines: kinds.map((kind, at) => ({ name: classifierNames[kind], isMain: at === 0, points: rows.filter(({ classifier }) => classifier === kind).map(({ depth, accuracy }) => [depth, percent(accuracy)] as const) })) }],
    tables: [
      {
        title: 'Accuracy of linear classifiers on the features of each layer',
        inFigure: true,
        columns: [{ name: 'Classifier (layer)' }, { name: 'Features', digits: 0 }, { name: 'Accuracy, %', digits: 1 }, { name: '±', digits: 1 }],
        rows: kinds.flatMap((kind) => rows.filter(({ classifier }) => classifier === kind).map(({ title, dimension, accuracy, deviation }) => [`${classifierNames[kind]} (${title})`, dimension, percent(accuracy), percent(deviation)])),
      },
      {
        title: 'Details',
        inFigure: false,
        columns: [{ name: 'layer' }, { name: 'depth', digits: 0 }, { name: 'classifier' }, { name: 'pooling' }, { name: 'features', digits: 0 }, { name: 'accuracy' }, { name: 'deviation' }, { name: 'C of each fold' }],
        rows: rows.map(({ layer, depth, classifier, pool, dimension, accuracy, deviation, penalties }) => [layer, depth, classifier, pool, dimension, accuracy, deviation, penalties.join(' ')]),
      },
    ],
  };
}

function captionOf(spec: FeaturesSpec, { images, classes, folds }: FeaturesNumbers, choices: readonly FeatureChoice[], subject: string): string {
  const what = [...new Set(choices.map(({ words }) => words))].join('; ');
  const kinds = spec.classifiers.map((kind) => (kind === 'svm' ? 'linear support vector machines (one class against the rest, squared hinge, L2)' : 'softmax regression (L2)')).join(' and ');
  const training = spec.trainPerClass === undefined ? 'the others of each fold train' : `${spec.trainPerClass} others of each class train`;
  return `Accuracy by depth: ${kinds} on the features of ${choices.length} ${choices.length === 1 ? 'layer' : 'layers'} (${what}), standardised on the training images; C chosen from ${spec.penalties.join(', ')} on ${penaltyParts} parts of the training images. ${images} images of ${classes.length} classes in ${folds} folds, ${training}; mean of the classes' accuracies, its mean and deviation over the folds. Seed ${spec.seed}. ${subject}`;
}
