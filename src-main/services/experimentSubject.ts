/** What experiments on an index begin with: its network as the lab sees it, the layers meant, and its words for captions. */
import { basename } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { StudyMeans } from './experimentStudy.ts';
import { subjectOfIndex, type LabSubject } from './labSubject.ts';

export interface ExperimentSubjectNetwork {
  readonly index: StoredIndex;
  readonly subject: LabSubject;
}

export async function openNetwork({ store, inference }: Pick<StudyMeans, 'store' | 'inference'>, index: string, signal: AbortSignal): Promise<ExperimentSubjectNetwork> {
  const found = await store.indexes.get(index as IndexId);
  return { index: found, subject: await subjectOfIndex(inference, store, found, signal) };
}

/** By what kept pieces of an index's study are invalid: another network, or other images behind the numbers. */
export function factsOfIndex({ modelHash, preprocessing, versionBase, images }: StoredIndex): readonly (string | number)[] {
  return [modelHash, JSON.stringify(preprocessing), versionBase, images];
}

/** The layers by name, each once. @throws AppError NOT_FOUND for one that the network has not got */
export async function layersMeant(subject: LabSubject, wishes: readonly string[]): Promise<readonly Layer[]> {
  const found = new Map<string, Layer>();
  for (const wish of wishes) {
    const layer = await subject.layer(wish);
    found.set(layer.name, layer);
  }
  return [...found.values()];
}

/** The network's layers in order without those that hold the class scores themselves. @throws AppError UNSUPPORTED where none is left */
export function hiddenLayers({ modelName, description: { classifier, layers } }: LabSubject): readonly Layer[] {
  const classes = classifier.kind === 'classifier' ? classifier.classes : -1;
  const last = layers.findLastIndex(({ channels }) => channels !== classes);
  if (last < 0) throw new AppError('UNSUPPORTED', `${modelName} has no layer before its class scores.`);
  return layers.slice(0, last + 1);
}

/** The end of a caption: network, input and images, so that another person can do the same. */
export function subjectWords({ index, subject }: ExperimentSubjectNetwork): string {
  const { order, crop, resize, scale, mean, std } = index.preprocessing;
  const resized = resize.kind === 'shorterSide' ? `shorter side ${resize.pixels}` : resize.kind === 'exact' ? 'squashed' : 'no resize';
  const short = (value: number) => String(Number(value.toPrecision(6)));
  const { engine, device } = subject.network.placement;
  return `Network ${index.modelName} (${index.modelHash.slice(0, 16)}). Input ${order} ${crop.join(' x ')}, ${resized}, (x * ${short(scale)} - [${mean.map(short).join(', ')}]) / [${std.map(short).join(', ')}]. Images: ${basename(index.imagesPath)}, index ${index.id}. ${engine} ${device}.`;
}
