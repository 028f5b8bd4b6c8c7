/** Figure 5 of the paper: for each way in which pictures are moved a chart of the distances at each layer and one of the class's probability; a line for each picture, and their mean. */
import type * as z from 'zod';
import type { invarianceNumbers } from '../../src-shared/contract/experimentStudies.ts';
import type { LineChart, ShownResult } from './shownResult.ts';

type InvarianceNumbers = z.output<typeof invarianceNumbers>;

const words = { shift: ['Vertical shift', 'pixels'], scale: ['Scale', 'factor'], rotation: ['Rotation', 'degrees'] } as const;

export function invarianceShown({ layers, images, parts, classes }: InvarianceNumbers): ShownResult {
  const charts = parts.flatMap(({ transform, values, lines, mean }): LineChart[] => {
    const [title, across] = words[transform];
    const chartOf = (name: string, up: string, pick: (line: { readonly distance: Grid; readonly relative: Grid; readonly probability: Row }) => Row, range?: readonly [number, number]): LineChart => ({
      title: `${title}: ${name}`,
      across,
      up,
      lines: [...lines.map((line, at) => ({ name: images[at]!.image, points: pointsOf(values, pick(line)), isMain: false })), { name: 'mean', points: pointsOf(values, pick(mean)), isMain: true }],
      ...(range ? { range } : {}),
    });
    const distances = layers.map((layer, at) => chartOf(layer.title, 'distance / norm', (line) => line.relative[at]!));
    return classes === null ? distances : [...distances, chartOf('P(class)', 'probability', (line) => line.probability, [0, 1])];
  });
  const columns = [{ name: 'transform' }, { name: 'value' }, { name: 'image' }, ...layers.flatMap(({ title }) => [{ name: `${title} distance` }, { name: `${title} relative` }]), { name: 'P(class)' }];
  const rows = parts.flatMap(({ transform, values, lines, mean }) =>
    [...lines, mean].flatMap((line, image) =>
      values.map((value, at) => [transform, value, images[image]?.image ?? 'mean', ...layers.flatMap((_, layer) => [line.distance[layer]![at] ?? null, line.relative[layer]![at] ?? null]), line.probability[at] ?? null]),
    ),
  );
  return { charts, tables: [{ title: 'Distances of features', columns, rows, inFigure: false }] };
}

type Row = readonly (number | null)[];
type Grid = readonly Row[];

function pointsOf(values: readonly number[], row: Row): readonly (readonly [number, number])[] {
  return values.flatMap((value, at) => (row[at] == null ? [] : [[value, row[at]] as const]));
}
