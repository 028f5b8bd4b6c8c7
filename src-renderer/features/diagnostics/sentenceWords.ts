/** The numbers of diagnostics as a person reads them. Pure but for the number format that it is given. */
import type { Format } from '../../composables/useFormat.ts';
import type { DiagnosticMeasure } from '../../api/records.ts';

type Shares = Pick<Format, 'share' | 'integer'>;

/** Values of sentences that are shares; all others are counts, ratios or names. */
const shares = ['share', 'lowShare', 'dcShare', 'layerShare', 'highFilters', 'lowFilters', 'evenness'];

/** The values of a measure's sentence: shares as per cent, ratios with three figures, names as they are. */
export function sentenceWords(values: Readonly<Record<string, number | string>>, format: Shares): Record<string, string> {
  const words = (name: string, value: number | string): string => {
    if (typeof value === 'string') return value;
    if (shares.includes(name)) return format.share(value);
    return Number.isInteger(value) ? format.integer(value) : threeFigures(value);
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, words(name, value)]));
}

/** The number that stands for a measure: a share, but for `strength`, which is a ratio. */
export function measureWords(kind: DiagnosticMeasure['kind'], value: number | null, format: Shares): string {
  if (value === null) return '–';
  return kind === 'strength' ? `${threeFigures(value)}×` : format.share(value);
}

function threeFigures(value: number): string {
  return String(Number(value.toPrecision(3)));
}
