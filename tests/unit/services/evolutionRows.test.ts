/** Rows of Figure 4 while a series fills. */
import { expect, it } from 'vitest';
import type { StoredSeries } from '../../../src-main/store/evolutions.ts';
import type { StoredIndex } from '../../../src-main/store/indexes.ts';
import type { Store } from '../../../src-main/store/open.ts';
import { readRows } from '../../../src-main/services/evolutionRows.ts';

const layer = { number: 1, name: 'relu1', title: 'conv1', channels: 1, height: 4, width: 4, nonNegative: true, receptiveField: { size: [1, 1], stride: [1, 1], offset: [0, 0] } };
const strongest: Readonly<Record<string, string>> = { one: 'cat.png', two: 'dog.png', three: 'cat.png' };

it('an epoch whose images are not all looked at yet is no turn, and nothing is compared with it', async () => {
  const indexes = new Map(Object.keys(strongest).map((id) => [id, { id, cursor: id === 'two' ? 16 : 1620, images: 1620, skipped: 0, versionBase: 0, layers: [layer], preprocessing: { crop: [4, 4] } } as unknown as StoredIndex]));
  const series = { layers: [layer], checkpoints: [...indexes.keys()].map((index, at) => ({ epoch: at + 1, index })) } as unknown as StoredSeries;
  const store = { hits: { ofChannel: async (index: string) => [{ path: strongest[index], className: null, image: 0, rank: 1, score: 1, y: 0, x: 0, channel: 0 }] } } as unknown as Store;
  const [row] = await readRows(store, series, 'conv1', [0], ({ index }) => indexes.get(index!) ?? null);
  expect(row!.cells.map((cell) => cell.kind === 'hit' && [cell.image, cell.change])).toEqual([['cat.png', 'first'], ['dog.png', 'first'], ['cat.png', 'same']]);
});
