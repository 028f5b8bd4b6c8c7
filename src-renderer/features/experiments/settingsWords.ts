/** The settings that a result was made with, as lines that a person reads, each in the words of the form that it was chosen in. Pure. */
import { networkWords, recipeRows } from '../../composables/recipeRows.ts';
import type { ExperimentSpec, SpecOf } from '../../api/records.ts';

type Translate = (key: string, values?: Record<string, string | number>) => string;

export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** Settings whose values are words of a list: where that list is in the locale. */
const lists: Readonly<Record<string, string>> = { views: 'experiments.error.view', pool: 'experiments.features.pool', classifiers: 'experiments.classifier', engine: 'engine', device: 'device' };

/** What is said elsewhere on the page (the kind, the network) is left out, as is what was left open. */
export function settingsOf(spec: ExperimentSpec, t: Translate): readonly Setting[] {
  return Object.entries(spec).filter(([key, value]) => key !== 'kind' && key !== 'index' && value !== undefined && !(Array.isArray(value) && value.length === 0)).flatMap(([key, value]) => linesOf(key, value, t));
}

function linesOf(key: string, value: unknown, t: Translate): readonly Setting[] {
  const name = t(`experiments.setting.${key}`);
  const one = (words: string): readonly Setting[] => [{ name, value: words }];
  if (key === 'architecture') return one(networkWords(value as SpecOf<'ablation'>['architecture'], t));
  if (key === 'recipe') return recipeOf(value as SpecOf<'ablation'>['recipe'], t);
  if (key === 'scratch') {
    const scratch = value as SpecOf<'generalise'>['scratch'];
    return scratch === null ? one(t('experiments.no')) : [...one(t('experiments.yes')), ...recipeOf(scratch.recipe, t)];
  }
  if (key in lists) return one([value].flat().map((each) => t(`${lists[key]}.${String(each)}`)).join(', '));
  return one(words(value));
}

function recipeOf(recipe: SpecOf<'ablation'>['recipe'], t: Translate): readonly Setting[] {
  const choice = (chosen: boolean): string => t(chosen ? 'experiments.yes' : 'experiments.no');
  const rows = [[t('training.field.epochs'), String(recipe.epochs)], ...recipeRows(recipe, t), [t('training.crops'), choice(recipe.randomCrops)], [t('training.flips'), choice(recipe.flips)], [t('training.field.validation'), String(recipe.validation)]] as const;
  return rows.map(([name, value]) => ({ name, value }));
}

/** Ranges as "from … to (step)", lists as the names or numbers in them, and what was switched off as a dash. */
function words(value: unknown): string {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.map((each) => (typeof each === 'object' && each !== null && 'name' in each ? String(each.name) : words(each))).join(', ');
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const { from, to, step } = value as { from?: number; to?: number; step?: number };
  return `${from} … ${to} (${step})`;
}
