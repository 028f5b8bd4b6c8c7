/** The paper's Figure 2 for any layer, as SVG, PNG or PDF, with a caption from which it can be made again. */
import { LRUCache } from 'lru-cache';
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type * as z from 'zod';
import type { FigureFormat, figureRequest } from '../../src-shared/contract/figures.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { ProjectionRecord, Scale, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { drawFigure } from '../dataset/figurePicture.ts';
import { encodePng } from '../dataset/picture.ts';
import type { Picture } from '../projection/display.ts';
import { figureDensity, figureTile, layOutFigure, type FigureChannel, type FigureLayout } from '../projection/figureLayout.ts';
import { figurePdf } from '../projection/figurePdf.ts';
import { figureSvg } from '../projection/figureSvg.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { computationVersion } from './computation.ts';
import { layerOf } from './indexing.ts';
import type { PictureService } from './pictures.ts';
import { checkChannel } from './projectionUnits.ts';
import type { WorkspaceService } from './workspaces.ts';

export type FigureRequest = z.infer<typeof figureRequest>;

export interface Figure {
  readonly bytes: Uint8Array;
  readonly format: FigureFormat;
  readonly mediaType: string;
  readonly fileName: string;
  readonly caption: string;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly notes: readonly string[];
}

/** A figure that can be fetched. */
export type HeldFigure = Omit<Figure, 'bytes' | 'mediaType'> & { readonly media: string; readonly sizeBytes: number };

export interface FigureService {
  draw(request: FigureRequest, signal?: AbortSignal): Promise<Figure>;
  /** A layout in a format, named; for other figures than the paper's. */
  write(layout: FigureLayout, format: FigureFormat, name: string): Promise<Figure>;
  /** Holds a figure for the address `media`. */
  hold(figure: Figure): HeldFigure;
  /** Draws it and holds it for the address `media`. */
  make(request: FigureRequest, signal?: AbortSignal): Promise<HeldFigure>;
  /** @throws AppError NOT_FOUND for one that is held no more */
  made(id: string): Figure;
}

const heldBytes = 128 * 2 ** 20;
/** Of a model's hash: enough to know a file by, and no wall of digits. */
const hashDigits = 16;
/** Of a file name, which systems limit to 255 bytes. */
const mostNameLetters = 120;
const mediaTypes: Readonly<Record<FigureFormat, string>> = { svg: 'image/svg+xml', png: 'image/png', pdf: 'application/pdf' };

export function createFigureService(workspaces: WorkspaceService, pictures: PictureService, version: string): FigureService {
  const held = new LRUCache<string, Figure>({ maxSize: heldBytes, sizeCalculation: ({ bytes }) => bytes.byteLength });
  const service: FigureService = {
    async draw(request, signal) {
      const index = await workspaces.required().store.indexes.get(request.index as IndexId);
      const layer = layerOf(index, request.layer);
      const records: ProjectionRecord[] = [];
      const cells: FigureChannel[] = [];
      for (const channel of request.channels) checkChannel(layer, channel);
      for (const channel of request.channels) {
        signal?.throwIfAborted();
        const found = await pictures.channel({ ...request, channel, size: figureTile * figureDensity }, signal);
        const absence = found.records.length > 0 ? null : layer.nonNegative ? 'dead: no image excites it' : 'no hits';
        cells.push({ label: `${layer.title} ${channel}`, absence, projections: found.projections, patches: found.patches });
        records.push(...found.records);
      }
      const caption = captionOf(index, layer, request, records, version);
      const layout = layOutFigure(cells, caption, request.columns);
      const figure = await service.write(layout, request.format, [index.modelName, layer.title, rangesOf(request.channels), request.method].join('-'));
      return { ...figure, notes: [...figure.notes, ...new Set(records.flatMap((record) => record.notes))] };
    },
    async write(layout, format, wish) {
      const { bytes, notes } = await writers[format](layout, `Switchback ${version}`);
      const name = wish.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, mostNameLetters);
      return { bytes, format, mediaType: mediaTypes[format], fileName: `${name}.${format}`, caption: layout.caption, width: layout.width, height: layout.height, notes };
    },
    hold(figure) {
      const id = randomBytes(12).toString('hex');
      held.set(id, figure);
      const { bytes, mediaType: _, ...rest } = figure;
      return { ...rest, media: `/media/figure/${id}`, sizeBytes: bytes.byteLength };
    },
    async make(request, signal) {
      return service.hold(await service.draw(request, signal));
    },
    made(id) {
      const figure = held.get(id);
      if (!figure) throw new AppError('NOT_FOUND', 'This figure is held no more; make it again.');
      return figure;
    },
  };
  return service;
}

interface Written {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
}

const writers: Readonly<Record<FigureFormat, (layout: FigureLayout, producer: string) => Promise<Written>>> = {
  async svg(layout) {
    return { bytes: new TextEncoder().encode(await figureSvg(layout, toPng)), notes: [] };
  },
  async png(layout, producer) {
    const { bytes, hasWords } = await drawFigure(layout, figureDensity, producer);
    return { bytes, notes: hasWords ? [] : ['No font was found to draw words with: the picture has none, its caption stands in the file (ImageDescription). SVG and PDF have them.'] };
  },
  async pdf(layout, producer) {
    const { bytes, replaced } = await figurePdf(layout, producer);
    return { bytes, notes: replaced ? ['The page shows "?" for letters that Helvetica does not have; the document\'s subject holds the whole caption. SVG shows all letters.'] : [] };
  },
};

function toPng({ pixels, width, height }: Picture): Promise<Uint8Array> {
  return encodePng(pixels, width, height, 4);
}

export const scaleWords: Readonly<Record<Scale, string>> = {
  quantile: 'each projection is scaled symmetrically by the 99.5 % quantile of its magnitudes',
  minmax: 'each projection is scaled symmetrically by its largest magnitude',
  shared: 'the projections of a channel share one scale, the largest of their 99.5 % quantiles',
  raw: 'magnitude 1 is full contrast',
};

export const seedWords: Readonly<Record<Seed, string>> = {
  one: '1 at the unit',
  value: "the unit's activation",
  map: "the channel's whole map",
  logit: '1 at the class score',
};

/** Everything that another person needs to make the same figure. */
function captionOf(index: StoredIndex, layer: Layer, { channels, method, seed, control, scale }: FigureRequest, records: readonly ProjectionRecord[], version: string): string {
  const { order, crop, resize, scale: factor, mean, std } = index.preprocessing;
  const [first] = records;
  const range = records.length === 0 ? '' : ` Raw values from ${number(Math.min(...records.map(({ minimum }) => minimum)))} to ${number(Math.max(...records.map(({ maximum }) => maximum)))}.`;
  const resized = resize.kind === 'shorterSide' ? `shorter side ${resize.pixels}` : resize.kind === 'exact' ? 'squashed' : 'no resize';
  const state = index.cursor < index.images ? `; ${index.cursor} of ${index.images} images indexed so far` : '';
  return [
    `Strongest hits of ${channels.length === 1 ? 'channel' : 'channels'} ${rangesOf(channels)} of ${layer.title} (${layer.name}) of ${index.modelName}: left, projected to pixels by ${method}, seed ${seed} (${seedWords[seed]})`,
    control === 'none' ? '' : `, control ${control}`,
    first ? `, ${first.rectified.handled} of ${first.rectified.total} nonlinearities rectified` : '',
    `; right, the patches. Zero is grey; ${scaleWords[scale]}.${range}`,
    ` Images: ${basename(index.imagesPath)}, ${index.images - index.skipped} of ${index.images} readable${state}. Model ${index.modelHash.slice(0, hashDigits)}.`,
    ` Input ${order} ${crop.join(' x ')}, ${resized}, (x * ${number(factor)} - [${mean.map(number).join(', ')}]) / [${std.map(number).join(', ')}].`,
    ` Index ${index.id}: ${index.engineDescription} (${index.engine} ${index.device}, batch ${index.batchSize}). Switchback ${version}, computation ${computationVersion}, Node ${process.versions.node}.`,
  ].join('');
}

/** "0-15, 20". */
export function rangesOf(channels: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const channel of channels) {
    const last = ranges.at(-1);
    if (last && channel === last[1] + 1) last[1] = channel;
    else ranges.push([channel, channel]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function number(value: number): string {
  return String(Number(value.toPrecision(6)));
}
