/** Numbers as a person types them into the forms of experiments, and back. Pure. */

/** "15, 30, 45": within the limits, rising, without repeats; null for anything else or for nothing. */
export function readNumbers(words: string, { least, most, whole = false }: { readonly least: number; readonly most: number; readonly whole?: boolean }): readonly number[] | null {
  const parts = words.split(/[,;\s]+/).filter(Boolean);
  const numbers = parts.map((part) => (/^[\d.]+(e[+-]?\d+)?$/i.test(part) ? Number(part) : Number.NaN));
  if (numbers.length === 0 || !numbers.every((number) => number >= least && number <= most && (!whole || Number.isInteger(number)))) return null;
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** A whole number from `least`, undefined for an empty field, null for what is neither. */
export function readOptional(words: string, least: number): number | undefined | null {
  const typed = words.trim();
  if (typed === '') return undefined;
  return /^\d{1,9}$/.test(typed) && Number(typed) >= least ? Number(typed) : null;
}
