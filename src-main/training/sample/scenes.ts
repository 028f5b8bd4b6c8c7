/** The classes of the sample: eight textures that fill a picture, ten things in scenes of their own, each with clutter that tells nothing of the class. */
import type { Canvas, Paint, Place } from './canvas.ts';
import { flat, graded, lit, mixed, type Chance } from './chance.ts';
import { ellipse, polygon, rectangle, ring, star, stroke } from './shapes.ts';
import { bricks, checks, clouds, dots, gratings, waves, weave, wood } from './textures.ts';
import { butterfly, car, clock, face, fish, flower, house, letter, starShape, tree } from './things.ts';

export type Scene = (canvas: Canvas, chance: Chance) => void;

export const scenes = {
  bricks: texture(bricks),
  butterflies: scene(butterfly, meadow, { size: [0.24, 0.42], angle: 0.9, count: [1, 2] }),
  cars: scene(car, street, { size: [0.26, 0.42], angle: 0.12, count: [1, 1] }),
  checks: texture(checks),
  clocks: scene(clock, room, { size: [0.22, 0.42], angle: 0.3, count: [1, 1] }),
  clouds: texture(clouds, true),
  dots: texture(dots),
  faces: scene(face, anywhere, { size: [0.26, 0.44], angle: 0.35, count: [1, 1] }),
  fish: scene(fish, water, { size: [0.22, 0.42], angle: 0.5, count: [1, 3] }),
  flowers: scene(flower, meadow, { size: [0.2, 0.42], angle: Math.PI, count: [1, 3] }),
  gratings: texture(gratings),
  houses: scene(house, countryside, { size: [0.28, 0.42], angle: 0.06, count: [1, 1] }),
  letters: scene(letter, anywhere, { size: [0.22, 0.4], angle: 0.35, count: [1, 1], isReadable: true }),
  stars: scene(starShape, anywhere, { size: [0.16, 0.4], angle: Math.PI, count: [1, 3] }),
  trees: scene(tree, countryside, { size: [0.28, 0.44], angle: 0.08, count: [1, 2] }),
  waves: texture(waves, true),
  weave: texture(weave),
  wood: texture(wood),
} as const satisfies Record<string, Scene>;

interface Range {
  readonly size: readonly [number, number];
  /** To either side. */
  readonly angle: number;
  /** Never mirrored. */
  readonly isReadable?: boolean;
  readonly count: readonly [number, number];
}

/** Half of the textures stand alone, half have a shadow or a few small things on them. */
function texture(pattern: (chance: Chance) => Paint, isSmooth = false): Scene {
  return (canvas, chance) => {
    const paint = pattern(chance);
    const light = graded([255, 255, 255], [255 * chance.between(0.45, 1), 0, 0], chance.between(-Math.PI, Math.PI));
    canvas.cover((x, y) => lit(paint(x, y), light(2 * x - 1, 2 * y - 1)[1] / 510 + 0.6), isSmooth ? 'smooth' : 'edges');
    if (chance.isLikely(0.35)) scatter(canvas, chance, chance.whole(1, 3), [0.03, 0.1]);
  };
}

function scene(draw: (canvas: Canvas, place: Place, chance: Chance) => void, ground: Scene, { size, angle, count, isReadable = false }: Range): Scene {
  return (canvas, chance) => {
    ground(canvas, chance);
    scatter(canvas, chance, chance.whole(0, 5), [0.02, 0.09]);
    const things = chance.whole(...count);
    for (let thing = 0; thing < things; thing++) {
      const each = chance.between(...size) * (things === 1 ? 1 : 0.72);
      const margin = Math.min(0.46, each * 0.85);
      draw(canvas, { x: chance.between(margin, 1 - margin), y: chance.between(margin, 1 - margin), size: each, angle: chance.between(-angle, angle), mirrored: !isReadable && chance.isLikely(0.5), squash: chance.between(0.85, 1.15) }, chance);
    }
    if (chance.isLikely(0.3)) scatter(canvas, chance, chance.whole(1, 2), [0.03, 0.08]);
  };
}

/** Small things of no class, anywhere. */
function scatter(canvas: Canvas, chance: Chance, count: number, [least, most]: readonly [number, number]): void {
  for (let at = 0; at < count; at++) {
    const shape = chance.pick([ellipse(0, 0, 1, 0.7), rectangle(-1, -0.6, 1, 0.6, 0.2), stroke(-1.6, 0, 1.6, 0, 0.5), ring(0, 0, 1, 0.6), polygon([[-1, 0.8], [0, -1], [1, 0.8]]), star(4, 0.5)]);
    const place = { x: chance.between(0, 1), y: chance.between(0, 1), size: chance.between(least, most), angle: chance.between(-Math.PI, Math.PI) };
    canvas.fill(shape, place, flat(chance.colour()), chance.between(0.5, 1));
  }
}

/** A plain or graded wall, soft noise, or any of the patterns, faintly. */
function anywhere(canvas: Canvas, chance: Chance): void {
  const [a, b] = [chance.colour([0.05, 0.7], [0.25, 1]), chance.colour([0.05, 0.7], [0.25, 1])];
  const kind = chance.whole(0, 3);
  if (kind === 0) canvas.cover(flat(a), 'smooth');
  else if (kind === 1) {
    const paint = graded(a, b, chance.between(-Math.PI, Math.PI));
    canvas.cover((x, y) => paint(2 * x - 1, 2 * y - 1), 'smooth');
  } else if (kind === 2) canvas.cover(clouds(chance), 'smooth');
  else {
    const paint = chance.pick([gratings, checks, dots, bricks, wood, waves, weave])(chance);
    const faint = chance.between(0.55, 0.8);
    canvas.cover((x, y) => mixed(paint(x, y), a, faint));
  }
}

function room(canvas: Canvas, chance: Chance): void {
  if (chance.isLikely(0.4)) return anywhere(canvas, chance);
  const wall = chance.colour([0.05, 0.5], [0.5, 1]);
  const stripes = chance.isLikely(0.4) ? chance.between(5, 12) : 0;
  const floor = wood(chance);
  const line = chance.between(0.72, 0.95);
  canvas.cover((x, y) => (y > line ? floor(x, y) : lit(wall, stripes > 0 && Math.floor(x * stripes) % 2 === 0 ? 0.85 : 1)));
}

function street(canvas: Canvas, chance: Chance): void {
  const line = chance.between(0.45, 0.7);
  const sky = chance.isLikely(0.5) ? graded(chance.hue(205, 20, [0.1, 0.6], [0.6, 1]), chance.colour([0, 0.4], [0.7, 1]), Math.PI / 2) : undefined;
  const wall = sky ? undefined : chance.pick([bricks, clouds])(chance);
  const road = chance.colour([0, 0.15], [0.3, 0.6]);
  const rough = chance.noise();
  canvas.cover((x, y) => (y > line ? lit(road, 0.85 + 0.3 * rough(30 * x, 30 * y)) : sky ? sky(2 * x - 1, 2 * (y / line) - 1) : wall!(x, y)));
  if (sky) for (let at = chance.whole(0, 4); at > 0; at--) {
    const [left, height, width] = [chance.between(0, 1), chance.between(0.1, 0.35), chance.between(0.05, 0.13)];
    canvas.fill(rectangle(-width, -height, width, 0.01), { x: left, y: line, size: 1, angle: 0 }, flat(chance.colour([0, 0.3], [0.35, 0.8])));
  }
  for (let at = 0; at < 4; at++) canvas.fill(rectangle(-0.08, -0.012, 0.08, 0.012), { x: 0.1 + 0.28 * at, y: (1 + line) / 2 + 0.12, size: 1, angle: 0 }, flat([235, 230, 200]), 0.8);
}

function water(canvas: Canvas, chance: Chance): void {
  const [top, bottom] = [chance.hue(190, 25, [0.3, 0.8], [0.6, 1]), chance.hue(215, 25, [0.6, 1], [0.2, 0.55])];
  const ripple = chance.noise();
  canvas.cover((x, y) => lit(mixed(top, bottom, y), 0.85 + 0.35 * ripple(5 * x + 3 * y, 22 * y)), 'smooth');
  for (let at = chance.whole(0, 6); at > 0; at--) canvas.fill(ring(0, 0, 1, 0.75), { x: chance.between(0, 1), y: chance.between(0, 1), size: chance.between(0.012, 0.04), angle: 0 }, flat([225, 245, 255]), 0.8);
  for (let at = chance.whole(0, 5); at > 0; at--) {
    const [x, height] = [chance.between(0, 1), chance.between(0.12, 0.4)];
    canvas.fill(stroke(0, 0, chance.between(-0.08, 0.08), -height, 0.025), { x, y: 1, size: 1, angle: 0 }, flat(chance.hue(120, 30, [0.5, 0.9], [0.25, 0.6])));
  }
}

function meadow(canvas: Canvas, chance: Chance): void {
  const green = chance.hue(105, 30, [0.35, 0.85], [0.3, 0.75]);
  const blades = chance.noise();
  const isSky = chance.isLikely(0.35);
  const sky = chance.hue(205, 20, [0.15, 0.6], [0.75, 1]);
  const line = chance.between(0.3, 0.7);
  canvas.cover((x, y) => (isSky && y < line ? mixed(sky, [255, 255, 255], y / line / 2) : lit(green, 0.6 + 0.8 * blades(40 * x, 10 * y + 4 * x))), 'smooth');
}

function countryside(canvas: Canvas, chance: Chance): void {
  const [sky, haze] = chance.isLikely(0.8) ? [chance.hue(208, 15, [0.25, 0.75], [0.7, 1]), chance.colour([0, 0.2], [0.9, 1])] : [chance.hue(20, 20, [0.4, 0.8], [0.7, 1]), chance.hue(50, 10, [0.3, 0.6], [0.9, 1])];
  const grass = chance.hue(95, 30, [0.3, 0.8], [0.3, 0.75]);
  const line = chance.between(0.55, 0.82);
  const [hill, drift, rough] = [chance.noise(), chance.noise(), chance.noise()];
  canvas.cover((x, y) => {
    const horizon = line + 0.14 * (hill(2.2 * x, 0) - 0.5);
    if (y > horizon) return lit(grass, 0.7 + 0.5 * rough(34 * x, 18 * y) - 0.25 * (y - horizon));
    return mixed(mixed(sky, haze, y / horizon), [255, 255, 255], Math.max(0, 1.6 * drift(3 * x + 2, 7 * y) - 0.95));
  }, 'smooth');
  if (chance.isLikely(0.3)) canvas.fill(ellipse(0, 0, 1), { x: chance.between(0.1, 0.9), y: chance.between(0.08, 0.25), size: chance.between(0.04, 0.08), angle: 0 }, flat([255, 240, 170]));
}
