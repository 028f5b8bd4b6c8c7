/**
 * Projects units of given pictures: one forward pass and one walk down per group of units, on their windows where that pays (windowUnits.ts), else on
 * the whole picture (method.md section 3). Where a unit sits at its activation's upper bound the walk starts at the activation's input, and the result says so.
 */
import { valueOf, withBatch, type Model } from '../../graph/graph.ts';
import { projectionGraph, rectifiedBy, upperBoundOf } from '../../rewrite/backward/projectionGraph.ts';
import { withRandomWeights } from '../../rewrite/controls/randomWeights.ts';
import { AppError } from '../../../src-shared/errors.ts';
import type { Control, Seed } from '../../../src-shared/domain/projection.ts';
import { imageData, type CompiledProjection, type WorkerState } from './state.ts';
import { compileWindow, runWindows } from './windowUnits.ts';
import type { ProjectedUnit, UnitOfImage, WorkerCalls } from './protocol.ts';

type Parameters = WorkerCalls['project'][0];

/** What one unit's channel holds at the layer (or below its activation), row-major from row `top` and column `left`: the whole map, or the unit alone. */
interface ChannelMap {
  readonly top: number;
  readonly left: number;
  readonly columns: number;
  readonly values: Float32Array;
}

interface Projected {
  readonly unit: Omit<ProjectedUnit, 'activation' | 'notes'>;
  readonly map: ChannelMap;
}

/** Whole pictures that go through the engine together; bounds memory on large layers. */
const groupSize = 9;
/** Of the random-weights control: fixed, so that a result can be found again. */
const randomWeightsSeed = 1;

export async function projectUnits(state: WorkerState, parameters: Parameters, signal: AbortSignal): Promise<readonly ProjectedUnit[]> {
  const model = await state.model(parameters.model, parameters.preprocessing.crop);
  checkUnits(model, parameters);
  const { units, seed } = parameters;
  const bound = upperBoundOf(model.graph, parameters.layer);
  const needsMaps = seed === 'value' || seed === 'map' || bound !== undefined;
  const first = needsMaps ? await run(state, parameters, units, undefined, false, signal) : undefined;
  const maps = first?.map(({ map }) => map);
  // The first run had ones at the units: where that is the seed, it is the answer already.
  const isAnswered = first !== undefined && (seed === 'one' || seed === 'logit');
  const saturated = units.map((unit, index) => bound !== undefined && seeded(seed, unit, maps![index]!).some((at) => maps![index]!.values[at]! >= bound));
  const results: (ProjectedUnit | undefined)[] = units.map(() => undefined);
  for (const below of [false, true]) {
    const members = units.flatMap((_, index) => (saturated[index] === below ? [index] : []));
    if (members.length === 0) continue;
    const found = isAnswered && !below ? members.map((index) => first[index]!) : await run(state, parameters, members.map((index) => units[index]!), maps && members.map((index) => maps[index]!), below, signal);
    members.forEach((index, at) => {
      const map = maps?.[index] ?? found[at]!.map;
      results[index] = { ...found[at]!.unit, activation: map.values[place(units[index]!, map)]!, notes: notesOf(parameters, below ? bound : undefined) };
    });
  }
  return results as ProjectedUnit[];
}

function place(unit: UnitOfImage, { top, left, columns }: ChannelMap): number {
  return (unit.y - top) * columns + unit.x - left;
}

/** Positions of the channel map where the seed stands. */
function seeded(seed: Seed, unit: UnitOfImage, map: ChannelMap): readonly number[] {
  return seed === 'map' ? [...map.values.keys()] : [place(unit, map)];
}

function checkUnits(model: Model, { layer, seed, units }: Parameters): void {
  const [, channels, rows = 1, columns = 1] = valueOf(model.graph, layer).shape as number[];
  if (seed === 'logit' && rows * columns > 1) {
    throw new AppError('BAD_REQUEST', `The seed "logit" stands for the score of a class; the channels of ${JSON.stringify(layer)} are maps of ${rows} x ${columns}. Choose a fully connected layer, or the seed "one" or "map".`, { layer, seed: 'logit' });
  }
  for (const unit of units) {
    if (unit.channel < channels! && unit.y < rows && unit.x < columns) continue;
    throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer)} has ${channels} channels of ${rows} x ${columns}; there is no unit at channel ${unit.channel}, row ${unit.y}, column ${unit.x}.`, { layer, channel: unit.channel });
  }
}

const controlNotes: Readonly<Record<Control, string | undefined>> = {
  none: undefined,
  randomWeights: `Control: the weights are random (seed ${randomWeightsSeed}), of the same shapes, means and deviations. This is not what the network learned.`,
  centreSwitches: "Control: unpooled to the centre of each window, without this image's switches.",
};

function notesOf({ seed, control }: Parameters, passedBound: number | undefined): readonly string[] {
  const start = seed === 'map' ? 'Some of the map sits' : 'The unit sits';
  return [
    seed === 'map' ? "The seed is the whole map of the channel, so the picture reaches beyond one unit's receptive field." : undefined,
    passedBound === undefined ? undefined : `${start} at its activation's upper bound (${passedBound}); the walk starts at the activation's input.`,
    controlNotes[control],
  ].filter((note) => note !== undefined);
}

/** Forward and down for all units. Without `maps` the seeds are ones: what is wanted then are the channel maps. */
async function run(state: WorkerState, parameters: Parameters, units: readonly UnitOfImage[], maps: readonly ChannelMap[] | undefined, belowActivation: boolean, signal: AbortSignal): Promise<readonly Projected[]> {
  const model = await state.model(parameters.model, parameters.preprocessing.crop);
  const compiled = await compile(state, parameters, belowActivation);
  const worth = (index: number) => (parameters.seed === 'value' && maps ? maps[index]!.values[place(units[index]!, maps[index]!)]! : 1);
  if (compiled.kind === 'window') {
    const images = parameters.pictures.map((pixels) => imageData(model, parameters.preprocessing, pixels, 1));
    const [, channels, height, width] = images[0]!.shape as [number, number, number, number];
    const windowUnits = units.map((unit, index) => ({ ...unit, image: images[unit.picture]!.data as Float32Array, seed: worth(index) }));
    const found = await runWindows(compiled.window, windowUnits, [channels, height, width], signal);
    return found.map(({ values, box, activation }, index) => ({
      unit: { values, box, rectified: compiled.rectified },
      map: { top: units[index]!.y, left: units[index]!.x, columns: 1, values: Float32Array.of(activation) },
    }));
  }
  const results: Projected[] = [];
  for (let start = 0; start < units.length; start += groupSize) {
    const group = units.slice(start, start + groupSize);
    const seeds = group.map((_, at) => (parameters.seed === 'map' && maps ? maps[start + at]!.values : worth(start + at)));
    results.push(...(await runWhole(model, parameters, compiled, group, seeds, signal)));
  }
  return results;
}

/** One group on whole pictures; a seed is a value at the unit, or the whole map of its channel. */
async function runWhole(model: Model, parameters: Parameters, { projection, session, rectified }: CompiledProjection & { kind: 'whole' }, units: readonly UnitOfImage[], seeds: readonly (number | Float32Array)[], signal: AbortSignal): Promise<readonly Projected[]> {
  const [height, width] = parameters.preprocessing.crop;
  const pixels = new Uint8Array(units.length * height * width * 3);
  units.forEach((unit, index) => pixels.set(parameters.pictures[unit.picture]!, index * height * width * 3));

  const seedShape = withBatch(projection.graph.values.get(projection.seed)!.shape, units.length);
  const [, channels, rows = 1, columns = 1] = seedShape;
  const starts = units.map((unit, index) => (index * channels! + unit.channel) * rows * columns);
  const seed = new Float32Array(units.length * channels! * rows * columns);
  units.forEach((unit, index) => {
    const value = seeds[index]!;
    if (typeof value === 'number') seed[starts[index]! + unit.y * columns + unit.x] = value;
    else seed.set(value, starts[index]!);
  });

  const image = imageData(model, parameters.preprocessing, pixels, units.length);
  const results = await session.run(
    new Map([[projection.image, image], [projection.seed, { shape: seedShape, data: seed }]]),
    [projection.projection, projection.start],
    signal,
  );
  const pictures = results.get(projection.projection)!.data as Float32Array;
  const activations = results.get(projection.start)!.data as Float32Array;
  const size = pictures.length / units.length;
  return starts.map((start, index) => ({
    unit: { values: pictures.slice(index * size, (index + 1) * size), box: [0, 0, height, width], rectified },
    map: { top: 0, left: 0, columns, values: activations.slice(start, start + rows * columns) },
  }));
}

async function compile(state: WorkerState, { model: reference, layer, method, seed, control, placement, preprocessing }: Parameters, belowActivation: boolean): Promise<CompiledProjection> {
  // A whole map reaches beyond one window; a pool's centre is the centre of the real window, borders and all.
  const onWindow = seed !== 'map' && control !== 'centreSwitches';
  const key = JSON.stringify([reference.hash, preprocessing.crop, layer, method, control, placement, belowActivation, onWindow]);
  let compiled = state.projections.get(key);
  if (!compiled) {
    const model = await state.model(reference, preprocessing.crop);
    const engine = await state.engines.engineAt(placement);
    const network = control === 'randomWeights' ? withRandomWeights(model.graph, randomWeightsSeed) : model.graph;
    const rectified = rectifiedBy(network, model.imageInput, layer, method, belowActivation);
    const window = onWindow ? await compileWindow(engine, network, model.imageInput, layer, method, { belowActivation }) : undefined;
    if (window) compiled = { kind: 'window', window, session: window.session, rectified };
    else {
      const projection = projectionGraph(network, model.imageInput, layer, method, { belowActivation, ...(control === 'centreSwitches' ? { unpool: 'centre' } : {}) });
      compiled = { kind: 'whole', projection, session: await engine.compile(projection.graph), rectified };
    }
    state.projections.set(key, compiled);
  }
  return compiled;
}
