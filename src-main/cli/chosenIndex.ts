/** The index and layer that a command means. */
import { AppError } from '../../src-shared/errors.ts';
import type { IndexedLayer } from '../services/indexing.ts';
import type { Services } from '../services/services.ts';

/** The given index, or the newest of the workspace. */
export async function chosenIndex(services: Services, id: string | undefined): Promise<string> {
  if (id) return (await services.indexing.get(id)).id;
  const newest = (await services.indexing.list())[0];
  if (!newest) throw new AppError('NOT_FOUND', 'This workspace holds no index yet. Make one with "switchback index".');
  return newest.id;
}

/** A layer by its name, else by its title. */
export async function chosenLayer(services: Services, index: string, name: string): Promise<IndexedLayer> {
  const layers = await services.indexing.layers(index);
  const layer = layers.find((candidate) => candidate.name === name) ?? layers.find((candidate) => candidate.title === name);
  if (layer) return layer;
  throw new AppError('NOT_FOUND', `The index ${index} has no layer ${JSON.stringify(name)}. Its layers: ${layers.map((candidate) => candidate.name).join(', ')}.`, { layer: name });
}
