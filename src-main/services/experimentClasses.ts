/** Which of a network's classes each labelled image of an index is of: by the numbers of the labels file, else by the names of the class folders, else by their order where there are as many. */
import { AppError } from '../../src-shared/errors.ts';
import type { Store } from '../store/open.ts';
import type { ExperimentSubjectNetwork } from './experimentSubject.ts';
import { imageClasses, requireClasses as requireImageClasses, type ImageClass } from './imageClasses.ts';
import { requireClasses, type LabSubject } from './labSubject.ts';

export interface NetworkClasses {
  /** Of the network. */
  readonly classes: number;
  /** Numbers of the images that have one of them, in order. */
  readonly labelled: readonly number[];
  /** Place among the network's class scores; null without a label. */
  classOf(image: number): number | null;
}

/** @throws AppError NOT_FOUND without labels, UNSUPPORTED without class scores, CONFLICT where labels and class scores cannot be brought together */
export async function networkClasses(store: Store, { index, subject }: ExperimentSubjectNetwork): Promise<NetworkClasses> {
  const { classes } = requireClasses(subject.description.classifier);
  const known = await imageClasses(store, index);
  requireImageClasses(known, index.id);
  const stored = await store.classes.list(index.id);
  const places = placesOf(known, stored.every((each) => each.index !== null), subject, classes);
  const ofImages = await store.classes.ofImages(index.id, index.images);
  const classOf = (image: number) => (ofImages[image]! < 0 ? null : places[ofImages[image]!]!);
  return { classes, classOf, labelled: Array.from(ofImages.keys()).filter((image) => classOf(image) !== null) };
}

function placesOf(known: readonly ImageClass[], areNumbered: boolean, { names, modelName }: LabSubject, classes: number): readonly number[] {
  if (areNumbered) {
    const beyond = known.find(({ index }) => index >= classes);
    if (beyond) throw new AppError('CONFLICT', `The labels name class ${beyond.index}; ${modelName} has the classes 0 to ${classes - 1}. Index the images with the labels that belong to this network.`, { class: beyond.index });
    return known.map(({ index }) => index);
  }
  const byName = known.map((each) => names.findIndex((of) => (each.wnid !== null && of.wnid === each.wnid) || (each.name !== null && spellings(of.name).includes(plain(each.name)))));
  if (byName.every((place) => place >= 0)) return byName;
  if (known.length === classes) return known.map((_, place) => place);
  const unknown = known[byName.findIndex((place) => place < 0)]!;
  throw new AppError(
    'CONFLICT',
    `The images have ${known.length} classes and ${modelName} has ${classes}, and the class "${unknown.name ?? unknown.wnid}" is none that the network is known to have. Index them with a labels file that gives class numbers, or name the network's classes in the image lab.`,
    { class: unknown.name },
  );
}

function spellings(name: string | null): readonly string[] {
  return name === null ? [] : [plain(name), ...name.split(',').map(plain)];
}

function plain(word: string): string {
  return word.normalize('NFC').trim().toLowerCase().replaceAll('_', ' ');
}
