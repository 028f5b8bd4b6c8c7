/**
 * What leaves of a map: its coordinates as CSV and .npy, the mosaic of its pictures, the files of TensorBoard's projector, and a figure with legend and caption. All of them are made from
 * what is stored; nothing is computed anew but pictures.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { zipSync } from 'fflate';
import { LRUCache } from 'lru-cache';
import type * as z from 'zod';
import type { mapExport } from '../../src-shared/contract/map.ts';
import { keptThumbnailSize } from '../../src-shared/contract/mapMedia.ts';
import { AppError } from '../../src-shared/errors.ts';
import { decodePicture, encodePng, resizePixels } from '../dataset/picture.ts';
import type { StoredMap } from '../store/maps.ts';
import { npyBytes } from '../store/npy.ts';
import type { Store } from '../store/open.ts';
import { createFeatureRows, featuresFile, type OpenRows } from './featureRows.ts';
import type { FigureService } from './figures.ts';
import type { ColourChoice, MapColours } from './mapColours.ts';
import { drawMapFigure } from './mapFigure.ts';
import type { MapFacts } from './mapJob.ts';
import { indexOfMap, rowPaths, rowsNow } from './mapRows.ts';
import type { MapRecord, MapService } from './maps.ts';
import type { PictureService } from './pictures.ts';
import type { SmallPicture } from './smallPictures.ts';
import { blank, place, type Sheet, type ThumbnailService } from './thumbnails.ts';
import type { WorkspaceService } from './workspaces.ts';

export type MapExport = z.infer<typeof mapExport>;

export interface MapFile {
  readonly bytes: Uint8Array;
  readonly fileName: string;
  readonly mediaType: string;
}

export interface MapExportService {
  make(request: MapExport, signal?: AbortSignal): Promise<{ readonly media: string; readonly fileName: string; readonly sizeBytes: number; readonly caption: string }>;
  /** All of them, the projector's files each by itself; their names. */
  writeTo(request: { readonly map: string; readonly folder: string; readonly tile?: number | undefined; readonly colour?: Omit<ColourChoice, 'map'> }, signal?: AbortSignal): Promise<readonly string[]>;
  /** @throws AppError NOT_FOUND for one that is held no more */
  made(id: string): MapFile;
}

const heldBytes = 512 * 2 ** 20;
/** Of a mosaic: 1.6 GB while it is drawn. */
const mostPixels = 400_000_000;
/** TensorBoard refuses sprites with a longer edge. */
const longestSprite = 8192;
/** Numbers in tensors.tsv; of more, the coordinates stand in place of the features. */
const mostTensorNumbers = 30_000_000;
const leastSpriteTile = 4;
/** Between the sheets of two channels. */
const sheetMargin = 4;
/** Edge of a picture in a mosaic: of an image, and of a channel, which is nine. */
const usualTiles = { images: 32, channels: 96 } as const;

interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function createMapExports(workspaces: WorkspaceService, maps: MapService, colours: MapColours, thumbnails: ThumbnailService, pictures: PictureService, figures: FigureService): MapExportService {
  const held = new LRUCache<string, MapFile>({ maxSize: heldBytes, sizeCalculation: ({ bytes }) => Math.max(1, bytes.byteLength) });

  async function opened(id: string) {
    const { store } = workspaces.required();
    const [map, record] = [await store.maps.get<MapFacts>(id), await maps.get(id)];
    if (record.stage !== 'done') throw new AppError('CONFLICT', 'The map is not finished yet. Export it when it is.', { map: id });
    return { store, map, record, positions: (await maps.coordinates(id)).positions };
  }

  type Opened = Awaited<ReturnType<typeof opened>>;

  async function csv({ record, positions, map, store }: Opened, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { header, rows } = await described(store, map, record, signal);
    const lines = rows.map((words, row) => [...words.map(quoted), positions[2 * row]!, positions[2 * row + 1]!].join(','));
    return new TextEncoder().encode(`${[[...header, 'x', 'y'].join(','), ...lines].join('\n')}\n`);
  }

  /** What is known of each row, in words. */
  async function described(store: Store, map: StoredMap<MapFacts>, record: MapRecord, signal: AbortSignal | undefined): Promise<{ readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }> {
    const meanings = await rowsNow(store, map);
    if (record.spec.subject.kind === 'channels') return { header: ['channel'], rows: Array.from(meanings, (channel) => [String(channel)]) };
    const paths = await rowPaths(store, map.id);
    const names = await Promise.all(
      (['class', 'prediction', 'error'] as const).map(async (by) => {
        const { values, legend } = await colours.column({ map: map.id, by }, signal);
        if (legend.kind === 'errors') return { by, words: Array.from(values, (value) => (Number.isNaN(value) ? '' : value === 1 ? 'wrong' : 'right')) };
        if (legend.kind !== 'classes') return null;
        const byValue = new Map(legend.classes.map(({ value, name }) => [value, name]));
        return { by, words: Array.from(values, (value) => byValue.get(value) ?? '') };
      }),
    );
    const known = names.filter((each) => each !== null);
    return { header: ['image', ...known.map(({ by }) => by)], rows: paths.map((path, row) => [path, ...known.map(({ words }) => words[row]!)]) };
  }

  /** A picture for each row, in order. */
  async function* picturesOf({ store, map, record }: Opened, size: number, signal: AbortSignal | undefined): AsyncGenerator<SmallPicture | null, void, void> {
    const meanings = await rowsNow(store, map);
    const index = await indexOfMap(store, map);
    if (!index) {
      for (const _ of meanings) yield null;
      return;
    }
    const { subject } = record.spec;
    if (subject.kind === 'images') return yield* thumbnails.each(store, index, [...meanings], size, signal);
    for (const channel of meanings) {
      signal?.throwIfAborted();
      // With a margin, as sheets are made of pictures themselves.
      yield await channelPicture({ index: index.id, layer: subject.layer, channel }, Math.max(3, size - sheetMargin), signal);
    }
  }

  async function channelPicture(place: { readonly index: string; readonly layer: number; readonly channel: number }, size: number, signal: AbortSignal | undefined): Promise<SmallPicture | null> {
    const sheet = await decodePicture(await pictures.patchSheet({ ...place, size: Math.max(32, Math.ceil(size / 3)) }, signal));
    const { pixels } = await resizePixels(sheet, size, size);
    // On white, as the files of pictures have no transparent parts.
    const rgb = new Uint8Array(size * size * 3);
    for (let at = 0; at < size * size; at++) for (let colour = 0; colour < 3; colour++) rgb[at * 3 + colour] = Math.round((pixels[at * 4 + colour]! * pixels[at * 4 + 3]! + 255 * (255 - pixels[at * 4 + 3]!)) / 255);
    return { pixels: rgb, width: size, height: size };
  }

  async function mosaic(of: Opened, wish: number | undefined, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const tile = wish ?? usualTiles[of.record.spec.subject.kind];
    const { columns, rows, cells } = await maps.grid(of.record.id);
    if (columns * rows * tile * tile > mostPixels) {
      const largest = Math.floor(Math.sqrt(mostPixels / (columns * rows)));
      throw new AppError('BAD_REQUEST', `A mosaic of ${columns} x ${rows} pictures of ${tile} pixels is too large to draw; ${largest} pixels are the most for so many.`, { tile, largest });
    }
    const sheet = blank(Math.max(1, columns) * tile, Math.max(1, rows) * tile);
    let row = 0;
    for await (const picture of picturesOf(of, tile, signal)) {
      const cell = cells[row++]!;
      if (picture) place(sheet, picture, (cell % columns) * tile, Math.floor(cell / columns) * tile, tile);
    }
    return encodePng(sheet.pixels, sheet.width, sheet.height, 4, true);
  }

  async function projector(of: Opened, signal: AbortSignal | undefined): Promise<readonly Part[]> {
    const { header, rows } = await described(of.store, of.map, of.record, signal);
    const across = Math.max(1, Math.ceil(Math.sqrt(rows.length)));
    const tile = Math.max(leastSpriteTile, Math.min(keptThumbnailSize, Math.floor(longestSprite / across)));
    const sprite: Sheet = blank(across * tile, across * tile);
    let row = 0;
    for await (const picture of picturesOf(of, tile, signal)) {
      if (picture) place(sprite, picture, (row % across) * tile, Math.floor(row / across) * tile, tile);
      row++;
    }
    // A metadata file with one column has no heading.
    const metadata = [...(header.length > 1 ? [header.join('\t')] : []), ...rows.map((words) => words.map(spaced).join('\t'))];
    const config = { embeddings: [{ tensorName: of.record.title, tensorPath: 'tensors.tsv', metadataPath: 'metadata.tsv', sprite: { imagePath: 'sprite.png', singleImageDim: [tile, tile] } }] };
    return [
      { name: 'tensors.tsv', bytes: await tensors(of, signal) },
      { name: 'metadata.tsv', bytes: lines(metadata) },
      { name: 'sprite.png', bytes: await encodePng(sprite.pixels, sprite.width, sprite.height, 4) },
      { name: 'projector_config.json', bytes: new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`) },
    ];
  }

  /** The features themselves where they are kept and not too many, so that TensorBoard can lay them out in its own ways; else the coordinates. */
  async function tensors({ store, map, record, positions }: Opened, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { subject } = record.spec;
    const index = await indexOfMap(store, map);
    const source = subject.kind === 'images' && index && index.versionBase === map.record.numbering && record.points * record.dimensions <= mostTensorNumbers ? await createFeatureRows().open(store, index, featuresFile(subject)) : null;
    if (!source || source.rows !== record.points) {
      await source?.close();
      return lines(Array.from({ length: record.points }, (_, row) => `${positions[2 * row]!}\t${positions[2 * row + 1]!}`));
    }
    try {
      return await tensorLines(source, signal);
    } finally {
      await source.close();
    }
  }

  async function figure({ map, record, positions }: Opened, colour: Omit<ColourChoice, 'map'>, signal: AbortSignal | undefined) {
    const { values, legend } = await colours.column({ ...colour, map: map.id }, signal);
    const names = record.spec.subject.kind === 'channels' ? Array.from(await rowsNow(workspaces.required().store, map), String) : null;
    return drawMapFigure({ positions, values, legend, names, caption: record.caption });
  }

  async function fileOf(of: Opened, { format, tile, colour = { by: 'class' } }: MapExport, signal: AbortSignal | undefined): Promise<MapFile> {
    const name = `map-${of.record.layerTitle}-${of.record.spec.method.kind}`.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 100);
    switch (format) {
      case 'csv':
        return { bytes: await csv(of, signal), fileName: `${name}.csv`, mediaType: 'text/csv; charset=utf-8' };
      case 'npy':
        return { bytes: npyBytes(of.positions, [of.record.points, 2]), fileName: `${name}.npy`, mediaType: 'application/octet-stream' };
      case 'projector':
        return { bytes: zipSync(Object.fromEntries((await projector(of, signal)).map((part) => [part.name, part.bytes])), { level: 1 }), fileName: `${name}-projector.zip`, mediaType: 'application/zip' };
      case 'mosaic':
        return { bytes: await mosaic(of, tile, signal), fileName: `${name}-mosaic.png`, mediaType: 'image/png' };
      case 'figure':
        return figures.write(await figure(of, colour, signal), 'svg', name);
    }
  }

  return {
    async make(request, signal) {
      const of = await opened(request.map);
      const file = await fileOf(of, request, signal);
      const id = randomBytes(12).toString('hex');
      held.set(id, file);
      return { media: `/media/map-file/${id}`, fileName: file.fileName, sizeBytes: file.bytes.byteLength, caption: of.record.caption };
    },
    async writeTo({ map: id, folder, tile, colour = { by: 'class' } }, signal) {
      const of = await opened(id);
      const parts: Part[] = [
        { name: 'coordinates.csv', bytes: await csv(of, signal) },
        { name: 'coordinates.npy', bytes: npyBytes(of.positions, [of.record.points, 2]) },
        ...(await projector(of, signal)),
        { name: 'mosaic.png', bytes: await mosaic(of, tile, signal) },
      ];
      const layout = await figure(of, colour, signal);
      for (const format of ['svg', 'png'] as const) parts.push({ name: `map.${format}`, bytes: (await figures.write(layout, format, 'map')).bytes });
      parts.push({ name: 'map.json', bytes: new TextEncoder().encode(`${JSON.stringify(answerOf(of.record), null, 2)}\n`) });
      return writeParts(resolve(folder), parts);
    },
    made(id) {
      const file = held.get(id);
      if (!file) throw new AppError('NOT_FOUND', 'This file is held no more; export it again.');
      return file;
    },
  };
}

/** What map.json and `--json` say. */
export function answerOf({ id, spec, modelName, layerTitle, points, dimensions, reduced, iterations, explained, trustworthiness, notes, extent, caption }: MapRecord) {
  return { map: id, spec, model: modelName, layer: layerTitle, points, dimensions, reduced, iterations, explained, trustworthiness, extent, notes, caption };
}

async function tensorLines(source: OpenRows, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const atOnce = Math.max(1, Math.floor(2 ** 18 / Math.max(1, source.dimensions)));
  for (let first = 0; first < source.rows; first += atOnce) {
    signal?.throwIfAborted();
    const count = Math.min(atOnce, source.rows - first);
    const block = await source.read(first, count);
    pieces.push(lines(Array.from({ length: count }, (_, row) => Array.from(block.subarray(row * source.dimensions, (row + 1) * source.dimensions), (value) => String(Number(value.toPrecision(7)))).join('\t'))));
  }
  return Buffer.concat(pieces);
}

async function writeParts(folder: string, parts: readonly Part[]): Promise<readonly string[]> {
  try {
    await mkdir(folder, { recursive: true });
    for (const { name, bytes } of parts) {
      await writeFile(join(folder, `.${name}.tmp`), bytes);
      await rename(join(folder, `.${name}.tmp`), join(folder, name));
    }
  } catch (error) {
    throw new AppError('BAD_REQUEST', `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, { out: folder }, error);
  }
  return parts.map(({ name }) => name);
}

function lines(texts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(texts.length === 0 ? '' : `${texts.join('\n')}\n`);
}

function quoted(word: string): string {
  return /[",\r\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word;
}

/** A tab or line feed would begin another cell. */
function spaced(word: string): string {
  return word.replaceAll(/[\t\r\n]+/g, ' ');
}
