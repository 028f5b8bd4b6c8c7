/** The spine: the index's layers in their places in the drawn network. */
import { expect, test } from 'vitest';
import type { IndexedLayer } from '../../../src-renderer/api/records.ts';
import { spineRows } from '../../../src-renderer/features/atlas/spineRows.ts';

const layer = (number: number) => ({ number, title: `conv${number}` }) as IndexedLayer;
const rows = [
  { lanes: '●', layer: null, what: 'input' },
  { lanes: '●', layer: 1, what: 'conv 3x3 → relu' },
  { lanes: '├─┐', layer: null, what: '' },
  { lanes: '● │', layer: 7, what: 'conv 1x1 → relu' },
  { lanes: '├─┘', layer: null, what: '' },
  { lanes: '●', layer: null, what: 'concat of 2' },
];

test('layers, joints and lanes have their own heights, and a layer that is not in the index is a joint', () => {
  const { lines, width } = spineRows([layer(1)], rows);
  expect(lines.map((line) => [line.kind, line.drawn?.height, line.kind === 'joint' ? line.what : line.kind === 'layer' ? line.layer.number : ''])).toEqual([
    ['joint', 20, 'input'], ['layer', 46, 1], ['lanes', 10, ''], ['joint', 20, 'conv 1x1 → relu'], ['lanes', 10, ''], ['joint', 20, 'concat of 2'],
  ]);
  expect(width).toBe(21);
});

test('without a drawing the layers stand alone; one that the drawing does not know stands at its end', () => {
  expect(spineRows([layer(1), layer(2)], [])).toEqual({ lines: [{ kind: 'layer', layer: layer(1), drawn: null }, { kind: 'layer', layer: layer(2), drawn: null }], width: 0 });
  expect(spineRows([layer(1), layer(2)], rows).lines.at(-1)).toEqual({ kind: 'layer', layer: layer(2), drawn: null });
});

test('many lanes are drawn closer together', () => {
  expect(spineRows([layer(1)], [{ lanes: `${'│ '.repeat(30)}●`, layer: 1, what: '' }]).width).toBe(62);
});
