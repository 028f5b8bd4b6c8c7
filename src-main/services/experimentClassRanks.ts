/** How a network that was just trained judges pictures in files: the place of each one's class among the class scores, for centre crops prepared as the network's file says. */
import { availableParallelism } from 'node:os';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import { rankOf } from '../experiments/errorRates.ts';
import type { Placement } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { requireClasses } from './labSubject.ts';
import { createTurns } from './turns.ts';

export interface JudgedFile {
  /** Absolute. */
  readonly file: string;
  /** Place among the class scores. */
  readonly label: number;
}

export interface RankRequest {
  readonly path: string;
  readonly placement: Placement;
  readonly files: readonly JudgedFile[];
}

const together = 32;

/** 0: the class has the largest score. @throws AppError UNSUPPORTED for a network without class scores, UNREADABLE_FILE for a picture */
export async function classRanks(inference: Pick<InferenceClient, 'call'>, { path, placement, files }: RankRequest, onProgress: (done: number) => void, signal: AbortSignal): Promise<readonly number[]> {
  const { modelHash: hash, preprocessing } = await inference.call('inspect', { path }, signal);
  const network = { model: { path, hash }, preprocessing, placement };
  const { logits, classes } = requireClasses((await inference.call('describeLab', network, signal)).classifier);
  const [height, width] = preprocessing.crop;
  const inTurn = createTurns(availableParallelism());
  const ranks: number[] = [];
  for (let start = 0; start < files.length; start += together) {
    signal.throwIfAborted();
    const group = files.slice(start, start + together);
    const pixels = new Uint8Array(group.length * height * width * 3);
    const pictures = await Promise.all(group.map(({ file }) => inTurn(() => decodeImage(file, preprocessing, signal))));
    pictures.forEach((picture, row) => pixels.set(picture.pixels, row * height * width * 3));
    const scores = (await inference.call('look', { ...network, pictures: { kind: 'pixels', pixels, count: group.length }, logits, totalsOf: null }, signal)).logits!;
    group.forEach(({ file, label }, row) => {
      if (label >= classes) throw new AppError('CONFLICT', `The network has ${classes} classes; ${file} is of class ${label}.`, { file });
      ranks.push(rankOf(scores.subarray(row * classes, (row + 1) * classes), label));
    });
    onProgress(ranks.length);
  }
  return ranks;
}
