/** A training's network and recipe as a person reads them, with the words of the training form. Pure. */
import type { TrainingEntry, TrainingRecipe } from '../api/records.ts';
import { scoreText } from './useFormat.ts';

type Translate = (key: string, values?: Record<string, string | number>) => string;

/** "ZFNet · width 0.25 · 96 × 96", or the path of its file. */
export function networkWords(architecture: TrainingEntry['architecture'], t: Translate): string {
  if (architecture.kind === 'file') return architecture.path;
  return [t(`training.architecture.${architecture.kind}`), t('training.facts.widthIs', { n: architecture.width }), `${architecture.input} × ${architecture.input}`].join(' · ');
}

/** Name and value of each setting that shapes the weights. */
export function recipeRows(recipe: TrainingRecipe, t: Translate): readonly (readonly [name: string, value: string])[] {
  return [
    [t('training.field.batch'), String(recipe.batch)],
    [t('training.field.learningRate'), scoreText(recipe.learningRate)],
    [t('training.field.patience'), String(recipe.patience)],
    [t('training.field.momentum'), scoreText(recipe.momentum)],
    [t('training.field.weightDecay'), scoreText(recipe.weightDecay)],
    [t('training.field.dropout'), scoreText(recipe.dropout)],
    [t('training.field.filterRms'), recipe.filterRms === null ? t('training.none') : scoreText(recipe.filterRms)],
    [t('training.initialisation.label'), t(`training.initialisation.${recipe.initialisation}`)],
    ...(recipe.initialisation === 'he' ? [[t('training.field.inputDeviation'), scoreText(recipe.inputDeviation)] as const] : []),
    [t('training.mean.label'), t(`training.mean.${recipe.mean}`)],
    [t('training.field.seed'), String(recipe.seed)],
  ];
}
