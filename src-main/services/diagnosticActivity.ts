/** What an index knows of how its channels are used, and of the pattern that the first stride leaves in what layer 2 shows. */
import { AppError } from '../../src-shared/errors.ts';
import { atlasLevels } from '../projection/atlasPicture.ts';
import { neutral } from '../projection/display.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { phasesOfProjections, type Phases, type Strides } from '../training/diagnostics/checkerboard.ts';
import type { LayerActivity } from '../training/diagnostics/measures.ts';
import type { IndexingService } from './indexing.ts';
import type { ProjectionService } from './projections.ts';
import type { WorkspaceService } from './workspaces.ts';

/** Channels of layer 2 whose strongest hit is projected. */
const mostProjected = 48;

export async function layerActivities(indexing: IndexingService, index: StoredIndex): Promise<readonly LayerActivity[]> {
  const activities: LayerActivity[] = [];
  for (const { number, name, title, nonNegative } of index.layers) {
    activities.push({ layer: number, name, title, nonNegative, channels: await indexing.channels(index.id, number) });
  }
  return activities;
}

export interface ProjectedPhases {
  readonly phases: Phases;
  /** Title. */
  readonly layer: string;
  readonly channels: readonly number[];
}

/**
 * By deconvnet projections of the strongest hits of channels spread over the layer; null where the index has not got the layer, no channel of it has a hit whose image is still there, or nothing leads from it
 * down to the pixels.
 * @param name value name of the layer
 */
export async function projectedPhases({ workspaces, projections }: { readonly workspaces: WorkspaceService; readonly projections: ProjectionService }, index: StoredIndex, name: string, strides: Strides, signal: AbortSignal | undefined): Promise<ProjectedPhases | null> {
  const layer = index.layers.find((each) => each.name === name);
  if (!layer) return null;
  const { store } = workspaces.required();
  const strongest = (await store.hits.ofLayer(index.id, layer.number)).filter(({ rank, y }) => rank === 1 && y >= 0);
  const step = Math.max(1, strongest.length / mostProjected);
  const chosen = Array.from({ length: Math.min(mostProjected, strongest.length) }, (_, at) => strongest[Math.floor(at * step)]!);
  const of = { store, index, layer: layer.number, units: chosen.map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x })) };
  const { units } = await projections.readable(of, signal);
  const found = await projections.pictures({ ...of, units }, { method: 'deconvnet', seed: 'one' }, { areHits: true, signal }).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'UNSUPPORTED') return [];
    throw error;
  });
  if (found.length === 0) return null;
  const phased = found.flatMap(({ record, picture }) => {
    const { box, levels } = atlasLevels(picture, record.support, record.quantile || 1);
    if (box === null) return [];
    return [{ values: Float32Array.from(levels, (level) => level - neutral), top: box[0], left: box[1], rows: box[2] - box[0], columns: box[3] - box[1] }];
  });
  return { phases: phasesOfProjections(phased, strides), layer: layer.title, channels: units.map(({ channel }) => channel) };
}
