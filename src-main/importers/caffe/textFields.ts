/** Reads fields of a parsed text message as what they must be; the last one wins where a field that should stand once is repeated. */
import type { TextMessage, TextValue } from './textFormat.ts';
import { TextError } from './textTokens.ts';

export interface NumberLimits {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Larger than any size in a real network, small enough that products of a few stay exact. */
const largestInteger = 2 ** 31 - 1;

export const emptyMessage: TextMessage = { kind: 'message', line: 0, fields: new Map() };

/** A number, `fallback` where the field is absent. Throws TextError, as all functions here. */
export function numberOf<T>(message: TextMessage, field: string, fallback: T): number | T {
  return numbersOf(message, field).at(-1) ?? fallback;
}

export function numbersOf(message: TextMessage, field: string): number[] {
  return valuesOf(message, field).map((value) => {
    if (value.kind === 'number') return value.value;
    throw mismatch(value, field, 'a number');
  });
}

/** A whole number within limits (0 to 2^31 - 1 unless said otherwise). */
export function integerOf<T>(message: TextMessage, field: string, fallback: T, limits: NumberLimits = {}): number | T {
  return integersOf(message, field, limits).at(-1) ?? fallback;
}

export function integersOf(message: TextMessage, field: string, { minimum = 0, maximum = largestInteger }: NumberLimits = {}): number[] {
  return valuesOf(message, field).map((value) => {
    if (value.kind === 'number' && Number.isInteger(value.value) && value.value >= minimum && value.value <= maximum) return value.value;
    throw mismatch(value, field, `a whole number from ${minimum} to ${maximum}`);
  });
}

export function booleanOf(message: TextMessage, field: string, fallback: boolean): boolean {
  const value = valuesOf(message, field).at(-1);
  if (!value) return fallback;
  const text = value.kind === 'message' ? '' : String(value.value).toLowerCase();
  if (text === 'true' || text === 't' || text === '1') return true;
  if (text === 'false' || text === 'f' || text === '0') return false;
  throw mismatch(value, field, 'true or false');
}

/** A quoted text. */
export function textOf(message: TextMessage, field: string): string | undefined {
  return textsOf(message, field).at(-1);
}

export function textsOf(message: TextMessage, field: string): string[] {
  return valuesOf(message, field).map((value) => {
    if (value.kind === 'string') return value.value;
    throw mismatch(value, field, 'a quoted text');
  });
}

/** An enum value by its name; enum values written as numbers are found in `names`. */
export function wordOf(message: TextMessage, field: string, fallback: string, names: readonly string[] = []): string {
  const value = valuesOf(message, field).at(-1);
  if (!value) return fallback;
  if (value.kind === 'word') return value.value;
  if (value.kind === 'number' && names[value.value] !== undefined) return names[value.value]!;
  throw mismatch(value, field, names.length > 0 ? `one of ${names.join(', ')}` : 'a name without quotes');
}

export function messageOf(message: TextMessage, field: string): TextMessage | undefined {
  return messagesOf(message, field).at(-1);
}

export function messagesOf(message: TextMessage, field: string): TextMessage[] {
  return valuesOf(message, field).map((value) => {
    if (value.kind === 'message') return value;
    throw mismatch(value, field, 'a message in { }');
  });
}

function valuesOf(message: TextMessage, field: string): readonly TextValue[] {
  return message.fields.get(field) ?? [];
}

function mismatch(value: TextValue, field: string, wanted: string): TextError {
  const found = value.kind === 'message' ? 'a message' : JSON.stringify(value.value);
  return new TextError(value.line, `${field} is ${found}, not ${wanted}`);
}
