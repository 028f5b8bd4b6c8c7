/** Patterns that cover a whole picture: one class each, and the ground of other scenes. Each follows a frame of its own that is turned and scaled by chance. */
import type { Paint } from './canvas.ts';
import { lit, mixed, type Chance } from './chance.ts';

/** Coordinates of the pattern: turned, scaled (`periods` across the picture), shifted. */
function frame(chance: Chance, periods: number, tilt = Math.PI): (x: number, y: number) => readonly [number, number] {
  const angle = chance.between(-tilt, tilt);
  const [cos, sin] = [Math.cos(angle) * periods, Math.sin(angle) * periods];
  const [left, top] = [chance.between(8, 24), chance.between(8, 24)];
  return (x, y) => [left + cos * x + sin * y, top + cos * y - sin * x];
}

/** Two colours that can be told apart. */
function pair(chance: Chance): readonly [readonly [number, number, number], readonly [number, number, number]] {
  const isDarkFirst = chance.isLikely(0.5);
  const dark = chance.colour([0.1, 0.95], [0.08, 0.5]);
  const light = chance.colour([0.05, 0.8], [0.65, 1]);
  return isDarkFirst ? [dark, light] : [light, dark];
}

export function gratings(chance: Chance): Paint {
  const place = frame(chance, chance.between(3, 14));
  const [a, b] = pair(chance);
  const share = chance.between(0.3, 0.7);
  const isSoft = chance.isLikely(0.5);
  return (x, y) => {
    const [u] = place(x, y);
    return isSoft ? mixed(a, b, 0.5 + 0.5 * Math.sin(2 * Math.PI * u)) : u - Math.floor(u) < share ? a : b;
  };
}

export function checks(chance: Chance): Paint {
  const place = frame(chance, chance.between(3, 11));
  const [a, b] = pair(chance);
  const third = chance.isLikely(0.4) ? chance.colour() : undefined;
  const aspect = chance.between(0.7, 1.4);
  return (x, y) => {
    const [u, v] = place(x, y);
    const [column, row] = [Math.floor(u), Math.floor(v * aspect)];
    return ((column + row) & 1) === 0 ? a : third && (row & 1) === 0 ? third : b;
  };
}

export function dots(chance: Chance): Paint {
  const place = frame(chance, chance.between(3, 10));
  const [a, b] = pair(chance);
  const others = [b, chance.isLikely(0.5) ? chance.colour() : b];
  const radius = chance.between(0.22, 0.42);
  const shift = chance.pick([0, 0.5]);
  return (x, y) => {
    const [u, v] = place(x, y);
    const row = Math.floor(v);
    const across = u + shift * (row & 1);
    const [du, dv] = [across - Math.floor(across) - 0.5, v - row - 0.5];
    return du * du + dv * dv < radius * radius ? others[(Math.floor(across) + row) & 1]! : a;
  };
}

export function bricks(chance: Chance): Paint {
  const place = frame(chance, chance.between(4, 9), 0.35);
  const brick = chance.hue(14, 16, [0.4, 0.85], [0.4, 0.85]);
  const mortar = chance.colour([0, 0.25], [0.55, 0.95]);
  const rough = chance.noise();
  const [joint, length] = [chance.between(0.07, 0.16), chance.between(1.8, 2.8)];
  return (x, y) => {
    const [u, v] = place(x, y);
    const row = Math.floor(v);
    const along = u / length + 0.5 * (row & 1);
    const column = Math.floor(along);
    if (v - row < joint || (along - column) * length < joint) return lit(mortar, 0.85 + 0.3 * rough(u * 4, v * 4));
    return lit(brick, 0.7 + 0.35 * rough(column * 7.3 + 1, row * 5.1) + 0.25 * rough(u * 5, v * 5));
  };
}

export function wood(chance: Chance): Paint {
  const place = frame(chance, 1, 1.7);
  const light = chance.hue(32, 10, [0.4, 0.7], [0.65, 0.9]);
  const dark = lit(light, chance.between(0.4, 0.65));
  const [bend, grain] = [chance.noise(), chance.noise()];
  const rings = chance.between(5, 13);
  return (x, y) => {
    const [u, v] = place(x, y);
    const wave = rings * (v + 0.35 * bend(u * 1.2, v * 2)) + 0.6 * bend(u * 3 + 9, v * 6);
    const edge = wave - Math.floor(wave);
    return lit(mixed(light, dark, edge ** 2), 0.86 + 0.28 * grain(u * 6, v * 70));
  };
}

export function waves(chance: Chance): Paint {
  const place = frame(chance, chance.between(5, 12), 0.9);
  const deep = chance.hue(205, 30, [0.5, 0.95], [0.25, 0.6]);
  const foam = chance.colour([0, 0.35], [0.8, 1]);
  const bend = chance.noise();
  const [swing, length] = [chance.between(0.25, 0.6), chance.between(0.35, 0.8)];
  return (x, y) => {
    const [u, v] = place(x, y);
    const crest = v + swing * Math.sin(2 * Math.PI * u * length) + 0.4 * bend(u * 0.7, v * 0.7);
    return mixed(deep, foam, (0.5 + 0.5 * Math.sin(2 * Math.PI * crest)) ** 2.2);
  };
}

export function clouds(chance: Chance): Paint {
  const place = frame(chance, chance.between(2, 5));
  const [a, b] = [chance.colour([0.1, 0.8], [0.2, 0.75]), chance.colour([0, 0.5], [0.6, 1])];
  const noise = chance.noise();
  const hard = chance.between(1, 2.6);
  return (x, y) => {
    const [u, v] = place(x, y);
    const sum = 0.5 * noise(u, v) + 0.27 * noise(2 * u + 5, 2 * v) + 0.15 * noise(4 * u, 4 * v + 3) + 0.08 * noise(8 * u, 8 * v);
    return mixed(a, b, Math.max(0, Math.min(1, 0.5 + hard * (sum - 0.5) * 1.6)));
  };
}

/** Woven bands that pass over and under each other. */
export function weave(chance: Chance): Paint {
  const place = frame(chance, chance.between(3.5, 9));
  const [a, b] = [chance.colour([0.2, 0.8], [0.5, 1]), chance.colour([0.2, 0.8], [0.35, 0.85])];
  const gap = lit(a, 0.18);
  const width = chance.between(0.36, 0.46);
  return (x, y) => {
    const [u, v] = place(x, y);
    const [column, row] = [Math.floor(u), Math.floor(v)];
    const [du, dv] = [u - column - 0.5, v - row - 0.5];
    const isOver = ((column + row) & 1) === 0;
    const [onAcross, onDown] = [Math.abs(dv) < width, Math.abs(du) < width];
    if (onAcross && (isOver || !onDown)) return lit(a, 1.1 - 1.3 * Math.abs(dv) - 0.5 * Math.abs(du));
    return onDown ? lit(b, 1.1 - 1.3 * Math.abs(du) - 0.5 * Math.abs(dv)) : gap;
  };
}
