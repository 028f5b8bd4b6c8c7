/**
 * Numbers as people write them in preprocessing: "1/255", "0.485, 0.456, 0.406". Reading is forgiving about separators, never about values: what is no
 * number is null, so that the form can say so.
 */

/** A finite number, or a fraction of two; null for anything else. */
export function readNumber(words: string): number | null {
  const parts = words.trim().split('/');
  if (parts.length > 2) return null;
  const numbers = parts.map((part) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part.trim()) ? Number(part) : Number.NaN));
  const value = numbers.length === 2 ? numbers[0]! / numbers[1]! : numbers[0]!;
  return Number.isFinite(value) ? value : null;
}

/** One to four numbers separated by commas, semicolons or spaces; null when one of them is none. */
export function readNumbers(words: string): number[] | null {
  const parts = words.trim().split(/[,;\s]+(?!\/)/).filter(Boolean);
  if (parts.length < 1 || parts.length > 4) return null;
  const numbers = parts.map(readNumber);
  return numbers.every((number) => number !== null) ? numbers : null;
}

/** The shortest form that reads back to the same number: 1/255 rather than 0.00392156862745098. */
export function writeNumber(value: number): string {
  if (value !== 0 && !Number.isInteger(value)) {
    const inverse = 1 / value;
    const whole = Math.round(inverse);
    if (Math.abs(whole) > 1 && 1 / whole === value && String(value).length > 8) return `1/${whole}`;
  }
  return String(value);
}

export function writeNumbers(values: readonly number[]): string {
  return values.map(writeNumber).join(', ');
}
