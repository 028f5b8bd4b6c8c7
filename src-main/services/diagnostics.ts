/**
 * Diagnostics of an architecture, and filters as pictures: reads what is needed of the model file in the inference process, what the channels did from an index, and holds the pictures for a while under an address
 * that follows from their content.
 */
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type * as z from 'zod';
import type { diagnosedModel, diagnosticComparison, diagnosticReport, filterRequest, filterSheet } from '../../src-shared/contract/diagnostics.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { encodePng } from '../dataset/picture.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { LayerWeights, NetworkWeights, WeightsCall } from '../inference/worker/readWeights.ts';
import type { Picture } from '../projection/display.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { phasesOfFilters } from '../training/diagnostics/checkerboard.ts';
import { bankOf, largestOf, rmsOf, slicesOf } from '../training/diagnostics/filterBank.ts';
import { drawFilters, type SheetKind } from '../training/diagnostics/filterSheet.ts';
import { drawPhases, drawResponse } from '../training/diagnostics/maps.ts';
import { compareMeasures, measureAliasing, measureCheckerboard, measureDead, measureFrequency, measureStrength, measureUsage, type CheckerboardBasis } from '../training/diagnostics/measures.ts';
import { filterResponse } from '../training/diagnostics/response.ts';
import { filterSpectrum, lowestHigh } from '../training/diagnostics/spectrum.ts';
import { layerActivities, projectedPhases, type ProjectedPhases } from './diagnosticActivity.ts';
import type { IndexingService } from './indexing.ts';
import type { ProjectionService } from './projections.ts';
import type { WorkspaceService } from './workspaces.ts';

export type DiagnosedModel = z.infer<typeof diagnosedModel>;
export type DiagnosticReport = z.infer<typeof diagnosticReport>;
export type DiagnosticComparison = z.infer<typeof diagnosticComparison>;
export type FilterSheet = z.infer<typeof filterSheet>;

export interface DiagnosticService {
  filters(request: z.infer<typeof filterRequest>, signal?: AbortSignal): Promise<FilterSheet>;
  model(model: DiagnosedModel, signal?: AbortSignal): Promise<DiagnosticReport>;
  compare(models: { readonly left: DiagnosedModel; readonly right: DiagnosedModel }, signal?: AbortSignal): Promise<DiagnosticComparison>;
  /** PNG of a picture that an answer named. @throws AppError NOT_FOUND for one that is held no more */
  picture(id: string): Uint8Array;
}

interface FilterServices {
  readonly workspaces: WorkspaceService;
  readonly inference: Pick<InferenceClient, 'call'>;
  readonly indexing: IndexingService;
  readonly projections: ProjectionService;
}

const heldBytes = 64 * 2 ** 20;
/** Filters on the sheet of a report. */
const reportFilters = 256;

/** A model with the weights that were asked for. */
interface Opened {
  readonly name: string;
  readonly index: StoredIndex | null;
  readonly network: NetworkWeights;
}

interface SheetWish {
  readonly input: 'all' | number;
  readonly from: number;
  readonly count: number;
  /** Full contrast of all filters; each its own where absent. */
  readonly limit?: number;
}

export function createDiagnosticService({ workspaces, inference, indexing, projections }: FilterServices): DiagnosticService {
  const held = new LRUCache<string, Uint8Array>({ maxSize: heldBytes, sizeCalculation: ({ byteLength }) => byteLength });

  async function open(model: DiagnosedModel, which: WeightsCall['which'], signal: AbortSignal | undefined): Promise<Opened> {
    if (model.kind === 'file') {
      const path = resolve(model.path);
      const network = await inference.call('weights', { path, which, ...(model.crop ? { inputSize: model.crop } : {}) }, signal);
      return { name: basename(path).replace(/\.[^.]+$/, ''), index: null, network };
    }
    const index = await workspaces.required().store.indexes.get(model.index as IndexId);
    const network = await inference.call('weights', { path: index.modelPath, hash: index.modelHash, inputSize: index.preprocessing.crop, which }, signal);
    return { name: index.modelName, index, network };
  }

  async function hold({ pixels, width, height }: Picture): Promise<string> {
    const png = await encodePng(pixels, width, height, 4);
    const id = createHash('sha256').update(png).digest('hex').slice(0, 32);
    held.set(id, png);
    return `/media/diagnostic/${id}`;
  }

  async function sheet({ network, index }: Opened, layer: LayerWeights, { input, from, count, limit }: SheetWish): Promise<FilterSheet> {
    const whole = bankOf(layer);
    if (from >= whole.filters) throw new AppError('NOT_FOUND', `${layer.title} has ${whole.filters} filters, counted from 0; there is no filter ${from}.`, { layer: layer.layer, filter: from });
    const bank = slicesOf(whole, from, count);
    const limits = limit === undefined ? largestOf(bank) : Array.from({ length: bank.filters }, () => limit);
    const kind = sheetKind(layer, bank.inputs, input, index?.preprocessing.order ?? network.order);
    const { picture, ...geometry } = drawFilters(bank, kind, limits);
    const { width, height } = picture;
    return {
      media: await hold(picture),
      layer: layer.layer,
      title: layer.title,
      filters: whole.filters,
      from,
      count: bank.filters,
      inputs: bank.inputs,
      groups: layer.group,
      kernel: [bank.height, bank.width],
      stride: layer.strides,
      kind: kind.kind,
      ...geometry,
      width,
      height,
      limits,
      rms: rmsOf(bank),
    };
  }

  /** Null where there is no index, or no second layer to project from: the checkerboard is then judged by the filters alone. */
  async function phasesOf({ index, network: { layers: [first, second] } }: Opened, signal: AbortSignal | undefined): Promise<ProjectedPhases | null> {
    return index && first && second ? projectedPhases({ workspaces, projections }, index, second.layer, first.strides, signal) : null;
  }

  async function report(opened: Opened, projected: ProjectedPhases | null): Promise<DiagnosticReport> {
    const { name, index, network } = opened;
    const [first] = network.layers;
    if (!first) throw new AppError('UNSUPPORTED', `${name} has no convolution whose filters are in its file.`, { model: name });
    const bank = bankOf(first);
    const response = filterResponse(bank);
    const strides = first.strides;
    const isStrided = Math.max(...strides) > 1;
    const all = { input: 'all', from: 0, count: reportFilters } as const;
    const basis: CheckerboardBasis = { phases: projected?.phases ?? phasesOfFilters(bank, strides), strides, kernel: Math.max(bank.height, bank.width), projected };
    const activities = index ? await layerActivities(indexing, index) : [];
    const images = index ? index.cursor - index.skipped : 0;
    return {
      model: { name, modelHash: network.modelHash, index: index?.id ?? null },
      filters: await sheet(opened, first, all),
      measures: [
        { ...measureFrequency(bank, filterSpectrum(bank)), media: await hold(drawResponse(response, { kind: 'circle', radius: lowestHigh })) },
        { ...measureStrength(bank), media: (await sheet(opened, first, { ...all, limit: Math.max(...largestOf(bank)) })).media },
        { ...measureAliasing(bank, strides), media: isStrided ? await hold(drawResponse(response, { kind: 'rectangle', vertical: 0.5 / strides[0], horizontal: 0.5 / strides[1] })) : null },
        { ...measureCheckerboard(basis), media: isStrided ? await hold(drawPhases(basis.phases, strides)) : null },
        measureDead(activities, images),
        measureUsage(activities, images),
      ],
    };
  }

  return {
    async filters({ model, layer: wish, input, scale, from, count }, signal) {
      const opened = await open(model, wish === undefined ? { kind: 'convolutions', count: 1 } : { kind: 'named', layer: wish }, signal);
      const [layer] = opened.network.layers;
      if (!layer) throw new AppError('UNSUPPORTED', `${opened.name} has no convolution whose filters are in its file.`, { model: opened.name });
      const bank = bankOf(layer);
      if (input !== 'all' && input >= bank.inputs) throw new AppError('NOT_FOUND', `A filter of ${layer.title} reads ${bank.inputs} input channels, counted from 0; there is no input ${input}.`, { layer: layer.layer, input });
      return sheet(opened, layer, { input, from, count, ...(scale === 'shared' ? { limit: Math.max(...largestOf(bank)) } : {}) });
    },
    async model(model, signal) {
      const opened = await open(model, { kind: 'convolutions', count: 2 }, signal);
      return report(opened, await phasesOf(opened, signal));
    },
    async compare({ left, right }, signal) {
      const opened = [await open(left, { kind: 'convolutions', count: 2 }, signal), await open(right, { kind: 'convolutions', count: 2 }, signal)] as const;
      const projected = [await phasesOf(opened[0], signal), await phasesOf(opened[1], signal)] as const;
      // Projections of one and filters of the other would be no comparison.
      const isProjected = projected[0] !== null && projected[1] !== null;
      const reports = [await report(opened[0], isProjected ? projected[0] : null), await report(opened[1], isProjected ? projected[1] : null)] as const;
      const limit = Math.max(...opened.flatMap(({ network }) => largestOf(bankOf(network.layers[0]!))));
      const [sharedLeft, sharedRight] = await Promise.all(opened.map((each) => sheet(each, each.network.layers[0]!, { input: 'all', from: 0, count: reportFilters, limit })));
      return { left: reports[0], right: reports[1], shared: { left: sharedLeft!, right: sharedRight! }, differences: compareMeasures(reports[0].measures, reports[1].measures) };
    },
    picture(id) {
      const png = held.get(id);
      if (!png) throw new AppError('NOT_FOUND', 'This picture is held no more; ask for the filters or the diagnostics again.');
      return png;
    },
  };
}

/** Only the first convolution reads colours. */
function sheetKind(layer: LayerWeights, inputs: number, input: 'all' | number, order: NetworkWeights['order']): SheetKind {
  if (input !== 'all') return { kind: 'grey', input };
  if (inputs === 1) return { kind: 'grey', input: 0 };
  return layer.isFirst && inputs === 3 ? { kind: 'colour', order } : { kind: 'rows' };
}
