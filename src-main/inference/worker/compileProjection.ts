/**
 * Ways to compute the same projections, planned and compiled when first wanted: on the units' windows, or the whole image once forward and once down per unit.
 * Which is less work depends on the layer and on how many units share an image. What is kept holds no weights but those in the sessions.
 */
import type { Control, Method, Rectified, Seed } from '../../../src-shared/domain/projection.ts';
import { valueOf, withoutWeights, type Graph, type Model } from '../../graph/graph.ts';
import { projectionGraph, rectifiedBy, upperBoundOf, type ProjectionGraph } from '../../rewrite/backward/projectionGraph.ts';
import { splitProjection, type SavedValue } from '../../rewrite/backward/splitProjection.ts';
import { withRandomWeights } from '../../rewrite/controls/randomWeights.ts';
import { workOf } from '../../rewrite/probe/workOf.ts';
import type { ImageSize, WindowFrame } from '../../rewrite/window/feeds.ts';
import { pointsAsProducts } from '../../rewrite/window/pointsAsProducts.ts';
import { windowGraph } from '../../rewrite/window/windowGraph.ts';
import type { Session } from '../engine.ts';
import { liveBytes } from './memory.ts';
import type { ModelReference, Placement, WorkerCalls } from './protocol.ts';
import type { WorkerState } from './state.ts';

/** What is known of a way down before anything is compiled. */
export interface ProjectionPlan {
  readonly kind: 'plan';
  /** Without nodes and weights. */
  readonly model: Model;
  readonly imageSize: ImageSize;
  /** `[channels, rows, columns]` of the layer, or of the value before its activation; a gemm layer is 1 x 1. */
  readonly layerSize: readonly [number, number, number];
  readonly rectified: Rectified;
  /** The upper bound of the layer's own activation. */
  readonly bound: number | undefined;
  /** In multiplications (workOf): per unit on its window, undefined where there is none; whole per image; whole per unit. */
  readonly work: { readonly window: number | undefined; readonly forward: number; readonly backward: number };
}

/** Names of a projection's inputs and outputs. */
type Names = Pick<ProjectionGraph, 'image' | 'seed' | 'projection' | 'start'>;

export interface CompiledWindow {
  readonly kind: 'window';
  readonly frame: WindowFrame;
  readonly names: Names;
  readonly session: Session;
  /** Units that go through the engine together. */
  readonly batch: number;
}

export interface CompiledWhole {
  readonly kind: 'whole';
  readonly names: Names;
  readonly forward: Session;
  readonly backward: Session;
  readonly saved: readonly SavedValue[];
  /** Images that go forward together, and units that go down together. */
  readonly images: number;
  readonly units: number;
}

export type CompiledProjection = ProjectionPlan | CompiledWindow | CompiledWhole;

export type Projecting = Pick<WorkerCalls['project'][0], 'model' | 'layer' | 'method' | 'seed' | 'control' | 'preprocessing' | 'placement'> & { readonly belowActivation: boolean };

/** Live at once in the engine. Larger batches gain nothing (measured from 1 to 128 units); smaller ones keep memory low and cancelling quick. */
const batchBytes = 24 * 2 ** 20;
/** About a third of a second on two cores: a run under way cannot be cancelled. */
const batchWork = 1.2e10;
const largestBatch = 1024;

export async function planProjection(state: WorkerState, projecting: Projecting): Promise<ProjectionPlan> {
  return kept(state, keyOf(projecting, 'plan'), 'plan', async () => {
    const { model, network } = await networkOf(state, projecting);
    const { layer, method, belowActivation } = projecting;
    const whole = splitProjection(wholeProjection(network, model, projecting));
    const window = windowed(network, model, projecting);
    const [, ...imageSize] = valueOf(network, model.imageInput).shape as number[];
    const [, channels, rows = 1, columns = 1] = valueOf(network, layer).shape as number[];
    return {
      kind: 'plan',
      model: { ...model, graph: { ...withoutWeights(model.graph), nodes: [] } },
      imageSize: imageSize as unknown as ImageSize,
      layerSize: [channels!, rows, columns],
      rectified: rectifiedBy(network, model.imageInput, layer, method, belowActivation),
      bound: upperBoundOf(network, layer),
      work: { window: window && workOf(window.projection.graph), forward: workOf(whole.forward), backward: workOf(whole.backward) },
    };
  });
}

/** The way that is less work for so many units on so many distinct images. */
export async function compileProjection(state: WorkerState, plan: ProjectionPlan, projecting: Projecting, units: number, images: number): Promise<CompiledWindow | CompiledWhole> {
  const { window, forward, backward } = plan.work;
  const isWindow = window !== undefined && window * units <= forward * images + backward * units;
  return isWindow ? compileWindow(state, projecting) : compileWhole(state, projecting);
}

export function compileWindow(state: WorkerState, projecting: Projecting): Promise<CompiledWindow> {
  return kept(state, keyOf(projecting, 'window'), 'window', async () => {
    const { model, network } = await networkOf(state, projecting);
    const { projection, frame } = windowed(network, model, projecting)!;
    const engine = await state.engines.engineAt(projecting.placement);
    return { kind: 'window', frame, names: namesOf(projection), session: await engine.compile(projection.graph, { alone: true }), batch: batchFor(projection.graph) };
  });
}

export function compileWhole(state: WorkerState, projecting: Projecting): Promise<CompiledWhole> {
  return kept(state, keyOf(projecting, 'whole'), 'whole', async () => {
    const { model, network } = await networkOf(state, projecting);
    const projection = wholeProjection(network, model, projecting);
    const { forward, backward, saved } = splitProjection(projection);
    const engine = await state.engines.engineAt(projecting.placement);
    return {
      kind: 'whole', names: namesOf(projection), saved, forward: await engine.compile(forward, { alone: true }), backward: await engine.compile(backward, { alone: true }), images: batchFor(forward), units: batchFor(backward),
    };
  });
}

async function kept<K extends CompiledProjection['kind']>(state: WorkerState, key: string, kind: K, make: () => Promise<CompiledProjection & { readonly kind: K }>): Promise<CompiledProjection & { readonly kind: K }> {
  const found = state.projections.get(key);
  if (found?.kind === kind) return found as CompiledProjection & { readonly kind: K };
  const made = await make();
  state.projections.set(key, made);
  return made;
}

function keyOf({ model, layer, method, seed, control, preprocessing, placement, belowActivation }: Projecting, way: CompiledProjection['kind']): string {
  return JSON.stringify([way, model.hash, preprocessing.crop, layer, method, control, placement, belowActivation, seed === 'map']);
}

async function networkOf(state: WorkerState, { model: reference, preprocessing, control }: { readonly model: ModelReference; readonly preprocessing: { readonly crop: readonly [number, number] }; readonly control: Control }): Promise<{ readonly model: Model; readonly network: Graph }> {
  const model = await state.model(reference, preprocessing.crop);
  return { model, network: control === 'randomWeights' ? withRandomWeights(model.graph, randomWeightsSeed) : model.graph };
}

/** Of the random-weights control: fixed, so that a result can be found again. */
export const randomWeightsSeed = 1;

interface Way {
  readonly layer: string;
  readonly method: Method;
  readonly seed: Seed;
  readonly control: Control;
  readonly belowActivation: boolean;
  readonly placement: Placement;
}

function wholeProjection(network: Graph, { imageInput }: Model, { layer, method, control, belowActivation }: Way): ProjectionGraph {
  return projectionGraph(network, imageInput, layer, method, { belowActivation, ...(control === 'centreSwitches' ? { unpool: 'centre' } : {}) });
}

/** Undefined where a window does not do: the layer sees all of the image; a whole map reaches beyond one window; a pool's centre is the centre of the real window, borders and all. */
function windowed(network: Graph, { imageInput }: Model, { layer, method, seed, control, belowActivation }: Way): { readonly projection: ProjectionGraph; readonly frame: WindowFrame } | undefined {
  const window = seed === 'map' || control === 'centreSwitches' ? undefined : windowGraph(network, imageInput, layer);
  if (!window) return undefined;
  const { graph, ...frame } = window;
  const projection = projectionGraph(graph, imageInput, layer, method, { belowActivation });
  return { projection: { ...projection, graph: pointsAsProducts(projection.graph) }, frame };
}

function namesOf({ image, seed, projection, start }: ProjectionGraph): Names {
  return { image, seed, projection, start };
}

/** Images or units of a graph that go through the engine together. `bytes`: that they may hold at once. */
export function batchFor(graph: Graph, bytes = batchBytes): number {
  const perUnit = liveBytes(withoutWeights(graph), 2) - liveBytes(withoutWeights(graph), 1);
  return Math.max(1, Math.min(largestBatch, Math.floor(bytes / perUnit), Math.floor(batchWork / workOf(graph))));
}
