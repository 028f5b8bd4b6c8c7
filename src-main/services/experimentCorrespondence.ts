/** Correspondence (Table 1): how alike the features of different pictures change when the same marked part is hidden on each, beside the same for boxes at random places. */
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { changeSigns, consistencyOf, deviation, hideBox, mean, randomBox, type Consistency } from '../experiments/correspondence.ts';
import { correspondenceTable } from '../experiments/tables.ts';
import { seededNumbers } from '../rewrite/training/seededNumbers.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { partsOf, type MarkedPart } from './experimentParts.ts';
import { fillColour, subtractsMean, type Colour } from '../lab/greyLevels.ts';
import { imagesMeant } from './experimentPictures.ts';
import { factsOfIndex, hiddenLayers, layersMeant, openNetwork, subjectWords, type ExperimentSubjectNetwork } from './experimentSubject.ts';
import type { ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy, StudyContext } from './experimentStudy.ts';
import { openImageSource, type ImageSource } from './imageSource.ts';
import { mapsOf } from './labUnits.ts';

type Numbers = ExperimentNumbersOf<'correspondence'>;
type Spec = ExperimentSpecOf<'correspondence'>;

/** A whole spec has them. */
type WholeSpec = Spec & Required<Pick<Spec, 'parts' | 'images' | 'layers'>>;

/** As many as the paper has; with fewer the deviations say little. */
const imagesWanted = 5;
/** Plain features that are held instead of computed again for each part: 128 MB. */
const mostHeldValues = 32 * 2 ** 20;

export const correspondenceStudy: ExperimentStudy<'correspondence'> = {
  async complete(means, spec, signal) {
    const network = await openNetwork(means, spec.index, signal);
    const { index, subject } = network;
    const marked = await partsOf(means.store, index);
    const parts = spec.parts ? [...new Set(spec.parts)] : usualParts(marked, index);
    const images = spec.images ? [...new Set(spec.images)] : [...Map.groupBy(marked, ({ imageNumber }) => imageNumber)].filter(([, those]) => parts.every((part) => those.some(({ name }) => name === part))).map(([image]) => image);
    if (images.length < 2) throw new AppError('CONFLICT', `Fewer than two images have ${parts.map((part) => `"${part}"`).join(' and ')} marked on them. Mark the same part on at least ${imagesWanted} images.`, { index: index.id });
    const hidden = hiddenLayers(subject);
    const layers = spec.layers ? await layersMeant(subject, spec.layers) : [...new Set([hidden[Math.floor(hidden.length / 2)]!, hidden.at(-1)!])];
    await imagesMeant(means.store, index, images);
    return {
      spec: { ...spec, parts, images, layers: layers.map(({ name }) => name) },
      title: `Correspondence of ${parts.join(', ')} at ${layers.map(({ title }) => title).join(' and ')}`,
      modelName: index.modelName,
      imagesPath: index.imagesPath,
      facts: [...factsOfIndex(index), JSON.stringify([...(await boxesOf(means.store, index, parts, images))].map(([image, boxes]) => [image, [...boxes]]))],
    };
  },
  async run(context) {
    const { spec, store, signal, report, tell, kept } = context;
    const whole = spec as WholeSpec;
    const network = await openNetwork(context, spec.index, signal);
    const { index } = network;
    const [height, width] = index.preprocessing.crop;
    const layers = await layersMeant(network.subject, whole.layers);
    const images = await imagesMeant(store, index, whole.images);
    const boxes = await boxesOf(store, index, whole.parts, whole.images);
    const source = await openImageSource(index);
    const colour = await kept('colour', () => fillColour(index.preprocessing, () => Promise.all(images.map(async (image) => (await source.decode(image, signal)).pixels))));
    const look = hiding(context, network, source, layers, images, colour);
    const parts = new Map<string, readonly Consistency[]>();
    const draws: (readonly Consistency[])[] = [];
    const total = (whole.parts.length + spec.random) * images.length;
    const soFar = () => numbersOf(whole, network, layers, images, colour, parts, draws);
    const piece = async (key: string, words: string, boxOf: (image: StoredImage) => Box) => {
      const done = (parts.size + draws.length) * images.length;
      report(done, total, words);
      return kept(key, () => look(boxOf, (at) => report(done + at, total, words)));
    };
    for (const part of whole.parts) {
      parts.set(part, await piece(`part ${part}`, `hiding "${part}"`, ({ number }) => boxes.get(number)!.get(part)!));
      tell(soFar());
    }
    for (let draw = 0; draw < spec.random; draw++) {
      // Each draw has numbers of its own, so that it does not matter where a stopped study goes on.
      const random = seededNumbers(spec.seed, `random boxes ${draw}`);
      const size = whole.parts[draw % whole.parts.length]!;
      const places = new Map(images.map(({ number }) => [number, randomBox(boxes.get(number)!.get(size)!, height, width, random)]));
      draws.push(await piece(`draw ${draw}`, `hiding random boxes, draw ${draw + 1} of ${spec.random}`, ({ number }) => places.get(number)!));
      tell(soFar());
    }
    report(total, total, 'done');
    const notes = images.length < imagesWanted ? [`Only ${images.length} images have these parts marked; ${imagesWanted} or more make the deviations mean something.`] : [];
    return { numbers: soFar(), caption: captionOf(whole, network, layers, images, colour), notes };
  },
  show: (numbers) => ({ charts: [], tables: correspondenceTable(numbers) }),
};

/** Parts that are marked on at least five images; where none is, those that are marked most often. */
function usualParts(marked: readonly MarkedPart[], index: StoredIndex): readonly string[] {
  const counts = [...Map.groupBy(marked, ({ name }) => name)].map(([name, those]) => ({ name, images: those.length }));
  const most = Math.max(0, ...counts.map(({ images }) => images));
  if (most < 2) throw new AppError('NOT_FOUND', `No part is marked on two images of index ${index.id} or more. Mark the same part, such as an eye, on at least ${imagesWanted} images.`, { index: index.id });
  return counts.filter(({ images }) => images >= Math.min(imagesWanted, most)).map(({ name }) => name);
}

/** By image, then by part. @throws AppError NOT_FOUND for a part that is not marked on one of the images */
async function boxesOf(store: Store, index: StoredIndex, parts: readonly string[], images: readonly number[]): Promise<ReadonlyMap<number, ReadonlyMap<string, Box>>> {
  const marked = Map.groupBy(await partsOf(store, index, images), ({ imageNumber }) => imageNumber);
  const boxes = new Map<number, ReadonlyMap<string, Box>>();
  for (const image of images) {
    const own = new Map((marked.get(image) ?? []).map(({ name, box }) => [name, box]));
    const absent = parts.find((part) => !own.has(part));
    if (absent !== undefined) throw new AppError('NOT_FOUND', `"${absent}" is not marked on image ${image} of index ${index.id}. Mark it there, or leave the image out.`, { image, part: absent });
    boxes.set(image, new Map(parts.map((part) => [part, own.get(part)!])));
  }
  return boxes;
}

/** Hides a box on each image, and tells per layer how alike the features changed. */
function hiding({ inference, spec, signal }: StudyContext<'correspondence'>, { index, subject }: ExperimentSubjectNetwork, source: ImageSource, layers: readonly Layer[], images: readonly StoredImage[], colour: Colour) {
  const width = index.preprocessing.crop[1];
  const isHeld = images.length * layers.reduce((sum, { channels, height: rows, width: columns }) => sum + channels * rows * columns, 0) <= mostHeldValues;
  const held = new Map<string, Float32Array>();
  const pixelsOf = new Map<number, Uint8Array>();
  const plainOf = async (image: StoredImage, layer: Layer, pixels: Uint8Array) => {
    const key = `${image.number} ${layer.name}`;
    const features = held.get(key) ?? (await mapsOf(inference, subject, { pixels }, layer, signal));
    if (isHeld) held.set(key, features);
    return features;
  };
  return async (boxOf: (image: StoredImage) => Box, onImage: (done: number) => void): Promise<readonly Consistency[]> => {
    const signs = layers.map((): Int8Array[] => []);
    for (const [at, image] of images.entries()) {
      signal.throwIfAborted();
      const pixels = pixelsOf.get(image.number) ?? (await source.decode(image, signal)).pixels;
      pixelsOf.set(image.number, pixels);
      const hidden = hideBox(pixels, width, boxOf(image), colour);
      for (const [place, layer] of layers.entries()) {
        const plain = await plainOf(image, layer, pixels);
        signs[place]!.push(changeSigns(plain, await mapsOf(inference, subject, { pixels: hidden }, layer, signal), spec.tolerance));
      }
      onImage(at + 1);
    }
    return signs.map(consistencyOf);
  };
}

function numbersOf({ parts: names, random }: WholeSpec, { subject }: ExperimentSubjectNetwork, layers: readonly Layer[], images: readonly StoredImage[], colour: Colour, parts: ReadonlyMap<string, readonly Consistency[]>, draws: readonly (readonly Consistency[])[]): Numbers {
  const randomCells = layers.map((_, place) => {
    if (draws.length < random) return null;
    const means = draws.map((draw) => draw[place]!.mean);
    return { mean: mean(means), deviation: mean(draws.map((draw) => draw[place]!.deviation)), drawDeviation: deviation(means), draws: means };
  });
  return {
    kind: 'correspondence',
    layers: layers.map(({ name, title, channels, height, width }) => ({ layer: name, title, number: subject.numberInIndex(name), features: channels * height * width })),
    images: images.map(({ path, number }) => ({ image: path, imageNumber: number })),
    colour,
    rows: [...names.map((part) => ({ part, cells: layers.map((_, place) => partCell(parts.get(part)?.[place])) })), { part: null, cells: randomCells }],
  };
}

function partCell(cell: Consistency | undefined): Numbers['rows'][number]['cells'][number] {
  return cell ? { ...cell, drawDeviation: null, draws: [] } : null;
}

function captionOf({ parts, random, seed, tolerance }: WholeSpec, network: ExperimentSubjectNetwork, layers: readonly Layer[], images: readonly StoredImage[], colour: Colour): string {
  return `Mean sign change of features when a part is hidden: the share of features whose change has another sign (of three: up, down, none within ${tolerance} of the largest magnitude), mean over all pairs of pictures with its deviation; lower means tighter correspondence. Parts ${parts.join(', ')}, marked by hand, and ${random} draws of random boxes of the same sizes (seed ${seed}), hidden by the mean colour ${subtractsMean(network.index.preprocessing) ? '' : 'of these pictures '}${colour.join(', ')}. Layers ${layers.map(({ name, title }) => `${title} (${name})`).join(', ')}. Pictures: ${images.map(({ path }) => path).join(', ')}. ${subjectWords(network)}`;
}
