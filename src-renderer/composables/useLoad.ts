/**
 * One thing that a view loads: idle, loading, failed or done, with the value kept while it is loaded again, so that a refresh never
 * blanks what is on screen. A newer request calls off the older one.
 */
import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';
import type { PlainError } from '../../src-shared/errors.ts';
import { toFailure, wasCalledOff } from '../api/failure.ts';

export type Load<T> =
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly failure: PlainError }
  | { readonly kind: 'done'; readonly value: T };

export interface Loader<T> {
  readonly state: ShallowRef<Load<T>>;
  /** Loads; `keep` leaves the present value on screen meanwhile, and also when this attempt fails. */
  readonly run: (get: (signal: AbortSignal) => Promise<T>, keep?: boolean) => Promise<void>;
  /** Back to idle; a request under way is called off. */
  readonly reset: () => void;
}

/** Must be called inside a component or store: its scope calls off the request when it ends. */
export function useLoad<T>(): Loader<T> {
  const state = shallowRef<Load<T>>({ kind: 'idle' });
  let current: AbortController | null = null;

  async function run(get: (signal: AbortSignal) => Promise<T>, keep = false): Promise<void> {
    current?.abort();
    const controller = new AbortController();
    current = controller;
    const keeping = keep && state.value.kind === 'done';
    if (!keeping) state.value = { kind: 'loading' };
    try {
      const value = await get(controller.signal);
      if (!controller.signal.aborted) state.value = { kind: 'done', value };
    } catch (thrown) {
      if (controller.signal.aborted || wasCalledOff(thrown) || keeping) return;
      state.value = { kind: 'failed', failure: toFailure(thrown) };
    }
  }

  function reset(): void {
    current?.abort();
    state.value = { kind: 'idle' };
  }

  onScopeDispose(() => current?.abort());
  return { state, run, reset };
}

/** The loaded value, or `otherwise` while there is none. */
export function loaded<T, U>(load: Load<T>, otherwise: U): T | U {
  return load.kind === 'done' ? load.value : otherwise;
}
