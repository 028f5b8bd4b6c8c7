/** Whether the core answers, and the calm probing with growing pauses until it does again. */
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { core } from '../api/client.ts';
import { onContact } from '../api/contact.ts';

export type ConnectionState = 'online' | 'lost' | 'refused';

const pausesMs = [1000, 2000, 4000, 8000, 15_000];

export const useConnection = defineStore('connection', () => {
  const state = ref<ConnectionState>('online');
  /** Rises each time the core came back: what failed meanwhile is asked for again. */
  const revivals = ref(0);
  const secondsToRetry = ref(0);
  let attempts = 0;
  let ticking: ReturnType<typeof setInterval> | undefined;

  onContact((contact) => {
    if (contact === 'answered') return back();
    if (contact === 'refused') {
      clearInterval(ticking);
      state.value = 'refused';
      return;
    }
    if (state.value !== 'lost') {
      state.value = 'lost';
      attempts = 0;
      countDown();
    }
  });

  function back(): void {
    if (state.value === 'online') return;
    clearInterval(ticking);
    state.value = 'online';
    revivals.value += 1;
  }

  function countDown(): void {
    clearInterval(ticking);
    const due = Date.now() + pausesMs[Math.min(attempts, pausesMs.length - 1)]!;
    const tick = (): void => {
      secondsToRetry.value = Math.max(0, Math.ceil((due - Date.now()) / 1000));
      if (Date.now() >= due) void retry();
    };
    ticking = setInterval(tick, 250);
    tick();
  }

  /** Asks the core for something cheap now; its contact decides. */
  async function retry(): Promise<void> {
    clearInterval(ticking);
    attempts += 1;
    try {
      await core.settings.get();
    } catch {
      // The contact listener has seen it.
    }
    if (state.value === 'lost') countDown();
  }

  return { state, revivals, secondsToRetry, retry };
});
