/**
 * In which order an atlas is projected. Units of one layer go sorted by image, because an image's forward pass serves all its units; but what a person looks at goes first: the channels on
 * the screen, and those that come next when they scroll.
 */

export interface AtlasUnit {
  readonly channel: number;
  readonly imageNumber: number;
}

/** Channels before and after the one that was looked at last: a screenful or two. */
const before = 12;
const after = 36;

/** By image, then channel. */
export function byImage<U extends AtlasUnit>(units: readonly U[]): U[] {
  return [...units].sort((a, b) => a.imageNumber - b.imageNumber || a.channel - b.channel);
}

/** The next `size` of the units that remain, sorted by image: those around the channel first where there are any. */
export function takePortion<U extends AtlasUnit>(units: readonly U[], size: number, channel: number | null): { readonly portion: readonly U[]; readonly rest: readonly U[] } {
  const isNear = (unit: U) => channel !== null && unit.channel >= channel - before && unit.channel <= channel + after;
  const near = channel === null ? [] : units.filter(isNear);
  if (near.length === 0) return { portion: units.slice(0, size), rest: units.slice(size) };
  // Whole channels, nearest first: half a sheet is no use to who waits for it.
  const wanted = [...near].sort((a, b) => distance(a, channel!) - distance(b, channel!)).slice(0, size);
  const chosen = new Set(wanted);
  return { portion: byImage(wanted), rest: units.filter((unit) => !chosen.has(unit)) };
}

/** What lies ahead is reached sooner than what lies behind. */
function distance({ channel }: AtlasUnit, from: number): number {
  return channel >= from ? channel - from : (from - channel) * 4 + 0.5;
}
