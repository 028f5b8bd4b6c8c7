/** One experiment by its id: its result as it grows, and what can be done with it. */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue';
import { core } from '../api/client.ts';
import { toFailure } from '../api/failure.ts';
import { follow } from '../api/follow.ts';
import type { ExperimentResult } from '../api/records.ts';
import { useConnection } from '../stores/connection.ts';
import type { PlainError } from '../../src-shared/errors.ts';

export interface ExperimentControl {
  readonly result: ShallowRef<ExperimentResult | null>;
  /** Queued or running. */
  readonly running: ComputedRef<boolean>;
  /** Why it cannot be shown, why what was asked for was refused, or why it failed. */
  readonly failure: ComputedRef<PlainError | null>;
  /** A request of the person is on its way. */
  readonly asked: Ref<boolean>;
  readonly cancel: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Opens it again after it could not be shown. */
  readonly retry: () => void;
}

/** Follows the experiment that `id` names, null for none; must be called in a component's setup. */
export function useExperiment(id: () => string | null): ExperimentControl {
  const connection = useConnection();
  const result = shallowRef<ExperimentResult | null>(null);
  const refusal = shallowRef<PlainError | null>(null);
  const asked = ref(false);
  let stopFollowing: (() => void) | null = null;

  function open(wanted: string | null): void {
    stopFollowing?.();
    stopFollowing = null;
    refusal.value = null;
    if (wanted !== result.value?.id) result.value = null;
    if (wanted === null) return;
    stopFollowing = follow<ExperimentResult>({
      open: (signal) => core.experiments.watch({ id: wanted }, { signal }),
      receive: (news) => (result.value = news),
      ended: () => (stopFollowing = null),
      refused: (why) => (refusal.value = why),
    });
  }

  async function ask(call: (id: string) => Promise<unknown>): Promise<void> {
    const shown = result.value;
    if (!shown) return;
    asked.value = true;
    refusal.value = null;
    try {
      await call(shown.id);
      if (stopFollowing === null) open(shown.id);
    } catch (thrown) {
      refusal.value = toFailure(thrown);
    } finally {
      asked.value = false;
    }
  }

  watch(id, open, { immediate: true });
  watch(() => connection.revivals, () => stopFollowing === null && result.value?.state !== 'done' && open(id()));
  onScopeDispose(() => stopFollowing?.());

  return {
    result,
    running: computed(() => result.value?.state === 'running' || result.value?.state === 'queued'),
    failure: computed(() => refusal.value ?? result.value?.error ?? null),
    asked,
    cancel: () => ask((shown) => core.experiments.cancel({ id: shown })),
    resume: () => ask((shown) => core.experiments.resume({ id: shown })),
    retry: () => open(id()),
  };
}
