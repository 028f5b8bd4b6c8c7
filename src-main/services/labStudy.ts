/** What every study of the lab is given and gives back, and the small things that they share: predictions by name, targets, pictures. */
import type * as z from 'zod';
import type { labNumbers, labStudy, labTarget, prediction } from '../../src-shared/contract/labStudies.ts';
import type { ColourMap } from '../../src-shared/domain/colourMaps.ts';
import { AppError } from '../../src-shared/errors.ts';
import { normalizePixels } from '../dataset/normalize.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { LabObjective } from '../inference/worker/labCalls.ts';
import { placeOfLargest, probabilitiesOf } from '../lab/question.ts';
import type { Picture } from '../projection/display.ts';
import { requireClasses, type LabSubject, type SeenPicture } from './labSubject.ts';
import { checkChannelOf } from './labUnits.ts';

export type LabStudy = z.infer<typeof labStudy>;
export type LabStudyOf<K extends LabStudy['kind']> = Extract<LabStudy, { readonly kind: K }>;
export type LabNumbers = z.infer<typeof labNumbers>;
export type LabTarget = z.infer<typeof labTarget>;
export type Prediction = z.infer<typeof prediction>;

export interface StudyPicture {
  readonly name: string;
  readonly picture: Picture;
  readonly legend: { readonly map: ColourMap; readonly from: number; readonly to: number } | null;
}

export interface StudyFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a study has so far: it replaces what was told before; pictures and files are added. */
export interface StudyNews {
  readonly done: number;
  readonly total: number;
  readonly step: string;
  readonly numbers?: LabNumbers;
  readonly pictures?: readonly StudyPicture[];
}

export interface StudyOutcome {
  readonly numbers: LabNumbers;
  readonly pictures: readonly StudyPicture[];
  readonly files: readonly StudyFile[];
  /** What was done, in a sentence that lacks only network and input, which are the same for all. */
  readonly caption: string;
}

export interface StudyContext<K extends LabStudy['kind'] = LabStudy['kind']> {
  readonly inference: InferenceClient;
  readonly subject: LabSubject;
  readonly study: LabStudyOf<K>;
  /** Null for an ascent from nothing. */
  readonly picture: SeenPicture | null;
  readonly signal: AbortSignal;
  tell(news: StudyNews): void;
}

export type StudyRunner<K extends LabStudy['kind']> = (context: StudyContext<K>) => Promise<StudyOutcome>;

export function requirePicture({ picture }: Pick<StudyContext, 'picture'>): SeenPicture {
  if (picture) return picture;
  throw new AppError('BAD_REQUEST', 'This study needs a picture: choose or give one first.');
}

/** The picture as the network receives it, `[C, H, W]`. */
export function valuesOf({ network: { preprocessing } }: LabSubject, { pixels }: SeenPicture): Float32Array {
  return normalizePixels(pixels, preprocessing, 1);
}

export function predictionOf({ names }: Pick<LabSubject, 'names'>, logits: Float32Array, index: number): Prediction {
  return { index, ...nameOf({ names }, index), logit: logits[index]!, probability: probabilitiesOf(logits)[index]! };
}

/** Most probable first, ties by place. */
export function topPredictions(subject: Pick<LabSubject, 'names'>, logits: Float32Array, top: number): readonly Prediction[] {
  const order = Array.from(logits, (_, index) => index).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const probabilities = probabilitiesOf(logits);
  return order.slice(0, top).map((index) => ({ index, ...nameOf(subject, index), logit: logits[index]!, probability: probabilities[index]! }));
}

export function nameOf({ names }: Pick<LabSubject, 'names'>, index: number): { readonly name: string | null; readonly wnid: string | null } {
  return { name: names[index]?.name ?? null, wnid: names[index]?.wnid ?? null };
}

/** For captions: "96 (toucan)". */
export function classWords(subject: Pick<LabSubject, 'names'>, index: number): string {
  const { name, wnid } = nameOf(subject, index);
  return name === null && wnid === null ? String(index) : `${index} (${name ?? wnid})`;
}

/** Scores of all classes on a picture. */
export async function logitsOf({ subject, signal }: Pick<StudyContext, 'subject' | 'signal'>, picture: SeenPicture): Promise<Float32Array> {
  requireClasses(subject.description.classifier);
  return (await subject.questions.look({ kind: 'pixels', pixels: picture.pixels, count: 1 }, null, signal)).logits!;
}

export function checkClass({ description: { classifier } }: LabSubject, index: number): void {
  const { classes } = requireClasses(classifier);
  if (index < classes) return;
  throw new AppError('NOT_FOUND', `The network has ${classes} classes, 0 to ${classes - 1}; there is no class ${index}.`, { class: index });
}

export interface ResolvedTarget {
  readonly layer: string | null;
  readonly objective: LabObjective;
  /** The class that was meant. */
  readonly class: number | null;
  /** The layer can be asked before its own activation. */
  readonly canBeBeneath: boolean;
  readonly words: string;
}

/** @param logits of the picture, for a class that is not named */
export async function resolveTarget(subject: LabSubject, target: LabTarget, logits: () => Promise<Float32Array>): Promise<ResolvedTarget> {
  if (target.kind === 'class') {
    const index = target.index ?? placeOfLargest(await logits());
    checkClass(subject, index);
    return { layer: null, objective: { kind: 'class', index }, class: index, canBeBeneath: false, words: `the logit of class ${classWords(subject, index)}` };
  }
  const layer = await subject.layer(target.layer);
  checkChannelOf(layer, target.channel);
  const canBeBeneath = subject.description.rectified.includes(layer.name);
  const place = `channel ${target.channel} of ${layer.title} (${layer.name})`;
  if (target.kind === 'channel') return { layer: layer.name, objective: { kind: 'channel', channel: target.channel }, class: null, canBeBeneath, words: `the mean of ${place}` };
  const { channel, y, x } = target;
  if (y >= layer.height || x >= layer.width) throw new AppError('NOT_FOUND', `The maps of ${JSON.stringify(layer.name)} have ${layer.height} rows and ${layer.width} columns; there is no unit at row ${y}, column ${x}.`, { layer: layer.name });
  return { layer: layer.name, objective: { kind: 'unit', channel, y, x }, class: null, canBeBeneath, words: `the unit at row ${y}, column ${x} of ${place}` };
}

/** `[H, W, 3]` RGB. */
export function colourPicture(pixels: Uint8Array, [height, width]: readonly [number, number]): Picture {
  const rgba = new Uint8Array(height * width * 4).fill(255);
  for (let at = 0; at < height * width; at++) for (let colour = 0; colour < 3; colour++) rgba[at * 4 + colour] = pixels[at * 3 + colour]!;
  return { width, height, pixels: rgba };
}

export function inputPicture({ network }: LabSubject, { pixels }: SeenPicture): StudyPicture {
  return { name: 'input', picture: colourPicture(pixels, network.preprocessing.crop), legend: null };
}
