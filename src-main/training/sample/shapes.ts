/** Shapes as tests of a point: what the things of the sample are made of. */
import type { Bounds, Shape } from './canvas.ts';

export function ellipse(x: number, y: number, width: number, height = width): Shape {
  return { bounds: [x - width, y - height, x + width, y + height], inside: (u, v) => ((u - x) / width) ** 2 + ((v - y) / height) ** 2 <= 1 };
}

/** From corner to corner, its own corners rounded by a radius. */
export function rectangle(left: number, top: number, right: number, bottom: number, radius = 0): Shape {
  return {
    bounds: [left, top, right, bottom],
    inside(u, v) {
      const du = Math.max(left + radius - u, u - right + radius, 0);
      const dv = Math.max(top + radius - v, v - bottom + radius, 0);
      return radius === 0 ? du === 0 && dv === 0 : du * du + dv * dv <= radius * radius;
    },
  };
}

/** Corners in order, `[x, y]`; the even-odd rule. */
export function polygon(corners: readonly (readonly [number, number])[]): Shape {
  const xs = Float64Array.from(corners, ([x]) => x);
  const ys = Float64Array.from(corners, ([, y]) => y);
  const bounds: Bounds = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  return {
    bounds,
    inside(u, v) {
      let isInside = false;
      for (let at = 0, before = xs.length - 1; at < xs.length; before = at++) {
        const [y, other] = [ys[at]!, ys[before]!];
        if (y > v !== other > v && u < ((xs[before]! - xs[at]!) * (v - y)) / (other - y) + xs[at]!) isInside = !isInside;
      }
      return isInside;
    },
  };
}

/** `points` corners at radius 1, the ones between them at `inner`. */
export function star(points: number, inner: number): Shape {
  return polygon(Array.from({ length: 2 * points }, (_, at) => {
    const radius = at % 2 === 0 ? 1 : inner;
    const angle = (Math.PI * at) / points - Math.PI / 2;
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  }));
}

export function ring(x: number, y: number, outer: number, inner: number): Shape {
  return {
    bounds: [x - outer, y - outer, x + outer, y + outer],
    inside(u, v) {
      const squared = (u - x) ** 2 + (v - y) ** 2;
      return squared <= outer * outer && squared >= inner * inner;
    },
  };
}

/** A line of a width with round ends. */
export function stroke(x0: number, y0: number, x1: number, y1: number, width: number): Shape {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy || 1;
  return {
    bounds: [Math.min(x0, x1) - width / 2, Math.min(y0, y1) - width / 2, Math.max(x0, x1) + width / 2, Math.max(y0, y1) + width / 2],
    inside(u, v) {
      const along = Math.max(0, Math.min(1, ((u - x0) * dx + (v - y0) * dy) / squared));
      return (u - x0 - along * dx) ** 2 + (v - y0 - along * dy) ** 2 <= (width / 2) ** 2;
    },
  };
}

/** The part of a ring between two angles, in radians clockwise from the right. */
export function arc(x: number, y: number, radius: number, from: number, to: number, width: number): Shape {
  return {
    bounds: [x - radius - width / 2, y - radius - width / 2, x + radius + width / 2, y + radius + width / 2],
    inside(u, v) {
      if (Math.abs(Math.hypot(u - x, v - y) - radius) > width / 2) return false;
      const turn = (Math.atan2(v - y, u - x) - from + 4 * Math.PI) % (2 * Math.PI);
      return turn <= to - from;
    },
  };
}

export function union(...shapes: readonly Shape[]): Shape {
  const side = (at: 0 | 1 | 2 | 3) => shapes.map(({ bounds }) => bounds[at]);
  return { bounds: [Math.min(...side(0)), Math.min(...side(1)), Math.max(...side(2)), Math.max(...side(3))], inside: (x, y) => shapes.some((shape) => shape.inside(x, y)) };
}

export function without(shape: Shape, hole: Shape): Shape {
  return { bounds: shape.bounds, inside: (x, y) => shape.inside(x, y) && !hole.inside(x, y) };
}

/** A petal, leaf or wing: two arcs from the origin to `[length, 0]`, turned by an angle. */
export function petal(length: number, width: number, angle: number, x = 0, y = 0): Shape {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return {
    bounds: [x + Math.min(0, length * cos) - width, y + Math.min(0, length * sin) - width, x + Math.max(0, length * cos) + width, y + Math.max(0, length * sin) + width],
    inside(u, v) {
      const along = ((u - x) * cos + (v - y) * sin) / length;
      if (along < 0 || along > 1) return false;
      const across = ((v - y) * cos - (u - x) * sin) / width;
      return Math.abs(across) <= 2 * Math.sqrt(along) * (1 - along);
    },
  };
}
