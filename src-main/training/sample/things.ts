/** Things: each is drawn into a frame of its own, -1..1 with y down, at a place; its colours and proportions are left to chance. */
import type { Canvas, Colour, Paint, Place, Shape } from './canvas.ts';
import { flat, graded, lit, mixed, rounded, type Chance } from './chance.ts';
import { arc, ellipse, petal, polygon, rectangle, ring, star, stroke, union, without } from './shapes.ts';

type Draw = (canvas: Canvas, place: Place, chance: Chance) => void;

const ink: Colour = [28, 24, 30];

/** One call for each part. */
function pen(canvas: Canvas, place: Place): (shape: Shape, colour: Colour | Paint, opacity?: number) => void {
  return (shape, colour, opacity) => canvas.fill(shape, place, typeof colour === 'function' ? colour : flat(colour), opacity);
}

export const face: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const skin = chance.pick([chance.hue(24, 8, [0.25, 0.5], [0.75, 1]), chance.hue(22, 6, [0.45, 0.65], [0.4, 0.7]), chance.hue(45, 15, [0.5, 0.9], [0.8, 1])]);
  const hair = chance.pick([chance.hue(25, 12, [0.5, 0.9], [0.12, 0.5]), chance.hue(45, 8, [0.5, 0.8], [0.6, 0.9]), chance.colour([0, 0.1], [0.05, 0.9])]);
  const width = chance.between(0.66, 0.82);
  draw(ellipse(0, -0.18, width + 0.12, 0.82), hair);
  if (chance.isLikely(0.4)) draw(rectangle(-width - 0.1, -0.2, width + 0.1, 0.75, 0.2), hair);
  for (const side of [-1, 1]) draw(ellipse(side * width, 0.08, 0.12, 0.18), lit(skin, 0.85));
  draw(ellipse(0, 0.08, width, 0.86), (x, y) => lit(skin, 1.12 - 0.3 * Math.hypot(x + 0.2, y + 0.1)));
  draw(without(ellipse(0, -0.2, width + 0.03, 0.72), ellipse(0, 0.3, width + 0.1, 0.78)), hair);
  const iris = chance.colour([0.4, 0.9], [0.25, 0.7]);
  const [apart, level, open] = [chance.between(0.27, 0.36), chance.between(-0.08, 0.08), chance.between(0.1, 0.15)];
  for (const side of [-1, 1]) {
    draw(ellipse(side * apart, level, 0.19, open), [248, 248, 245]);
    draw(ellipse(side * apart, level, 0.1), iris);
    draw(ellipse(side * apart, level, 0.05), ink);
    draw(ellipse(side * apart - 0.03, level - 0.03, 0.022), [255, 255, 255]);
    draw(stroke(side * (apart - 0.17), level - 0.22, side * (apart + 0.17), level - 0.26 + chance.between(-0.05, 0.08), 0.07), lit(hair, 0.8));
  }
  if (chance.isLikely(0.25)) for (const side of [-1, 1]) draw(ring(side * apart, level, 0.26, 0.21), ink);
  draw(polygon([[0, 0.02], [0.11, 0.36], [-0.11, 0.36]]), lit(skin, 0.78));
  const lips: Colour = mixed(skin, [190, 30, 50], 0.65);
  const bow = chance.between(0.22, 0.36);
  if (chance.isLikely(0.75)) draw(arc(0, 0.42, bow, 0.35, Math.PI - 0.35, 0.1), lips);
  else draw(ellipse(0, 0.62, 0.16, 0.12), lit(lips, 0.5));
};

export const house: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const wall = chance.colour([0.05, 0.6], [0.6, 1]);
  const roof = chance.pick([chance.hue(10, 14, [0.5, 0.9], [0.35, 0.75]), chance.colour([0.05, 0.4], [0.2, 0.5])]);
  const frameColour = chance.isLikely(0.6) ? ([250, 250, 250] as const) : lit(wall, 0.5);
  const half = chance.between(0.6, 0.85);
  const peak = chance.between(-0.95, -0.7);
  if (chance.isLikely(0.6)) draw(rectangle(0.3, -0.85, 0.5, -0.2), lit(roof, 0.8));
  draw(rectangle(-half, -0.2, half, 0.85), graded(lit(wall, 1.1), lit(wall, 0.85), 0.3));
  draw(polygon([[-half - 0.14, -0.18], [0, peak], [half + 0.14, -0.18]]), (x, y) => lit(roof, 0.85 + 0.3 * (Math.floor((y + 1) * 11) & 1) + 0.1 * Math.sin(40 * x)));
  const glass = chance.hue(chance.pick([205, 50]), 12, [0.2, 0.7], [0.5, 1]);
  const window = (x: number, y: number) => {
    draw(rectangle(x - 0.19, y - 0.2, x + 0.19, y + 0.2), frameColour);
    draw(rectangle(x - 0.15, y - 0.16, x + 0.15, y + 0.16), graded(lit(glass, 1.2), lit(glass, 0.6), 0.8));
    draw(union(rectangle(x - 0.02, y - 0.17, x + 0.02, y + 0.17), rectangle(x - 0.16, y - 0.02, x + 0.16, y + 0.02)), frameColour);
  };
  const door = chance.colour([0.3, 0.9], [0.2, 0.6]);
  const doorAt = chance.pick([-0.35, 0, 0.35]);
  draw(rectangle(doorAt - 0.17, 0.3, doorAt + 0.17, 0.85), door);
  draw(ellipse(doorAt + 0.1, 0.58, 0.03), [230, 200, 90]);
  for (const x of [-0.4, 0.4]) {
    window(x, 0.06);
    if (Math.abs(x - doorAt) > 0.3) window(x, 0.55);
  }
};

export const car: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const body = chance.colour([0.4, 1], [0.4, 1]);
  const [front, back, roof] = [chance.between(0.28, 0.45), chance.between(-0.62, -0.4), chance.between(-0.5, -0.36)];
  draw(ellipse(0, 0.52, 0.98, 0.1), ink, 0.5);
  draw(polygon([[back - 0.2, 0], [back, roof], [front, roof], [front + 0.32, 0]]), lit(body, 0.9));
  const glass: Colour = chance.hue(205, 10, [0.15, 0.4], [0.6, 0.95]);
  draw(polygon([[back - 0.08, -0.02], [back + 0.06, roof + 0.07], [-0.1, roof + 0.07], [-0.1, -0.02]]), graded(lit(glass, 1.2), lit(glass, 0.55), 1));
  draw(polygon([[-0.02, -0.02], [-0.02, roof + 0.07], [front - 0.04, roof + 0.07], [front + 0.2, -0.02]]), graded(lit(glass, 1.2), lit(glass, 0.55), 1));
  draw(rectangle(-0.95, -0.04, 0.95, 0.4, 0.14), (_, y) => lit(body, 1.15 - 0.8 * (y + 0.04)));
  draw(stroke(-0.06, 0.02, -0.06, 0.34, 0.02), lit(body, 0.5));
  draw(rectangle(-0.24, 0.1, -0.12, 0.13), ink);
  draw(ellipse(0.88, 0.12, 0.08, 0.06), [255, 240, 170]);
  draw(ellipse(-0.9, 0.12, 0.06, 0.06), [215, 30, 30]);
  for (const x of [-0.55, 0.55]) {
    draw(ellipse(x, 0.38, 0.25), ink);
    draw(ellipse(x, 0.38, 0.14), [190, 192, 198]);
    for (let spoke = 0; spoke < 5; spoke++) {
      const angle = (2 * Math.PI * spoke) / 5 + x;
      draw(stroke(x, 0.38, x + 0.12 * Math.cos(angle), 0.38 + 0.12 * Math.sin(angle), 0.035), [90, 92, 98]);
    }
    draw(ellipse(x, 0.38, 0.04), ink);
  }
};

export const flower: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const petals = chance.whole(5, 11);
  const colour = chance.pick([chance.hue(330, 30), chance.hue(50, 12), chance.hue(270, 25), chance.hue(5, 10), chance.colour([0, 0.15], [0.9, 1])]);
  const centre = chance.pick([chance.hue(45, 10, [0.7, 1], [0.7, 1]), chance.hue(25, 8, [0.5, 0.8], [0.25, 0.5])]);
  const width = chance.between(1.5, 2.6) / petals;
  for (let at = 0; at < petals; at++) {
    const angle = (2 * Math.PI * at) / petals;
    draw(petal(0.98, width, angle), (x, y) => lit(colour, 0.72 + 0.4 * Math.hypot(x, y) - 0.12 * Math.abs(Math.sin(8 * (Math.atan2(y, x) - angle)))));
    draw(stroke(0.2 * Math.cos(angle), 0.2 * Math.sin(angle), 0.75 * Math.cos(angle), 0.75 * Math.sin(angle), 0.025), lit(colour, 0.7));
  }
  const size = chance.between(0.2, 0.34);
  draw(ellipse(0, 0, size), (x, y) => lit(centre, 0.85 + 0.3 * ((Math.floor(x * 22) + Math.floor(y * 22)) & 1)));
};

export const fish: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const body = chance.colour([0.5, 1], [0.5, 1]);
  const second = chance.colour([0.2, 1], [0.4, 1]);
  const height = chance.between(0.34, 0.55);
  draw(polygon([[-0.5, 0], [-1, -0.42], [-0.88, 0], [-1, 0.42]]), lit(second, 0.9));
  draw(polygon([[-0.25, -height * 0.8], [0.1, -height - 0.28], [0.3, -height * 0.7]]), second);
  draw(polygon([[-0.2, height * 0.8], [0, height + 0.22], [0.15, height * 0.8]]), second);
  const stripes = chance.pick([0, 5, 8]);
  draw(ellipse(0.08, 0, 0.72, height), (x, y) => {
    const scales = 0.12 * Math.sin(24 * x + (Math.floor(y * 14) & 1) * Math.PI) * Math.sin(44 * y);
    const base = stripes > 0 && Math.sin(stripes * Math.PI * x) > 0.3 && x < 0.45 ? second : body;
    return lit(base, 1.1 - 0.7 * Math.max(0, y) + scales);
  });
  draw(arc(0.28, 0, 0.3, -0.8, 0.8, 0.04), lit(body, 0.5));
  draw(petal(0.36, 0.12, 2.7, 0.25, 0.1), lit(second, 0.75));
  draw(ellipse(0.56, -0.1, 0.1), [250, 250, 248]);
  draw(ellipse(0.58, -0.1, 0.055), ink);
  draw(stroke(0.66, 0.16, 0.8, 0.1, 0.03), ink);
};

export const tree: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const bark = chance.hue(26, 8, [0.4, 0.7], [0.25, 0.5]);
  const leaf = chance.pick([chance.hue(110, 25, [0.4, 0.9], [0.25, 0.65]), chance.hue(30, 18, [0.6, 0.95], [0.5, 0.85])]);
  const noise = chance.noise();
  const leafy = (dark: number): Paint => (x, y) => lit(leaf, dark * (0.55 + 0.9 * noise(18 * x + 20, 18 * y + 20)) - 0.15 * x - 0.15 * y);
  draw(polygon([[-0.13, 1], [-0.07, -0.1], [0.07, -0.1], [0.13, 1]]), (x) => lit(bark, 0.9 + 0.35 * Math.sin(50 * x) - x));
  if (chance.isLikely(0.45)) {
    for (let tier = 0; tier < 3; tier++) draw(polygon([[-0.62 + 0.13 * tier, 0.5 - 0.42 * tier], [0, -0.32 - 0.34 * tier], [0.62 - 0.13 * tier, 0.5 - 0.42 * tier]]), leafy(0.85 + 0.12 * tier));
    return;
  }
  for (const [x, y] of [[-0.2, 0.25], [0.25, 0.15]] as const) draw(stroke(0, 0.4, x * 1.6, y - 0.35, 0.06), bark);
  const bunches = chance.whole(6, 9);
  for (let at = 0; at < bunches; at++) {
    const angle = (2 * Math.PI * at) / bunches;
    draw(ellipse(0.42 * Math.cos(angle), -0.35 + 0.34 * Math.sin(angle), chance.between(0.26, 0.36)), leafy(0.8 + 0.25 * (at % 2)));
  }
  draw(ellipse(-0.05, -0.42, 0.4), leafy(1.1));
};

export const clock: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const rim = chance.colour([0.2, 0.9], [0.25, 0.8]);
  const dial = chance.colour([0, 0.2], [0.85, 1]);
  const mark = chance.isLikely(0.7) ? ink : chance.colour([0.5, 1], [0.2, 0.5]);
  draw(ellipse(0, 0, 0.98), rounded(rim));
  draw(ellipse(0, 0, 0.82), dial);
  for (let hour = 0; hour < 12; hour++) {
    const [cos, sin] = [Math.cos((Math.PI * hour) / 6), Math.sin((Math.PI * hour) / 6)];
    const inner = hour % 3 === 0 ? 0.58 : 0.67;
    draw(stroke(inner * cos, inner * sin, 0.74 * cos, 0.74 * sin, hour % 3 === 0 ? 0.08 : 0.05), mark);
  }
  const [short, long] = [chance.between(0, 2 * Math.PI), chance.between(0, 2 * Math.PI)];
  draw(stroke(0, 0, 0.4 * Math.cos(short), 0.4 * Math.sin(short), 0.1), mark);
  draw(stroke(0, 0, 0.64 * Math.cos(long), 0.64 * Math.sin(long), 0.06), mark);
  if (chance.isLikely(0.4)) draw(stroke(0, 0, 0.66 * Math.cos(long + 2), 0.66 * Math.sin(long + 2), 0.025), [210, 30, 30]);
  draw(ellipse(0, 0, 0.07), rim);
};

/** Letters as strokes on a 2 x 2 field; those that turned ones could be taken for are left out. */
const glyphs: Readonly<Record<string, readonly Shape[]>> = (() => {
  const w = 0.3;
  const line = (x0: number, y0: number, x1: number, y1: number) => stroke(x0, y0, x1, y1, w);
  return {
    A: [line(-0.6, 0.8, 0, -0.8), line(0, -0.8, 0.6, 0.8), line(-0.35, 0.25, 0.35, 0.25)],
    B: [line(-0.5, -0.8, -0.5, 0.8), arc(-0.1, -0.4, 0.4, -Math.PI / 2, Math.PI / 2, w), arc(-0.1, 0.4, 0.4, -Math.PI / 2, Math.PI / 2, w), line(-0.5, -0.8, -0.1, -0.8), line(-0.5, 0, -0.1, 0), line(-0.5, 0.8, -0.1, 0.8)],
    E: [line(-0.45, -0.8, -0.45, 0.8), line(-0.45, -0.8, 0.5, -0.8), line(-0.45, 0, 0.35, 0), line(-0.45, 0.8, 0.5, 0.8)],
    K: [line(-0.45, -0.8, -0.45, 0.8), line(-0.4, 0.1, 0.5, -0.8), line(-0.15, -0.1, 0.55, 0.8)],
    R: [line(-0.45, -0.8, -0.45, 0.8), arc(0, -0.4, 0.4, -Math.PI / 2, Math.PI / 2, w), line(-0.45, -0.8, 0, -0.8), line(-0.45, 0, 0, 0), line(-0.05, 0, 0.5, 0.8)],
    S: [arc(0, -0.4, 0.42, Math.PI * 0.5, Math.PI * 1.9, w), arc(0, 0.42, 0.42, -Math.PI * 0.5, Math.PI * 0.9, w)],
  };
})();

export const letter: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const glyph = union(...chance.pick(Object.values(glyphs)));
  const colour = chance.colour([0.1, 1], [0.1, 1]);
  if (chance.isLikely(0.6)) draw(rectangle(-0.95, -1.05, 0.95, 1.05, chance.between(0, 0.3)), chance.colour([0, 0.7], (colour[0] + colour[1] + colour[2]) / 3 < 120 ? [0.8, 1] : [0.1, 0.35]));
  draw(glyph, graded(lit(colour, 1.2), lit(colour, 0.8), 1));
};

export const starShape: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const colour = chance.pick([chance.hue(48, 12, [0.6, 1], [0.75, 1]), chance.colour([0.5, 1], [0.5, 1])]);
  const [points, inner] = [chance.whole(5, 8), chance.between(0.35, 0.55)];
  if (chance.isLikely(0.5)) draw(star(points, inner), lit(colour, 0.45));
  canvas.fill(star(points, inner), { ...place, size: place.size * 0.88 }, (x, y) => lit(colour, 0.8 + 0.35 * Math.cos(points * Math.atan2(y, x) + 0.8)));
};

export const butterfly: Draw = (canvas, place, chance) => {
  const draw = pen(canvas, place);
  const [wing, spot] = [chance.colour([0.5, 1], [0.5, 1]), chance.colour([0.3, 1], [0.7, 1])];
  const border = chance.isLikely(0.7) ? ink : lit(wing, 0.4);
  const [up, down] = [chance.between(-0.85, -0.6), chance.between(0.6, 0.9)];
  for (const side of [-1, 1]) {
    const angle = (turn: number) => (side < 0 ? Math.PI - turn : turn);
    for (const [turn, length, width] of [[up, 1.15, 0.42], [down, 0.85, 0.38]] as const) {
      draw(petal(length, width, angle(turn)), border);
      draw(petal(length * 0.86, width * 0.8, angle(turn)), (x, y) => lit(wing, 0.7 + 0.4 * Math.hypot(x, y)));
      draw(ellipse(0.62 * length * Math.cos(angle(turn)), 0.62 * length * Math.sin(turn), 0.13), spot);
      draw(ellipse(0.62 * length * Math.cos(angle(turn)), 0.62 * length * Math.sin(turn), 0.06), border);
    }
    draw(stroke(0, -0.4, side * 0.25, -0.75, 0.03), ink);
  }
  draw(ellipse(0, 0.02, 0.08, 0.46), ink);
};
