/** Names, classes and predictions of the images that are pointed at, each asked for once. */
import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue';
import { core } from '../../api/client.ts';
import type { MapPoint } from '../../api/records.ts';

const settleMs = 60;

/** `map`: null where points are no images. What cannot be had stays unknown: the picture says most. */
export function usePointFacts(map: () => string | null, wanted: () => readonly number[]): ShallowRef<ReadonlyMap<number, MapPoint>> {
  const facts = shallowRef<ReadonlyMap<number, MapPoint>>(new Map());
  const asked = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask(): Promise<void> {
    const id = map();
    const missing = wanted().filter((image) => !asked.has(image));
    if (id === null || missing.length === 0) return;
    for (const image of missing) asked.add(image);
    try {
      const found = await core.map.points({ map: id, images: [...missing] });
      if (id === map()) facts.value = new Map([...facts.value, ...found.map((point) => [point.imageNumber, point] as const)]);
    } catch {
      for (const image of missing) asked.delete(image);
    }
  }

  watch(map, () => {
    facts.value = new Map();
    asked.clear();
  });
  watch(wanted, () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), settleMs);
  });
  onScopeDispose(() => clearTimeout(timer));
  return facts;
}
