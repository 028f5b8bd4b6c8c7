/** What the drawings leave to chance, from one seed: numbers, choices, colours, and noise that is smooth in space. */
import { seededNumbers } from '../../rewrite/training/seededNumbers.ts';
import type { Colour, Paint } from './canvas.ts';

export interface Chance {
  between(low: number, high: number): number;
  /** A whole number from low to high, both included. */
  whole(low: number, high: number): number;
  isLikely(share: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** Any colour; saturation and brightness within 0..1. */
  colour(saturation?: readonly [number, number], brightness?: readonly [number, number]): Colour;
  /** A colour of this hue (0..360), give or take. */
  hue(hue: number, spread: number, saturation?: readonly [number, number], brightness?: readonly [number, number]): Colour;
  /** Numbers about 0, twice `amount` to either side at most, the small ones more likely. */
  grain(amount: number): () => number;
  /** Smooth noise of mean 0.5 within 0..1; one unit of x or y is one bump. */
  noise(): (x: number, y: number) => number;
}

export function createChance(seed: number, purpose: string): Chance {
  const random = seededNumbers(seed, purpose);
  const between = (low: number, high: number) => low + (high - low) * random();
  const chance: Chance = {
    between,
    whole: (low, high) => low + Math.floor(random() * (high - low + 1)),
    isLikely: (share) => random() < share,
    pick: (choices) => choices[Math.floor(random() * choices.length)]!,
    colour: (saturation = [0.25, 0.95], brightness = [0.3, 1]) => colourOf(random() * 360, between(...saturation), between(...brightness)),
    hue: (hue, spread, saturation = [0.4, 0.95], brightness = [0.4, 1]) => colourOf(hue + between(-spread, spread), between(...saturation), between(...brightness)),
    grain: (amount) => () => amount * (-1 + 2 * random() + (-1 + 2 * random())),
    noise() {
      const values = new Float32Array(64 * 64);
      for (let at = 0; at < values.length; at++) values[at] = random();
      return (x, y) => smooth(values, x, y);
    },
  };
  return chance;
}

/** Hue in degrees, saturation and brightness 0..1. */
function colourOf(hue: number, saturation: number, brightness: number): Colour {
  const channel = (offset: number) => {
    const k = (offset + hue / 60 + 60) % 6;
    return 255 * brightness * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

export function mixed(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** Lighter above 1, darker below. */
export function lit(colour: Colour, factor: number): Colour {
  return [Math.min(255, colour[0] * factor), Math.min(255, colour[1] * factor), Math.min(255, colour[2] * factor)];
}

export function flat(colour: Colour): Paint {
  return () => colour;
}

/** From one colour to another along a direction, over -1..1. */
export function graded(a: Colour, b: Colour, angle: number): Paint {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => mixed(a, b, Math.max(0, Math.min(1, 0.5 + 0.5 * (x * cos + y * sin))));
}

/** Bright where a ball is lit from above left, dark at its edge. */
export function rounded(colour: Colour): Paint {
  return (x, y) => lit(colour, 1.25 - 0.75 * Math.min(1, Math.hypot(x + 0.35, y + 0.35)));
}

function smooth(values: Float32Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const [u, v] = [x - column, y - row];
  const right = u * u * (3 - 2 * u);
  const down = v * v * (3 - 2 * v);
  const [first, second] = [(row & 63) * 64, ((row + 1) & 63) * 64];
  const [left, next] = [column & 63, (column + 1) & 63];
  const top = values[first + left]! + (values[first + next]! - values[first + left]!) * right;
  const bottom = values[second + left]! + (values[second + next]! - values[second + left]!) * right;
  return top + (bottom - top) * down;
}
