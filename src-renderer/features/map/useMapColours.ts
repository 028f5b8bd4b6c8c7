/** What the points of a map are coloured by: the column and its legend, read together so that they cannot disagree. */
import { watch, type ShallowRef } from 'vue';
import { core } from '../../api/client.ts';
import type { ColourLegend } from '../../api/records.ts';
import { useLoad, type Load } from '../../composables/useLoad.ts';
import { useConnection } from '../../stores/connection.ts';
import { mapColoursUrl, type MapColour } from '../../../src-shared/contract/mapMedia.ts';
import { fetchFloats } from './mapColumns.ts';

export interface PointColours {
  readonly legend: ColourLegend;
  /** One for each point; NaN where there is none. */
  readonly values: Float32Array;
}

export interface ColourWish {
  readonly map: string;
  readonly by: MapColour;
  /** Of the colour `channel`. */
  readonly layer: number | null;
  readonly channel: number | null;
  /** Counts what can change the answer: points that came, a job that ended. */
  readonly version: string;
}

/** `wish`: null while there is nothing to ask for. */
export function useMapColours(wish: () => ColourWish | null): { readonly state: ShallowRef<Load<PointColours>>; readonly reload: () => void } {
  const connection = useConnection();
  const colours = useLoad<PointColours>();

  function reload(): void {
    const wanted = wish();
    if (!wanted) return colours.reset();
    const { map, by } = wanted;
    const of = by === 'channel' && wanted.layer !== null && wanted.channel !== null ? { layer: wanted.layer, channel: wanted.channel } : {};
    void colours.run(async (signal) => {
      const legend = await core.map.colours({ map, by, ...of }, { signal });
      return { legend, values: legend.kind === 'none' ? new Float32Array(0) : await fetchFloats(mapColoursUrl({ map, by, ...of }), signal) };
    }, true);
  }

  watch(() => JSON.stringify(wish()), reload, { immediate: true });
  watch(() => connection.revivals, () => colours.state.value.kind === 'failed' && reload());
  return { state: colours.state, reload };
}
