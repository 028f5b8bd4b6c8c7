/** What a series' record says, as the views show it. Pure. */
import type { EvolutionCell, EvolutionSeries } from '../../api/records.ts';

type Checkpoint = EvolutionSeries['checkpoints'][number];

/** Changes whenever the hits of any checkpoint may have. */
export function versionOf(series: EvolutionSeries): string {
  return series.checkpoints.map(({ index, state, indexed, numbering }) => `${index}:${state}:${indexed}:${numbering}`).join(' ');
}

/** How much of all checkpoints' images is indexed, 0..1. */
export function shareDone({ checkpoints }: Pick<EvolutionSeries, 'checkpoints'>): number {
  const parts = checkpoints.map(({ state, indexed, images }) => (state === 'complete' ? 1 : images > 0 ? indexed / images : 0));
  return parts.reduce((sum, part) => sum + part, 0) / Math.max(1, parts.length);
}

/** The checkpoint that is shown where the address names none: the last with an index that has begun. */
export function firstShown(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  return checkpoints.findLast(({ index, state }) => index !== null && state !== 'empty') ?? checkpoints.at(-1);
}

/** Epochs at which the channel turned to something else. */
export function suddenEpochs(cells: readonly EvolutionCell[]): readonly number[] {
  return cells.flatMap((cell) => (cell.kind === 'hit' && cell.change === 'sudden' ? [cell.epoch] : []));
}
