/** The shown place, read from the address, and the way to another one. */
import { computed, type ComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { addressOf, placeOf, type Place } from '../addresses.ts';

export interface PlaceControl {
  readonly place: ComputedRef<Place>;
  /** Address of the shown place with some parts changed. */
  readonly addressWith: (change: Partial<Place>) => string;
  /** Goes there as a step of the history. */
  readonly go: (change: Partial<Place>) => void;
  /** Goes there in place of the shown address: for choices that are no step of their own. */
  readonly adjust: (change: Partial<Place>) => void;
  /** The whole address with origin, for the clipboard. */
  readonly link: () => string;
}

/** Where a navigation under way leads: the next change builds on it, so that two quick keys do not undo one another. */
let heading: Place | null = null;

export function usePlace(): PlaceControl {
  const route = useRoute();
  const router = useRouter();
  const place = computed(() => placeOf(route.params, route.query));
  const addressWith = (change: Partial<Place>): string => addressOf({ ...place.value, ...change });
  const head = (change: Partial<Place>, way: (address: string) => Promise<unknown>): void => {
    const next = { ...(heading ?? place.value), ...change };
    heading = next;
    void way(addressOf(next)).finally(() => {
      if (heading === next) heading = null;
    });
  };
  return {
    place,
    addressWith,
    go: (change) => head(change, router.push),
    adjust: (change) => head(change, router.replace),
    link: () => location.origin + addressOf(place.value, true),
  };
}
