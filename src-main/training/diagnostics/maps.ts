/** Small maps of a measure as pictures: frequencies with the mean in the middle, and places of a period, several periods beside each other. Black is nothing, white the largest value. */
import type { Picture } from '../../projection/display.ts';
import type { Phases, Strides } from './checkerboard.ts';
import type { FilterResponse } from './response.ts';

/** Edge of a map in pixels that is aimed at. */
const mapEdge = 192;
/** A period alone is no pattern. */
const periods = 4;

/** Where a measure parts frequencies, in cycles per pixel: a circle around the mean, or a rectangle of half edges. */
export type Limit = { readonly kind: 'circle'; readonly radius: number } | { readonly kind: 'rectangle'; readonly vertical: number; readonly horizontal: number };

/** Drawn as square roots, so as amplitudes, because a few frequencies hold most of the energy; with the limit as a line. */
export function drawResponse({ energies, size }: FilterResponse, limit: Limit): Picture {
  const picture = drawMap(size, size, (y, x) => Math.sqrt(energies[y * size + x]!));
  const frequency = (pixel: number) => pixel / picture.width - 0.5;
  const isWithin = (y: number, x: number) =>
    limit.kind === 'circle' ? Math.hypot(frequency(y), frequency(x)) <= limit.radius : Math.abs(frequency(y)) <= limit.vertical && Math.abs(frequency(x)) <= limit.horizontal;
  for (let y = 1; y < picture.height - 1; y++) {
    for (let x = 1; x < picture.width - 1; x++) {
      if (!isWithin(y, x) || (isWithin(y - 1, x) && isWithin(y + 1, x) && isWithin(y, x - 1) && isWithin(y, x + 1))) continue;
      const at = (y * picture.width + x) * 4;
      // Seen on black and on white.
      picture.pixels.fill(picture.pixels[at]! < 128 ? 255 : 0, at, at + 3);
    }
  }
  return picture;
}

export function drawPhases(phases: Phases, [vertical, horizontal]: Strides): Picture {
  return drawMap(vertical * periods, horizontal * periods, (y, x) => phases[(y % vertical) * horizontal + (x % horizontal)]!);
}

function drawMap(height: number, width: number, value: (y: number, x: number) => number): Picture {
  const values = Float64Array.from({ length: height * width }, (_, at) => value(Math.floor(at / width), at % width));
  const largest = values.reduce((most, each) => Math.max(most, each), 0) || 1;
  const zoom = Math.max(1, Math.round(mapEdge / Math.max(height, width)));
  const pixels = new Uint8Array(height * zoom * width * zoom * 4);
  for (let y = 0; y < height * zoom; y++) {
    for (let x = 0; x < width * zoom; x++) {
      const level = Math.round((255 * values[Math.floor(y / zoom) * width + Math.floor(x / zoom)]!) / largest);
      pixels.set([level, level, level, 255], (y * width * zoom + x) * 4);
    }
  }
  return { width: width * zoom, height: height * zoom, pixels };
}
