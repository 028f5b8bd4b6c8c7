/**
 * Drawing on 8-bit pixels without any library, so that the sample is the same on every machine: shapes are tests of a point, paints are colours of a point, and
 * each pixel at an edge is tested at nine places, which makes it soft.
 */

/** Red, green, blue, 0..255. */
export type Colour = readonly [number, number, number];
export type Bounds = readonly [left: number, top: number, right: number, bottom: number];
export type Paint = (x: number, y: number) => Colour;

/** In coordinates of its own; everything inside lies within the bounds. */
export interface Shape {
  readonly bounds: Bounds;
  inside(x: number, y: number): boolean;
}

/** Where a thing stands on the picture, whose edge is 1: centre, size of one unit, angle in radians, mirrored, and how much narrower than high. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly angle: number;
  readonly mirrored?: boolean;
  readonly squash?: number;
}

export interface Canvas {
  readonly edge: number;
  /** `[edge, edge, 3]`. */
  readonly pixels: Float32Array;
  /** Paints every pixel; x and y run from 0 to 1. A paint with edges is looked at in four places of each. */
  cover(paint: Paint, kind?: 'smooth' | 'edges'): void;
  /** Paints a shape; the paint sees the shape's own coordinates. `opacity` 0..1. */
  fill(shape: Shape, place: Place, paint: Paint, opacity?: number): void;
}

/** Places within a pixel: four corners and the centre, which tell whether an edge runs through it, then the four between. */
const placesX = [1 / 6, 5 / 6, 1 / 6, 5 / 6, 1 / 2, 1 / 2, 1 / 6, 5 / 6, 1 / 2] as const;
const placesY = [1 / 6, 1 / 6, 5 / 6, 5 / 6, 1 / 2, 1 / 6, 1 / 2, 1 / 2, 5 / 6] as const;
const firstPlaces = 5;

export function createCanvas(edge: number): Canvas {
  const pixels = new Float32Array(edge * edge * 3);
  return {
    edge,
    pixels,
    cover(paint, kind = 'edges') {
      const places = kind === 'edges' ? 4 : 1;
      const [rights, downs] = kind === 'edges' ? [quartersX, quartersY] : [centre, centre];
      let at = 0;
      for (let row = 0; row < edge; row++) {
        for (let column = 0; column < edge; column++, at += 3) {
          for (let place = 0; place < places; place++) {
            const colour = paint((column + rights[place]!) / edge, (row + downs[place]!) / edge);
            pixels[at]! += (colour[0] - pixels[at]!) / (place + 1);
            pixels[at + 1]! += (colour[1] - pixels[at + 1]!) / (place + 1);
            pixels[at + 2]! += (colour[2] - pixels[at + 2]!) / (place + 1);
          }
        }
      }
    },
    fill(shape, place, paint, opacity = 1) {
      const { size, mirrored, squash = 1 } = place;
      const [cos, sin] = [Math.cos(place.angle), Math.sin(place.angle)];
      const across = (mirrored ? -1 : 1) * squash;
      const [left, top, right, bottom] = boundsOnPicture(shape.bounds, place, cos, sin, across);
      const { inside } = shape;
      for (let row = Math.max(0, Math.floor(top * edge)); row < Math.min(edge, Math.ceil(bottom * edge)); row++) {
        for (let column = Math.max(0, Math.floor(left * edge)); column < Math.min(edge, Math.ceil(right * edge)); column++) {
          let [hits, tested, sumX, sumY] = [0, 0, 0, 0];
          while (tested < placesX.length) {
            const u = ((column + placesX[tested]!) / edge - place.x) / size;
            const v = ((row + placesY[tested]!) / edge - place.y) / size;
            const x = (cos * u + sin * v) / across;
            const y = cos * v - sin * u;
            tested++;
            if (inside(x, y)) {
              hits++;
              sumX += x;
              sumY += y;
            }
            if (tested === firstPlaces && (hits === 0 || hits === tested)) break;
          }
          if (hits === 0) continue;
          const colour = paint(sumX / hits, sumY / hits);
          const share = (opacity * hits) / tested;
          const at = (row * edge + column) * 3;
          pixels[at]! += (colour[0] - pixels[at]!) * share;
          pixels[at + 1]! += (colour[1] - pixels[at + 1]!) * share;
          pixels[at + 2]! += (colour[2] - pixels[at + 2]!) * share;
        }
      }
    },
  };
}

const centre = [0.5] as const;
const quartersX = [0.25, 0.75, 0.25, 0.75] as const;
const quartersY = [0.25, 0.25, 0.75, 0.75] as const;

/** Where the corners of a shape's bounds come to lie. */
function boundsOnPicture([left, top, right, bottom]: Bounds, { x, y, size }: Place, cos: number, sin: number, across: number): Bounds {
  const corners = [[left, top], [right, top], [left, bottom], [right, bottom]].map(([u, v]) => [x + size * (cos * u! * across - sin * v!), y + size * (sin * u! * across + cos * v!)] as const);
  const [columns, rows] = [corners.map(([column]) => column), corners.map(([, row]) => row)];
  return [Math.min(...columns), Math.min(...rows), Math.max(...columns), Math.max(...rows)];
}

function clamped(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.floor(value + 0.5);
}

/** Rounded to 8 bits, with a little grain, as a camera's. */
export function developed({ pixels }: Canvas, grain: () => number): Uint8Array {
  const picture = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length; at++) picture[at] = clamped(pixels[at]! + grain());
  return picture;
}
