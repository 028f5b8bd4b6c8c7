/** Whether an area is being scrolled past faster than anybody looks at it. */
import { onScopeDispose, readonly, ref, type Ref } from 'vue';

/** At that pace a picture that has to be made comes when its place is nearly gone, and on two cores the making costs frames. */
const screensPerSecond = 1.25;
const measuredOverMs = 100;
const restsAfterMs = 120;

export interface ScrollPace {
  readonly hurried: Readonly<Ref<boolean>>;
  /** To be called with each scroll event. @param top in CSS pixels @param screen height of the area */
  readonly scrolled: (top: number, screen: number) => void;
}

export function useScrollPace(): ScrollPace {
  const hurried = ref(false);
  let from: { readonly top: number; readonly atMs: number } | null = null;
  let rest: ReturnType<typeof setTimeout> | undefined;
  onScopeDispose(() => clearTimeout(rest));
  return {
    hurried: readonly(hurried),
    scrolled(top, screen) {
      const atMs = performance.now();
      from ??= { top, atMs };
      if (atMs - from.atMs >= measuredOverMs) {
        hurried.value = Math.abs(top - from.top) / (atMs - from.atMs) > (screensPerSecond * screen) / 1000;
        from = { top, atMs };
      }
      clearTimeout(rest);
      rest = setTimeout(() => {
        hurried.value = false;
        from = null;
      }, restsAfterMs);
    },
  };
}
