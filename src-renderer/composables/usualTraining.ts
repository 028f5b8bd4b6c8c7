/** With what an experiment trains where nobody says otherwise: the run that the index's network came from, else the recipe for small data of the training form. Pure. */
import type { TrainingEntry, TrainingRecipe } from '../api/records.ts';

type Architecture = TrainingEntry['architecture'];

export interface UsualTraining {
  readonly architecture: Architecture;
  readonly recipe: TrainingRecipe;
  readonly imagesPath: string | null;
}

/** Many networks are trained one after another, so each gets fewer epochs than a run of its own. */
export const usualEpochs = 8;

const smallArchitecture: Architecture = { kind: 'zfnet', width: 0.25, input: 96, units: 256 };
const smallRecipe: TrainingRecipe = {
  epochs: usualEpochs, checkpoints: [], batch: 32, learningRate: 0.005, patience: 12, momentum: 0.9, weightDecay: 0.001, dropout: 0.3, initialisation: 'he', inputDeviation: 12, filterRms: null,
  randomCrops: true, flips: true, mean: 'pixel', validation: 0.2, finetune: false, checkpointPrecision: 'float32', seed: 1,
};

/** @param index whose network is meant; null: the newest run counts */
export function usualTraining(runs: readonly TrainingEntry[], index: string | null): UsualTraining {
  const run = runs.find(({ indexes }) => index !== null && Object.values(indexes).includes(index)) ?? runs[0];
  if (!run || run.recipe.finetune) return { architecture: smallArchitecture, recipe: smallRecipe, imagesPath: run?.imagesPath ?? null };
  return { architecture: run.architecture, recipe: { ...run.recipe, epochs: Math.min(usualEpochs, run.recipe.epochs), checkpoints: [] }, imagesPath: run.imagesPath };
}
