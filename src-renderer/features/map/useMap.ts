/**
 * One map, followed while its job works on it: the record, where its points lie (again after each layout while it settles), which image or channel each is, and its mosaic once that is asked for.
 */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue';
import { core } from '../../api/client.ts';
import { toFailure, wasCalledOff } from '../../api/failure.ts';
import { follow } from '../../api/follow.ts';
import type { MapRecord } from '../../api/records.ts';
import { useConnection } from '../../stores/connection.ts';
import { useJobs } from '../../stores/jobs.ts';
import { mapCoordinatesUrl, mapGridUrl, mapRowsUrl } from '../../../src-shared/contract/mapMedia.ts';
import type { PlainError } from '../../../src-shared/errors.ts';
import { fetchFloats, fetchIntegers, layoutOf, mosaicOf, type MapLayout } from './mapColumns.ts';
import { indexPoints, type PointIndex } from './pointIndex.ts';

/** A layout with what finds its points. */
export interface PlacedPoints {
  readonly layout: MapLayout;
  readonly index: PointIndex;
  /** Cells across, of a mosaic; null for a free layout. */
  readonly columns: number | null;
}

export interface FollowedMap {
  readonly record: ShallowRef<MapRecord | null>;
  /** Why the map cannot be shown. */
  readonly refusal: Ref<PlainError | null>;
  readonly points: ShallowRef<PlacedPoints | null>;
  /** The image number, or channel, of each row; -1 for what is gone. */
  readonly rows: ShallowRef<Int32Array | null>;
  /** Null until it was asked for by `needsMosaic`. */
  readonly mosaic: ShallowRef<PlacedPoints | null>;
  /** Why the newest part of it could not be read. */
  readonly failure: Ref<PlainError | null>;
  readonly isSettling: ComputedRef<boolean>;
  readonly reopen: () => void;
}

/** `wanted`: the map's id, null while none can be shown. `needsMosaic`: whether the mosaic is looked at. */
export function useMap(wanted: () => string | null, needsMosaic: () => boolean): FollowedMap {
  const jobs = useJobs();
  const connection = useConnection();
  const record = shallowRef<MapRecord | null>(null);
  const refusal = ref<PlainError | null>(null);
  const failure = ref<PlainError | null>(null);
  const points = shallowRef<PlacedPoints | null>(null);
  const rows = shallowRef<Int32Array | null>(null);
  const mosaic = shallowRef<PlacedPoints | null>(null);
  const isSettling = computed(() => record.value !== null && (record.value.state === 'running' || record.value.state === 'queued'));
  let stop: (() => void) | null = null;
  /** Ends what is read of a map when another one is wanted. */
  let reading = new AbortController();
  const known = { layout: 0, rows: '', mosaic: 0 };
  let isReading = false;

  function reopen(): void {
    stop?.();
    stop = null;
    refusal.value = null;
    const id = wanted();
    if (id === null) return;
    stop = follow<MapRecord>({
      open: (signal) => core.map.watch({ map: id }, { signal }),
      receive: (now) => {
        record.value = now;
        void read();
      },
      ended: () => (stop = null),
      refused: (why) => (refusal.value = why),
    });
  }

  function forget(): void {
    reading.abort();
    reading = new AbortController();
    isReading = false;
    Object.assign(known, { layout: 0, rows: '', mosaic: 0 });
    record.value = null;
    points.value = null;
    rows.value = null;
    mosaic.value = null;
    failure.value = null;
  }

  /** Reads what is newer than what is shown, one after the other: layouts that come faster are passed over. */
  async function read(): Promise<void> {
    if (isReading) return;
    isReading = true;
    const { signal } = reading;
    try {
      for (let step = nextPart(); step !== null && !signal.aborted; step = nextPart()) await step(signal);
      if (!signal.aborted) failure.value = null;
    } catch (thrown) {
      if (signal.aborted || wasCalledOff(thrown)) return;
      failure.value = toFailure(thrown);
    } finally {
      if (!signal.aborted) isReading = false;
    }
  }

  function nextPart(): ((signal: AbortSignal) => Promise<void>) | null {
    const now = record.value;
    if (!now || now.points === 0 || now.revision === 0) return null;
    const rowsOf = `${now.numbering} ${now.points}`;
    if (known.rows !== rowsOf) {
      return async (signal) => {
        const column = await fetchIntegers(mapRowsUrl({ map: now.id, numbering: now.numbering }), signal);
        rows.value = column;
        known.rows = rowsOf;
      };
    }
    if (known.layout !== now.revision) {
      return async (signal) => {
        const layout = layoutOf(await fetchFloats(mapCoordinatesUrl({ map: now.id, revision: now.revision }), signal));
        points.value = { layout, index: indexPoints(layout.positions), columns: null };
        known.layout = now.revision;
      };
    }
    if (needsMosaic() && now.state === 'done' && known.mosaic !== now.revision) {
      return async (signal) => {
        const size = await core.map.grid({ map: now.id }, { signal });
        const layout = mosaicOf(await fetchIntegers(mapGridUrl({ map: now.id, revision: now.revision }), signal), size);
        mosaic.value = { layout, index: indexPoints(layout.positions), columns: size.columns };
        known.mosaic = now.revision;
      };
    }
    return null;
  }

  watch(
    wanted,
    (now, before) => {
      if (now !== before) forget();
      reopen();
    },
    { immediate: true },
  );
  watch(needsMosaic, () => void read());
  // A job that begins or ends elsewhere: the stream may have ended before.
  watch([() => jobs.running.flatMap(({ kind, id }) => (kind === 'map' ? [id] : [])).join(' '), () => connection.revivals], () => {
    if (stop === null) reopen();
    else void read();
  });
  onScopeDispose(() => {
    stop?.();
    reading.abort();
  });
  return { record, refusal, points, rows, mosaic, failure, isSettling, reopen };
}
