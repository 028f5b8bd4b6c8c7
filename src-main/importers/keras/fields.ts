/**
 * Reading the JSON that Keras and TensorFlow.js describe a network with. It comes from a file, so nothing about it is believed: every read says what
 * it expects, and `fail` is told in words what stands there instead.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** One object with typed reads; absent and null fields give the fallback. */
export interface Fields {
  raw(name: string): Json | undefined;
  text(name: string, fallback: string): string;
  number(name: string, fallback: number): number;
  flag(name: string, fallback: boolean): boolean;
  /** Whole numbers; a single one is repeated `count` times. */
  integers(name: string, count: number, fallback?: readonly number[]): readonly number[];
}

/** `fail` ends with an error that names the layer; its argument goes on like "has kernel_size "a" instead of ...". */
export function fieldsOf(object: JsonObject, fail: (reason: string) => never): Fields {
  const raw = (name: string): Json | undefined => (Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined);
  const wrong = (name: string, expected: string): never => fail(`has ${name} ${brief(raw(name))} instead of ${expected}`);
  return {
    raw,
    text(name, fallback) {
      const value = raw(name) ?? fallback;
      return typeof value === 'string' ? value : wrong(name, 'a text');
    },
    number(name, fallback) {
      const value = raw(name) ?? fallback;
      return typeof value === 'number' ? value : wrong(name, 'a number');
    },
    flag(name, fallback) {
      const value = raw(name) ?? fallback;
      return typeof value === 'boolean' ? value : wrong(name, 'true or false');
    },
    integers(name, count, fallback) {
      const value = raw(name) ?? fallback;
      const list = typeof value === 'number' ? new Array<number>(count).fill(value) : value;
      const fits = isList(list as Json) && (list as readonly Json[]).length === count && (list as readonly Json[]).every((each) => Number.isSafeInteger(each));
      return fits ? (list as readonly number[]) : wrong(name, `${count} whole number${count === 1 ? '' : 's'}`);
    },
  };
}

/** JSON for a message, cut short. */
export function brief(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
