/** A stream of "something changed": listeners get the newest state at once and then at most one per interval. */

export interface ChangeSignal {
  changed(): void;
  /** Yields at once, then after changes, at most once per `intervalMs`; ends when `ended` says so after a yield, or with the signal. */
  changes(intervalMs: number, signal?: AbortSignal): AsyncGenerator<void, void, void>;
}

export function createChangeSignal(): ChangeSignal {
  const listeners = new Set<() => void>();
  return {
    changed() {
      for (const listener of [...listeners]) listener();
    },
    async *changes(intervalMs, signal) {
      let pending = true;
      let wake: () => void = () => undefined;
      const listener = () => {
        pending = true;
        wake();
      };
      listeners.add(listener);
      signal?.addEventListener('abort', listener, { once: true });
      try {
        while (!signal?.aborted) {
          if (!pending) await new Promise<void>((resolve) => (wake = resolve));
          if (signal?.aborted) return;
          pending = false;
          yield;
          await new Promise((resolve) => setTimeout(resolve, intervalMs));
        }
      } finally {
        listeners.delete(listener);
        signal?.removeEventListener('abort', listener);
      }
    },
  };
}
