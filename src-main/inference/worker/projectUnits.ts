/**
 * Projects units of given pictures: one forward pass and one walk down per group of units, each unit with its own picture in the batch (method.md
 * section 3). Where a unit sits at its activation's upper bound the walk starts at the activation's input, and the result says so.
 */
import { withBatch } from '../../graph/graph.ts';
import { projectionGraph, upperBoundOf } from '../../rewrite/backward/projectionGraph.ts';
import { withRandomWeights } from '../../rewrite/controls/randomWeights.ts';
import { AppError } from '../../../src-shared/errors.ts';
import type { Control, Seed } from '../../../src-shared/domain/projection.ts';
import { imageData, type CompiledProjection, type WorkerState } from './state.ts';
import type { ProjectedUnit, UnitOfImage, WorkerCalls } from './protocol.ts';

type Parameters = WorkerCalls['project'][0];

/** What one unit's channel holds at the layer (or below its activation), row-major. */
interface ChannelMap {
  readonly columns: number;
  readonly values: Float32Array;
}

interface Projected {
  readonly unit: Omit<ProjectedUnit, 'activation' | 'notes'>;
  readonly map: ChannelMap;
}

/** Units that go through the engine together; bounds memory on large layers. */
const groupSize = 9;
/** Of the random-weights control: fixed, so that a result can be found again. */
const randomWeightsSeed = 1;

export async function projectUnits(state: WorkerState, parameters: Parameters, signal: AbortSignal): Promise<readonly ProjectedUnit[]> {
  const model = await state.model(parameters.model, parameters.preprocessing.crop);
  const bound = upperBoundOf(model.graph, parameters.layer);
  const needsMaps = parameters.seed === 'value' || parameters.seed === 'map' || bound !== undefined;
  const results: ProjectedUnit[] = [];
  for (let start = 0; start < parameters.units.length; start += groupSize) {
    const group = parameters.units.slice(start, start + groupSize);
    const maps = needsMaps ? (await run(state, parameters, group, undefined, false, signal)).map(({ map }) => map) : undefined;
    const saturated = group.map((unit, index) => bound !== undefined && seeded(parameters.seed, unit, maps?.[index]).some((at) => maps![index]!.values[at]! >= bound));
    const projected: (ProjectedUnit | undefined)[] = group.map(() => undefined);
    for (const below of [false, true]) {
      const members = group.flatMap((_, index) => (saturated[index] === below ? [index] : []));
      if (members.length === 0) continue;
      const found = await run(state, parameters, members.map((index) => group[index]!), maps && members.map((index) => maps[index]!), below, signal);
      members.forEach((index, at) => {
        const unit = group[index]!;
        const { values, columns } = maps?.[index] ?? found[at]!.map;
        projected[index] = { ...found[at]!.unit, activation: values[unit.y * columns + unit.x]!, notes: notesOf(parameters, below ? bound : undefined) };
      });
    }
    results.push(...(projected as ProjectedUnit[]));
  }
  return results;
}

/** Positions of the channel map where the seed stands. */
function seeded(seed: Seed, unit: UnitOfImage, map: ChannelMap | undefined): readonly number[] {
  if (!map) return [];
  return seed === 'map' ? [...map.values.keys()] : [unit.y * map.columns + unit.x];
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

/** One pass forward and down. Without `maps` the seeds are ones: what is wanted then are the channel maps. */
async function run(state: WorkerState, parameters: Parameters, units: readonly UnitOfImage[], maps: readonly ChannelMap[] | undefined, belowActivation: boolean, signal: AbortSignal): Promise<readonly Projected[]> {
  const model = await state.model(parameters.model, parameters.preprocessing.crop);
  const { projection, session } = await compile(state, parameters, belowActivation);
  const [height, width] = parameters.preprocessing.crop;
  const pixels = new Uint8Array(units.length * height * width * 3);
  units.forEach((unit, index) => pixels.set(parameters.pictures[unit.picture]!, index * height * width * 3));

  const seedShape = withBatch(projection.graph.values.get(projection.seed)!.shape, units.length);
  const [, channels, rows = 1, columns = 1] = seedShape;
  if (parameters.seed === 'logit' && rows * columns > 1) {
    throw new AppError('BAD_REQUEST', `The seed "logit" stands for the score of a class; the channels of ${JSON.stringify(parameters.layer)} are maps of ${rows} x ${columns}. Choose a fully connected layer, or the seed "one" or "map".`, { layer: parameters.layer, seed: 'logit' });
  }
  const planes = units.map((unit, index) => {
    if (unit.channel >= channels! || unit.y >= rows || unit.x >= columns) {
      throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(parameters.layer)} has ${channels} channels of ${rows} x ${columns}; there is no unit at channel ${unit.channel}, row ${unit.y}, column ${unit.x}.`, { layer: parameters.layer, channel: unit.channel });
    }
    const start = (index * channels! + unit.channel) * rows * columns;
    return [start, start + rows * columns] as const;
  });
  const seed = new Float32Array(units.length * channels! * rows * columns);
  units.forEach((unit, index) => {
    const at = unit.y * columns + unit.x;
    const map = maps?.[index]?.values;
    if (parameters.seed === 'map' && map) seed.set(map, planes[index]![0]);
    else seed[planes[index]![0] + at] = parameters.seed === 'value' && map ? map[at]! : 1;
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
  return planes.map((plane, index) => ({
    unit: { projection: pictures.slice(index * size, (index + 1) * size), rectified: projection.rectified },
    map: { columns, values: activations.slice(...plane) },
  }));
}

async function compile(state: WorkerState, { model: reference, layer, method, control, placement, preprocessing }: Parameters, belowActivation: boolean): Promise<CompiledProjection> {
  const key = JSON.stringify([reference.hash, preprocessing.crop, layer, method, control, placement, belowActivation]);
  let compiled = state.projections.get(key);
  if (!compiled) {
    const model = await state.model(reference, preprocessing.crop);
    const engine = await state.engines.engineAt(placement);
    const network = control === 'randomWeights' ? withRandomWeights(model.graph, randomWeightsSeed) : model.graph;
    const projection = projectionGraph(network, model.imageInput, layer, method, { belowActivation, ...(control === 'centreSwitches' ? { unpool: 'centre' } : {}) });
    compiled = { projection, session: await engine.compile(projection.graph) };
    state.projections.set(key, compiled);
  }
  return compiled;
}
