/** A line through points as pixels, with soft edges and round corners: each pixel is covered as far as its centre is from the nearest piece of the line. */

export interface Stroke {
  /** In pixels, from the upper left corner. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly thickness: number;
  /** `#rrggbb` */
  readonly colour: string;
}

export interface DrawnStroke {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** RGBA, nothing beside the line. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

export function drawStroke({ points, thickness, colour }: Stroke): DrawnStroke {
  const reach = thickness / 2 + 1;
  const ends = (axis: 0 | 1) => points.map((point) => point[axis]);
  const [left, top] = [Math.max(0, Math.floor(Math.min(...ends(0)) - reach)), Math.max(0, Math.floor(Math.min(...ends(1)) - reach))];
  const [width, height] = [Math.max(1, Math.ceil(Math.max(...ends(0)) + reach) - left), Math.max(1, Math.ceil(Math.max(...ends(1)) + reach) - top)];
  const pixels = new Uint8Array(width * height * 4);
  const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const pieces = points.length === 1 ? [[points[0]!, points[0]!] as const] : points.slice(1).map((point, at) => [points[at]!, point] as const);
  for (const [from, to] of pieces) {
    const rows = between(from[1], to[1], reach, top, height);
    const columns = between(from[0], to[0], reach, left, width);
    for (let row = rows[0]; row < rows[1]; row++) {
      for (let column = columns[0]; column < columns[1]; column++) {
        const covered = Math.min(1, Math.max(0, thickness / 2 + 0.5 - distance(left + column + 0.5, top + row + 0.5, from, to)));
        const at = (row * width + column) * 4;
        const alpha = Math.round(covered * 255);
        if (alpha <= pixels[at + 3]!) continue;
        pixels.set([rgb[0]!, rgb[1]!, rgb[2]!, alpha], at);
      }
    }
  }
  return { left, top, width, height, pixels };
}

/** Pixels of one axis that a piece may touch, half-open. */
function between(from: number, to: number, reach: number, origin: number, size: number): readonly [number, number] {
  return [Math.max(0, Math.floor(Math.min(from, to) - reach) - origin), Math.min(size, Math.ceil(Math.max(from, to) + reach) - origin)];
}

function distance(x: number, y: number, [fromX, fromY]: readonly [number, number], [toX, toY]: readonly [number, number]): number {
  const [along, down] = [toX - fromX, toY - fromY];
  const length = along * along + down * down;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - fromX) * along + (y - fromY) * down) / length));
  return Math.hypot(x - fromX - share * along, y - fromY - share * down);
}
