/**
 * What the studies of single pictures ask of a network: class scores and channel totals of many variants of a picture, whole feature maps, and the value and gradient of a
 * target. Pictures come as pixels, or as values the network takes where a study has moved them; between two calls nothing is kept but compiled networks, so any call can be
 * cancelled, or repeated in another process.
 */
import type { Box } from '../../../src-shared/domain/geometry.ts';
import type { Layer } from '../../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';
import type { Method } from '../../../src-shared/domain/projection.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { layersOf } from '../../geometry/layers.ts';
import { elementCount, producers, withoutWeights, type Model } from '../../graph/graph.ts';
import { rectifierKinds } from '../../rewrite/backward/rules/rectifiers.ts';
import { classifierOf, lastConvolutionBefore, type Classifier } from '../../rewrite/probe/classifier.ts';
import { lookingGraph, type LookingGraph } from '../../rewrite/probe/lookingGraph.ts';
import { normalizePixels } from '../../dataset/normalize.ts';
import { truncate } from '../../rewrite/probe/truncate.ts';
import type { Data, Placement, Session } from '../engine.ts';
import { batchFor, compileWhole, planProjection, type CompiledWhole } from './compileProjection.ts';
import type { ModelReference } from './protocol.ts';
import { checkChannels, type WorkerState } from './state.ts';

/** Which network, fed how, computed where. */
export interface LabNetwork {
  readonly model: ModelReference;
  readonly preprocessing: Preprocessing;
  readonly placement: Placement;
}

export interface LabDescription {
  readonly classifier: Classifier;
  readonly layers: readonly Layer[];
  /** Of `names`, in their order. */
  readonly asked: readonly Layer[];
  /** Of all these layers, those made by an activation of the ReLU family. */
  readonly rectified: readonly string[];
  /** Whose total an occlusion sweep watches unless another is chosen. */
  readonly lastConvolution: string | null;
}

/** Pictures of one size. `pixels`: `[count, H, W, 3]` 8-bit RGB. `squares`: one picture, once with each box in one colour. `values`: `[count, C, H, W]` as the network receives them. */
export type LabPictures =
  | { readonly kind: 'pixels'; readonly pixels: Uint8Array; readonly count: number }
  | { readonly kind: 'squares'; readonly pixels: Uint8Array; readonly boxes: readonly Box[]; readonly colour: readonly [number, number, number] }
  | { readonly kind: 'values'; readonly values: Float32Array; readonly count: number };

/** `logits` and `totalsOf` are names of values; what is null is not computed. */
export interface LookCall extends LabNetwork {
  readonly pictures: LabPictures;
  readonly logits: string | null;
  readonly totalsOf: string | null;
}

export interface Look {
  /** `[pictures, classes]`. */
  readonly logits: Float32Array | null;
  /** `[pictures, channels]`. */
  readonly totals: Float32Array | null;
}

export interface MapsCall extends LabNetwork {
  readonly pixels: Uint8Array;
  readonly layer: string;
}

/** What is differentiated, a number for each picture. `logProbability`: the logarithm of the softmax. `channel`: the mean of the map. */
export type LabObjective =
  | { readonly kind: 'class'; readonly index: number }
  | { readonly kind: 'logProbability'; readonly index: number }
  | { readonly kind: 'channel'; readonly channel: number }
  | { readonly kind: 'unit'; readonly channel: number; readonly y: number; readonly x: number };

export interface GradientCall extends LabNetwork {
  /** The value that the objective is taken of: a layer, or the logits. */
  readonly layer: string;
  readonly objective: LabObjective;
  /** Of the layer before its own activation, which must be one of those `rectified`: a channel that is silent on a picture has a slope there all the same. */
  readonly beneath: boolean;
  readonly method: Method;
  /** `[count, C, H, W]`. */
  readonly values: Float32Array;
  readonly count: number;
}

export interface Gradients {
  /** Of the objective, for each picture. */
  readonly objective: Float32Array;
  /** Largest value of the objective's channel; the class score itself where it is one. */
  readonly score: Float32Array;
  /** `[count, C, H, W]`. */
  readonly gradient: Float32Array;
  /** `[count, classes]` where the objective is of a class. */
  readonly logits: Float32Array | null;
}

export interface CompiledLooking extends Omit<LookingGraph, 'graph'> {
  readonly model: Model;
  readonly session: Session;
  /** Pictures that go through the engine together. */
  readonly batch: number;
}

/** Whole passes of a classifier gain from larger batches than projections do: 4.2 ms for each picture of squeezenet1.1 at 16 at once, 5.3 at 3. */
const lookingBytes = 128 * 2 ** 20;

export async function describeForLab(state: WorkerState, { model: reference, preprocessing, names = [] }: LabNetwork & { readonly names?: readonly string[] }): Promise<LabDescription> {
  const { graph, imageInput } = await state.model(reference, preprocessing.crop);
  const classifier = classifierOf(graph);
  const layers = layersOf(graph, imageInput);
  const asked = names.map((name) => layers.find((layer) => layer.name === name) ?? layers.find((layer) => layer.title === name) ?? layersOf(graph, imageInput, [name])[0]!);
  const makers = producers(graph);
  const rectified = [...new Set([...layers, ...asked].map(({ name }) => name))].filter((name) => rectifierKinds.has(makers.get(name)!.kind));
  return { classifier, layers, asked, rectified, lastConvolution: lastConvolutionBefore(graph, classifier.kind === 'classifier' ? classifier.logits : null) };
}

export async function look(state: WorkerState, call: LookCall, signal: AbortSignal): Promise<Look> {
  const { logits, totalsOf } = call;
  const compiled = await compileLooking(state, call, JSON.stringify(['look', logits, totalsOf]), (network) => lookingGraph(network, logits, totalsOf));
  const { pictures, take } = feeder(compiled.model, call);
  const outputs = [...new Set([compiled.logits, compiled.totals].filter((name) => name !== null))];
  const parts: ReadonlyMap<string, Data>[] = [];
  // Parts of one size: a remainder of a few would cost as much for each picture as no batch at all.
  const together = Math.ceil(pictures / Math.ceil(pictures / compiled.batch));
  for (let start = 0; start < pictures; start += together) {
    signal.throwIfAborted();
    parts.push(await compiled.session.run(new Map([[compiled.model.imageInput, take(start, Math.min(pictures, start + together))]]), outputs, signal));
  }
  const joined = (name: string | null) => (name === null ? null : concatenated(parts.map((part) => part.get(name)!.data as Float32Array)));
  return { logits: joined(compiled.logits), totals: joined(compiled.totals) };
}

/** A layer's whole maps on one picture, `[C, H, W]`. */
export async function maps(state: WorkerState, { pixels, layer, ...network }: MapsCall, signal: AbortSignal): Promise<Float32Array> {
  const compiled = await compileLooking(state, network, JSON.stringify(['maps', layer]), (graph) => ({ graph: truncate(graph, [layer]), logits: null, totals: layer }));
  const { take } = feeder(compiled.model, { ...network, pictures: { kind: 'pixels', pixels, count: 1 } });
  return (await compiled.session.run(new Map([[compiled.model.imageInput, take(0, 1)]]), [layer], signal)).get(layer)!.data as Float32Array;
}

export async function gradients(state: WorkerState, call: GradientCall, signal: AbortSignal): Promise<Gradients> {
  const projecting = { ...call, seed: 'one', control: 'none', belowActivation: call.beneath } as const;
  const plan = await planProjection(state, projecting);
  const compiled = await compileWhole(state, projecting);
  const [channels, rows, columns] = plan.layerSize;
  checkObjective(call, channels, rows, columns);
  const { pictures, take } = feeder(plan.model, { ...call, pictures: { kind: 'values', values: call.values, count: call.count } });
  const together = Math.max(1, Math.min(compiled.images, compiled.units));
  const found: Gradients[] = [];
  for (let start = 0; start < pictures; start += together) {
    signal.throwIfAborted();
    found.push(await gradientsOf(compiled, call.objective, take(start, Math.min(pictures, start + together)), channels, rows * columns, columns, signal));
  }
  const joined = (part: 'objective' | 'score' | 'gradient') => concatenated(found.map((each) => each[part]));
  const isOfClass = call.objective.kind === 'class' || call.objective.kind === 'logProbability';
  return { objective: joined('objective'), score: joined('score'), gradient: joined('gradient'), logits: isOfClass ? concatenated(found.map((each) => each.logits!)) : null };
}

async function gradientsOf({ names, forward, backward, saved }: CompiledWhole, objective: LabObjective, image: Data, channels: number, area: number, columns: number, signal: AbortSignal): Promise<Gradients> {
  const fetched = saved.map(({ name }) => name).filter((name) => name !== names.image);
  const made = await forward.run(new Map([[names.image, image]]), [...new Set([names.start, ...fetched])], signal);
  const start = made.get(names.start)!;
  const values = start.data as Float32Array;
  const count = start.shape[0]!;
  const seed = new Float32Array(values.length);
  const results = Array.from({ length: count }, (_, at) => seedOf(objective, values.subarray(at * channels * area, (at + 1) * channels * area), seed.subarray(at * channels * area, (at + 1) * channels * area), area, columns));
  const feeds = new Map<string, Data>([[names.seed, { shape: start.shape, data: seed }], ...saved.map(({ name }) => [name, made.get(name) ?? image] as const)]);
  const gradient = (await backward.run(feeds, [names.projection], signal)).get(names.projection)!.data as Float32Array;
  return { objective: Float32Array.from(results, (each) => each.objective), score: Float32Array.from(results, (each) => each.score), gradient, logits: values };
}

/** Writes the derivative of the objective by the layer's values into `seed`, and tells the objective. */
function seedOf(objective: LabObjective, values: Float32Array, seed: Float32Array, area: number, columns: number): { readonly objective: number; readonly score: number } {
  switch (objective.kind) {
    case 'class':
      seed[objective.index] = 1;
      return { objective: values[objective.index]!, score: values[objective.index]! };
    case 'logProbability': {
      const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
      const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
      for (let at = 0; at < values.length; at++) seed[at] = -Math.exp(values[at]! - largest) / total;
      seed[objective.index]! += 1;
      return { objective: values[objective.index]! - largest - Math.log(total), score: values[objective.index]! };
    }
    case 'channel': {
      const map = values.subarray(objective.channel * area, (objective.channel + 1) * area);
      seed.fill(1 / area, objective.channel * area, (objective.channel + 1) * area);
      return { objective: map.reduce((sum, value) => sum + value, 0) / area, score: map.reduce((most, value) => Math.max(most, value), -Infinity) };
    }
    case 'unit': {
      const at = objective.channel * area + objective.y * columns + objective.x;
      seed[at] = 1;
      const map = values.subarray(objective.channel * area, (objective.channel + 1) * area);
      return { objective: values[at]!, score: map.reduce((most, value) => Math.max(most, value), -Infinity) };
    }
  }
}

function checkObjective({ layer, objective }: GradientCall, channels: number, rows: number, columns: number): void {
  if (objective.kind === 'class' || objective.kind === 'logProbability') {
    if (objective.index < channels && rows * columns === 1) return;
    throw new AppError('NOT_FOUND', `The network has ${channels} classes, 0 to ${channels - 1}; there is no class ${objective.index}.`, { class: objective.index });
  }
  const [y, x] = objective.kind === 'unit' ? [objective.y, objective.x] : [0, 0];
  if (objective.channel < channels && y < rows && x < columns) return;
  throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer)} has ${channels} channels of ${rows} x ${columns}; there is no ${objective.kind === 'unit' ? `unit at channel ${objective.channel}, row ${y}, column ${x}` : `channel ${objective.channel}`}.`, { layer, channel: objective.channel });
}

async function compileLooking(state: WorkerState, { model: reference, preprocessing, placement }: LabNetwork, what: string, graphOf: (network: Model['graph']) => LookingGraph): Promise<CompiledLooking> {
  const key = JSON.stringify([what, reference.hash, preprocessing.crop, placement]);
  let compiled = state.lookings.get(key);
  if (!compiled) {
    const engine = await state.engines.engineAt(placement);
    const model = await state.model(reference, preprocessing.crop);
    const { graph, ...names } = graphOf(model.graph);
    compiled = { ...names, model: { ...model, graph: { ...withoutWeights(model.graph), nodes: [] } }, session: await engine.compile(graph, { alone: true }), batch: batchFor(graph, lookingBytes) };
    state.lookings.set(key, compiled);
  }
  return compiled;
}

interface Feeder {
  readonly pictures: number;
  /** Pictures `from` to `to` (not included) as network input; valid until the next are taken. */
  take(from: number, to: number): Data;
}

function feeder(model: Model, { preprocessing, pictures }: Pick<LabNetwork, 'preprocessing'> & { readonly pictures: LabPictures }): Feeder {
  checkChannels(model, preprocessing);
  const shape = model.graph.inputs.find((input) => input.name === model.imageInput)!.shape.slice(1) as number[];
  const size = elementCount(shape);
  if (pictures.kind === 'squares') return squaresFeeder(preprocessing, pictures, shape, size);
  const values = pictures.kind === 'values' ? pictures.values : normalizePixels(pictures.pixels, preprocessing, pictures.count);
  if (values.length !== pictures.count * size) throw new AppError('BAD_REQUEST', `A picture of ${values.length / pictures.count} values was given; the network takes ${shape.join(' x ')}.`);
  return { pictures: pictures.count, take: (from, to) => ({ shape: [to - from, ...shape], data: values.subarray(from * size, to * size) }) };
}

/** The colour goes through the same tables as the pixels, so that a square is what painting it into the picture would give. */
function squaresFeeder(preprocessing: Preprocessing, { pixels, boxes, colour }: Extract<LabPictures, { kind: 'squares' }>, shape: readonly number[], size: number): Feeder {
  const clean = normalizePixels(pixels, preprocessing, 1);
  const painted = normalizePixels(Uint8Array.from(colour), { ...preprocessing, crop: [1, 1] }, 1);
  let data = new Float32Array(0);
  let hidden: readonly Box[] = [];
  return {
    pictures: boxes.length,
    take(from, to) {
      if (data.length === (to - from) * size) hidden.forEach((box, at) => restoreBox(data.subarray(at * size, (at + 1) * size), clean, box, shape));
      else {
        data = new Float32Array((to - from) * size);
        for (let at = 0; at < to - from; at++) data.set(clean, at * size);
      }
      hidden = boxes.slice(from, to);
      hidden.forEach((box, at) => fillBox(data.subarray(at * size, (at + 1) * size), painted, box, shape));
      return { shape: [to - from, ...shape], data };
    },
  };
}

function fillBox(picture: Float32Array, colour: Float32Array, box: Box, shape: readonly number[]): void {
  eachRow(box, shape, (channel, from, to) => picture.fill(colour[channel]!, from, to));
}

function restoreBox(picture: Float32Array, clean: Float32Array, box: Box, shape: readonly number[]): void {
  eachRow(box, shape, (_, from, to) => picture.set(clean.subarray(from, to), from));
}

function eachRow([y0, x0, y1, x1]: Box, [channels, height, width]: readonly number[], visit: (channel: number, from: number, to: number) => void): void {
  for (let channel = 0; channel < channels!; channel++) {
    for (let y = y0; y < y1; y++) visit(channel, (channel * height! + y) * width! + x0, (channel * height! + y) * width! + x1);
  }
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
