/**
 * Projects units of given pictures: on their windows (windowUnits.ts), or whole, each picture forward once (wholeUnits.ts), whichever is less work (method.md
 * section 3). Where a unit sits at its activation's upper bound the walk starts at the activation's input, and the result says so.
 */
import type { Box } from '../../../src-shared/domain/geometry.ts';
import type { Control, Seed } from '../../../src-shared/domain/projection.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { compileProjection, planProjection, randomWeightsSeed, type ProjectionPlan } from './compileProjection.ts';
import type { ProjectedUnit, UnitOfImage, WorkerCalls } from './protocol.ts';
import { checkChannels, type WorkerState } from './state.ts';
import { runWhole } from './wholeUnits.ts';
import { runWindows } from './windowUnits.ts';

type Parameters = WorkerCalls['project'][0];

/** What one unit's channel holds at the layer (or below its activation), row-major from row `top` and column `left`: the whole map, or the unit alone. */
interface ChannelMap {
  readonly top: number;
  readonly left: number;
  readonly columns: number;
  readonly values: Float32Array;
}

interface Projected {
  readonly values: Float32Array;
  readonly box: Box;
  readonly map: ChannelMap;
}

/** Any number of units, of pictures in any order; those that share a picture share its forward pass where that is less work. Order of the results: of the units. */
export async function projectUnits(state: WorkerState, parameters: Parameters, signal: AbortSignal): Promise<readonly ProjectedUnit[]> {
  const { units, seed } = parameters;
  const plan = await planProjection(state, { ...parameters, belowActivation: false });
  checkUnits(plan, parameters);
  checkChannels(plan.model, parameters.preprocessing);
  const found = await run(state, parameters, plan, units, undefined, signal);
  const notes = notesOf(parameters, undefined);
  const results = found.map(({ values, box, map }, index): ProjectedUnit => ({ values, box, activation: map.values[place(units[index]!, map)]!, rectified: plan.rectified, notes }));

  const { bound } = plan;
  if (bound === undefined) return results;
  const saturated = units.flatMap((unit, index) => (seeded(seed, unit, found[index]!.map).some((at) => found[index]!.map.values[at]! >= bound) ? [index] : []));
  if (saturated.length === 0) return results;
  const below = await planProjection(state, { ...parameters, belowActivation: true });
  const again = await run(state, parameters, below, saturated.map((index) => units[index]!), saturated.map((index) => found[index]!.map), signal);
  for (const [at, index] of saturated.entries()) {
    const { values, box } = again[at]!;
    results[index] = { ...results[index]!, values, box, rectified: below.rectified, notes: notesOf(parameters, bound) };
  }
  return results;
}

function place(unit: UnitOfImage, { top, left, columns }: ChannelMap): number {
  return (unit.y - top) * columns + unit.x - left;
}

/** Positions of the channel map where the seed stands. */
function seeded(seed: Seed, unit: UnitOfImage, map: ChannelMap): readonly number[] {
  return seed === 'map' ? [...map.values.keys()] : [place(unit, map)];
}

/**
 * Forward and down for all units. `maps`: what their channels hold at the layer, for a walk that starts below its activation; found by the forward pass
 * where absent.
 */
async function run(state: WorkerState, parameters: Parameters, plan: ProjectionPlan, units: readonly UnitOfImage[], maps: readonly ChannelMap[] | undefined, signal: AbortSignal): Promise<readonly Projected[]> {
  const { seed } = parameters;
  const images = new Set(units.map((unit) => unit.picture)).size;
  const compiled = await compileProjection(state, plan, { ...parameters, belowActivation: maps !== undefined }, units.length, images);
  if (compiled.kind === 'window') {
    const onWindows = (worth: (index: number) => number) => runWindows(compiled, plan, parameters, units, worth, signal);
    let found = await onWindows((index) => (seed === 'value' && maps ? maps[index]!.values[place(units[index]!, maps[index]!)]! : 1));
    if (seed === 'value' && !maps) {
      const first = found;
      found = await onWindows((index) => first[index]!.activation);
    }
    return found.map(({ values, box, activation }, index) => ({ values, box, map: { top: units[index]!.y, left: units[index]!.x, columns: 1, values: Float32Array.of(activation) } }));
  }
  const [, height, width] = plan.imageSize;
  const box: Box = [0, 0, height, width];
  const whole = (values: Float32Array): ChannelMap => ({ top: 0, left: 0, columns: plan.layerSize[2], values });
  const found = await runWhole(compiled, plan, parameters, units, (index, own) => {
    const map = maps?.[index] ?? whole(own);
    if (seed === 'map') return map.values;
    return seed === 'value' ? map.values[place(units[index]!, map)]! : 1;
  }, signal);
  return found.map(({ values, map }) => ({ values, box, map: whole(map) }));
}

function checkUnits({ layerSize: [channels, rows, columns] }: ProjectionPlan, { layer, seed, units }: Parameters): void {
  if (seed === 'logit' && rows * columns > 1) {
    throw new AppError('BAD_REQUEST', `The seed "logit" stands for the score of a class; the channels of ${JSON.stringify(layer)} are maps of ${rows} x ${columns}. Choose a fully connected layer, or the seed "one" or "map".`, { layer, seed: 'logit' });
  }
  for (const unit of units) {
    if (unit.channel < channels && unit.y < rows && unit.x < columns) continue;
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
