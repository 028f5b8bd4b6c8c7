/** Which map is looked at and how, read from the address, and the way to another look. */
import { computed, type ComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { mapAddress, mapPlaceOf, type MapPlace } from '../../addresses.ts';

export interface MapPlaceControl {
  readonly place: ComputedRef<MapPlace>;
  /** Goes there in place of the shown address. */
  readonly adjust: (change: Partial<MapPlace>) => void;
}

/** Where a navigation under way leads: the next change builds on it, so that two quick ones do not undo one another. */
let heading: MapPlace | null = null;

export function useMapPlace(): MapPlaceControl {
  const route = useRoute();
  const router = useRouter();
  const place = computed(() => mapPlaceOf(route.params, route.query));
  return {
    place,
    adjust(change) {
      // A look that comes in late, from a map that has been left, must not lead back to it.
      if (route.name !== 'map') return;
      const next = { ...(heading ?? place.value), ...change };
      heading = next;
      const { workspace, map, ...looking } = next;
      void router.replace(mapAddress(workspace, map, looking)).finally(() => {
        if (heading === next) heading = null;
      });
    },
  };
}
