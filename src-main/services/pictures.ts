/**
 * What is looked at, as PNG: sheets of nine patches or projections, single units, whole inputs. Projections are drawn from the form in which they are kept, so a scale is chosen without
 * computing anything again.
 */
import { availableParallelism } from 'node:os';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { ProjectionRecord, Scale } from '../../src-shared/domain/projection.ts';
import { encodePng, resizePixels } from '../dataset/picture.ts';
import { unitWindow } from '../geometry/receptiveField.ts';
import { atlasLevels } from '../projection/atlasPicture.ts';
import { displayLimits, drawPatch, drawProjection, type Picture } from '../projection/display.ts';
import { composeSheet } from '../projection/sheet.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { CropService } from './crops.ts';
import type { DuplicateService } from './duplicates.ts';
import type { Focus } from './focus.ts';
import { layerOf } from './indexing.ts';
import { createPictureQueue } from './pictureQueue.ts';
import type { ProjectionPicture } from './projectionComputing.ts';
import type { ProjectionService } from './projections.ts';
import { checkChannel, checkUnit, type Way } from './projectionUnits.ts';
import type { WorkspaceService } from './workspaces.ts';

interface ChannelPlace {
  readonly index: string;
  readonly layer: number;
  readonly channel: number;
  readonly size: number;
  /** Of duplicates only the strongest. */
  readonly unique?: boolean;
}

interface UnitPlace {
  readonly index: string;
  readonly layer: number;
  readonly image: number;
  readonly y: number;
  readonly x: number;
  readonly size: number;
}

interface Display extends Way {
  readonly scale: Scale;
}

/** Both sheets of a channel, not encoded, for a figure. A channel without hits has empty ones. */
export interface ChannelPictures {
  readonly records: readonly ProjectionRecord[];
  readonly projections: Picture;
  readonly patches: Picture;
}

export interface ProjectedUnit {
  readonly record: ProjectionRecord;
  /** `limit`: the |x| of full contrast, the scale's own where absent. */
  projection(limit?: number): Promise<Picture>;
  patch(): Promise<Picture>;
}

export interface PictureService {
  patchSheet(place: ChannelPlace, signal?: AbortSignal): Promise<Uint8Array>;
  projectionSheet(place: ChannelPlace & Display, signal?: AbortSignal): Promise<Uint8Array>;
  channel(place: ChannelPlace & Display, signal?: AbortSignal): Promise<ChannelPictures>;
  /** One unit for a figure, to be drawn once it is known with which others it shares a scale. */
  unit(place: UnitPlace & Display & { readonly channel: number }, signal?: AbortSignal): Promise<ProjectedUnit>;
  patch(place: UnitPlace, signal?: AbortSignal): Promise<Uint8Array>;
  projection(place: UnitPlace & Display & { readonly channel: number; readonly area: 'patch' | 'input' }, signal?: AbortSignal): Promise<Uint8Array>;
  inputImage(place: { readonly index: string; readonly image: number }, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Tiles of a sheet, whatever the length of the top list. */
const sheetTiles = 9;
/** A receptive field larger than this many inputs is drawn cut off, or the input would be a speck in its border. */
const largestWindow = 512;

export function createPictureService(workspaces: WorkspaceService, projections: ProjectionService, crops: CropService, focus: Focus, duplicates: DuplicateService): PictureService {
  const inTurn = createPictureQueue(availableParallelism());

  async function open(place: { readonly index: string; readonly layer: number }) {
    const { store } = workspaces.required();
    const index = await store.indexes.get(place.index as IndexId);
    const layer = layerOf(index, place.layer);
    const [height, width] = index.preprocessing.crop;
    return { store, index, layer, height, width };
  }

  async function openChannel(place: ChannelPlace) {
    const opened = await open(place);
    checkChannel(opened.layer, place.channel);
    focus.look(place.index, place.layer, place.channel);
    const hits = place.unique ? (await duplicates.list(place.index, place.layer, place.channel)).hits : await opened.store.hits.ofChannel(opened.index.id, place.layer, place.channel);
    return { ...opened, hits: hits.slice(0, sheetTiles) };
  }
  type Channel = Awaited<ReturnType<typeof openChannel>>;

  async function patchesOf({ store, index, layer, height, width, hits }: Channel, size: number): Promise<Picture> {
    const pixels = await Promise.all(hits.map((hit) => crops.pixels(store, index, hit.image, true)));
    return sheet(pixels.map((rgb, at) => drawPatch(rgb, height, width, windowOf(layer, hits[at]!.y, hits[at]!.x, height, width))), size);
  }

  function projectionsOf({ store, index, layer, hits }: Channel, place: ChannelPlace & Way, signal: AbortSignal | undefined): Promise<readonly ProjectionPicture[]> {
    const units = hits.map((hit) => ({ channel: place.channel, imageNumber: hit.image, y: hit.y, x: hit.x }));
    return projections.pictures({ store, index, layer: layer.number, units }, place, { areHits: true, signal });
  }

  function drawn({ index, layer }: Channel, found: readonly ProjectionPicture[], { scale, size }: Display & { readonly size: number }): Promise<Picture> {
    const limits = displayLimits(found.map(({ record }) => record), scale);
    return sheet(found.map((projection, at) => draw(index, layer, projection, limits[at]!, 'patch')), size);
  }

  return {
    async patchSheet(place, signal) {
      const channel = await openChannel(place);
      return inTurn('patches', signal, async () => png(await patchesOf(channel, place.size)));
    },
    async projectionSheet(place, signal) {
      const channel = await openChannel(place);
      const found = await projectionsOf(channel, place, signal);
      return inTurn('projections', signal, async () => png(await drawn(channel, found, place)));
    },
    async channel(place, signal) {
      const channel = await openChannel(place);
      const found = await projectionsOf(channel, place, signal);
      return inTurn('projections', signal, async () => ({
        records: found.map(({ record }) => record),
        projections: await drawn(channel, found, place),
        patches: await patchesOf(channel, place.size),
      }));
    },
    async unit(place, signal) {
      const { store, index, layer, height, width } = await open(place);
      const units = [{ channel: place.channel, imageNumber: place.image, y: place.y, x: place.x }];
      const [found] = await projections.pictures({ store, index, layer: place.layer, units }, place, { areHits: true, signal });
      return {
        record: found!.record,
        projection: (limit = displayLimits([found!.record], place.scale)[0]!) => inTurn('single', signal, () => fit(draw(index, layer, found!, limit, 'patch'), place.size)),
        patch: () => inTurn('single', signal, async () => fit(drawPatch(await crops.pixels(store, index, place.image, true), height, width, windowOf(layer, place.y, place.x, height, width)), place.size)),
      };
    },
    async patch(place, signal) {
      const { store, index, layer, height, width } = await open(place);
      checkUnit(layer, { channel: 0, y: place.y, x: place.x });
      return inTurn('single', signal, async () => {
        const rgb = await crops.pixels(store, index, place.image);
        return png(await fit(drawPatch(rgb, height, width, windowOf(layer, place.y, place.x, height, width)), place.size));
      });
    },
    async projection(place, signal) {
      const { store, index, layer } = await open(place);
      const units = [{ channel: place.channel, imageNumber: place.image, y: place.y, x: place.x }];
      const [found] = await projections.pictures({ store, index, layer: place.layer, units }, place, { signal });
      return inTurn('single', signal, async () => png(await fit(draw(index, layer, found!, displayLimits([found!.record], place.scale)[0]!, place.area), place.size)));
    },
    async inputImage({ index: id, image }, signal) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const [height, width] = index.preprocessing.crop;
      return inTurn('single', signal, async () => encodePng(await crops.shown(store, index, image), width, height, 3, true));
    },
  };
}

function draw(index: StoredIndex, layer: Layer, { record, picture }: ProjectionPicture, limit: number, area: 'patch' | 'input'): Picture {
  const [height, width] = index.preprocessing.crop;
  const window: Box = area === 'input' ? [0, 0, height, width] : windowOf(layer, record.y, record.x, height, width);
  return drawProjection(atlasLevels(picture, record.support, limit), height, width, window, index.preprocessing.order);
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

async function sheet(pictures: readonly Picture[], size: number): Promise<Picture> {
  const tiles = await Promise.all(pictures.map((picture) => fit(picture, size)));
  return composeSheet(Array.from({ length: sheetTiles }, (_, at) => tiles[at]), size);
}

function png({ pixels, width, height }: Picture): Promise<Uint8Array> {
  return encodePng(pixels, width, height, 4, true);
}
