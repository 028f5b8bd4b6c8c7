/** The convolutions and matrices of a network with the layers that a person knows them by: from a layer's value back through its activation and normalisation to what has weights. */
import { selectLayers } from './layerSelection.ts';
import { producers, type Graph, type NodeOf, type Tensor } from './graph.ts';

export interface WeightedLayer {
  /** Value name and title of the layer. */
  readonly layer: string;
  readonly title: string;
  readonly node: NodeOf<'Conv'> | NodeOf<'ConvTranspose'> | NodeOf<'Gemm'>;
  /** Conv `[M, C/group, kh, kw]`, ConvTranspose `[C, M/group, kh, kw]`, Gemm as its attributes say. Without data where the model was opened without weights. */
  readonly weights: Tensor;
}

/** In graph order. Layers whose weights are computed at run time are left out. */
export function weightedLayers(graph: Graph): readonly WeightedLayer[] {
  const makers = producers(graph);
  return selectLayers(graph).flatMap(({ name, title }): WeightedLayer[] => {
    for (let node = makers.get(name); node; ) {
      if (node.kind === 'Conv' || node.kind === 'ConvTranspose' || node.kind === 'Gemm') {
        const weights = graph.tensors.get(node.inputs[1]!);
        return weights?.dataType === 'float32' ? [{ layer: name, title, node, weights }] : [];
      }
      if (node.kind === 'Add' && !node.inputs.some((input) => graph.tensors.has(input))) return [];
      const before: string | undefined = node.inputs.find((input) => input !== '' && !graph.tensors.has(input));
      node = before === undefined ? undefined : makers.get(before);
    }
    return [];
  });
}
