/**
 * How a person likes to look at the atlas, and where they were: remembered in the browser, not part of an address. Each workspace has its own way of looking; one that is new begins as the last one
 * was looked at.
 */
import { defineStore } from 'pinia';
import { reactive, ref, toRefs, watch } from 'vue';

export const sheetModes = ['both', 'patches', 'projections'] as const;
export type SheetMode = (typeof sheetModes)[number];

export const channelOrders = ['number', 'strongest', 'sparsity', 'selectivity'] as const;
export type ChannelOrder = (typeof channelOrders)[number];

/** Which channels are shown; `tag:` stands before the tag that they must have. */
export const plainFilters = ['all', 'alive', 'dead', 'tagged', 'noted'] as const;
export type ChannelFilter = (typeof plainFilters)[number] | `tag:${string}`;

export const projectionAreas = ['patch', 'input'] as const;
export type ProjectionArea = (typeof projectionAreas)[number];

/** Edge of one 3 x 3 sheet, CSS pixels. */
export const sheetEdgeLimits = { least: 78, most: 390, step: 12 } as const;

interface Viewing {
  sheetEdge: number;
  mode: SheetMode;
  order: ChannelOrder;
  filter: ChannelFilter;
  /** Of photographs that are the same, or nearly, only the strongest. */
  unique: boolean;
  area: ProjectionArea;
}

/** Where a person was in an index: the layer, and for each layer that was scrolled the channel that its grid began with. */
interface LastPlace {
  readonly layer: number | null;
  readonly firstChannels: Readonly<Record<string, number>>;
}

interface Remembered {
  readonly viewing: Partial<Viewing>;
  readonly places: Readonly<Record<string, LastPlace>>;
}

const lastKey = 'switchback.viewing';
const workspacePrefix = 'switchback.viewing.';
const listKey = 'switchback.workspaces';
const mostWorkspaces = 40;
const mostIndexes = 40;
const defaults: Viewing = { sheetEdge: 150, mode: 'both', order: 'number', filter: 'all', unique: false, area: 'patch' };

export const useViewing = defineStore('viewing', () => {
  const viewing = reactive<Viewing>({ ...defaults, ...known(read(lastKey)) });
  const workspace = ref<string | null>(null);
  let places: Record<string, LastPlace> = {};

  /** From now on changes are remembered for this workspace. */
  function openFor(id: string): void {
    if (workspace.value === id) return;
    const stored = read(workspacePrefix + id) as Partial<Remembered>;
    workspace.value = id;
    places = typeof stored.places === 'object' ? { ...stored.places } : {};
    Object.assign(viewing, known(stored.viewing ?? {}));
    keepRecent(id);
  }

  function lastPlace(index: string): LastPlace {
    const { layer = null, firstChannels = {} } = places[index] ?? {};
    return { layer: typeof layer === 'number' ? layer : null, firstChannels: typeof firstChannels === 'object' ? firstChannels : {} };
  }

  function rememberLayer(index: string, layer: number): void {
    keepPlace(index, { ...lastPlace(index), layer });
  }

  /** `channel`: the first one in sight, null at the top. */
  function rememberScroll(index: string, layer: number, channel: number | null): void {
    const { [layer]: _, ...others } = lastPlace(index).firstChannels;
    keepPlace(index, { ...lastPlace(index), firstChannels: channel === null ? others : { ...others, [layer]: channel } });
  }

  function keepPlace(index: string, place: LastPlace): void {
    const { [index]: _, ...others } = places;
    places = Object.fromEntries([...Object.entries(others).slice(1 - mostIndexes), [index, place]]);
    write();
  }

  function write(): void {
    store(lastKey, viewing);
    if (workspace.value !== null) store(workspacePrefix + workspace.value, { viewing, places } satisfies Remembered);
  }

  watch(viewing, write);
  return { ...toRefs(viewing), openFor, lastPlace, rememberLayer, rememberScroll };
});

/** What was remembered, without anything that this version does not know. */
function known(stored: Partial<Record<keyof Viewing, unknown>>): Partial<Viewing> {
  const { sheetEdge, mode, order, filter, area, unique } = stored;
  return {
    ...(typeof sheetEdge === 'number' && sheetEdge >= sheetEdgeLimits.least && sheetEdge <= sheetEdgeLimits.most ? { sheetEdge } : {}),
    ...(oneOf(sheetModes, mode) ? { mode } : {}),
    ...(oneOf(channelOrders, order) ? { order } : {}),
    ...(oneOf(plainFilters, filter) || (typeof filter === 'string' && filter.startsWith('tag:')) ? { filter: filter as ChannelFilter } : {}),
    ...(oneOf(projectionAreas, area) ? { area } : {}),
    ...(typeof unique === 'boolean' ? { unique } : {}),
  };
}

function oneOf<T extends string>(allowed: readonly T[], word: unknown): word is T {
  return (allowed as readonly unknown[]).includes(word);
}

/** An object, empty where there is none. */
function read(key: string): Record<string, unknown> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A browser without room, or that keeps nothing, forgets. */
function store(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Nothing that a person would miss.
  }
}

/** Workspaces that were not opened for long are forgotten. */
function keepRecent(id: string): void {
  const stored: unknown = Object.values(read(listKey));
  const others = (stored as unknown[]).filter((each): each is string => typeof each === 'string' && each !== id);
  for (const gone of others.slice(mostWorkspaces - 1)) localStorage.removeItem(workspacePrefix + gone);
  store(listKey, { ...[id, ...others.slice(0, mostWorkspaces - 1)] });
}
