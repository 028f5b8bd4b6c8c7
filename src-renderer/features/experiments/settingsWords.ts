/** The settings that a result was made with, as lines that a person reads: a key of `experiments.setting` and the value in words. Pure. */
import type { ExperimentSpec } from '../../api/records.ts';

export interface Setting {
  readonly key: string;
  readonly value: string;
}

/** What is said elsewhere on the page (the kind, the network) is left out, as is what was left open. */
export function settingsOf(spec: ExperimentSpec): readonly Setting[] {
  const lines = Object.entries(spec).filter(([key]) => key !== 'kind' && key !== 'index').map(([key, value]) => ({ key, value: words(value) }));
  return lines.filter((line): line is Setting => line.value !== null);
}

function words(value: unknown): string | null {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return null;
  if (value === null) return '–';
  if (Array.isArray(value)) return value.map((each) => (typeof each === 'object' && each !== null && 'name' in each ? String(each.name) : words(each))).join(', ');
  if (typeof value !== 'object') return String(value);
  const range = value as { from?: number; to?: number; step?: number };
  if (range.from !== undefined && range.to !== undefined && range.step !== undefined) return `${range.from} … ${range.to} (${range.step})`;
  return Object.entries(value).map(([name, each]) => [name, words(each)] as const).filter(([, each]) => each !== null).map(([name, each]) => `${name} ${each}`).join(', ');
}
