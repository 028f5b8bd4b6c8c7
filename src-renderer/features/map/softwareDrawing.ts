/** Points without a graphics card: each is painted into the pixels of a picture, at one pixel per point of the screen. All of it is on an opaque ground, so that mixing is a few whole numbers. */
import type { PaintedPoints, PointDrawing, PointView } from './pointDrawing.ts';

export function softwareDrawing(canvas: HTMLCanvasElement): PointDrawing {
  let positions = new Float32Array(0);
  let painted: PaintedPoints = { colours: new Uint8Array(0), raised: new Uint8Array(0), ground: [0, 0, 0] };
  let picture: ImageData | null = null;
  return {
    setPositions: (now) => void (positions = new Float32Array(now)),
    setColours: (now) => void (painted = now),
    draw(view) {
      const [width, height] = [Math.round(view.width), Math.round(view.height)];
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      const context = canvas.getContext('2d', { alpha: false });
      if (!context || width === 0 || height === 0) return;
      if (picture?.width !== width || picture.height !== height) picture = context.createImageData(width, height);
      paintPoints(picture, view, positions, painted);
      context.putImageData(picture, 0, 0);
    },
    dispose: () => undefined,
  };
}

/** Paints the ground and all points over it, those that are raised last. */
export function paintPoints({ data, width, height }: { readonly data: Uint8ClampedArray; readonly width: number; readonly height: number }, view: PointView, positions: Float32Array, { colours, raised, ground }: PaintedPoints): void {
  const whole = new Uint32Array(data.buffer, data.byteOffset, width * height);
  whole.fill(packed(...ground));
  const { edge, cover } = view.square ? squareStamp(view.size) : discStamp(view.size);
  const half = Math.floor(edge / 2);
  const points = Math.min(positions.length / 2, raised.length);
  for (const layer of [0, 1]) {
    for (let point = 0; point < points; point++) {
      if (raised[point] !== layer) continue;
      const left = Math.round(view.left + positions[2 * point]! * view.scale) - half;
      const top = Math.round(view.top + positions[2 * point + 1]! * view.scale) - half;
      // NaN, a point without a place, fails this too.
      if (!(left > -edge && top > -edge && left < width && top < height)) continue;
      const red = colours[4 * point]!;
      const green = colours[4 * point + 1]!;
      const blue = colours[4 * point + 2]!;
      const opacity = colours[4 * point + 3]! + 1;
      const full = packed(red, green, blue);
      for (let row = Math.max(0, -top); row < edge && top + row < height; row++) {
        for (let column = Math.max(0, -left); column < edge && left + column < width; column++) {
          const share = (cover[row * edge + column]! * opacity) >> 8;
          const at = (top + row) * width + left + column;
          if (share >= 255) {
            whole[at] = full;
          } else if (share > 0) {
            const part = 4 * at;
            data[part] = data[part]! + (((red - data[part]!) * share) >> 8);
            data[part + 1] = data[part + 1]! + (((green - data[part + 1]!) * share) >> 8);
            data[part + 2] = data[part + 2]! + (((blue - data[part + 2]!) * share) >> 8);
          }
        }
      }
    }
  }
}

/** Red, green, blue and full opacity as pixels lie in memory. */
function packed(red: number, green: number, blue: number): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

interface Stamp {
  readonly edge: number;
  /** Of each pixel, 0-255. */
  readonly cover: Uint8Array;
}

function squareStamp(size: number): Stamp {
  const edge = Math.max(1, Math.round(size));
  return { edge, cover: new Uint8Array(edge * edge).fill(255) };
}

function discStamp(size: number): Stamp {
  const edge = Math.max(1, Math.ceil(size) | 1);
  const middle = (edge - 1) / 2;
  return { edge, cover: Uint8Array.from({ length: edge * edge }, (_, at) => 255 * Math.min(1, Math.max(0, 0.5 + size / 2 - Math.hypot((at % edge) - middle, Math.floor(at / edge) - middle)))) };
}
