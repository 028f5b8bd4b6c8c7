/** Invariance (Figure 5): how far the features of a picture move when the picture does, at a low and a high layer, and what becomes of the probability of its class. */
import type { Layer } from '../../src-shared/domain/layers.ts';
import { transformKinds, type TransformKind } from '../../src-shared/domain/experiments.ts';
import { AppError } from '../../src-shared/errors.ts';
import { invarianceShown } from '../experiments/invarianceChart.ts';
import { featureDistance, isIdentity, movePicture, valuesOf } from '../experiments/transforms.ts';
import { placeOfLargest, probabilitiesOf } from '../lab/question.ts';
import type { StoredImage } from '../store/images.ts';
import { networkClasses } from './experimentClasses.ts';
import { fillColour, subtractsMean, type Colour } from '../lab/greyLevels.ts';
import { chooseImages, imagesMeant } from './experimentPictures.ts';
import { factsOfIndex, hiddenLayers, layersMeant, openNetwork, subjectWords, type ExperimentSubjectNetwork } from './experimentSubject.ts';
import type { ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy, StudyContext } from './experimentStudy.ts';
import { openImageSource } from './imageSource.ts';
import { nameOf } from './labStudy.ts';
import { mapsOf } from './labUnits.ts';

type InvarianceNumbers = ExperimentNumbersOf<'invariance'>;
type Spec = ExperimentSpecOf<'invariance'>;
type Line = InvarianceNumbers['parts'][number]['lines'][number];

/** A whole spec has them. */
type WholeSpec = Spec & { readonly [K in 'images' | 'layers' | 'shift']-?: Exclude<Spec[K], undefined> };

/** Values of one kind of transform; more are a slip of the step. */
const mostValues = 721;
const imagesByDefault = 5;

export const invarianceStudy: ExperimentStudy<'invariance'> = {
  async complete(means, spec, signal) {
    const network = await openNetwork(means, spec.index, signal);
    const { index, subject } = network;
    const ranges = { shift: spec.shift === undefined ? usualShift(index.preprocessing.crop[0]) : spec.shift, scale: spec.scale, rotation: spec.rotation };
    for (const kind of transformKinds) checkRange(kind, ranges[kind]);
    if (transformKinds.every((kind) => ranges[kind] === null)) throw new AppError('BAD_REQUEST', 'Nothing is moved: give at least one of shift, scale and rotation.');
    const hidden = hiddenLayers(subject);
    const layers = spec.layers ? await layersMeant(subject, spec.layers) : [...new Set([hidden[0]!, hidden.at(-1)!])];
    const images = spec.images ? [...new Set(spec.images)] : await chooseImages(means.store, index, imagesByDefault);
    await imagesMeant(means.store, index, images);
    return {
      spec: { ...spec, ...ranges, images, layers: layers.map(({ name }) => name) },
      title: `Invariance of ${index.modelName} at ${layers.map(({ title }) => title).join(' and ')}`,
      modelName: index.modelName,
      imagesPath: index.imagesPath,
      facts: factsOfIndex(index),
    };
  },
  async run(context) {
    const { store, spec, signal, report, tell, kept } = context;
    const whole = spec as WholeSpec;
    const network = await openNetwork(context, spec.index, signal);
    const { index, subject } = network;
    const layers = await layersMeant(subject, whole.layers);
    const images = await imagesMeant(store, index, whole.images);
    const source = await openImageSource(index);
    const fill = await kept('fill', () => fillColour(index.preprocessing, () => Promise.all(images.map(async (image) => (await source.decode(image, signal)).pixels))));
    const kinds = transformKinds.filter((kind) => whole[kind] !== null);
    const labels = await labelsOf(context, network);
    const lines = new Map<string, Line>();
    const classOf = new Map<number, number | null>();
    let done = 0;
    const total = images.length * kinds.reduce((sum, kind) => sum + valuesOf(whole[kind]!).length, 0);
    const soFar = () => numbersOf(whole, network, layers, images, kinds, fill, classOf, labels, lines);
    for (const image of images) {
      const pieceOf = (kind: TransformKind) => `${kind} ${image.number}`;
      let plain: Plain | null = null;
      const open = async (): Promise<Plain> => (plain ??= await plainOf(context, network, layers, (await source.decode(image, signal)).pixels, labels(image.number)));
      classOf.set(image.number, await kept(`class ${image.number}`, async () => (await open()).class));
      for (const kind of kinds) {
        const values = valuesOf(whole[kind]!);
        lines.set(pieceOf(kind), await kept(pieceOf(kind), async () => moveAlong(context, network, layers, await open(), kind, values, fill, (at) => report(done + at, total, `${kind} of ${image.path}`))));
        done += values.length;
        report(done, total, `${kind} of ${image.path}`);
        tell(soFar());
      }
    }
    return { numbers: soFar(), caption: captionOf(whole, network, layers, images, fill), notes: [] };
  },
  show: invarianceShown,
};

interface Plain {
  readonly pixels: Uint8Array;
  /** Of each layer. */
  readonly features: readonly Float32Array[];
  /** Whose probability is followed; null without class scores. */
  readonly class: number | null;
}

async function plainOf({ inference, signal }: Pick<StudyContext, 'inference' | 'signal'>, { subject }: ExperimentSubjectNetwork, layers: readonly Layer[], pixels: Uint8Array, label: number | null): Promise<Plain> {
  const features: Float32Array[] = [];
  for (const layer of layers) features.push(await mapsOf(inference, subject, { pixels }, layer, signal));
  if (subject.description.classifier.kind === 'none') return { pixels, features, class: null };
  const { logits } = await subject.questions.look({ kind: 'pixels', pixels, count: 1 }, null, signal);
  return { pixels, features, class: label ?? placeOfLargest(logits!) };
}

async function moveAlong({ inference, signal }: Pick<StudyContext, 'inference' | 'signal'>, { index, subject }: ExperimentSubjectNetwork, layers: readonly Layer[], plain: Plain, kind: TransformKind, values: readonly number[], fill: Colour, onValue: (done: number) => void): Promise<Line> {
  const [height, width] = index.preprocessing.crop;
  const line = { distance: layers.map((): (number | null)[] => []), relative: layers.map((): (number | null)[] => []), probability: [] as (number | null)[] };
  for (const [at, value] of values.entries()) {
    signal.throwIfAborted();
    onValue(at);
    const pixels = movePicture({ pixels: plain.pixels, height, width }, { kind, value }, fill);
    for (const [place, layer] of layers.entries()) {
      const features = isIdentity({ kind, value }) ? plain.features[place]! : await mapsOf(inference, subject, { pixels }, layer, signal);
      const { distance, relative } = featureDistance(plain.features[place]!, features);
      line.distance[place]!.push(distance);
      line.relative[place]!.push(relative);
    }
    line.probability.push(plain.class === null ? null : probabilitiesOf((await subject.questions.look({ kind: 'pixels', pixels, count: 1 }, null, signal)).logits!)[plain.class]!);
  }
  return line;
}

/** Place of an image's label among the network's classes, where the two can be brought together. */
async function labelsOf({ store }: Pick<StudyContext, 'store'>, network: ExperimentSubjectNetwork): Promise<(image: number) => number | null> {
  try {
    return (await networkClasses(store, network)).classOf;
  } catch (error) {
    if (error instanceof AppError) return () => null;
    throw error;
  }
}

function numbersOf(spec: WholeSpec, { subject }: ExperimentSubjectNetwork, layers: readonly Layer[], images: readonly StoredImage[], kinds: readonly TransformKind[], fill: Colour, classOf: ReadonlyMap<number, number | null>, labels: (image: number) => number | null, lines: ReadonlyMap<string, Line>): InvarianceNumbers {
  const labelled = images.filter(({ number }) => labels(number) !== null).length;
  const parts = kinds.map((kind) => {
    const values = valuesOf(spec[kind]!);
    const nothing = values.map(() => null);
    const empty: Line = { distance: layers.map(() => nothing), relative: layers.map(() => nothing), probability: nothing };
    const all = images.map(({ number }) => lines.get(`${kind} ${number}`) ?? empty);
    const mean = (pick: (line: Line) => readonly (number | null)[]) => values.map((_, at) => meanOf(all.map((line) => pick(line)[at] ?? null)));
    return { transform: kind, values, lines: all, mean: { distance: layers.map((_, layer) => mean((line) => line.distance[layer]!)), relative: layers.map((_, layer) => mean((line) => line.relative[layer]!)), probability: mean((line) => line.probability) } };
  });
  return {
    kind: 'invariance',
    layers: layers.map(({ name, title }) => ({ layer: name, title, number: subject.numberInIndex(name) })),
    images: images.map(({ number, path }) => {
      const of = classOf.get(number) ?? null;
      return { image: path, imageNumber: number, class: of, className: of === null ? null : nameOf(subject, of).name };
    }),
    parts,
    fill,
    interpolation: 'bilinear',
    classes: subject.description.classifier.kind === 'none' ? null : labelled === images.length ? 'label' : labelled === 0 ? 'predicted' : 'mixed',
  };
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length || known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** The paper's 60 pixels of 224, where the input is about as large. */
function usualShift(height: number): NonNullable<Spec['shift']> {
  const most = height >= 200 ? 60 : Math.max(1, Math.round((60 * height) / 224));
  return { from: -most, to: most, step: Math.max(1, Math.round(most / 15)) };
}

function checkRange(kind: TransformKind, range: { readonly from: number; readonly to: number; readonly step: number } | null): void {
  if (!range) return;
  const count = valuesOf(range).length;
  if (count < 1 || count > mostValues) throw new AppError('BAD_REQUEST', `The ${kind} from ${range.from} to ${range.to} in steps of ${range.step} has ${count} values; give between 1 and ${mostValues}.`, { transform: kind });
}

function captionOf(spec: WholeSpec, network: ExperimentSubjectNetwork, layers: readonly Layer[], images: readonly StoredImage[], fill: Colour): string {
  const range = (kind: TransformKind, words: string) => (spec[kind] ? [`${words} from ${spec[kind].from} to ${spec[kind].to} in steps of ${spec[kind].step}`] : []);
  const moved = [...range('shift', 'shifted down by pixels'), ...range('scale', 'scaled by factors'), ...range('rotation', 'rotated counterclockwise by degrees')].join('; ');
  const probability = network.subject.description.classifier.kind === 'none' ? '' : ', and the probability of the class (the label, or where there is none the most probable class of the plain picture)';
  return `Euclidean distance between the features of the plain and the moved picture at ${layers.map(({ name, title }) => `${title} (${name})`).join(' and ')}, divided by the norm of the plain ones${probability}. Pictures as the network sees them, ${moved}; interpolation bilinear, filled from outside with the mean colour ${subtractsMean(network.index.preprocessing) ? '' : 'of these pictures '}${fill.join(', ')}; an identity is not resampled. Pictures: ${images.map(({ path }) => path).join(', ')}. ${subjectWords(network)}`;
}
