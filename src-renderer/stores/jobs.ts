/** All jobs, as the core streams them. Followed from the first paint to the last, whatever view is open. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { core } from '../api/client.ts';
import { toFailure } from '../api/failure.ts';
import { follow } from '../api/follow.ts';
import type { Job } from '../api/records.ts';
import type { PlainError } from '../../src-shared/errors.ts';

export const useJobs = defineStore('jobs', () => {
  const list = shallowRef<readonly Job[] | null>(null);
  const failure = shallowRef<PlainError | null>(null);
  /** Job whose pause, cancel or resume is on its way. */
  const asked = ref<string | null>(null);
  const running = computed(() => (list.value ?? []).filter((job) => job.state === 'running' || job.state === 'queued'));

  function watchJobs(): () => void {
    return follow<readonly Job[]>({
      open: (signal) => core.jobs.watch(undefined, { signal }),
      receive: (jobs) => {
        list.value = jobs;
      },
    });
  }

  const pause = (id: string): Promise<void> => ask(id, () => core.jobs.pause({ id }));
  const cancel = (id: string): Promise<void> => ask(id, () => core.jobs.cancel({ id }));
  const resume = (id: string): Promise<void> => ask(id, () => core.jobs.resume({ id }));

  async function ask(id: string, call: () => Promise<unknown>): Promise<void> {
    asked.value = id;
    failure.value = null;
    try {
      await call();
    } catch (thrown) {
      failure.value = toFailure(thrown);
    } finally {
      asked.value = null;
    }
  }

  return { list, running, asked, failure, watchJobs, pause, cancel, resume };
});
