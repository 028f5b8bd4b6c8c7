/** Layers with all that a person needs to know of them: selection by method.md section 1, receptive field by section 4. */
import { AppError } from '../../src-shared/errors.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Graph } from '../graph/graph.ts';
import { layerNamed, selectLayers } from '../graph/layerSelection.ts';
import { receptiveFields } from './receptiveField.ts';

/** The default layers of a network, or those named, in the order they stand in the network; numbered from 1. */
export function layersOf(graph: Graph, imageInput: string, names?: readonly string[]): readonly Layer[] {
  const fields = receptiveFields(graph, imageInput);
  const order = new Map(graph.nodes.flatMap((node, index) => node.outputs.map((output) => [output, index] as const)));
  const selected = names
    ? [...new Set(names)].map((name) => layerNamed(graph, name)).sort((a, b) => order.get(a.name)! - order.get(b.name)!)
    : selectLayers(graph).filter((layer) => fields.has(layer.name));
  return selected.map((layer, index) => {
    const receptiveField = fields.get(layer.name);
    if (!receptiveField) throw new AppError('UNSUPPORTED', `The layer ${JSON.stringify(layer.name)} does not depend on the image.`, { layer: layer.name });
    return { ...layer, number: index + 1, receptiveField };
  });
}
