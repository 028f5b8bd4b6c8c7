/** Filters as one picture, as in the paper's Figure 6: tiles of weights, zero the neutral grey; in colour where they read a picture of three colours. */
import type { ChannelOrder } from '../../../src-shared/domain/preprocessing.ts';
import { levelOf, type Picture } from '../../projection/display.ts';
import { composeSheet, sheetGap } from '../../projection/sheet.ts';
import type { FilterBank } from './filterBank.ts';

/** `colour`: all three inputs in one tile. `grey`: the weights of one input channel. `rows`: a row of tiles per filter, one for each input channel. */
export type SheetKind = { readonly kind: 'colour'; readonly order: ChannelOrder } | { readonly kind: 'grey'; readonly input: number } | { readonly kind: 'rows' };

export interface DrawnFilters {
  readonly picture: Picture;
  /** Edges of a tile, `[rows, columns]`, in pixels of the picture. */
  readonly tile: readonly [number, number];
  /** Pixels of the picture per weight and axis. */
  readonly zoom: number;
  readonly columns: number;
  readonly gap: number;
}

/** Longer edge of a tile that is aimed at, and the widest sheet. */
const tileEdge = { colour: 44, grey: 44, rows: 16 } as const;
const mostPixels = 4096;
/** Tiles beside each other for each below each other. */
const landscape = 1.5;

/** @param limits the |weight| of full contrast, of each filter */
export function drawFilters(bank: FilterBank, kind: SheetKind, limits: readonly number[]): DrawnFilters {
  const { filters, inputs, height, width } = bank;
  const edge = Math.max(height, width);
  const columns = kind.kind === 'rows' ? inputs : Math.max(1, Math.ceil(Math.sqrt(filters * landscape)));
  const rows = kind.kind === 'rows' ? filters : Math.ceil(filters / columns);
  const fitting = Math.floor((mostPixels / Math.max(columns, rows) - sheetGap) / edge);
  const zoom = Math.max(1, Math.min(Math.round(tileEdge[kind.kind] / edge), fitting));
  const tileOf = (filter: number, planes: readonly number[]) => drawTile(bank, filter, planes, zoom, limits[filter]! || 1);
  const tiles = Array.from({ length: filters }, (_, filter) => {
    if (kind.kind === 'colour') return [tileOf(filter, kind.order === 'bgr' ? [2, 1, 0] : [0, 1, 2])];
    if (kind.kind === 'grey') return [tileOf(filter, [kind.input])];
    return Array.from({ length: inputs }, (_, input) => tileOf(filter, [input]));
  }).flat();
  const size: readonly [number, number] = [height * zoom, width * zoom];
  return { picture: composeSheet(tiles, size, columns), tile: size, zoom, columns, gap: sheetGap };
}

/** `planes`: the input channels that become red, green and blue; one for grey. */
function drawTile({ inputs, height, width, data }: FilterBank, filter: number, planes: readonly number[], zoom: number, limit: number): Picture {
  const pixels = new Uint8ClampedArray(height * zoom * width * zoom * 4);
  for (let y = 0; y < height * zoom; y++) {
    for (let x = 0; x < width * zoom; x++) {
      const weight = Math.floor(y / zoom) * width + Math.floor(x / zoom);
      const at = (y * width * zoom + x) * 4;
      for (let colour = 0; colour < 3; colour++) {
        const plane = planes[planes.length === 1 ? 0 : colour]!;
        pixels[at + colour] = levelOf(data[(filter * inputs + plane) * height * width + weight]!, limit);
      }
      pixels[at + 3] = 255;
    }
  }
  return { width: width * zoom, height: height * zoom, pixels: new Uint8Array(pixels.buffer) };
}
