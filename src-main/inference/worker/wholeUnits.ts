/**
 * Projects units on whole images: each image goes forward once, and what the way down reads of it (switches, masks) is handed to every one of its units. For
 * layers that see all or nearly all of the image.
 */
import { elementCount } from '../../graph/graph.ts';
import type { SavedValue } from '../../rewrite/backward/splitProjection.ts';
import type { Data } from '../engine.ts';
import type { CompiledWhole, ProjectionPlan } from './compileProjection.ts';
import type { UnitOfImage, WorkerCalls } from './protocol.ts';
import { imageData } from './state.ts';

export interface WholeResult {
  /** `[C, H, W]`, a view of a batch's result. */
  readonly values: Float32Array;
  /** The unit's channel at the start of the walk, row-major. */
  readonly map: Float32Array;
}

/** A seed is a value at the unit, or the whole map of its channel. */
export type SeedOf = (index: number, map: Float32Array) => number | Float32Array;

/** In the order of `units`, whatever order they are computed in: image by image. The signal is looked at between batches. */
export async function runWhole(compiled: CompiledWhole, plan: ProjectionPlan, { preprocessing, pictures }: Pick<WorkerCalls['project'][0], 'preprocessing' | 'pictures'>, units: readonly UnitOfImage[], seedOf: SeedOf, signal: AbortSignal): Promise<readonly WholeResult[]> {
  const byPicture = new Map<number, number[]>();
  for (const [index, { picture }] of units.entries()) {
    const members = byPicture.get(picture);
    if (members) members.push(index);
    else byPicture.set(picture, [index]);
  }
  const shown = [...byPicture.keys()];
  const results: WholeResult[] = new Array<WholeResult>(units.length);
  for (let start = 0; start < shown.length; start += compiled.images) {
    const group = shown.slice(start, start + compiled.images);
    const pixels = concatenated(group.map((picture) => pictures[picture]!));
    const image = imageData(plan.model, preprocessing, pixels, group.length);
    const fetched = compiled.saved.map(({ name }) => name).filter((name) => name !== compiled.names.image);
    const forward = new Map([...(await compiled.forward.run(new Map([[compiled.names.image, image]]), [...new Set([compiled.names.start, ...fetched])], signal)), [compiled.names.image, image]]);
    const members = group.flatMap((picture, slot) => byPicture.get(picture)!.map((index) => ({ index, slot })));
    for (let first = 0; first < members.length; first += compiled.units) {
      await runDown(compiled, plan, forward, group.length, members.slice(first, first + compiled.units), units, seedOf, results, signal);
    }
  }
  return results;
}

interface Member {
  /** Among all units. */
  readonly index: number;
  /** Its image's place in the forward batch. */
  readonly slot: number;
}

async function runDown({ names, saved, backward }: CompiledWhole, { layerSize: [channels, rows, columns] }: ProjectionPlan, forward: ReadonlyMap<string, Data>, images: number, members: readonly Member[], units: readonly UnitOfImage[], seedOf: SeedOf, results: WholeResult[], signal: AbortSignal): Promise<void> {
  const slots = members.map(({ slot }) => slot);
  const activations = forward.get(names.start)!;
  const area = rows * columns;
  const seed = new Float32Array(members.length * channels * area);
  const maps = members.map(({ index, slot }, at) => {
    const unit = units[index]!;
    const from = (slot * channels + unit.channel) * area;
    const map = (activations.data as Float32Array).slice(from, from + area);
    const value = seedOf(index, map);
    const to = (at * channels + unit.channel) * area;
    if (typeof value === 'number') seed[to + unit.y * columns + unit.x] = value;
    else seed.set(value, to);
    return map;
  });
  const feeds = new Map<string, Data>([[names.seed, { shape: [members.length, ...activations.shape.slice(1)], data: seed }]]);
  for (const value of saved) feeds.set(value.name, gathered(forward.get(value.name)!, value, images, slots));
  const found = (await backward.run(feeds, [names.projection], signal)).get(names.projection)!.data as Float32Array;
  const size = found.length / members.length;
  members.forEach(({ index }, at) => (results[index] = { values: found.subarray(at * size, (at + 1) * size), map: maps[at]! }));
}

/** For each unit its image's part of a saved value. As it is where every image has one unit, in order. */
function gathered(value: Data, { pointsInto }: SavedValue, images: number, slots: readonly number[]): Data {
  if (slots.length === images && slots.every((slot, at) => slot === at)) return value;
  const shape = [slots.length, ...value.shape.slice(1)];
  const size = elementCount(shape.slice(1));
  const data = new (value.data.constructor as Float32ArrayConstructor)(slots.length * size) as unknown as Data['data'];
  for (const [at, slot] of slots.entries()) (data as Float32Array).set((value.data as Float32Array).subarray(slot * size, (slot + 1) * size), at * size);
  if (pointsInto !== undefined) for (const [at, slot] of slots.entries()) move(data as BigInt64Array, at * size, size, (at - slot) * pointsInto);
  return { shape, data };
}

/** Adds to indices that fit in 32 bits before and after: their lower halves, as every platform that Switchback runs on is little-endian. */
function move(indices: BigInt64Array, from: number, count: number, by: number): void {
  if (by === 0) return;
  const halves = new Int32Array(indices.buffer, indices.byteOffset + from * 8, count * 2);
  for (let at = 0; at < halves.length; at += 2) halves[at] = halves[at]! + by;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts[0]!.length;
  const joined = new Uint8Array(parts.length * size);
  parts.forEach((part, at) => joined.set(part, at * size));
  return joined;
}
