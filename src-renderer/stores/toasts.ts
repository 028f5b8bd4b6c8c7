/** Short messages that pass by, each with at most one action: what was done, and the way back. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly key?: string; readonly act: () => void };
}

/** More at once would cover the view. */
const mostShown = 3;

export const useToasts = defineStore('toasts', () => {
  const shown = shallowRef<readonly Toast[]>([]);
  let last = 0;

  /** @param topic a newer toast of the same topic takes the older one's place */
  function show(toast: Omit<Toast, 'id'>, topic?: string): void {
    const id = (last += 1);
    const others = shown.value.filter((each) => topic === undefined || topics.get(each.id) !== topic);
    if (topic !== undefined) topics.set(id, topic);
    shown.value = [...others, { ...toast, id }].slice(-mostShown);
  }

  function dismiss(id: number): void {
    topics.delete(id);
    shown.value = shown.value.filter((each) => each.id !== id);
  }

  return { shown, show, dismiss };
});

const topics = new Map<number, string>();
