/**
 * A laid-out figure as PNG. Words are set by the image library with the system's sans-serif face; where there is no font at all the figure goes without words. The caption stands in the
 * file in any case, as EXIF ImageDescription.
 */
import { sharp } from './imageLibrary.ts';
import { drawStroke } from './stroke.ts';

interface RasterPicture {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly pixels: Uint8Array;
}

/** Items at their places, in units of which each has `density` pixels. */
export interface RasterFigure {
  readonly width: number;
  readonly height: number;
  readonly items: readonly (
    | { readonly kind: 'picture'; readonly left: number; readonly top: number; readonly width: number; readonly height: number; readonly picture: RasterPicture }
    | { readonly kind: 'stroke'; readonly points: readonly (readonly [x: number, y: number])[]; readonly thickness: number; readonly colour: string }
    | { readonly kind: 'words'; readonly left: number; readonly anchor?: 'middle' | 'end'; readonly baseline: number; readonly size: number; readonly weight: 'plain' | 'bold'; readonly text: string }
  )[];
  readonly caption: string;
}

/** Dots per inch at which a point, in which the library counts sizes, is a unit. */
const dotsPerInch = 72;
/** How far the bar that ends every line reaches below the letters' feet, of the size. */
const barDepth = 0.22;
/** How far it makes a line longer, of the size. */
const barWidth = 0.2;
/** Which share of the words stands before their place. */
const anchors = { middle: 0.5, end: 1 } as const;

export async function drawFigure({ width, height, items, caption }: RasterFigure, density: number, producer: string): Promise<{ readonly bytes: Uint8Array; readonly hasWords: boolean }> {
  const overlays: { input: Buffer; left: number; top: number; raw: { width: number; height: number; channels: 4 } }[] = [];
  const words = new Map<string, RasterPicture | null>();
  let hasWords = true;
  for (const item of items) {
    if (item.kind === 'picture') {
      const raw = { width: Math.round(item.width * density), height: Math.round(item.height * density), channels: 4 as const };
      const { data } = await sharp(item.picture.pixels, { raw: { width: item.picture.width, height: item.picture.height, channels: 4 } }).resize(raw.width, raw.height, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer({ resolveWithObject: true });
      overlays.push({ input: data, left: Math.round(item.left * density), top: Math.round(item.top * density), raw });
      continue;
    }
    if (item.kind === 'stroke') {
      const { pixels, ...area } = drawStroke({ points: item.points.map(([x, y]) => [x * density, y * density] as const), thickness: item.thickness * density, colour: item.colour });
      overlays.push({ input: Buffer.from(pixels.buffer), left: area.left, top: area.top, raw: { width: area.width, height: area.height, channels: 4 } });
      continue;
    }
    const key = JSON.stringify([item.text, item.size, item.weight]);
    if (!words.has(key)) words.set(key, await drawWords(item.text, item.size, item.weight, density));
    const drawn = words.get(key)!;
    if (!drawn) hasWords = false;
    else overlays.push({ input: Buffer.from(drawn.pixels), left: Math.round(item.left * density - (item.anchor ? anchors[item.anchor] : 0) * (drawn.width - barWidth * item.size * density)), top: Math.round((item.baseline + barDepth * item.size) * density) - drawn.height, raw: { width: drawn.width, height: drawn.height, channels: 4 } });
  }
  const background = { r: 255, g: 255, b: 255, alpha: 1 };
  const bytes = await sharp({ create: { width: Math.round(width * density), height: Math.round(height * density), channels: 4, background } })
    .composite(overlays)
    .flatten({ background })
    .withExif({ IFD0: { ImageDescription: caption, Software: producer } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return { bytes, hasWords };
}

/**
 * Black letters on nothing; null where there is no font. The library cuts a line to its ink, whatever that is: a bar that nobody sees ends each line, so that all are equally high and deep.
 */
async function drawWords(text: string, size: number, weight: 'plain' | 'bold', density: number): Promise<RasterPicture | null> {
  const allowed = [...text].filter((letter) => letter >= ' ').join('').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const markup = `<span foreground="#000000">${allowed}</span><span foreground="#ffffff" alpha="1">|</span>`;
  try {
    const { data, info } = await sharp({ text: { text: markup, font: `sans-serif ${weight === 'bold' ? 'bold ' : ''}${size}`, dpi: dotsPerInch * density, rgba: true } })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return info.width > 1 && info.channels === 4 ? { pixels: data, width: info.width, height: info.height } : null;
  } catch {
    return null;
  }
}
