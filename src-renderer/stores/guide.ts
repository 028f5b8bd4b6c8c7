/** The guided first minute: which step is shown, and that it was seen. It shows by itself on the sample only; the help brings it back anywhere. */
import { defineStore } from 'pinia';
import { ref } from 'vue';

export const guideSteps = ['cell', 'layers', 'inspector', 'method', 'notes'] as const;
export type GuideStep = (typeof guideSteps)[number];

const rememberedKey = 'switchback.firstMinute';

export const useGuide = defineStore('guide', () => {
  /** Place in `guideSteps`; null while it is not shown. */
  const step = ref<number | null>(null);
  const seen = ref(localStorage.getItem(rememberedKey) === 'seen');

  function start(): void {
    step.value = 0;
  }

  function end(): void {
    step.value = null;
    seen.value = true;
    localStorage.setItem(rememberedKey, 'seen');
  }

  function go(by: number): void {
    if (step.value === null) return;
    const next = step.value + by;
    if (next >= guideSteps.length) end();
    else step.value = Math.max(0, next);
  }

  return { step, seen, start, end, go };
});
