/** Boxes that mark parts of a picture: drawn, moved and resized without leaving it. Whole pixels of the network's input, half-open `[top, left, bottom, right]`. Pure. */

export type Box = readonly [number, number, number, number];
/** `[height, width]` of the network's input. */
export type Crop = readonly [number, number];

/** Smallest edge of a box: less hides nothing that a layer would miss. */
export const leastEdge = 4;

/** The box between two corners, any two, at least `leastEdge` wide and high. */
export function boxBetween(a: readonly [number, number], b: readonly [number, number], crop: Crop): Box {
  const [top, bottom] = spanBetween(a[0], b[0], crop[0]);
  const [left, right] = spanBetween(a[1], b[1], crop[1]);
  return [top, left, bottom, right];
}

/** The box further down and to the right by so many pixels, as far as the picture goes. */
export function movedBox([top, left, bottom, right]: Box, down: number, across: number, crop: Crop): Box {
  const dy = Math.round(clamp(down, -top, crop[0] - bottom));
  const dx = Math.round(clamp(across, -left, crop[1] - right));
  return [top + dy, left + dx, bottom + dy, right + dx];
}

/** The box with its lower right corner elsewhere. */
export function sizedBox([top, left, bottom, right]: Box, taller: number, wider: number, crop: Crop): Box {
  return [top, left, Math.round(clamp(bottom + taller, Math.min(crop[0], top + leastEdge), crop[0])), Math.round(clamp(right + wider, Math.min(crop[1], left + leastEdge), crop[1]))];
}

/** Where a box begins that is made by a key: a fifth of the picture in its middle. */
export function middleBox([height, width]: Crop): Box {
  const edge = Math.max(leastEdge, Math.round(Math.min(height, width) / 5));
  const [top, left] = [Math.floor((height - edge) / 2), Math.floor((width - edge) / 2)];
  return [top, left, top + edge, left + edge];
}

/** What an arrow does to a box: moves it; with Shift it makes it wider or higher. Null for any other key. `pixels`: how far one press goes. */
export function keyedBox(box: Box, key: { readonly key: string; readonly shiftKey: boolean }, pixels: number, crop: Crop): Box | null {
  const steps: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-pixels, 0], ArrowDown: [pixels, 0], ArrowLeft: [0, -pixels], ArrowRight: [0, pixels] };
  const step = steps[key.key];
  return step === undefined ? null : (key.shiftKey ? sizedBox : movedBox)(box, ...step, crop);
}

function spanBetween(a: number, b: number, most: number): readonly [number, number] {
  const [least, largest] = [Math.round(clamp(Math.min(a, b), 0, most)), Math.round(clamp(Math.max(a, b), 0, most))];
  if (largest - least >= leastEdge) return [least, largest];
  const start = Math.round(clamp(least, 0, Math.max(0, most - leastEdge)));
  return [start, Math.min(most, start + leastEdge)];
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
