/** The experiments in the order of the paper, with what each needs and what of the paper it is. Pure. */
import type { ExperimentKind } from '../../../src-shared/domain/experiments.ts';

export interface Study {
  readonly kind: ExperimentKind;
  /** Figure or table of the paper; null for what the paper has not got. */
  readonly paper: { readonly kind: 'figure' | 'table' | 'tables'; readonly numbers: string } | null;
  /** Keys of `experiments.need`, for the list. */
  readonly needs: readonly ('index' | 'labels' | 'parts' | 'matrix' | 'images' | 'time')[];
}

export const studies: readonly Study[] = [
  { kind: 'invariance', paper: { kind: 'figure', numbers: '5' }, needs: ['index'] },
  { kind: 'correspondence', paper: { kind: 'table', numbers: '1' }, needs: ['index', 'parts'] },
  { kind: 'error', paper: { kind: 'table', numbers: '2' }, needs: ['index', 'labels'] },
  { kind: 'ablation', paper: { kind: 'table', numbers: '3' }, needs: ['images', 'time'] },
  { kind: 'generalise', paper: { kind: 'tables', numbers: '4–6' }, needs: ['index', 'labels'] },
  { kind: 'features', paper: { kind: 'table', numbers: '7' }, needs: ['index', 'labels'] },
  { kind: 'evidence', paper: null, needs: ['matrix', 'labels'] },
];

export function studyOf(kind: ExperimentKind): Study {
  return studies.find((each) => each.kind === kind)!;
}
