/**
 * Training in the worker: compiled steps and the weights between them. The core sends pictures and labels of one batch and gets its loss back; weights cross
 * only when they are asked for. What is drawn at random here (dropped units) follows from the seed that comes with each step, so that a step can be repeated.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { ChannelOrder } from '../../../src-shared/domain/preprocessing.ts';
import { normalizePixels } from '../../dataset/normalize.ts';
import { elementCount, withBatch, type Graph } from '../../graph/graph.ts';
import { truncate } from '../../rewrite/probe/truncate.ts';
import { seededNumbers } from '../../rewrite/training/seededNumbers.ts';
import { stepGraph, type Descent, type StepGraph } from '../../rewrite/training/stepGraph.ts';
import { weightsOf } from '../../rewrite/training/trainable.ts';
import { trainingGraph, type TrainingGraph } from '../../rewrite/training/trainingGraph.ts';
import type { Data, Engine, Placement, Session } from '../engine.ts';

/** Weights and what momentum has gathered, by the name of the weight. */
export interface TrainedState {
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly velocities: ReadonlyMap<string, Float32Array>;
}

export interface TrainingSetup extends Descent {
  readonly network: Graph;
  /** Name of its picture input, which takes 0..255 in this order. */
  readonly image: string;
  readonly order: ChannelOrder;
  /** Share of the hidden fully connected units that are dropped. */
  readonly dropout: number;
  /** Names of the weights that train. */
  readonly trained: readonly string[];
  /** Absent: the network's own weights, at rest. */
  readonly state?: TrainedState;
}

export interface TrainingBatch {
  /** `[N, H, W, 3]` 8-bit RGB, N the batch size; rows whose label is -1 only fill it. */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

/** `training` names one of several; beginning one again replaces it. */
export type TrainCall = { readonly placement: Placement; readonly training: string } & (
  | { readonly kind: 'begin'; readonly setup: TrainingSetup }
  | ({ readonly kind: 'step'; readonly rate: number; readonly seed: number } & TrainingBatch)
  | ({ readonly kind: 'evaluate' } & TrainingBatch)
  | { readonly kind: 'read' }
  | { readonly kind: 'end' }
);

export type TrainAnswer =
  | { readonly kind: 'began'; readonly description: string; readonly parameters: number }
  /** Loss is the mean over the labelled rows, before the step. */
  | { readonly kind: 'measured'; readonly loss: number; readonly correct: number; readonly images: number }
  | { readonly kind: 'state'; readonly state: TrainedState }
  | { readonly kind: 'ended' };

/** Throws AppError NOT_FOUND for a training that this process does not hold (it was restarted: begin again), and whatever compiling and running throw. */
export function createTrainer(engineAt: (placement: Placement) => Promise<Engine>): (call: TrainCall, signal?: AbortSignal) => Promise<TrainAnswer> {
  const open = new Map<string, Training>();
  return async (call, signal) => {
    if (call.kind === 'begin') {
      await open.get(call.training)?.close();
      open.delete(call.training);
      const training = await beginTraining(await engineAt(call.placement), call.setup);
      open.set(call.training, training);
      return { kind: 'began', description: training.description, parameters: training.parameters };
    }
    const training = open.get(call.training);
    if (!training) throw new AppError('NOT_FOUND', `This process holds no training ${JSON.stringify(call.training)}; it was started again since.`, { training: call.training });
    if (call.kind === 'step') return training.step(call, call.rate, call.seed, signal);
    if (call.kind === 'evaluate') return training.evaluate(call, signal);
    if (call.kind === 'read') return { kind: 'state', state: training.state() };
    open.delete(call.training);
    await training.close();
    return { kind: 'ended' };
  };
}

type Measured = Extract<TrainAnswer, { kind: 'measured' }>;

interface Training {
  readonly description: string;
  readonly parameters: number;
  step(batch: TrainingBatch, rate: number, seed: number, signal?: AbortSignal): Promise<Measured>;
  evaluate(batch: TrainingBatch, signal?: AbortSignal): Promise<Measured>;
  state(): TrainedState;
  close(): Promise<void>;
}

export async function beginTraining(engine: Engine, setup: TrainingSetup): Promise<Training> {
  const names = new Set(setup.trained);
  const weights = weightsOf(setup.network).filter((weight) => names.has(weight.name));
  const training = trainingGraph(setup.network, setup.image, { dropout: setup.dropout > 0, weights });
  const descent = stepGraph(training, setup);
  const plain = trainingGraph(setup.network, setup.image, { weights });
  const judging = truncate(plain.graph, [plain.loss, plain.correct]);
  const stepping = await engine.compile(descent.graph, { alone: true });
  let evaluating: Session | undefined;
  const values = new Map<string, Data>();
  for (const { name, velocity, shape } of descent.weights) {
    const first = setup.state?.weights.get(name) ?? (setup.network.tensors.get(name)!.data as Float32Array);
    values.set(name, { shape, data: first.slice() });
    values.set(velocity, { shape, data: setup.state?.velocities.get(name)?.slice() ?? new Float32Array(elementCount(shape)) });
  }
  const weightFeeds = () => descent.weights.map(({ name }) => [name, values.get(name)!] as const);

  return {
    description: engine.description,
    parameters: descent.weights.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    async step(batch, rate, seed, signal) {
      const feeds = new Map([...batchFeeds(setup, training, batch), ...maskFeeds(training, setup.dropout, batch.labels.length, seed), ...values]);
      feeds.set(descent.rate, { shape: [1], data: Float32Array.of(rate) });
      const found = await stepping.run(feeds, descent.graph.outputs, signal);
      const measured = measuredOf(training, found, batch);
      if (!Number.isFinite(measured.loss)) {
        throw new AppError('BAD_REQUEST', `The loss is ${measured.loss}: the training runs away. Start again with a lower learning rate (this step used ${rate}).`, { rate });
      }
      keep(values, descent, found);
      return measured;
    },
    async evaluate(batch, signal) {
      evaluating ??= await engine.compile(judging, { alone: true });
      const feeds = new Map([...batchFeeds(setup, plain, batch), ...weightFeeds()]);
      return measuredOf(plain, await evaluating.run(feeds, judging.outputs, signal), batch);
    },
    state: () => ({
      weights: new Map(descent.weights.map(({ name }) => [name, floatsOf(values.get(name)!).slice()])),
      velocities: new Map(descent.weights.map(({ name, velocity }) => [name, floatsOf(values.get(velocity)!).slice()])),
    }),
    async close() {
      await stepping.close();
      await evaluating?.close();
    },
  };
}

function keep(values: Map<string, Data>, descent: StepGraph, found: ReadonlyMap<string, Data>): void {
  for (const { name, velocity, nextWeight, nextVelocity } of descent.weights) {
    values.set(name, found.get(nextWeight)!);
    values.set(velocity, found.get(nextVelocity)!);
  }
}

/** Picture, targets and shares of a batch as the graph takes them. */
function batchFeeds(setup: TrainingSetup, training: TrainingGraph, { pixels, labels }: TrainingBatch): [string, Data][] {
  const batch = labels.length;
  const { shape } = training.graph.inputs.find((input) => input.name === training.image) ?? setup.network.inputs[0]!;
  const sizes = withBatch(shape, batch);
  const crop = [sizes[2]!, sizes[3]!] as const;
  const images = labels.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0);
  const targets = new Float32Array(batch * training.classes);
  labels.forEach((label, row) => label >= 0 && (targets[row * training.classes + label] = 1));
  return [
    [training.image, { shape: sizes, data: normalizePixels(pixels, { order: setup.order, crop, scale: 1, mean: [0], std: [1] }, batch) }],
    [training.targets, { shape: [batch, training.classes], data: targets }],
    [training.shares, { shape: [batch, 1], data: Float32Array.from(labels, (label) => (label >= 0 ? 1 / images : 0)) }],
  ];
}

/** Kept units are raised by 1 / (1 - share), so that nothing changes where none are dropped. */
function maskFeeds(training: TrainingGraph, share: number, batch: number, seed: number): [string, Data][] {
  return training.masks.map(({ name, units }) => {
    const random = seededNumbers(seed, name);
    return [name, { shape: [batch, units], data: Float32Array.from({ length: batch * units }, () => (random() < share ? 0 : 1 / (1 - share))) }];
  });
}

function measuredOf(training: TrainingGraph, found: ReadonlyMap<string, Data>, { labels }: TrainingBatch): Measured {
  const right = found.get(training.correct)!.data;
  let [correct, images] = [0, 0];
  labels.forEach((label, row) => {
    if (label < 0) return;
    images++;
    correct += Number(right[row]);
  });
  return { kind: 'measured', loss: Number(found.get(training.loss)!.data[0]), correct, images };
}

function floatsOf({ data }: Data): Float32Array {
  if (!(data instanceof Float32Array)) throw new Error(`a weight is a ${data.constructor.name}, not float32`);
  return data;
}
