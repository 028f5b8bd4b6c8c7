/** How a person likes to look at the atlas: remembered in the browser, not part of an address. */
import { defineStore } from 'pinia';
import { reactive, toRefs, watch } from 'vue';

export const sheetModes = ['both', 'patches', 'projections'] as const;
export type SheetMode = (typeof sheetModes)[number];

export const channelOrders = ['number', 'strongest', 'sparsity'] as const;
export type ChannelOrder = (typeof channelOrders)[number];

export const projectionAreas = ['patch', 'input'] as const;
export type ProjectionArea = (typeof projectionAreas)[number];

/** Edge of one 3 x 3 sheet, CSS pixels. */
export const sheetEdgeLimits = { least: 78, most: 390, step: 12 } as const;

interface Viewing {
  sheetEdge: number;
  mode: SheetMode;
  order: ChannelOrder;
  hideDead: boolean;
  /** Of photographs that are the same, or nearly, only the strongest. */
  unique: boolean;
  area: ProjectionArea;
}

const rememberedKey = 'switchback.viewing';
const defaults: Viewing = { sheetEdge: 150, mode: 'both', order: 'number', hideDead: false, unique: false, area: 'patch' };

export const useViewing = defineStore('viewing', () => {
  const viewing = reactive<Viewing>({ ...defaults, ...remembered() });
  watch(viewing, (now) => localStorage.setItem(rememberedKey, JSON.stringify(now)));
  return toRefs(viewing);
});

/** What was remembered, without anything that this version does not know. */
function remembered(): Partial<Viewing> {
  let stored: Partial<Viewing>;
  try {
    stored = JSON.parse(localStorage.getItem(rememberedKey) ?? '{}') as Partial<Viewing>;
  } catch {
    return {};
  }
  return {
    ...(typeof stored.sheetEdge === 'number' && stored.sheetEdge >= sheetEdgeLimits.least && stored.sheetEdge <= sheetEdgeLimits.most ? { sheetEdge: stored.sheetEdge } : {}),
    ...(sheetModes.includes(stored.mode as SheetMode) ? { mode: stored.mode as SheetMode } : {}),
    ...(channelOrders.includes(stored.order as ChannelOrder) ? { order: stored.order as ChannelOrder } : {}),
    ...(projectionAreas.includes(stored.area as ProjectionArea) ? { area: stored.area as ProjectionArea } : {}),
    ...(typeof stored.hideDead === 'boolean' ? { hideDead: stored.hideDead } : {}),
    ...(typeof stored.unique === 'boolean' ? { unique: stored.unique } : {}),
  };
}
