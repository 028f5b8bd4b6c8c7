/**
 * The index that is being looked at: its record, its layers, the channels of the shown layer, and its growth while a job fills it. Shared by
 * the atlas and the unit inspector beside it.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { core } from '../api/client.ts';
import { follow } from '../api/follow.ts';
import type { ChannelSummary, DrawnSpine, IndexedLayer, IndexProgress, IndexRecord, LayerSelectivity, SkippedImage } from '../api/records.ts';
import { loaded, useLoad } from '../composables/useLoad.ts';
import { orderChannels } from './channelOrder.ts';
import { useConnection } from './connection.ts';
import { useJobs } from './jobs.ts';
import { useNotes } from './notes.ts';
import { useViewing } from './viewing.ts';

/** While an index grows, numbers and picture versions are asked for at most this often. */
const refreshEveryMs = 1500;

export const useAtlas = defineStore('atlas', () => {
  const viewing = useViewing();
  const jobs = useJobs();
  const connection = useConnection();
  const notes = useNotes();

  const indexId = ref<string | null>(null);
  const layerNumber = ref<number | null>(null);
  const record = useLoad<IndexRecord>();
  const layers = useLoad<readonly IndexedLayer[]>();
  const spine = useLoad<DrawnSpine>();
  const channels = useLoad<readonly ChannelSummary[]>();
  const skipped = useLoad<readonly SkippedImage[]>();
  const selectivity = useLoad<LayerSelectivity>();
  const progress = shallowRef<IndexProgress | null>(null);

  const layerList = computed(() => loaded(layers.state.value, []));
  const layer = computed(() => layerList.value.find((each) => each.number === layerNumber.value) ?? null);
  const ordered = computed(() => orderChannels(loaded(channels.state.value, []), viewing.order, viewing.filter, { selectivity: loaded(selectivity.state.value, null)?.channels, marks: notes.marks }));
  const running = computed(() => progress.value?.running ?? false);

  let stopWatching: (() => void) | null = null;
  let refreshedAt = 0;
  let opening: Promise<void> = Promise.resolve();
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;

  /** The layer so many places after the shown one in the spine, before it where negative; undefined beyond its ends. */
  function layerBeside(number: number | null, by: number): IndexedLayer | undefined {
    return layerList.value[layerList.value.findIndex((each) => each.number === number) + by];
  }

  /** Loads an index and starts to follow it; the same index again does nothing. */
  function openIndex(id: string): void {
    if (indexId.value === id && record.state.value.kind !== 'failed') return;
    close();
    indexId.value = id;
    opening = loadIndex(false);
    void notes.loadTags();
    watchGrowth();
  }

  async function loadIndex(keep: boolean): Promise<void> {
    const index = indexId.value;
    if (index === null) return;
    await Promise.all([
      record.run((signal) => core.indexing.get({ index }, { signal }), keep),
      layers.run((signal) => core.indexing.layers({ index }, { signal }), keep),
    ]);
  }

  function showLayer(number: number): void {
    if (layerNumber.value !== number) layerNumber.value = number;
    else if (channels.state.value.kind === 'failed') void loadChannels(false);
  }

  /** What belongs to the shown layer: asked for once it is known that the index has one of that number. */
  function openLayer(): void {
    selectivity.reset();
    if (indexId.value === null || !layer.value) return channels.reset();
    void loadChannels(false);
    notes.showLayer(indexId.value, layer.value.number);
    viewing.rememberLayer(indexId.value, layer.value.number);
  }

  async function loadChannels(keep: boolean): Promise<void> {
    const [index, number] = [indexId.value, layerNumber.value];
    if (index === null || number === null || !layer.value) return;
    await channels.run((signal) => core.indexing.channels({ index, layer: number }, { signal }), keep);
  }

  /** The order by class needs every score of the layer; it is asked for when it is chosen, and not while the rows still change. */
  function loadSelectivity(): void {
    const [index, number] = [indexId.value, layerNumber.value];
    if (index === null || number === null || viewing.order !== 'selectivity' || running.value) return;
    void selectivity.run((signal) => core.scores.layerSelectivity({ index, layer: number }, { signal }));
  }

  function loadSkipped(): void {
    const index = indexId.value;
    if (index !== null) void skipped.run((signal) => core.indexing.skipped({ index }, { signal }), true);
  }

  function watchGrowth(): void {
    const index = indexId.value;
    if (index === null) return;
    stopWatching?.();
    stopWatching = follow<IndexProgress>({
      open: (signal) => core.indexing.watch({ index }, { signal }),
      receive: (message) => {
        const grew = message.indexed !== progress.value?.indexed;
        progress.value = message;
        if (message.running && grew) refreshSoon();
      },
      ended: () => {
        stopWatching = null;
        const ran = running.value;
        if (progress.value && ran) progress.value = { ...progress.value, running: false };
        clearTimeout(refreshTimer);
        void refreshAfter(index, ran);
      },
      refused: () => undefined,
    });
  }

  function refreshSoon(): void {
    clearTimeout(refreshTimer);
    refreshTimer = setTimeout(() => void refresh(), Math.max(0, refreshedAt + refreshEveryMs - Date.now()));
  }

  async function refresh(): Promise<void> {
    refreshedAt = Date.now();
    await Promise.all([loadIndex(true), loadChannels(true)]);
  }

  /** A stream that ends at once, of an index that nothing fills, brings news only where the record is older than what it said. */
  async function refreshAfter(index: string, ran: boolean): Promise<void> {
    if (!ran) await opening;
    if (indexId.value === index && (ran || loaded(record.state.value, null)?.indexed !== progress.value?.indexed)) await refresh();
  }

  /** Asks again for whatever failed. */
  function retry(): void {
    void loadIndex(record.state.value.kind === 'done');
    if (layerNumber.value !== null) void loadChannels(channels.state.value.kind === 'done');
    if (!stopWatching) watchGrowth();
  }

  function close(): void {
    stopWatching?.();
    stopWatching = null;
    clearTimeout(refreshTimer);
    for (const load of [record, layers, spine, channels, skipped, selectivity]) load.reset();
    progress.value = null;
    indexId.value = null;
    layerNumber.value = null;
  }

  watch(() => connection.revivals, retry);
  watch(() => `${indexId.value}/${layer.value?.number}`, openLayer, { flush: 'sync' });
  // The drawing changes with the set of layers only, not as they fill.
  watch(
    () => [indexId.value, layerList.value.length] as const,
    ([index, count]) => index !== null && count > 0 && void spine.run((signal) => core.indexing.spine({ index }, { signal }), true),
  );
  watch([() => viewing.order, layerNumber, running], loadSelectivity);
  // A job that was started or resumed elsewhere: its stream had ended, so it is opened again.
  watch(
    () => jobs.running.some((job) => job.index !== null && job.index === indexId.value),
    (now) => {
      if (now && !stopWatching) watchGrowth();
    },
  );

  return {
    indexId, layerNumber, layer, layerList, ordered, running, progress,
    recordLoad: record.state, layersLoad: layers.state, spineLoad: spine.state, channelsLoad: channels.state, skippedLoad: skipped.state, selectivityLoad: selectivity.state,
    layerBeside, openIndex, showLayer, loadSkipped, loadSelectivity, retry, close,
  };
});
