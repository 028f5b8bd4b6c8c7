/** One series, followed while a job works on it and read again when one begins. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue';
import { core } from '../../api/client.ts';
import { follow } from '../../api/follow.ts';
import type { EvolutionSeries } from '../../api/records.ts';
import { useConnection } from '../../stores/connection.ts';
import { useJobs } from '../../stores/jobs.ts';
import type { PlainError } from '../../../src-shared/errors.ts';

export interface FollowedSeries {
  readonly series: ShallowRef<EvolutionSeries | null>;
  /** Why it cannot be shown. */
  readonly refusal: Ref<PlainError | null>;
  readonly reopen: () => void;
}

/** `wanted`: the series' id, null while none can be shown. */
export function useSeries(wanted: () => string | null): FollowedSeries {
  const jobs = useJobs();
  const connection = useConnection();
  const series = shallowRef<EvolutionSeries | null>(null);
  const refusal = ref<PlainError | null>(null);
  let stop: (() => void) | null = null;

  function reopen(): void {
    stop?.();
    stop = null;
    refusal.value = null;
    const id = wanted();
    if (id === null) return;
    stop = follow<EvolutionSeries>({
      open: (signal) => core.evolution.watch({ series: id }, { signal }),
      receive: (record) => (series.value = record),
      ended: () => (stop = null),
      refused: (why) => (refusal.value = why),
    });
  }

  watch(
    wanted,
    (now, before) => {
      if (now !== before) series.value = null;
      reopen();
    },
    { immediate: true },
  );
  // A job that begins or ends elsewhere: the stream may have ended before.
  watch([() => jobs.running.filter(({ kind }) => kind === 'evolution' || kind === 'index').length, () => connection.revivals], () => stop ?? reopen());
  onScopeDispose(() => stop?.());
  return { series, refusal, reopen };
}
