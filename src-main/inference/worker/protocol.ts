/**
 * What core and inference worker say to each other. One process per device (design.md section 1); messages are structured clones, pictures travel as
 * 8-bit pixels, and feature maps never leave the worker: only scores, positions and projections do.
 */
import type { Box } from '../../../src-shared/domain/geometry.ts';
import type { Layer } from '../../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';
import type { Control, Method, Rectified, Seed } from '../../../src-shared/domain/projection.ts';
import type { PlainError } from '../../../src-shared/errors.ts';
import type { FeedingChannels } from '../../graph/feedingChannels.ts';
import type { DrawnRow } from '../../graph/print.ts';
import type { VectorWish } from '../../rewrite/probe/featureGraph.ts';
import type { EngineAvailability, Placement } from '../engine.ts';
import type { ProbeOptions } from '../selfTest/survey.ts';
import type { CutOutCall } from './cutOut.ts';
import type { FeatureCall } from './features.ts';
import type { GradientCall, Gradients, LabDescription, LabNetwork, Look, LookCall, MapsCall } from './labCalls.ts';
import type { NetworkWeights, WeightsCall } from './readWeights.ts';
import type { TrainAnswer, TrainCall } from './trainSteps.ts';

export type { Placement };

/** A model file as an index knows it. */
export interface ModelReference {
  readonly path: string;
  /** Content hash; a file that no longer has it is refused. */
  readonly hash: string;
}

export interface Inspection {
  readonly modelHash: string;
  readonly path: string;
  readonly format: 'onnx' | 'caffe' | 'tensorflowjs' | 'keras';
  readonly provenance: string;
  readonly sizeBytes: number;
  readonly parameters: number;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | 'batch')[]; readonly dtype: string }[];
  readonly outputs: readonly { readonly name: string; readonly shape: readonly (number | 'batch')[] }[];
  readonly preprocessing: Preprocessing;
  readonly preprocessingSource: string;
  readonly layers: readonly Layer[];
  readonly operators: readonly { readonly op: string; readonly count: number; readonly status: 'runs and projects' | 'only forward' | 'unknown'; readonly note: string }[];
  readonly rectified: readonly { readonly method: Method; readonly handled: number; readonly total: number }[];
  readonly warnings: readonly string[];
}

export interface LayerScores {
  /** `[batch, channels]`, rows beyond `images` are padding. */
  readonly score: Float32Array;
  /** Row * width + column of the first maximum. */
  readonly position: Int32Array;
}

/** What one run of a batch gives. */
export interface BatchScores {
  readonly layers: readonly LayerScores[];
  /** Per wanted vector `[batch, dimensions]`. */
  readonly vectors: readonly Float32Array[];
}

export interface UnitOfImage {
  /** Which of the given pictures. */
  readonly picture: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

export interface ProjectedUnit {
  /** Float32 `[C, rows, columns]` of `box`, signed; zero everywhere else in the network input. */
  readonly values: Float32Array;
  readonly box: Box;
  /** The unit's activation on this image. */
  readonly activation: number;
  readonly rectified: Rectified;
  readonly notes: readonly string[];
}

export interface DrawnNetwork {
  /** Where the way down starts; null where there is none, and `reason` says why. */
  readonly layer: string | null;
  readonly method: Method;
  readonly reason: string;
  readonly rows: readonly DrawnRow[];
}

export interface ExportedProjection {
  readonly bytes: Uint8Array;
  readonly layer: Layer;
  readonly rectified: Rectified;
  /** `[1, C, H, W]` of `image` and `projection`. */
  readonly shape: readonly number[];
  readonly preprocessing: Preprocessing;
}

/** A channel of an indexed layer, and the layers that may be named as what feeds it. */
export interface FedChannel {
  readonly model: ModelReference;
  readonly crop: readonly [number, number];
  /** Value names. */
  readonly layers: readonly string[];
  readonly layer: string;
  readonly channel: number;
}

/** A model file that no index knows yet, and a layer of it by name or title. */
export interface LayerOfFile {
  readonly path: string;
  readonly inputSize?: readonly [number, number];
  readonly layer: string;
  readonly method: Method;
}

/** The worker's calls: name -> [parameters, result]. Those with a `placement` run in the process of that placement (routes.ts). */
export interface WorkerCalls {
  /** Loads one device and tries it: self-test, and a short benchmark on request. Always in a process of its own, as a driver may end its process. */
  probe: [{ readonly placement: Placement } & ProbeOptions, EngineAvailability];
  inspect: [{ readonly path: string; readonly inputSize?: readonly [number, number] }, Inspection];
  /** The network and its way down, as a person would draw them. Without `layer` the last one. */
  draw: [Omit<LayerOfFile, 'layer'> & { readonly layer?: string }, DrawnNetwork];
  /** The network alone, with a row of its own for each of these values. */
  spine: [{ readonly model: ModelReference; readonly crop: readonly [number, number]; readonly ends: readonly string[] }, readonly DrawnRow[]];
  /** Which channels feed a channel, by the weights of its filter. */
  feeding: [FedChannel & { readonly limit: number }, FeedingChannels];
  /** A projection as a file of its own. */
  export: [LayerOfFile, ExportedProjection];
  /** How a model file is built, and the numbers in its filters. */
  weights: [WeightsCall, NetworkWeights];
  layers: [{ readonly model: ModelReference; readonly crop: readonly [number, number]; readonly names?: readonly string[] }, readonly Layer[]];
  /** Picks a batch size by timing a few that fit into the memory budget. In a process of its own, so that what was tried holds no memory afterwards. `images`: how many there are to index; larger batches are not tried. */
  measureBatch: [{ readonly model: ModelReference; readonly layers: readonly string[]; readonly preprocessing: Preprocessing; readonly placement: Placement; readonly images: number }, { readonly batchSize: number; readonly description: string }];
  /** `pixels`: `[batch, H, W, 3]` 8-bit RGB; unused rows may hold anything. `vectors`: features that the same run gives. `beside`: other batches are handed over meanwhile, which a second process of the placement may compute. */
  score: [{ readonly model: ModelReference; readonly layers: readonly string[]; readonly preprocessing: Preprocessing; readonly placement: Placement; readonly batch: number; readonly pixels: Uint8Array; readonly vectors?: readonly VectorWish[]; readonly beside?: boolean }, BatchScores];
  /** Steps of a training whose weights stay in the process. */
  train: [TrainCall, TrainAnswer];
  /** `pictures`: `[H, W, 3]` 8-bit RGB each. `isAhead`: nobody waits for it yet. */
  project: [{ readonly model: ModelReference; readonly layer: string; readonly method: Method; readonly seed: Seed; readonly control: Control; readonly preprocessing: Preprocessing; readonly placement: Placement; readonly isAhead?: boolean; readonly pictures: readonly Uint8Array[]; readonly units: readonly UnitOfImage[] }, readonly ProjectedUnit[]];
  /** What single pictures are asked about (labCalls.ts). `names`: layers by name or title that need not be among the default ones. */
  describeLab: [LabNetwork & { readonly names?: readonly string[] }, LabDescription];
  look: [LookCall, Look];
  maps: [MapsCall, Float32Array];
  gradients: [GradientCall, Gradients];
  /** Vectors of a batch of pictures (features.ts). */
  features: [FeatureCall, readonly Float32Array[]];
  /** Foreground of a picture by GrabCut; `[H, W]`, 255 is foreground. */
  cutOut: [CutOutCall, Uint8Array];
}

export type CallName = keyof WorkerCalls;

export type ToWorker = { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly parameters: unknown } | { readonly kind: 'cancel'; readonly id: number };
/** What a call does until its next sign of life: a model file is read and compiled, or pieces of known work are computed. */
export type NextWork = 'prepare' | 'compute';

/** `began` and `alive` (a piece of the current call is done) are for the watch on hanging calls; every answer carries the process's memory. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'began'; readonly id: number; readonly name: CallName }
  | { readonly kind: 'alive'; readonly id: number; readonly next: NextWork }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown; readonly residentBytes: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError; readonly residentBytes: number };
