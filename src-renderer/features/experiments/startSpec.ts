/** The settings that a form begins with before the core has filled in what is usual. Pure. */
import type { ExperimentSpec } from '../../api/records.ts';
import type { UsualTraining } from '../../composables/usualTraining.ts';

const penalties = [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100];

/** Null where it needs an index and there is none, and for class evidence, which has no form. */
export function emptySpec(kind: ExperimentSpec['kind'], index: string | null, { architecture, recipe, imagesPath }: UsualTraining): ExperimentSpec | null {
  if (kind === 'ablation') return { kind, architecture, recipe, imagesPath: imagesPath ?? '', variants: [], engine: 'auto', device: 'auto' };
  if (index === null || kind === 'evidence') return null;
  const bare: Readonly<Record<Exclude<ExperimentSpec['kind'], 'ablation' | 'evidence'>, ExperimentSpec>> = {
    error: { kind: 'error', index, others: [], views: ['centre', 'ten'] },
    invariance: { kind: 'invariance', index, scale: { from: 1, to: 1.8, step: 0.05 }, rotation: { from: 0, to: 350, step: 10 } },
    correspondence: { kind: 'correspondence', index, random: 10, tolerance: 1e-6, seed: 1 },
    features: { kind: 'features', index, pool: 'mean', classifiers: ['svm', 'softmax'], folds: 5, penalties, seed: 1 },
    generalise: { kind: 'generalise', index, pool: 'mean', perClass: [15, 30, 45, 60], testPerClass: 50, folds: 3, penalties, scratch: null, seed: 1 },
  };
  return bare[kind];
}
