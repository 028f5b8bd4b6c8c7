/**
 * Error rates (Table 2) of one or several networks over the labelled images of an index: centre crop, the mean of ten crops, and where there are several networks the mean of their probabilities.
 * Images go in fixed groups, each of which is kept, so that a resumed study ends with the same numbers.
 */
import type { CropView } from '../../src-shared/domain/experiments.ts';
import { AppError } from '../../src-shared/errors.ts';
import { countErrors, meanProbabilities, rankOf, tenCrops } from '../experiments/errorRates.ts';
import { errorTable } from '../experiments/tables.ts';
import type { StoredImage } from '../store/images.ts';
import { networkClasses, type NetworkClasses } from './experimentClasses.ts';
import { factsOfIndex, openNetwork, subjectWords, type ExperimentSubjectNetwork } from './experimentSubject.ts';
import type { ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy, StudyMeans } from './experimentStudy.ts';
import { openImageSource, type ImageSource } from './imageSource.ts';
import { requireClasses } from './labSubject.ts';

type ErrorNumbers = ExperimentNumbersOf<'error'>;
type ErrorSpec = ExperimentSpecOf<'error'>;

/** Of one image: the place of its class, `[network][view]`, the last network being the mean of several; or why it was skipped. */
type ImageRanks = { readonly ranks: readonly (readonly number[])[] } | { readonly image: string; readonly reason: string };

/** Images of one kept piece. */
const together = 8;

export const errorStudy: ExperimentStudy<'error'> = {
  async complete(means, spec, signal) {
    const networks = await openNetworks(means, spec, signal);
    const { labelled } = await networkClasses(means.store, networks[0]!);
    const others = spec.others.filter((other, at) => other !== spec.index && spec.others.indexOf(other) === at);
    const names = networks.map(({ index }) => index.modelName);
    return {
      spec: { ...spec, others, views: spec.views.toSorted(), images: Math.min(spec.images ?? labelled.length, labelled.length) },
      title: `Error rates of ${names.join(', ')}`,
      modelName: names[0]!,
      imagesPath: networks[0]!.index.imagesPath,
      facts: [...networks.flatMap(({ index }) => factsOfIndex(index)), labelled.length],
    };
  },
  async run({ store, inference, spec, signal, report, tell, kept }) {
    const networks = await openNetworks({ store, inference }, spec, signal);
    const first = networks[0]!;
    const classes = await networkClasses(store, first);
    const numbers = classes.labelled.slice(0, spec.images);
    const sources = await Promise.all(networks.map(({ index }) => openImageSource({ ...index, imagesPath: first.index.imagesPath })));
    const ranks: ImageRanks[] = [];
    const soFar = () => numbersOf(spec, networks, classes, ranks);
    for (let from = 0; from < numbers.length; from += together) {
      report(from, numbers.length, 'images');
      const group = numbers.slice(from, from + together);
      ranks.push(
        ...(await kept(`images ${from}`, async () => {
          const images = await store.images.several(first.index.id, group);
          return ranksOf(group.map((number) => images.get(number)!), networks, sources, spec.views, classes, signal);
        })),
      );
      tell(soFar());
    }
    report(numbers.length, numbers.length, 'images');
    return { numbers: soFar(), caption: captionOf(spec, networks, numbers.length), notes: notesOf(spec, networks) };
  },
  show: (numbers) => ({ charts: [], tables: errorTable(numbers) }),
};

/** The first of the ten is the centre, the same pixels; alone it needs no more of the picture. */
const pixelsOf: Readonly<Record<CropView, (source: ImageSource, image: StoredImage, signal: AbortSignal) => Promise<Uint8Array>>> = {
  centre: async (source, image, signal) => (await source.decode(image, signal)).pixels,
  ten: async (source, image, signal) => tenCrops(await source.whole(image, signal)),
};

async function openNetworks(means: Pick<StudyMeans, 'store' | 'inference'>, { index, others }: Pick<ErrorSpec, 'index' | 'others'>, signal: AbortSignal): Promise<readonly ExperimentSubjectNetwork[]> {
  const networks: ExperimentSubjectNetwork[] = [];
  for (const each of new Set([index, ...others])) networks.push(await openNetwork(means, each, signal));
  const counts = networks.map(({ subject }) => requireClasses(subject.description.classifier).classes);
  const other = counts.findIndex((count) => count !== counts[0]);
  if (other < 0) return networks;
  throw new AppError('CONFLICT', `${networks[0]!.index.modelName} has ${counts[0]} classes and ${networks[other]!.index.modelName} has ${counts[other]}; only networks with the same classes can be averaged.`);
}

async function ranksOf(images: readonly StoredImage[], networks: readonly ExperimentSubjectNetwork[], sources: readonly ImageSource[], views: readonly CropView[], { classOf }: NetworkClasses, signal: AbortSignal): Promise<ImageRanks[]> {
  const ranks: (ImageRanks | null)[] = images.map(({ path, skipped }) => (skipped === null ? null : { image: path, reason: skipped }));
  const probabilities: Float64Array[][][] = images.map(() => []);
  for (const [at, { subject }] of networks.entries()) {
    const pictures: { readonly of: number; readonly views: readonly Uint8Array[] }[] = [];
    await Promise.all(
      images.map(async (image, of) => {
        if (ranks[of]) return;
        try {
          pictures.push({ of, views: await Promise.all(views.map((view) => pixelsOf[view](sources[at]!, image, signal))) });
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
          ranks[of] = { image: image.path, reason: error.message };
        }
      }),
    );
    // Whichever was read first: groups of the engine must not depend on it.
    pictures.sort((a, b) => a.of - b.of);
    for (const [place, view] of views.entries()) {
      const perPicture = view === 'ten' ? 10 : 1;
      if (pictures.length === 0) continue;
      const { logits } = await subject.questions.look({ kind: 'pixels', pixels: joined(pictures.map((picture) => picture.views[place]!)), count: pictures.length * perPicture }, null, signal);
      const size = logits!.length / pictures.length;
      pictures.forEach(({ of }, row) => {
        (probabilities[of]![at] ??= []).push(meanProbabilities(logits!.subarray(row * size, (row + 1) * size), perPicture));
      });
    }
  }
  return images.map((image, of) => {
    if (ranks[of]) return ranks[of];
    const label = classOf(image.number)!;
    const alone = probabilities[of]!.map((each) => each.map((values) => rankOf(values, label)));
    if (networks.length === 1) return { ranks: alone };
    return { ranks: [...alone, views.map((_, view) => rankOf(meanOf(probabilities[of]!.map((each) => each[view]!)), label))] };
  });
}

function numbersOf({ views }: ErrorSpec, networks: readonly ExperimentSubjectNetwork[], { labelled, classes }: NetworkClasses, all: readonly ImageRanks[]): ErrorNumbers {
  const ranks = all.flatMap((each) => ('ranks' in each ? [each.ranks] : []));
  const skipped = all.flatMap((each) => ('reason' in each ? [each] : []));
  const rows = networks.map(({ index }) => ({ index: index.id as string | null, name: index.modelName, modelHash: index.modelHash as string | null }));
  if (networks.length > 1) rows.push({ index: null, name: `mean of ${networks.length} networks`, modelHash: null });
  return {
    kind: 'error',
    images: ranks.length,
    labelled: labelled.length,
    classes,
    skipped,
    rows: rows.map((row, at) => ({ ...row, rates: views.map((view, place) => ({ view, ...countErrors(ranks.map((each) => each[at]![place]!)) })) })),
  };
}

function captionOf({ views }: ErrorSpec, networks: readonly ExperimentSubjectNetwork[], images: number): string {
  const words = views.map((view) => (view === 'centre' ? 'the centre crop' : 'ten crops (centre and corners of the resized picture, and their mirror images), probabilities averaged'));
  const averaged = networks.length > 1 ? ` The last row averages the class probabilities of the ${networks.length} networks.` : '';
  return `Top-1 and top-5 error over ${images} labelled images, for ${words.join(' and for ')}.${averaged} ${networks.map((network) => subjectWords(network)).join(' ')}`;
}

function notesOf({ views }: ErrorSpec, networks: readonly ExperimentSubjectNetwork[]): readonly string[] {
  if (!views.includes('ten')) return [];
  return networks
    .filter(({ index }) => index.preprocessing.resize.kind === 'exact')
    .map(({ index }) => `${index.modelName} takes pictures squashed to its input, so the ten crops are the whole picture and its mirror image.`);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function meanOf(all: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(all[0]!.length);
  for (const values of all) for (let at = 0; at < mean.length; at++) mean[at]! += values[at]! / all.length;
  return mean;
}
