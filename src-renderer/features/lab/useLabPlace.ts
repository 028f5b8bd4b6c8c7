/** What the lab shows, read from the address, and the way to something else. */
import { computed, type ComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { labAddress, labPlaceOf, type LabPlace } from '../../addresses.ts';

export interface LabPlaceControl {
  readonly place: ComputedRef<LabPlace>;
  readonly addressWith: (change: Partial<LabPlace>) => string;
  /** Goes there as a step of the history. */
  readonly go: (change: Partial<LabPlace>) => void;
  /** Goes there in place of the shown address: for choices that are no step of their own. */
  readonly adjust: (change: Partial<LabPlace>) => void;
}

/** Where a navigation under way leads: the next change builds on it, so that two quick ones do not undo one another. */
let heading: LabPlace | null = null;

export function useLabPlace(): LabPlaceControl {
  const route = useRoute();
  const router = useRouter();
  const place = computed(() => labPlaceOf(route.params, route.query));
  const addressWith = (change: Partial<LabPlace>): string => addressOfLab({ ...place.value, ...change });
  const head = (change: Partial<LabPlace>, way: (address: string) => Promise<unknown>): void => {
    const next = { ...(heading ?? place.value), ...change };
    heading = next;
    void way(addressOfLab(next)).finally(() => {
      if (heading === next) heading = null;
    });
  };
  return { place, addressWith, go: (change) => head(change, router.push), adjust: (change) => head(change, router.replace) };
}

function addressOfLab({ workspace, ...at }: LabPlace): string {
  return labAddress(workspace, at);
}
