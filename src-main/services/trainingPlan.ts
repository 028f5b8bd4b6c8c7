/**
 * What a training would be, before anything is computed: its architecture opened, its images counted, its weights and what they take on the disk. Whatever is wrong
 * with a request is said here, before a job waits in the queue for it.
 */
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { trainingEstimate, trainingRequest } from '../../src-shared/contract/training.ts';
import { AppError } from '../../src-shared/errors.ts';
import { elementCount, valueOf } from '../graph/graph.ts';
import { openModel } from '../importers/open.ts';
import { preprocessingOf } from '../importers/preprocessing.ts';
import { trainingGraph } from '../rewrite/training/trainingGraph.ts';
import { weightsOf } from '../rewrite/training/trainable.ts';
import { emptyNetwork, type Architecture } from '../training/buildNetwork.ts';
import { splitImages } from '../training/split.ts';
import { freeBytesAt } from './freeSpace.ts';
import { canGoOn, readTrainingRun, type TrainingRun } from './trainingFiles.ts';
import { findLabelledImages } from './trainingImages.ts';

export type TrainingRequest = z.infer<typeof trainingRequest>;
export type TrainingEstimate = z.infer<typeof trainingEstimate>;

/** Reads the model file where there is one, lists the images, and computes nothing. Throws as the training itself would: AppError BAD_REQUEST, NOT_FOUND, UNSUPPORTED, UNREADABLE_FILE, CONFLICT. */
export async function planTraining(request: TrainingRequest, signal?: AbortSignal): Promise<TrainingEstimate> {
  const { recipe } = request;
  const out = resolve(request.outPath);
  await refuseFolder(request, out);
  const { architecture, crop } = await openArchitecture(request);
  const { images, classes } = await findLabelledImages(request.imagesPath, request.labelsPath, signal);
  const split = splitImages(images.map((image) => classes.indexOf(image.className)), recipe.validation, recipe.seed);
  const network = emptyNetwork(architecture, recipe, classes.length);
  const trained = new Set(network.trained);
  trainingGraph(network.graph, network.image, { dropout: recipe.dropout > 0, weights: weightsOf(network.graph).filter(({ name }) => trained.has(name)) });
  const floats = (names?: ReadonlySet<string>) => [...network.graph.tensors.values()].reduce((sum, { name, shape, dataType }) => sum + (dataType === 'float32' && (names?.has(name) ?? true) ? elementCount(shape) : 0), 0);
  const parameters = floats(trained);
  const meanPicture = recipe.mean === 'pixel' && !recipe.finetune ? 3 * crop * crop : 0;
  const checkpointBytes = (floats() + meanPicture) * (recipe.checkpointPrecision === 'float16' ? 2 : 4);
  const checkpoints = new Set([...recipe.checkpoints.filter((epoch) => epoch <= recipe.epochs), recipe.epochs]).size;
  return {
    classes,
    trainingImages: split.training.length,
    validationImages: split.validation.length,
    parameters,
    stepsPerEpoch: Math.ceil(split.training.length / recipe.batch),
    checkpointBytes,
    // Weights and velocities, and the file that takes their place while it is written.
    totalBytes: checkpoints * checkpointBytes + 2 * 2 * 4 * parameters,
    freeBytes: await freeBytesAt(out),
  };
}

export interface OpenedArchitecture {
  readonly architecture: Architecture;
  /** SHA-256 of the model file, null for an architecture by name. */
  readonly modelHash: string | null;
  /** Edge of the square input in pixels. */
  readonly crop: number;
}

export async function openArchitecture({ architecture, recipe }: Pick<TrainingRequest, 'architecture' | 'recipe'>): Promise<OpenedArchitecture> {
  if (architecture.kind !== 'file') {
    if (recipe.finetune) throw new AppError('BAD_REQUEST', 'Fine-tuning starts from a trained network: name its file as the architecture.');
    return { architecture, modelHash: null, crop: architecture.input };
  }
  const { model, modelHash } = await openModel(resolve(architecture.path), architecture.input ? { inputSize: [architecture.input, architecture.input] } : {});
  const { order, scale, mean, std, crop } = preprocessingOf(model).preprocessing;
  const [, , height, width] = valueOf(model.graph, model.imageInput).shape;
  if (height !== width) throw new AppError('UNSUPPORTED', `The network takes images of ${height} x ${width} pixels; training cuts squares. Choose a network with a square input.`, { path: architecture.path });
  return { architecture: { kind: 'file', found: { graph: model.graph, image: model.imageInput, order, scale, mean, std } }, modelHash, crop: crop[0] };
}

/** Throws AppError CONFLICT where the folder holds another training, or one that came without what it needs to go on, as the sample's does. */
export async function refuseFolder(request: TrainingRequest, path: string): Promise<void> {
  const before = await readTrainingRun(path);
  if (!before) return;
  refuseOther(before, request, path);
  if (before.epochs.length === 0 || (await canGoOn(path))) return;
  throw new AppError('CONFLICT', `${path} holds the record of a training, but no training.state to go on from. Choose another folder, or delete its training.json to train again from the beginning.`, { path });
}

/** The same training with more epochs, or other checkpoints, goes on; anything else would mix two trainings in one folder. */
function refuseOther(before: TrainingRun, request: TrainingRequest, path: string): void {
  const [old, now] = [factsOf(before), factsOf(request)];
  const different = Object.entries(now).find(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key]));
  if (!different) return;
  const [key, value] = different;
  throw new AppError('CONFLICT', `${path} holds a training with ${key} ${JSON.stringify(old[key])}, now ${JSON.stringify(value)} was asked for. Choose another folder for it, or ask for the same again to go on.`, { path, key });
}

/** What makes a training the one that it is. */
function factsOf({ architecture, recipe: { epochs: _, checkpoints: __, checkpointPrecision: ___, ...recipe }, imagesPath, labelsPath }: Pick<TrainingRun, 'architecture' | 'recipe' | 'imagesPath'> & { readonly labelsPath?: string | null | undefined }): Readonly<Record<string, unknown>> {
  return { ...recipe, architecture, imagesPath: resolve(imagesPath), labelsPath: labelsPath ? resolve(labelsPath) : null };
}
