/**
 * Compiled sessions and opened models, kept by their estimated bytes, the longest unused dropped first. A session's bytes grow with the largest batch it
 * has run, so sizes are asked for when room is needed. What is dropped is closed after the call that runs: that call may still be using it.
 */

export interface CompiledCache<T> {
  get(key: string): T | undefined;
  set(key: string, kept: T): unknown;
  delete(key: string): boolean;
}

/** How the bytes of a kind of entry are told, and how it is let go. */
export interface Keeping<T> {
  bytesOf(kept: T): number;
  /** Absent: forgetting it is enough. */
  drop?(kept: T): void;
}

export interface ByteBudget {
  /** A cache of its own names, within the common budget. */
  cache<T>(keeping: Keeping<T>): CompiledCache<T>;
  /** Drops what is over the budget, and lets go of all that was dropped. Between calls. */
  settle(): void;
  heldBytes(): number;
}

interface Entry {
  bytes(): number;
  forget(): void;
}

/** At least the entry used last is kept, whatever its size: it is needed again at once. */
export function createByteBudget(budgetBytes: number): ByteBudget {
  const entries = new Set<Entry>();
  const dropped: (() => void)[] = [];
  const heldBytes = () => [...entries].reduce((sum, entry) => sum + entry.bytes(), 0);
  return {
    cache<T>({ bytesOf, drop }: Keeping<T>): CompiledCache<T> {
      const kept = new Map<string, { readonly value: T; readonly entry: Entry }>();
      const remove = (key: string): boolean => {
        const found = kept.get(key);
        if (!found) return false;
        kept.delete(key);
        entries.delete(found.entry);
        if (drop) dropped.push(() => drop(found.value));
        return true;
      };
      return {
        get(key) {
          const found = kept.get(key);
          if (!found) return undefined;
          entries.delete(found.entry);
          entries.add(found.entry);
          return found.value;
        },
        set(key, value) {
          remove(key);
          const entry: Entry = { bytes: () => bytesOf(value), forget: () => void remove(key) };
          kept.set(key, { value, entry });
          entries.add(entry);
        },
        delete: remove,
      };
    },
    settle() {
      let held = heldBytes();
      for (const entry of [...entries].slice(0, -1)) {
        if (held <= budgetBytes) break;
        held -= entry.bytes();
        entry.forget();
      }
      for (const letGo of dropped.splice(0)) letGo();
    },
    heldBytes,
  };
}
