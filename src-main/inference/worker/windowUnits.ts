/**
 * Projects units on their windows: forward and down on the receptive field alone, units of any picture and position in one batch (rewrite/window). On
 * low layers this is hundreds of times less work than the whole image, so little that what is done here for each unit counts: buffers are used again,
 * pictures are normalised window by window, and results are views of what the engine returned.
 */
import type { Box } from '../../../src-shared/domain/geometry.ts';
import { createWindowCutter } from '../../dataset/normalize.ts';
import { createWindowFeeder, placeOf } from '../../rewrite/window/feeds.ts';
import type { CompiledWindow, ProjectionPlan } from './compileProjection.ts';
import type { UnitOfImage, WorkerCalls } from './protocol.ts';

export interface WindowResult {
  /** A view of a batch's result where nothing of the window lies outside the image. */
  readonly values: Float32Array;
  readonly box: Box;
  readonly activation: number;
}

/** `worth`: what each unit's seed is, by its place among the units. The signal is looked at between batches. */
export async function runWindows(
  { frame, names, session, batch }: CompiledWindow,
  { imageSize, layerSize: [channels] }: ProjectionPlan,
  { preprocessing, pictures }: Pick<WorkerCalls['project'][0], 'preprocessing' | 'pictures'>,
  units: readonly UnitOfImage[],
  worth: (index: number) => number,
  signal: AbortSignal,
): Promise<readonly WindowResult[]> {
  const cut = createWindowCutter(preprocessing);
  const size = Math.min(batch, units.length);
  const feeder = createWindowFeeder<UnitOfImage>(frame, imageSize, size, (unit, ...place) => cut(pictures[unit.picture]!, ...place));
  const seeds = new Float32Array(size * channels);
  const results: WindowResult[] = [];
  for (let start = 0; start < units.length; start += batch) {
    const group = units.slice(start, start + batch);
    const seed = seeds.subarray(0, group.length * channels).fill(0);
    for (const [index, { channel }] of group.entries()) seed[index * channels + channel] = worth(start + index);
    const feeds = feeder.fill(group).set(names.seed, { shape: [group.length, channels, 1, 1], data: seed });
    const found = await session.run(feeds, [names.projection, names.start], signal);
    const projected = found.get(names.projection)!.data as Float32Array;
    const activations = found.get(names.start)!.data as Float32Array;
    for (const [index, unit] of group.entries()) {
      const { box, part } = placeOf(frame, projected, index, unit, imageSize);
      results.push({ values: part, box, activation: activations[index * channels + unit.channel]! });
    }
  }
  return results;
}
