/** What the points of a map can be coloured by, and what is known of single points: class, prediction, error, the score of a channel. Values are by row of the map. */
import { LRUCache } from 'lru-cache';
import type * as z from 'zod';
import type { colourChoice, colourLegend, mapPoint } from '../../src-shared/contract/map.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { predictionsFile, readPredictions, rowImages } from './featureRows.ts';
import { imageClasses, type ImageClass } from './imageClasses.ts';
import { subjectOfIndex, type LabSubject } from './labSubject.ts';
import type { MapFacts } from './mapJob.ts';
import { indexOfMap, rowsNow } from './mapRows.ts';
import type { ScoreLayers } from './scoreLayers.ts';
import type { WorkspaceService } from './workspaces.ts';

export type ColourChoice = z.infer<typeof colourChoice>;
export type ColourLegend = z.infer<typeof colourLegend>;
export type MapPoint = z.infer<typeof mapPoint>;

export interface MapColours {
  /** `values`: float32 `[rows]`, NaN where there is none; all NaN where `legend` is `none`. */
  column(choice: ColourChoice, signal?: AbortSignal): Promise<{ readonly values: Float32Array<ArrayBuffer>; readonly legend: ColourLegend }>;
  points(map: string, images: readonly number[], signal?: AbortSignal): Promise<MapPoint[]>;
}

/** Classes of an index beside those of its network. */
interface Known {
  readonly index: StoredIndex;
  readonly classes: readonly ImageClass[];
  /** Class of each image by number, a place in `classes`; -1 without one. */
  readonly classOf: Int32Array;
  /** `[class, probability]` by image number; null where there are none. */
  readonly predictions: ReadonlyMap<number, readonly [number, number]> | null;
  readonly names: LabSubject['names'];
  /** The network's class of a place in `classes`; null where they cannot be brought together. */
  readonly networkClass: readonly (number | null)[] | null;
}

type Made = { readonly values: Float32Array<ArrayBuffer>; readonly legend: ColourLegend };

/** A person who moves over points asks again and again. Class names may change meanwhile. */
const keptMs = 30_000;

export function createMapColours(workspaces: WorkspaceService, inference: InferenceClient, layers: ScoreLayers): MapColours {
  const kept = new LRUCache<string, Promise<Known>>({ max: 4, ttl: keptMs });

  async function knownBy(store: Store, index: StoredIndex, signal: AbortSignal | undefined): Promise<Known> {
    const predictions = await store.rowFiles.find(index.id, predictionsFile);
    const key = `${store.folder} ${index.id} ${index.matrixFolder} ${index.cursor} ${predictions?.id} ${predictions?.rows}`;
    const found = kept.get(key);
    if (found) return found;
    const made = knownOf(store, inference, index, signal);
    made.catch(() => kept.delete(key));
    kept.set(key, made);
    return made;
  }

  async function opened(id: string) {
    const { store } = workspaces.required();
    const map = await store.maps.get<MapFacts>(id);
    return { store, map, index: await indexOfMap(store, map) };
  }

  return {
    async column({ map: id, by, layer, channel }, signal) {
      const { store, map, index } = await opened(id);
      const rows = await rowsNow(store, map);
      const none = (reason: string): Made => ({ values: new Float32Array(rows.length).fill(NaN), legend: { kind: 'none', reason } });
      if (!index) return none('The index of this map was deleted, and with it what is known of its images.');
      if (map.record.spec.subject.kind === 'channels') return none('The points of this map are channels, which have no class, no prediction and no score of another channel.');
      if (by === 'channel') {
        if (layer === undefined || channel === undefined) throw new AppError('BAD_REQUEST', 'Colouring by a channel needs its layer and its number.');
        if (index.matrix === 'none') return none('The index keeps no scores.');
        const { column, images } = await layers.column(await layers.openedChannel({ index: index.id, layer, channel }), channel, signal);
        const scoreOf = new Map(Array.from(images, (number, row) => [number, column[row]!]));
        return numbersOf(Float32Array.from(rows, (number) => scoreOf.get(number) ?? NaN));
      }
      const known = await knownBy(store, index, signal);
      if (by === 'class') return known.classes.length === 0 ? none('The images have no classes: no labels file was given and they do not lie in class folders.') : classesOf(rows, known);
      if (!known.predictions) return none(await whyNoPredictions(store, index));
      if (by === 'prediction') return predictionsOf(rows, known, known.predictions);
      if (known.classes.length === 0) return none('The images have no classes to compare predictions with.');
      if (!known.networkClass) return none('The classes of the images cannot be matched with those of the network: their numbers differ and their names are not known to be the same. Index with a labels file, or name the classes of the network in the lab.');
      return errorsOf(rows, known, known.predictions);
    },
    async points(id, images, signal) {
      const { store, index } = await opened(id);
      if (!index) return [];
      const found = await store.images.several(index.id, images);
      const known = await knownBy(store, index, signal);
      return images.flatMap((number): MapPoint[] => {
        const image = found.get(number);
        if (!image) return [];
        const prediction = known.predictions?.get(number);
        const wanted = known.networkClass?.[known.classOf[number]!] ?? null;
        return [
          {
            imageNumber: number,
            image: image.path,
            className: image.className,
            prediction: prediction ? { class: prediction[0], name: nameOfPrediction(known, prediction[0]), probability: prediction[1] } : null,
            right: prediction && wanted !== null ? prediction[0] === wanted : null,
          },
        ];
      });
    },
  };
}

async function whyNoPredictions(store: Store, index: StoredIndex): Promise<string> {
  const files = await store.rowFiles.list(index.id);
  const isCurrent = files.some(({ what, folder }) => what === 'pixels' && folder === index.matrixFolder);
  return isCurrent ? 'The network makes no predictions.' : 'Predictions are computed with features; compute those first.';
}

async function knownOf(store: Store, inference: InferenceClient, index: StoredIndex, signal: AbortSignal | undefined): Promise<Known> {
  const [classes, classOf, kept] = await Promise.all([imageClasses(store, index), store.classes.ofImages(index.id, index.images), readPredictions(store, index)]);
  if (!kept) return { index, classes, classOf, predictions: null, names: [], networkClass: null };
  const numbers = await rowImages(store, index);
  const predictions = new Map(Array.from(numbers, (number, row) => [number, [kept[2 * row]!, kept[2 * row + 1]!] as const]));
  const { names, count } = await networkClasses(store, inference, index, signal);
  return { index, classes, classOf, predictions, names, networkClass: matched(classes, await store.classes.list(index.id), names, count) };
}

/** Names and the number of classes come from the network; a pack brings them, one for each class; a moved file lacks them. */
async function networkClasses(store: Store, inference: InferenceClient, index: StoredIndex, signal: AbortSignal | undefined): Promise<Pick<LabSubject, 'names'> & { readonly count: number | null }> {
  if (store.kind === 'pack') {
    const names = (await store.labUploads.classNames(index.modelHash)) ?? [];
    return { names, count: names.length > 0 ? names.length : null };
  }
  const subject = await subjectOfIndex(inference, store, index, signal).catch(() => null);
  return { names: subject?.names ?? [], count: subject?.description.classifier.kind === 'classifier' ? subject.description.classifier.classes : null };
}

/**
 * The network's class of each class of the images. Numbers of a labels file are the network's; class folders are where there are as many as the network has classes, which is how training
 * programs count them; else a name must say it.
 */
export function matched(classes: readonly ImageClass[], stored: readonly { readonly index: number | null }[], names: LabSubject['names'], count: number | null): readonly (number | null)[] | null {
  if (classes.length === 0) return null;
  if (stored.every(({ index }) => index !== null)) return classes.map(({ index }) => index);
  const byName = new Map(names.flatMap(({ name, wnid }, place) => [name, wnid].flatMap((word) => (word === null ? [] : [[plain(word), place] as const]))));
  const found = classes.map(({ name, wnid }) => byName.get(plain(wnid ?? '')) ?? byName.get(plain(name ?? '')) ?? null);
  if (found.some((place) => place !== null)) return found;
  return count === classes.length ? classes.map((_, place) => place) : null;
}

function plain(word: string): string {
  return word.normalize('NFC').trim().toLowerCase().replaceAll('_', ' ');
}

/** By the network's own names, else by those of the images' classes. */
function nameOfPrediction({ names, networkClass, classes }: Known, prediction: number): string | null {
  const own = names[prediction]?.name ?? names[prediction]?.wnid;
  if (own) return own;
  const place = networkClass?.indexOf(prediction) ?? -1;
  return place < 0 ? null : (classes[place]!.name ?? null);
}

function classesOf(rows: Int32Array, { classes, classOf }: Known): Made {
  const values = Float32Array.from(rows, (number) => (number < 0 || classOf[number]! < 0 ? NaN : classOf[number]!));
  return counted(values, (value) => classes[value]!.name ?? classes[value]!.wnid ?? String(classes[value]!.index));
}

function predictionsOf(rows: Int32Array, known: Known, predictions: NonNullable<Known['predictions']>): Made {
  // By the place of the class among the images' own where there is one, so that the same class has the same colour in both.
  const places = new Map((known.networkClass ?? []).flatMap((network, place) => (network === null ? [] : [[network, place] as const])));
  const shifted = known.networkClass !== null;
  const values = Float32Array.from(rows, (number) => {
    const prediction = predictions.get(number)?.[0];
    if (prediction === undefined) return NaN;
    return shifted ? (places.get(prediction) ?? known.classes.length + prediction) : prediction;
  });
  return counted(values, (value) => {
    if (shifted && value < known.classes.length) return known.classes[value]!.name ?? String(known.classes[value]!.index);
    const prediction = shifted ? value - known.classes.length : value;
    return nameOfPrediction(known, prediction) ?? String(prediction);
  });
}

function errorsOf(rows: Int32Array, { classOf, networkClass }: Known, predictions: NonNullable<Known['predictions']>): Made {
  const values = Float32Array.from(rows, (number) => {
    const prediction = predictions.get(number)?.[0];
    const wanted = number < 0 ? null : (networkClass![classOf[number]!] ?? null);
    return prediction === undefined || wanted === null ? NaN : prediction === wanted ? 0 : 1;
  });
  const count = (value: number) => values.reduce((sum, each) => sum + (each === value ? 1 : 0), 0);
  const [right, wrong] = [count(0), count(1)];
  return { values, legend: { kind: 'errors', right, wrong, without: values.length - right - wrong } };
}

function numbersOf(values: Float32Array<ArrayBuffer>): Made {
  let [from, to, without] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) without++;
    else [from, to] = [Math.min(from, value), Math.max(to, value)];
  }
  return { values, legend: without === values.length ? { kind: 'none', reason: 'No image of this map has a score in that channel.' } : { kind: 'numbers', from, to, without } };
}

function counted(values: Float32Array<ArrayBuffer>, nameOf: (value: number) => string): Made {
  const points = new Map<number, number>();
  for (const value of values) if (!Number.isNaN(value)) points.set(value, (points.get(value) ?? 0) + 1);
  const classes = [...points].sort(([a], [b]) => a - b).map(([value, count]) => ({ value, name: nameOf(value), points: count }));
  return { values, legend: { kind: 'classes', classes, without: values.length - classes.reduce((sum, each) => sum + each.points, 0) } };
}
