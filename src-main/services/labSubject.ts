/** What a lab question is about: a network as an index or a file gives it, with what is known of it, and a picture as that network sees it. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { trainingRun } from '../../src-shared/contract/training.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { ClassName } from '../dataset/classNames.ts';
import { decodeImage } from '../dataset/decode.ts';
import type { Placement } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { LabDescription, LabNetwork } from '../inference/worker/labCalls.ts';
import type { LabNetworkQuestions } from '../lab/question.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { CropService } from './crops.ts';
import { readJson } from './folders.ts';
import { imageClasses } from './imageClasses.ts';
import { wayOf } from './scoringFor.ts';

export interface LabSubject {
  readonly modelName: string;
  readonly network: LabNetwork;
  readonly description: LabDescription;
  /** By place among the network's classes; empty where nothing is known. */
  readonly names: readonly ClassName[];
  readonly questions: LabNetworkQuestions;
  /** A layer by name or title, default or not. Throws AppError NOT_FOUND. */
  layer(wish: string): Promise<Layer>;
  /** Number of that layer in the index. */
  numberInIndex(layer: string): number | null;
}

/** As the network sees it. */
export interface SeenPicture {
  readonly name: string;
  /** `[H, W, 3]` 8-bit RGB of the crop. */
  readonly pixels: Uint8Array;
  /** Of the pixels. */
  readonly hash: string;
}

export interface SubjectSource {
  readonly modelName: string;
  readonly modelPath: string;
  readonly modelHash: string;
  readonly preprocessing: Preprocessing;
  readonly placement: Placement;
  readonly names: readonly ClassName[] | null;
  /** Of the index. */
  readonly layers: readonly Layer[];
}

const described = new LRUCache<string, LabDescription>({ max: 32 });

export async function openSubject(inference: InferenceClient, source: SubjectSource, signal?: AbortSignal): Promise<LabSubject> {
  const network: LabNetwork = { model: { path: source.modelPath, hash: source.modelHash }, preprocessing: source.preprocessing, placement: source.placement };
  const describe = async (names: readonly string[]): Promise<LabDescription> => {
    const key = JSON.stringify([source.modelHash, source.preprocessing.crop, names]);
    const known = described.get(key) ?? (await inference.call('describeLab', { ...network, names }, signal));
    described.set(key, known);
    return known;
  };
  const description = await describe([]);
  const { classifier } = description;
  const logits = classifier.kind === 'classifier' ? classifier.logits : null;
  return {
    modelName: source.modelName,
    network,
    description,
    names: source.names ?? (await namesBeside(source.modelPath)),
    questions: {
      look: (pictures, totalsOf, callSignal) => inference.call('look', { ...network, pictures, logits, totalsOf }, callSignal),
      gradients({ layer, objective, beneath = false }, values, count, callSignal) {
        return inference.call('gradients', { ...network, layer: layer ?? requireClasses(classifier).logits, objective, beneath, method: 'gradient', values, count }, callSignal);
      },
    },
    async layer(wish) {
      return description.layers.find(({ name }) => name === wish) ?? (await describe([wish])).asked[0]!;
    },
    numberInIndex: (name) => source.layers.find((layer) => layer.name === name)?.number ?? null,
  };
}

/** @throws AppError UNSUPPORTED with the reason where the network makes no predictions */
export function requireClasses(classifier: LabDescription['classifier']): { readonly logits: string; readonly classes: number } {
  if (classifier.kind === 'classifier') return classifier;
  throw new AppError('UNSUPPORTED', `${classifier.reason} Ask about a channel or a unit instead.`);
}

export async function subjectOfIndex(inference: InferenceClient, store: Store, index: StoredIndex, signal?: AbortSignal): Promise<LabSubject> {
  if (store.kind === 'pack') throw new AppError('NOT_FOUND', `This is a pack, which has no network: the model file is not on this machine: "${index.modelPath}".`, { model: index.modelPath });
  const { engine, device } = wayOf(index);
  return openSubject(inference, { modelName: index.modelName, modelPath: index.modelPath, modelHash: index.modelHash, preprocessing: index.preprocessing, placement: { engine, device }, names: await namesInWorkspace(store, index), layers: index.layers }, signal);
}

/** Given by a person for this network, or from the labels of its images where those have numbers, which are the network's. */
async function namesInWorkspace(store: Store, index: StoredIndex): Promise<readonly ClassName[] | null> {
  const given = await store.labUploads.classNames(index.modelHash);
  if (given) return given;
  if ((await store.classes.list(index.id)).every((each) => each.index === null)) return null;
  const names: ClassName[] = [];
  for (const { index: place, name, wnid } of await imageClasses(store, index)) names[place] = { name: name === wnid ? null : name, wnid };
  return Array.from(names, (each) => each ?? { name: null, wnid: null });
}

/** A network that was trained here lies beside the record of its training, which names its classes. */
async function namesBeside(modelPath: string): Promise<readonly ClassName[]> {
  const parsed = trainingRun.pick({ classes: true }).safeParse(await readJson(join(dirname(modelPath), 'training.json')));
  return parsed.success ? parsed.data.classes.map((name) => ({ name, wnid: null })) : [];
}

/** Pictures by their address: of the index, given and kept, or given and held for a while. */
export interface PictureSource {
  picture(store: Store, index: StoredIndex, reference: string, signal?: AbortSignal): Promise<SeenPicture>;
  /** Holds bytes that are not kept. */
  hold(hash: string, name: string, bytes: Uint8Array): void;
}

const heldBytes = 128 * 2 ** 20;

export function createPictureSource(crops: CropService): PictureSource {
  const given = new LRUCache<string, { readonly name: string; readonly bytes: Uint8Array }>({ maxSize: heldBytes, sizeCalculation: ({ bytes }) => Math.max(1, bytes.byteLength) });
  const seen = new LRUCache<string, Promise<SeenPicture>>({ max: 64 });
  return {
    hold(hash, name, bytes) {
      given.set(hash, { name, bytes });
      // The same bytes may come under another name: a camera's frame that is kept afterwards.
      for (const key of [...seen.keys()]) if (key.includes(hash)) seen.delete(key);
    },
    async picture(store, index, reference) {
      const { kind, number, hash } = parseReference(reference);
      if (kind === 'image') {
        const image = await store.images.get(index.id as IndexId, number);
        const pixels = await crops.shown(store, index, number);
        return { name: image.path, pixels, hash: hashOf(pixels) };
      }
      const key = JSON.stringify([store.path, hash, index.preprocessing.crop, index.preprocessing.resize]);
      // Not by who asked first: another may wait for the same.
      const known = seen.get(key) ?? decodeGiven(await bytesOf(store, hash), index.preprocessing);
      known.catch(() => seen.delete(key));
      seen.set(key, known);
      return known;
    },
  };

  async function bytesOf(store: Store, hash: string): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
    const found = given.get(hash) ?? (await store.labUploads.get(hash));
    if (!found) throw new AppError('NOT_FOUND', 'This picture is kept no more. Give it again.', { picture: hash });
    return found;
  }
}

/** A picture in a file, for the command line. */
export async function pictureOfFile(file: string, preprocessing: Preprocessing, signal?: AbortSignal): Promise<SeenPicture> {
  const { pixels } = await decodeImage(file, preprocessing, signal).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
    throw new AppError('UNREADABLE_FILE', `${file}: ${error.message}`, { file }, error);
  });
  return { name: basename(file), pixels, hash: hashOf(pixels) };
}

/** Pictures are decoded from files, with their limits; bytes that came otherwise are put into one for that moment. */
export async function decodeGiven({ name, bytes }: { readonly name: string; readonly bytes: Uint8Array }, preprocessing: Pick<Preprocessing, 'crop' | 'resize'>, signal?: AbortSignal): Promise<SeenPicture> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-given-'));
  try {
    const file = join(folder, 'picture');
    await writeFile(file, bytes);
    const { pixels } = await decodeImage(file, preprocessing, signal).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
      throw new AppError('UNREADABLE_FILE', `${name}: ${error.message}`, { picture: name }, error);
    });
    return { name, pixels, hash: hashOf(pixels) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function parseReference(reference: string): { readonly kind: 'image' | 'given'; readonly number: number; readonly hash: string } {
  const rest = reference.slice(6);
  return reference.startsWith('image-') ? { kind: 'image', number: Number(rest), hash: '' } : { kind: 'given', number: -1, hash: rest };
}

function hashOf(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex').slice(0, 32);
}
