/**
 * The image lab: questions about one picture, of the index or given by a person. What is answered at once (predictions, maps, projections) is here; studies run in labRuns.ts. The
 * command line asks the same of a network and a picture in files, without a workspace.
 */
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type * as z from 'zod';
import { labPictureOfUpload, type activationOrders, type activationScales, type labActivations, type labLayer, type uploadedPicture } from '../../src-shared/contract/lab.ts';
import type { FigureFormat } from '../../src-shared/contract/figures.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, Scale, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { readClassNames } from '../dataset/classNames.ts';
import { decodePicture, encodePng, resizePixels, sizeOfPicture, type RawPicture } from '../dataset/picture.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { drawActivationSheet, drawMap } from '../lab/drawing.ts';
import { quantileOfMagnitude } from '../projection/display.ts';
import { layOutPanels } from '../projection/panelFigure.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { CropService } from './crops.ts';
import type { FigureService, HeldFigure } from './figures.ts';
import { computationVersion } from './computation.ts';
import { adversarialStudy, ascentStudy } from './labAscent.ts';
import { occlusionStudy } from './labOcclusion.ts';
import { createLabRuns, type LabRuns } from './labRuns.ts';
import { saliencyStudy, segmentStudy } from './labSaliency.ts';
import { nameOf, topPredictions, type LabStudy, type Prediction, type StudyContext, type StudyNews, type StudyOutcome, type StudyRunner } from './labStudy.ts';
import { createPictureSource, decodeGiven, subjectOfIndex, type LabSubject, type PictureSource, type SeenPicture } from './labSubject.ts';
import { checkChannelOf, drawUnit, mapsOf, projectUnit, summarize, type LabProjection } from './labUnits.ts';
import type { WorkspaceService } from './workspaces.ts';

export type LabActivations = z.infer<typeof labActivations>;
export type UploadedPicture = z.infer<typeof uploadedPicture>;

interface PicturePlace {
  readonly index: string;
  readonly picture: string;
}

interface MapPlace extends PicturePlace {
  readonly layer: string;
}

interface UnitPlace extends MapPlace {
  readonly channel: number;
  readonly y: number;
  readonly x: number;
  readonly method: Method;
  readonly seed: Seed;
  readonly control: Control;
}

export type ActivationScale = (typeof activationScales)[number];
export type ActivationOrder = (typeof activationOrders)[number];

export interface LabService {
  upload(bytes: Uint8Array, name: string, isKept: boolean, signal?: AbortSignal): Promise<UploadedPicture>;
  layers(index: string, signal?: AbortSignal): Promise<{ layers: z.infer<typeof labLayer>[]; classes: number; preprocessing: StoredIndex['preprocessing']; modelName: string; named: boolean }>;
  classes(request: { readonly index: string; readonly search: string }, signal?: AbortSignal): Promise<{ index: number; name: string | null; wnid: string | null }[]>;
  nameClasses(index: string, path: string, signal?: AbortSignal): Promise<{ named: number; classes: number }>;
  predict(request: PicturePlace & { readonly top: number }, signal?: AbortSignal): Promise<{ predictions: Prediction[]; reason: string | null; name: string }>;
  activations(request: MapPlace & { readonly order: ActivationOrder }, signal?: AbortSignal): Promise<LabActivations>;
  project(request: UnitPlace, signal?: AbortSignal): Promise<LabProjection['record']>;
  inputPicture(place: PicturePlace, signal?: AbortSignal): Promise<Uint8Array>;
  activationSheet(request: MapPlace & { readonly scale: ActivationScale; readonly order: ActivationOrder; readonly size: number; readonly columns: number }, signal?: AbortSignal): Promise<Uint8Array>;
  activationMap(request: MapPlace & { readonly channel: number; readonly scale: ActivationScale }, signal?: AbortSignal): Promise<Uint8Array>;
  unitPicture(request: UnitPlace & { readonly scale: Scale; readonly area: 'patch' | 'input' }, signal?: AbortSignal): Promise<Uint8Array>;
  start(request: { readonly index: string; readonly picture?: string | undefined; readonly study: LabStudy; readonly afresh: boolean }, signal?: AbortSignal): Promise<{ id: string }>;
  get(id: string): ReturnType<LabRuns['get']>;
  watch(id: string, signal?: AbortSignal): ReturnType<LabRuns['watch']>;
  list(filter: { readonly index?: string | undefined; readonly picture?: string | undefined; readonly limit: number }, signal?: AbortSignal): ReturnType<LabRuns['list']>;
  part(id: string, name: string): Promise<Uint8Array>;
  cancel(id: string): void;
  delete(id: string): Promise<void>;
  figure(id: string, format: FigureFormat): Promise<HeldFigure>;
  /** A study without a workspace: nothing is kept. */
  study(subject: LabSubject, picture: SeenPicture | null, study: LabStudy, tell: (news: StudyNews) => void, signal: AbortSignal): Promise<StudyOutcome>;
  close(): Promise<void>;
}

const studies: { readonly [K in LabStudy['kind']]: StudyRunner<K> } = { saliency: saliencyStudy, occlusion: occlusionStudy, segment: segmentStudy, ascend: ascentStudy, adversarial: adversarialStudy };

const heldMapsBytes = 96 * 2 ** 20;
/** Given pictures that a workspace keeps: the oldest go first. */
const keptUploadBytes = 512 * 2 ** 20;
const mostClassesFound = 50;

export function createLabService(workspaces: WorkspaceService, inference: InferenceClient, crops: CropService, figures: FigureService, version: string, pictures: PictureSource = createPictureSource(crops)): LabService {
  const held = new LRUCache<string, Promise<Float32Array>>({ maxSize: heldMapsBytes });

  async function openIndex(id: string, signal?: AbortSignal): Promise<{ readonly store: Store; readonly index: StoredIndex; readonly subject: LabSubject }> {
    const { store } = workspaces.required();
    const index = await store.indexes.get(id as IndexId);
    return { store, index, subject: await subjectOfIndex(inference, store, index, signal) };
  }

  async function open({ index: id, picture: reference }: PicturePlace, signal?: AbortSignal) {
    const opened = await openIndex(id, signal);
    return { ...opened, picture: await pictures.picture(opened.store, opened.index, reference, signal) };
  }

  /** The sheet, its numbers and single maps are asked for one after the other. */
  async function openMaps(place: MapPlace, signal?: AbortSignal) {
    const opened = await open(place, signal);
    const layer = await opened.subject.layer(place.layer);
    const { model, preprocessing, placement } = opened.subject.network;
    const key = JSON.stringify([model.hash, preprocessing, placement, layer.name, opened.picture.hash]);
    let maps = held.get(key);
    if (!maps) {
      // Not by who asked first: another may wait for the same.
      maps = mapsOf(inference, opened.subject, opened.picture, layer);
      maps.catch(() => held.delete(key));
      held.set(key, maps, { size: Math.min(heldMapsBytes, 4 * layer.channels * layer.height * layer.width) });
    }
    return { ...opened, layer, maps: await maps };
  }

  async function study(subject: LabSubject, picture: SeenPicture | null, request: LabStudy, tell: (news: StudyNews) => void, signal: AbortSignal): Promise<StudyOutcome> {
    const runner = studies[request.kind] as StudyRunner<LabStudy['kind']>;
    const context: StudyContext = { inference, subject, study: request, picture, signal, tell };
    const outcome = await runner(context);
    return { ...outcome, caption: `${outcome.caption} ${networkWords(subject, version)}` };
  }

  const runs = createLabRuns(async ({ store, index, picture, study: request }, tell, signal) => study(await subjectOfIndex(inference, store, index, signal), picture, request, tell, signal));

  return {
    async upload(bytes, name, isKept, signal) {
      const { store } = workspaces.required();
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
      // Decoded at once, in whatever size, so that what is no picture is refused with its reason.
      await decodeGiven({ name, bytes }, { crop: [64, 64], resize: { kind: 'exact' } }, signal);
      pictures.hold(hash, name, bytes);
      const kept = isKept && store.mode === 'write';
      if (kept) {
        await store.labUploads.put(hash, { name, bytes });
        await store.labUploads.prune(keptUploadBytes);
      }
      const { width, height } = await sizeOfPicture(bytes);
      return { picture: labPictureOfUpload(hash), name, width, height, sizeBytes: bytes.byteLength, kept };
    },
    async layers(id, signal) {
      const { subject, index } = await openIndex(id, signal);
      const { classifier, layers } = subject.description;
      return { layers: layers.map((layer) => ({ ...layer, index: subject.numberInIndex(layer.name) })), classes: classifier.kind === 'classifier' ? classifier.classes : 0, preprocessing: index.preprocessing, modelName: index.modelName, named: subject.names.length > 0 };
    },
    async classes({ index, search }, signal) {
      const { subject } = await openIndex(index, signal);
      const { classifier } = subject.description;
      const words = search.trim().toLowerCase();
      const all = Array.from({ length: classifier.kind === 'classifier' ? classifier.classes : 0 }, (_, place) => ({ index: place, ...nameOf(subject, place) }));
      const holds = ({ index: place, name, wnid }: (typeof all)[number]) => words === '' || String(place) === words || (name ?? '').toLowerCase().includes(words) || wnid === words;
      return all.filter(holds).slice(0, mostClassesFound);
    },
    async nameClasses(id, path, signal) {
      const { store, index, subject } = await openIndex(id, signal);
      const names = await readClassNames(resolve(path));
      const { classifier } = subject.description;
      const classes = classifier.kind === 'classifier' ? classifier.classes : 0;
      if (names.length > classes) throw new AppError('BAD_REQUEST', `${path} names ${names.length} classes; the network has ${classes}. Choose the file that belongs to it.`, { path });
      await store.labUploads.nameClasses(index.modelHash, names);
      return { named: names.length, classes };
    },
    async predict(place, signal) {
      const { subject, picture } = await open(place, signal);
      const { classifier } = subject.description;
      if (classifier.kind === 'none') return { predictions: [], reason: classifier.reason, name: picture.name };
      const { logits } = await subject.questions.look({ kind: 'pixels', pixels: picture.pixels, count: 1 }, null, signal ?? new AbortController().signal);
      return { predictions: [...topPredictions(subject, logits!, place.top)], reason: null, name: picture.name };
    },
    async activations(place, signal) {
      const { subject, layer, maps } = await openMaps(place, signal);
      return { layer: { ...layer, index: subject.numberInIndex(layer.name) }, channels: [...ordered(maps, layer, place.order)], limit: limitOf(maps), signed: isSigned(maps, layer) };
    },
    async project(place, signal) {
      return (await unit(place, signal)).projection.record;
    },
    async inputPicture(place, signal) {
      const { picture, index } = await open(place, signal);
      return encodePng(picture.pixels, index.preprocessing.crop[1], index.preprocessing.crop[0], 3, true);
    },
    async activationSheet({ scale, size, columns, ...place }, signal) {
      const { layer, maps } = await openMaps(place, signal);
      return sheetOf(maps, layer, place.order, scale, size, columns);
    },
    async activationMap({ channel, scale, ...place }, signal) {
      const { layer, maps } = await openMaps(place, signal);
      checkChannelOf(layer, channel);
      const map = channelOf(maps, layer, channel);
      const limit = (scale === 'shared' ? limitOf(maps) : limitOf(map)) || 1;
      const signed = isSigned(maps, layer);
      const { pixels, width, height } = drawMap(map, layer.height, layer.width, signed ? { map: 'signed', from: -limit, to: limit } : { map: 'grey', from: 0, to: limit });
      return encodePng(pixels, width, height, 4, true);
    },
    async unitPicture(place, signal) {
      const { subject, layer, projection } = await unit(place, signal);
      const { pixels, width, height } = drawUnit(subject, layer, projection, place.scale, place.area);
      return encodePng(pixels, width, height, 4, true);
    },
    async start({ index: id, picture: reference, study: request, afresh }, signal) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      if (store.kind === 'pack') await subjectOfIndex(inference, store, index, signal);
      const picture = reference === undefined ? null : await pictures.picture(store, index, reference, signal);
      return { id: await runs.start({ store, index, reference: reference ?? null, picture, study: request, afresh }) };
    },
    get: (id) => runs.get(workspaces.required().store, id),
    watch: (id, signal) => runs.watch(workspaces.required().store, id, signal),
    async list({ index: id, picture, limit }, signal) {
      const { store } = workspaces.required();
      const pictureHash = id && picture ? (await pictures.picture(store, await store.indexes.get(id as IndexId), picture, signal)).hash : undefined;
      return runs.list(store, { ...(id ? { index: id } : {}), ...(pictureHash ? { pictureHash } : {}), limit });
    },
    part: (id, name) => runs.part(workspaces.required().store, id, name),
    cancel: (id) => runs.cancel(id),
    delete: (id) => runs.delete(workspaces.required().store, id),
    async figure(id, format) {
      const { store } = workspaces.required();
      const result = await runs.get(store, id);
      if (result.pictures.length === 0) throw new AppError('CONFLICT', 'This study has no pictures yet; wait until it is done.', { id });
      const chosen = result.pictures.filter(({ name }) => name !== 'last' || result.kind !== 'ascend' || !result.pictures.some((other) => other.name.startsWith('frame-'))).slice(-mostPanels);
      const panels = await Promise.all(chosen.map(async ({ name }) => ({ label: panelLabels[name] ?? name.replace('frame-', 'step '), picture: await withHardPixels(await decodePicture(await runs.part(store, id, `${name}.png`))) })));
      return figures.hold(await figures.write(layOutPanels(panels, result.caption || result.title), format, [result.modelName, result.kind, result.title].join('-')));
    },
    study,
    close: () => runs.close(),
  };

  async function unit({ channel, y, x, ...place }: UnitPlace, signal?: AbortSignal) {
    const { subject, picture } = await open(place, signal);
    const layer = await subject.layer(place.layer);
    return { subject, layer, projection: await projectUnit(inference, subject, picture, { layer, channel, y, x }, place, signal) };
  }
}

const mostPanels = 24;

const panelLabels: Readonly<Record<string, string>> = {
  total: 'total of the map',
  probability: 'probability of the class',
  label: 'most probable class',
  gradientInput: 'gradient x input',
  integrated: 'integrated gradients',
  smooth: 'SmoothGrad',
};

/** Maps of a few positions are enlarged before anything can smooth them. */
async function withHardPixels(picture: RawPicture): Promise<RawPicture> {
  const factor = Math.floor(smallestPanel / Math.max(picture.width, picture.height));
  return factor > 1 ? resizePixels(picture, picture.width * factor, picture.height * factor, 'nearest') : picture;
}

const smallestPanel = 416;

/** The drawn sheet of a layer's maps as PNG. */
export function sheetOf(maps: Float32Array, layer: Layer, order: ActivationOrder, scale: ActivationScale, size: number, columns: number): Promise<Uint8Array> {
  const shared = limitOf(maps);
  const { pixels, width, height } = drawActivationSheet({
    maps, height: layer.height, width: layer.width, size, columns,
    channels: ordered(maps, layer, order).map(({ channel }) => channel),
    limitOf: (channel) => (scale === 'shared' ? shared : limitOf(channelOf(maps, layer, channel))),
    signed: isSigned(maps, layer),
  });
  return encodePng(pixels, width, height, 4, true);
}

export function ordered(maps: Float32Array, layer: Layer, order: ActivationOrder) {
  const channels = summarize(maps, layer);
  return order === 'channel' ? channels : channels.toSorted((a, b) => b.max - a.max || a.channel - b.channel);
}

export function isSigned(maps: Float32Array, layer: Layer): boolean {
  return !layer.nonNegative && maps.some((value) => value < 0);
}

/** Full contrast: the 99.5 % quantile of magnitudes. */
export function limitOf(maps: Float32Array): number {
  return quantileOfMagnitude(maps);
}

function channelOf(maps: Float32Array, { height, width }: Layer, channel: number): Float32Array {
  return maps.subarray(channel * height * width, (channel + 1) * height * width);
}

/** The end of every caption: what else another person needs. */
function networkWords({ modelName, network: { model, preprocessing, placement } }: LabSubject, version: string): string {
  const { order, crop, resize, scale, mean, std } = preprocessing;
  const resized = resize.kind === 'shorterSide' ? `shorter side ${resize.pixels}` : resize.kind === 'exact' ? 'squashed' : 'no resize';
  const short = (value: number) => String(Number(value.toPrecision(6)));
  return `Network ${modelName} (${model.hash.slice(0, 16)}). Input ${order} ${crop.join(' x ')}, ${resized}, (x * ${short(scale)} - [${mean.map(short).join(', ')}]) / [${std.map(short).join(', ')}]. ${placement.engine} ${placement.device}, Switchback ${version}, computation ${computationVersion}.`;
}
