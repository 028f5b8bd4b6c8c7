/** What is looked at, as PNG: sheets of nine patches or projections, single units, whole inputs. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, Scale, Seed } from '../../src-shared/domain/projection.ts';
import { encodePng, resizePixels } from '../dataset/picture.ts';
import { unitWindow } from '../geometry/receptiveField.ts';
import { displayLimits, drawPatch, drawProjection, type Picture } from '../projection/display.ts';
import { cut } from '../projection/measure.ts';
import { composeSheet } from '../projection/sheet.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { layerOf } from './indexing.ts';
import { checkUnit, type Projection, type ProjectionService } from './projections.ts';
import type { WorkspaceService } from './workspaces.ts';

interface ChannelPlace {
  readonly index: string;
  readonly layer: number;
  readonly channel: number;
  readonly size: number;
}

interface UnitPlace {
  readonly index: string;
  readonly layer: number;
  readonly image: number;
  readonly y: number;
  readonly x: number;
  readonly size: number;
}

interface Display {
  readonly method: Method;
  readonly seed: Seed;
  readonly scale: Scale;
  /** None if absent. */
  readonly control?: Control;
}

export interface PictureService {
  patchSheet(place: ChannelPlace, signal?: AbortSignal): Promise<Uint8Array>;
  projectionSheet(place: ChannelPlace & Display, signal?: AbortSignal): Promise<Uint8Array>;
  patch(place: UnitPlace, signal?: AbortSignal): Promise<Uint8Array>;
  projection(place: UnitPlace & Display & { readonly channel: number; readonly area: 'patch' | 'input' }, signal?: AbortSignal): Promise<Uint8Array>;
  inputImage(place: { readonly index: string; readonly image: number }, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Tiles of a sheet, whatever the length of the top list. */
const sheetTiles = 9;
/** A receptive field larger than this many inputs is drawn cut off, or the input would be a speck in its border. */
const largestWindow = 512;

export function createPictureService(workspaces: WorkspaceService, projections: ProjectionService): PictureService {
  const open = (index: string) => workspaces.required().store.indexes.get(index as IndexId);
  const hitsOf = (index: StoredIndex, place: ChannelPlace) => workspaces.required().store.hits.ofChannel(index.id, place.layer, place.channel).then((hits) => hits.slice(0, sheetTiles));

  return {
    async patchSheet(place, signal) {
      const index = await open(place.index);
      const layer = layerOf(index, place.layer);
      const [height, width] = index.preprocessing.crop;
      checkUnit(layer, { channel: place.channel, y: 0, x: 0 });
      const hits = await hitsOf(index, place);
      const tiles = await Promise.all(
        hits.map(async (hit) => fit(drawPatch(await projections.inputPixels(index, hit.image, signal), height, width, windowOf(layer, hit.y, hit.x, height, width)), place.size)),
      );
      return sheet(tiles, place.size);
    },
    async projectionSheet(place, signal) {
      const index = await open(place.index);
      const layer = layerOf(index, place.layer);
      checkUnit(layer, { channel: place.channel, y: 0, x: 0 });
      const hits = await hitsOf(index, place);
      const units = hits.map((hit) => ({ channel: place.channel, imageNumber: hit.image, y: hit.y, x: hit.x }));
      const found = await projections.many(index, place.layer, units, place.method, place.seed, signal, place.control);
      const limits = displayLimits(found.map((projection) => patchValues(index, projection)), place.scale);
      const tiles = await Promise.all(found.map((projection, at) => fit(draw(index, layer, projection, limits[at]!, 'patch'), place.size)));
      return sheet(tiles, place.size);
    },
    async patch(place, signal) {
      const index = await open(place.index);
      const [height, width] = index.preprocessing.crop;
      const layer = layerOf(index, place.layer);
      checkUnit(layer, { channel: 0, y: place.y, x: place.x });
      const window = windowOf(layer, place.y, place.x, height, width);
      return png(await fit(drawPatch(await projections.inputPixels(index, place.image, signal), height, width, window), place.size));
    },
    async projection(place, signal) {
      const index = await open(place.index);
      const layer = layerOf(index, place.layer);
      const [projection] = await projections.many(index, place.layer, [{ channel: place.channel, imageNumber: place.image, y: place.y, x: place.x }], place.method, place.seed, signal, place.control);
      const [limit] = displayLimits([patchValues(index, projection!)], place.scale);
      return png(await fit(draw(index, layer, projection!, limit!, place.area), place.size));
    },
    async inputImage({ index: id, image }, signal) {
      const index = await open(id);
      const [height, width] = index.preprocessing.crop;
      return encodePng(await projections.inputPixels(index, image, signal), width, height, 3);
    },
  };
}

/** The display scale looks at the patch only: the zeros around it say nothing about contrast. */
function patchValues(index: StoredIndex, { record, values }: Projection): Float32Array {
  return cut(values, index.preprocessing.crop[0], index.preprocessing.crop[1], record.box);
}

function draw(index: StoredIndex, layer: Layer, { record, values }: Projection, limit: number, area: 'patch' | 'input'): Picture {
  const [height, width] = index.preprocessing.crop;
  const window: Box = area === 'input' ? [0, 0, height, width] : windowOf(layer, record.y, record.x, height, width);
  return drawProjection(values, height, width, window, limit, index.preprocessing.order);
}

function windowOf(layer: Layer, y: number, x: number, height: number, width: number): Box {
  const [y0, x0, y1, x1] = unitWindow(layer.receptiveField, y, x);
  if (y1 - y0 <= largestWindow && x1 - x0 <= largestWindow) return [y0, x0, y1, x1];
  return [Math.max(y0, 0), Math.max(x0, 0), Math.min(y1, height), Math.min(x1, width)];
}

/** Brings a picture's longer edge to `size`. Patches of a few pixels keep their hard edges: they are what the unit sees. */
async function fit(picture: Picture, size: number): Promise<Picture> {
  const longer = Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((edge) => Math.max(1, Math.round((edge * size) / longer))) as [number, number];
  const resized = await resizePixels({ ...picture, channels: 4 }, width, height, longer < 20 ? 'nearest' : 'cubic');
  return { width, height, pixels: resized.pixels };
}

function sheet(tiles: readonly Picture[], size: number): Promise<Uint8Array> {
  return png(composeSheet(Array.from({ length: sheetTiles }, (_, at) => tiles[at]), size));
}

function png({ pixels, width, height }: Picture): Promise<Uint8Array> {
  return encodePng(pixels, width, height, 4);
}
