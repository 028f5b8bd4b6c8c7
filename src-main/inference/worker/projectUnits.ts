/**
 * Projects units of given pictures: one forward pass and one walk down per group of units, each unit with its own picture in the batch (method.md
 * section 3). Where a unit sits at its activation's upper bound the walk starts at the activation's input, and the result says so.
 */
import { withBatch } from '../../graph/graph.ts';
import { projectionGraph, upperBoundOf } from '../../rewrite/backward/projectionGraph.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { imageData, type CompiledProjection, type WorkerState } from './state.ts';
import type { ProjectedUnit, UnitOfImage, WorkerCalls } from './protocol.ts';

type Parameters = WorkerCalls['project'][0];

/** Units that go through the engine together; bounds memory on large layers. */
const groupSize = 9;

export async function projectUnits(state: WorkerState, parameters: Parameters, signal: AbortSignal): Promise<readonly ProjectedUnit[]> {
  const model = await state.model(parameters.model, parameters.preprocessing.crop);
  const bound = upperBoundOf(model.graph, parameters.layer);
  const results: ProjectedUnit[] = [];
  for (let start = 0; start < parameters.units.length; start += groupSize) {
    const group = parameters.units.slice(start, start + groupSize);
    const needsActivations = parameters.seed === 'value' || bound !== undefined;
    const activations = needsActivations ? await run(state, parameters, group, undefined, false, signal).then((units) => units.map((unit) => unit.activation)) : undefined;
    const seeds = group.map((_, index) => (parameters.seed === 'value' ? activations![index]! : 1));
    const saturated = group.map((_, index) => bound !== undefined && activations![index]! >= bound);
    const projected: (ProjectedUnit | undefined)[] = group.map(() => undefined);
    for (const below of [false, true]) {
      const members = group.flatMap((_, index) => (saturated[index] === below ? [index] : []));
      if (members.length === 0) continue;
      const units = await run(state, parameters, members.map((index) => group[index]!), members.map((index) => seeds[index]!), below, signal);
      members.forEach((index, at) => {
        const notes = below ? [`The unit sits at its activation's upper bound (${bound}); the walk starts at the activation's input.`] : [];
        projected[index] = { ...units[at]!, activation: activations?.[index] ?? units[at]!.activation, notes };
      });
    }
    results.push(...(projected as ProjectedUnit[]));
  }
  return results;
}

async function run(state: WorkerState, parameters: Parameters, units: readonly UnitOfImage[], seeds: readonly number[] | undefined, belowActivation: boolean, signal: AbortSignal): Promise<readonly ProjectedUnit[]> {
  const model = await state.model(parameters.model, parameters.preprocessing.crop);
  const { projection, session } = await compile(state, parameters, belowActivation);
  const [height, width] = parameters.preprocessing.crop;
  const pixels = new Uint8Array(units.length * height * width * 3);
  units.forEach((unit, index) => pixels.set(parameters.pictures[unit.picture]!, index * height * width * 3));

  const seedShape = withBatch(projection.graph.values.get(projection.seed)!.shape, units.length);
  const [, channels, rows = 1, columns = 1] = seedShape;
  const perUnit = channels! * rows * columns;
  const offsets = units.map((unit, index) => {
    if (unit.channel >= channels! || unit.y >= rows || unit.x >= columns) {
      throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(parameters.layer)} has ${channels} channels of ${rows} x ${columns}; there is no unit at channel ${unit.channel}, row ${unit.y}, column ${unit.x}.`, { layer: parameters.layer, channel: unit.channel });
    }
    return index * perUnit + (unit.channel * rows + unit.y) * columns + unit.x;
  });
  const seed = new Float32Array(units.length * perUnit);
  offsets.forEach((offset, index) => (seed[offset] = seeds?.[index] ?? 1));

  const image = imageData(model, parameters.preprocessing, pixels, units.length);
  const results = await session.run(
    new Map([[projection.image, image], [projection.seed, { shape: seedShape, data: seed }]]),
    [projection.projection, projection.start],
    signal,
  );
  const pictures = results.get(projection.projection)!.data as Float32Array;
  const activations = results.get(projection.start)!.data as Float32Array;
  const size = pictures.length / units.length;
  return units.map((_, index) => ({
    projection: pictures.slice(index * size, (index + 1) * size),
    activation: activations[offsets[index]!]!,
    rectified: projection.rectified,
    notes: [],
  }));
}

async function compile(state: WorkerState, { model: reference, layer, method, placement, preprocessing }: Parameters, belowActivation: boolean): Promise<CompiledProjection> {
  const key = JSON.stringify([reference.hash, preprocessing.crop, layer, method, placement, belowActivation]);
  let compiled = state.projections.get(key);
  if (!compiled) {
    const model = await state.model(reference, preprocessing.crop);
    const engine = await state.engines.engineAt(placement);
    const projection = projectionGraph(model.graph, model.imageInput, layer, method, { belowActivation });
    compiled = { projection, session: await engine.compile(projection.graph) };
    state.projections.set(key, compiled);
  }
  return compiled;
}
