/**
 * The rows of the paper's Table 3 for a network of its build: five convolutions and two hidden fully connected layers. Widths follow the network's own, by the paper's factors (6, 7: half and double; 3, 4, 5: 512, 1024
 * and 512 in place of 384, 384 and 256).
 */
import type { Graph } from '../graph/graph.ts';
import { weightedLayers } from '../graph/weightedLayers.ts';
import type { Variant } from './ablationGraph.ts';

export interface NamedVariant extends Variant {
  readonly name: string;
}

/** Null where the network is not built like that. */
export function paperVariants(network: Graph): readonly NamedVariant[] | null {
  const layers = weightedLayers(network);
  const kinds = layers.map(({ node }) => node.kind).join(' ');
  if (kinds !== 'Conv Conv Conv Conv Conv Gemm Gemm Gemm') return null;
  const names = layers.map(({ title }) => title);
  const of = (...numbers: readonly number[]) => numbers.map((number) => names[number - 1]!);
  const wider = (factors: Readonly<Record<number, number>>) => Object.fromEntries(Object.entries(factors).map(([number, factor]) => [names[Number(number) - 1]!, evenly(outputsOf(layers[Number(number) - 1]!) * factor)]));
  const without = (...numbers: readonly number[]): NamedVariant => ({ name: `Without ${numbers.length === 1 ? 'layer' : 'layers'} ${numbers.join(', ')}`, remove: of(...numbers), widths: {} });
  const changed = (widths: Readonly<Record<string, number>>, which: string, what: string): NamedVariant => ({ name: `${which}: ${[...new Set(Object.values(widths))].length === 1 ? Object.values(widths)[0] : Object.values(widths).join(', ')} ${what}`, remove: [], widths });
  const maps = wider({ 3: 512 / 384, 4: 1024 / 384, 5: 512 / 256 });
  const large = wider({ 6: 2, 7: 2 });
  return [
    without(3, 4),
    without(7),
    without(6, 7),
    without(3, 4, 6, 7),
    changed(wider({ 6: 0.5, 7: 0.5 }), 'Layers 6, 7', 'units'),
    changed(large, 'Layers 6, 7', 'units'),
    changed(maps, 'Layers 3, 4, 5', 'maps'),
    { name: `${changed(large, 'Layers 6, 7', 'units').name}; 3, 4, 5: ${Object.values(maps).join(', ')} maps`, remove: [], widths: { ...large, ...maps } },
  ];
}

function outputsOf({ node, weights }: ReturnType<typeof weightedLayers>[number]): number {
  return node.kind === 'Gemm' && !node.attributes.transposeB ? weights.shape[1]! : weights.shape[0]!;
}

/** Two groups share it. */
function evenly(width: number): number {
  return Math.max(2, 2 * Math.round(width / 2));
}
