/** Figure 4 of a series: channels as rows, epochs as columns, in each cell the projection from the image that excites the channel most at that epoch, and its patch where asked for. */
import { basename } from 'node:path';
import type * as z from 'zod';
import type { evolutionFigureRequest } from '../../src-shared/contract/evolution.ts';
import type { ProjectionRecord } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { displayLimits, type Picture } from '../projection/display.ts';
import { figureDensity } from '../projection/figureLayout.ts';
import { gridTile, layOutGrid, type GridRow } from '../projection/gridFigure.ts';
import type { EvolutionService, Series } from './evolution.ts';
import type { EvolutionCell } from './evolutionRows.ts';
import { rangesOf, scaleWords, seedWords, type Figure, type FigureService, type HeldFigure } from './figures.ts';
import { computationVersion } from './computation.ts';
import type { PictureService } from './pictures.ts';

export type EvolutionFigureRequest = z.infer<typeof evolutionFigureRequest>;

export interface EvolutionFigureService {
  draw(request: EvolutionFigureRequest, signal?: AbortSignal): Promise<Figure>;
  /** Draws it and holds it for the address `media`. */
  make(request: EvolutionFigureRequest, signal?: AbortSignal): Promise<HeldFigure>;
}

interface DrawnCell {
  readonly record: ProjectionRecord;
  /** The projection, and the patch where asked for. */
  readonly pictures: readonly Picture[];
}

const absences: Readonly<Record<'dead' | Extract<EvolutionCell, { kind: 'missing' }>['reason'], string>> = { dead: 'dead', waiting: 'not yet', partial: 'not yet', gone: 'deleted', noLayer: 'no layer' };

export function createEvolutionFigures(evolution: EvolutionService, pictures: PictureService, figures: FigureService, version: string): EvolutionFigureService {
  const service: EvolutionFigureService = {
    async draw(request, signal) {
      const series = await evolution.get(request.series);
      const layer = series.layers.find(({ name, title }) => name === request.layer || title === request.layer);
      const epochs = request.epochs ?? series.epochs;
      const absent = epochs.find((epoch) => !series.epochs.includes(epoch));
      if (absent !== undefined) throw new AppError('NOT_FOUND', `The series has no epoch ${absent}; it has ${series.epochs.join(', ')}.`, { epoch: absent });
      const records: ProjectionRecord[] = [];
      const rows: GridRow[] = [];
      for (const { channel, cells } of await evolution.rows({ series: request.series, layer: request.layer, channels: request.channels })) {
        const shown = epochs.map((epoch) => cells.find((cell) => cell.epoch === epoch)!);
        const drawn = await drawRow(shown, channel, request, signal);
        records.push(...[...drawn.values()].map(({ record }) => record));
        rows.push({ label: `${layer!.title} ${channel}`, cells: shown.map((cell) => toGridCell(cell, drawn.get(cell.epoch))) });
      }
      const caption = captionOf(series, layer!, epochs, request, records, version);
      const layout = layOutGrid(epochs.map((epoch) => `epoch ${epoch}`), rows, request.patches ? 2 : 1, caption);
      const figure = await figures.write(layout, request.format, [series.name, layer!.title, rangesOf(request.channels), 'evolution', request.method].join('-'));
      return { ...figure, notes: [...figure.notes, ...new Set(records.flatMap(({ notes }) => notes))] };
    },
    make: async (request, signal) => figures.hold(await service.draw(request, signal)),
  };
  return service;

  /** Of the cells with a hit, by epoch. One scale for a row where the request says so. */
  async function drawRow(cells: readonly EvolutionCell[], channel: number, { method, seed, scale, patches }: EvolutionFigureRequest, signal: AbortSignal | undefined): Promise<ReadonlyMap<number, DrawnCell>> {
    const hits = cells.filter((cell) => cell.kind === 'hit');
    const units = await inOrder(hits, ({ index, layer, imageNumber: image, y, x }) => pictures.unit({ index, layer, channel, image, y, x, size: gridTile * figureDensity, method, seed, scale }, signal));
    const limits = scale === 'shared' ? displayLimits(units.map(({ record }) => record), 'shared') : [];
    const drawn = await inOrder(units, async ({ record, projection, patch }, at) => ({ record, pictures: [await projection(limits[at]), ...(patches ? [await patch()] : [])] }));
    return new Map(hits.map(({ epoch }, at) => [epoch, drawn[at]!]));
  }
}

async function inOrder<T, R>(items: readonly T[], work: (item: T, at: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const [at, item] of items.entries()) results.push(await work(item, at));
  return results;
}

function toGridCell(cell: EvolutionCell, drawn: DrawnCell | undefined): GridRow['cells'][number] {
  if (cell.kind !== 'hit' || !drawn) return { kind: 'absent', absence: absences[cell.kind === 'missing' ? cell.reason : 'dead'] };
  return { kind: 'pictures', pictures: drawn.pictures, isMarked: cell.change === 'sudden' };
}

/** Everything that another person needs to make the same figure. */
function captionOf(series: Series, layer: Series['layers'][number], epochs: readonly number[], { channels, method, seed, scale, patches }: EvolutionFigureRequest, records: readonly ProjectionRecord[], version: string): string {
  const [first] = records;
  const images = Math.max(...series.checkpoints.map((checkpoint) => checkpoint.images));
  return [
    `Evolution of ${channels.length === 1 ? 'channel' : 'channels'} ${rangesOf(channels)} of ${layer.title} (${layer.name}) of ${series.name} over the epochs ${epochs.join(', ')}: `,
    `each cell shows the image that excites the channel most at that epoch, projected to pixels by ${method}, seed ${seed} (${seedWords[seed]})`,
    first ? `, ${first.rectified.handled} of ${first.rectified.total} nonlinearities rectified` : '',
    patches ? '; below it the patch' : '',
    `. Zero is grey; ${scale === 'shared' ? 'the projections of a row share one scale, the largest of their 99.5 % quantiles' : scaleWords[scale]}.`,
    ' A mark stands above an epoch whose strongest image was not among the nine strongest of the epoch before.',
    ` Images: ${basename(series.imagesPath)}, ${images} images. Models ${series.checkpoints.filter(({ epoch }) => epochs.includes(epoch)).map(({ modelHash }) => modelHash.slice(0, 8)).join(', ')}.`,
    ` Switchback ${version}, computation ${computationVersion}, Node ${process.versions.node}.`,
  ].join('');
}
