/** What a person looked at last in each index, so that work done ahead begins there. */

export interface Looked {
  readonly layer: number;
  readonly channel: number;
  readonly atMs: number;
}

export interface Focus {
  look(index: string, layer: number, channel: number): void;
  /** Null where nobody looked within the last minutes. */
  latest(index: string): Looked | null;
}

const freshMs = 5 * 60_000;

export function createFocus(now: () => number = () => performance.now()): Focus {
  const looked = new Map<string, Looked>();
  return {
    look(index, layer, channel) {
      looked.set(index, { layer, channel, atMs: now() });
    },
    latest(index) {
      const last = looked.get(index);
      return last && now() - last.atMs < freshMs ? last : null;
    },
  };
}
