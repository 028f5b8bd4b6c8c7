/**
 * Training a network on a folder of labelled images: finds and decodes them, builds the network, drives the worker step by step, writes checkpoints, and goes on
 * where an earlier run of the same request in the same folder stopped. A worker that dies is started again and repeats the steps since the last save.
 */
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { trainingProgress } from '../../src-shared/contract/training.ts';
import { AppError } from '../../src-shared/errors.ts';
import { writePixelNetwork } from '../importers/onnx/pixelMetadata.ts';
import { fixedPlacement, type Placement } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { TrainAnswer, TrainCall, TrainedState } from '../inference/worker/trainSteps.ts';
import { buildNetwork, type StartingNetwork } from '../training/buildNetwork.ts';
import { createMean, edgeFor, type MeanPicture, type PictureSize } from '../training/pictures.ts';
import { splitImages } from '../training/split.ts';
import { startPosition, trainNetwork, type Measured, type TrainingPosition } from '../training/trainNetwork.ts';
import { openTrainingFolder, type StoredTraining, type TrainingRun } from './trainingFiles.ts';
import { openLabelledImages, type LabelledImages } from './trainingImages.ts';
import { openArchitecture, refuseFolder, type TrainingRequest } from './trainingPlan.ts';

export type { TrainingRequest };

/** Asked before each step; see TrainingTools.takeLowering. */
export type TakeLowering = () => ((rate: number) => void) | undefined;

/** What is going on: pictures are read, then steps are made. */
export type TrainingNews =
  | { readonly kind: 'reading'; readonly done: number; readonly of: number }
  | ({ readonly kind: 'training' } & z.infer<typeof trainingProgress>)
  /** After each epoch, and once at the start. */
  | { readonly kind: 'epoch'; readonly run: TrainingRun }
  | { readonly kind: 'restarted'; readonly reason: string };

export interface TrainingService {
  /**
   * Trains to the last epoch, or finds it done. On abort what was done is kept and the signal's reason thrown; the same request goes on from there.
   * Throws AppError CONFLICT where the folder holds another training, BAD_REQUEST where the request cannot be met, and whatever reading and computing throw.
   */
  train(request: TrainingRequest, onNews: (news: TrainingNews) => void, signal: AbortSignal, takeLowering?: TakeLowering): Promise<TrainingRun>;
}

/** How often in a row the worker may die before the training fails with what happened. */
const mostStrikes = 3;

export function createTrainingService(inference: Pick<InferenceClient, 'call'>): TrainingService {
  return {
    async train(request, onNews, signal, takeLowering = () => undefined) {
      const folder = await openTrainingFolder(resolve(request.outPath));
      await refuseFolder(request, folder.path);
      const stored = await folder.stored();
      const placement = fixedPlacement(request);
      const { architecture, modelHash, crop } = await openArchitecture(request);
      const size = { edge: edgeFor(crop), crop };
      const data = await openLabelledImages(request.imagesPath, request.labelsPath, size, (done, of) => onNews({ kind: 'reading', done, of }), signal);
      if (stored) refuseChanged(stored, data, modelHash, folder.path);
      const split = splitImages(data.labels, request.recipe.validation, request.recipe.seed);
      const mean = stored?.mean ?? (await meanOf(data, split.training, size, signal));
      const network = buildNetwork(architecture, request.recipe, data.classes.length, mean);
      const training = resolve(request.outPath);
      const call: Call = (part) => inference.call('train', { placement, training, ...part } as TrainCall);
      let run: TrainingRun | undefined;

      for (let strike = 1, from = stored; ; strike++, from = await folder.stored()) {
        const began = await begin(call, network, request, from?.state);
        run = recordOf(request, data, split, began, placement, from?.position);
        await folder.writeRun(run);
        onNews({ kind: 'epoch', run });
        try {
          const last = await trainNetwork(
            {
              recipe: request.recipe,
              split,
              labels: data.labels,
              size,
              picture: (image, pictureSignal) => data.picture(image, pictureSignal),
              step: async (pixels, labels, rate, seed) => measured(await call({ kind: 'step', pixels, labels, rate, seed })),
              evaluate: async (pixels, labels) => measured(await call({ kind: 'evaluate', pixels, labels })),
              async save(position) {
                await folder.writeStored({ position, images: data.images, labels: data.labels, modelHash, mean, state: await stateOf(call) });
                if (position.epochs.length > run!.epochs.length || position.rateChanges.length > run!.rateChanges.length) {
                  run = { ...run!, epochs: position.epochs, rateChanges: position.rateChanges, state: isComplete(position, request) ? 'complete' : 'partial' };
                  await folder.writeRun(run);
                  onNews({ kind: 'epoch', run });
                }
              },
              async checkpoint(epoch) {
                const graph = withWeights(network, await stateOf(call));
                return folder.writeCheckpoint(epoch, writePixelNetwork(graph, { order: network.order, resize: { kind: 'shorterSide', pixels: size.edge }, text: describe(request, data, epoch), precision: request.recipe.checkpointPrecision }));
              },
              takeLowering,
              onProgress(progress) {
                strike = 0;
                onNews({ kind: 'training', ...progress });
              },
            },
            from?.position ?? startPosition(request.recipe),
            signal,
          );
          run = { ...run, epochs: last.epochs, rateChanges: last.rateChanges, state: 'complete' };
          await folder.writeRun(run);
          return run;
        } catch (error) {
          if (!isWorkerDeath(error) || strike >= mostStrikes || signal.aborted) throw error;
          onNews({ kind: 'restarted', reason: error.message });
        } finally {
          await call({ kind: 'end' }).catch(() => undefined);
        }
      }
    },
  };
}

/** A call without what is the same in all of them. */
type CallPart = TrainCall extends infer Each ? (Each extends TrainCall ? Omit<Each, 'placement' | 'training'> : never) : never;
type Call = (part: CallPart) => Promise<TrainAnswer>;

async function meanOf(data: LabelledImages, images: readonly number[], size: PictureSize, signal: AbortSignal): Promise<MeanPicture> {
  const mean = createMean(size);
  for (const image of images) mean.add(await data.picture(image, signal));
  return mean.finish();
}

async function begin(call: Call, network: StartingNetwork, { recipe }: TrainingRequest, state: TrainedState | undefined) {
  const { momentum, weightDecay, filterRms, dropout } = recipe;
  const setup = { network: network.graph, image: network.image, order: network.order, trained: network.trained, momentum, weightDecay, filterRms, dropout, ...(state ? { state } : {}) };
  const answer = await call({ kind: 'begin', setup });
  if (answer.kind !== 'began') throw new Error(`the worker answered begin with ${answer.kind}`);
  return answer;
}

function measured(answer: TrainAnswer): Measured {
  if (answer.kind !== 'measured') throw new Error(`the worker answered a batch with ${answer.kind}`);
  return answer;
}

async function stateOf(call: Call): Promise<TrainedState> {
  const answer = await call({ kind: 'read' });
  if (answer.kind !== 'state') throw new Error(`the worker answered read with ${answer.kind}`);
  return answer.state;
}

function withWeights({ graph }: StartingNetwork, { weights }: TrainedState): StartingNetwork['graph'] {
  return { ...graph, tensors: new Map([...graph.tensors].map(([name, tensor]) => [name, weights.has(name) ? { ...tensor, data: weights.get(name)! } : tensor])) };
}

function recordOf(request: TrainingRequest, data: LabelledImages, split: ReturnType<typeof splitImages>, began: Extract<TrainAnswer, { kind: 'began' }>, placement: Placement, position: TrainingPosition | undefined): TrainingRun {
  return {
    architecture: request.architecture,
    recipe: request.recipe,
    imagesPath: resolve(request.imagesPath),
    labelsPath: request.labelsPath ? resolve(request.labelsPath) : null,
    engine: placement.engine,
    device: placement.device,
    engineDescription: began.description,
    classes: data.classes,
    trainingImages: split.training.length,
    validationImages: split.validation.length,
    skipped: data.skipped,
    parameters: began.parameters,
    epochs: position?.epochs ?? [],
    rateChanges: position?.rateChanges ?? [],
    state: 'partial',
  };
}

function refuseChanged(stored: StoredTraining, data: LabelledImages, modelHash: string | null, path: string): void {
  if (stored.modelHash !== modelHash) throw new AppError('CONFLICT', 'The model file is no longer the one that this training began with. Put the old file back, or choose another folder for a new training.', { path });
  if (stored.images.join('\n') === data.images.join('\n') && stored.labels.join() === data.labels.join()) return;
  throw new AppError('CONFLICT', `The images changed since this training began (${stored.images.length} then, ${data.images.length} now, or other classes). Put them back, or choose another folder for a new training.`, { path });
}

function isComplete({ epoch }: TrainingPosition, { recipe }: TrainingRequest): boolean {
  return epoch > recipe.epochs;
}

function describe({ architecture, recipe }: TrainingRequest, { classes }: LabelledImages, epoch: number): string {
  const what = architecture.kind === 'file' ? 'a network from a file' : `${architecture.kind} of width ${architecture.width}`;
  return `Trained by Switchback: ${what}, ${classes.length} classes, epoch ${epoch}, ${JSON.stringify(recipe)}`;
}

function isWorkerDeath(error: unknown): error is AppError {
  return error instanceof AppError && ((error.code === 'UNAVAILABLE' && typeof error.data['how'] === 'string') || (error.code === 'NOT_FOUND' && typeof error.data['training'] === 'string'));
}
