/**
 * The training form: what a person typed, the two recipes to begin from, and the request that the words make. Pure. Limits are those of the core's contract,
 * whose schemas stay in the core.
 */
import type { TrainingRecipe, TrainingStart } from '../../api/records.ts';

export interface TrainingWords {
  readonly architecture: 'zfnet' | 'alexnet' | 'file';
  /** Path of the model file, for the architecture `file`. */
  readonly file: string;
  readonly finetune: boolean;
  readonly width: string;
  readonly input: string;
  readonly units: string;
  readonly epochs: string;
  readonly checkpoints: string;
  readonly batch: string;
  readonly learningRate: string;
  readonly patience: string;
  readonly momentum: string;
  readonly weightDecay: string;
  readonly dropout: string;
  readonly initialisation: TrainingRecipe['initialisation'];
  readonly inputDeviation: string;
  readonly filterRms: string;
  readonly mean: TrainingRecipe['mean'];
  readonly validation: string;
  readonly randomCrops: boolean;
  readonly flips: boolean;
  readonly checkpointPrecision: TrainingRecipe['checkpointPrecision'];
  readonly seed: string;
}

interface Limit {
  readonly least: number;
  readonly most: number;
  readonly whole?: true;
  /** An empty field means that there is none, or that the core chooses. */
  readonly optional?: true;
}

export const limits = {
  width: { least: 0.01, most: 4 },
  input: { least: 32, most: 1024, whole: true },
  units: { least: 1, most: 16_384, whole: true, optional: true },
  epochs: { least: 1, most: 10_000, whole: true },
  batch: { least: 1, most: 1024, whole: true },
  learningRate: { least: 1e-9, most: 10 },
  patience: { least: 0, most: 1000, whole: true },
  momentum: { least: 0, most: 0.9999 },
  weightDecay: { least: 0, most: 1 },
  dropout: { least: 0, most: 0.9999 },
  inputDeviation: { least: 1, most: 100 },
  filterRms: { least: 1e-6, most: 1e6, optional: true },
  validation: { least: 0, most: 0.9 },
  seed: { least: 0, most: 2 ** 31 - 1, whole: true },
} as const satisfies Record<string, Limit>;

export type NumberField = keyof typeof limits;
export type TrainingField = NumberField | 'checkpoints' | 'file';

export const presets = ['paper', 'small'] as const;
export type Preset = (typeof presets)[number];

/** The paper's section 3: its figures and, of Figure 4, its epochs. */
const paper: TrainingWords = {
  architecture: 'zfnet', file: '', finetune: false, width: '1', input: '224', units: '4096',
  epochs: '70', checkpoints: '1, 2, 5, 10, 20, 30, 40, 64', batch: '128', learningRate: '0.01', patience: '5', momentum: '0.9', weightDecay: '0', dropout: '0.5',
  initialisation: 'paper', inputDeviation: '4', filterRms: '0.1', mean: 'pixel', validation: '0.2', randomCrops: true, flips: true, checkpointPrecision: 'float32', seed: '1',
};

/** By which the sample was trained: a quarter of the channels on small inputs, weights by He (narrow networks do not start from 0.01), small batches and steps. */
const small: TrainingWords = {
  ...paper,
  width: '0.25', input: '96', units: '256',
  epochs: '100', checkpoints: '1, 2, 5, 10, 20, 30, 40, 64, 100', batch: '32', learningRate: '0.005', patience: '12', weightDecay: '0.001', dropout: '0.3', initialisation: 'he', inputDeviation: '12', filterRms: '', checkpointPrecision: 'float16',
};

const recipes: Readonly<Record<Preset, TrainingWords>> = { paper, small };

/** What a preset leaves to the person: the network's kind and file, and the luck. */
const own = ['architecture', 'file', 'finetune', 'seed'] as const satisfies readonly (keyof TrainingWords)[];

export function startWords(): TrainingWords {
  return small;
}

/** The words with all that the preset says; AlexNet's own input is 227 pixels where ZFNet's is 224. */
export function withPreset(words: TrainingWords, preset: Preset): TrainingWords {
  const kept = Object.fromEntries(own.map((name) => [name, words[name]])) as Pick<TrainingWords, (typeof own)[number]>;
  const taken = { ...recipes[preset], ...kept };
  return preset === 'paper' && words.architecture === 'alexnet' ? { ...taken, input: '227' } : taken;
}

/** The preset that the words still are; null once one of them was changed. */
export function presetOf(words: TrainingWords): Preset | null {
  return presets.find((preset) => JSON.stringify(withPreset(words, preset)) === JSON.stringify({ ...recipes[preset], ...words })) ?? null;
}

/** A number within its limits; undefined for an empty field that may be empty; null for what is neither. */
export function readField(field: NumberField, words: string): number | undefined | null {
  const { least, most, whole, optional }: Limit = limits[field];
  const typed = words.trim();
  if (typed === '') return optional ? undefined : null;
  if (!(whole ? /^\d{1,10}$/ : /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i).test(typed)) return null;
  const value = Number(typed);
  return value >= least && value <= most ? value : null;
}

/** "1, 2, 5": epochs in rising order without repeats; null for anything else. */
export function readCheckpoints(words: string): readonly number[] | null {
  const parts = words.split(/[,\s]+/).filter(Boolean);
  if (!parts.every((part) => /^\d{1,5}$/.test(part) && Number(part) <= limits.epochs.most)) return null;
  return [...new Set(parts.map(Number))].sort((a, b) => a - b);
}

/** Fields whose words are not what they must be, in the order of the form. Those that do not matter for the chosen architecture are never wrong. */
export function wrongFields(words: TrainingWords): readonly TrainingField[] {
  const ofNamed: readonly TrainingField[] = ['width', 'input', 'units'];
  const wrong = (Object.keys(limits) as NumberField[]).filter((field) => readField(field, words[field]) === null && !(words.architecture === 'file' && ofNamed.includes(field)));
  return [...(words.architecture === 'file' && words.file.trim() === '' ? ['file' as const] : []), ...wrong, ...(readCheckpoints(words.checkpoints) === null ? ['checkpoints' as const] : [])];
}

/** What is asked of the core; null where a field is wrong. Checkpoints beyond the last epoch are left out. */
export function requestOf(words: TrainingWords, place: Pick<TrainingStart, 'imagesPath' | 'labelsPath' | 'outPath' | 'engine' | 'device'>): TrainingStart | null {
  if (wrongFields(words).length > 0) return null;
  const number = (field: NumberField): number => readField(field, words[field])!;
  const units = readField('units', words.units) ?? undefined;
  const epochs = number('epochs');
  return {
    ...place,
    architecture: words.architecture === 'file' ? { kind: 'file', path: words.file.trim() } : { kind: words.architecture, width: number('width'), input: number('input'), ...(units === undefined ? {} : { units }) },
    recipe: {
      epochs,
      checkpoints: readCheckpoints(words.checkpoints)!.filter((epoch) => epoch <= epochs),
      batch: number('batch'),
      learningRate: number('learningRate'),
      patience: number('patience'),
      momentum: number('momentum'),
      weightDecay: number('weightDecay'),
      dropout: number('dropout'),
      initialisation: words.initialisation,
      inputDeviation: number('inputDeviation'),
      filterRms: readField('filterRms', words.filterRms) ?? null,
      randomCrops: words.randomCrops,
      flips: words.flips,
      mean: words.mean,
      validation: number('validation'),
      finetune: words.architecture === 'file' && words.finetune,
      checkpointPrecision: words.checkpointPrecision,
      seed: number('seed'),
    },
  };
}
