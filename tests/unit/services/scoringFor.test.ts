/** How rows were computed: as the index was made, until the change that was recorded last before them. */
import { expect, it } from 'vitest';
import { firstWayOf, wayOf, wayOfImage } from '../../../src-main/services/scoringFor.ts';
import type { StoredIndex } from '../../../src-main/store/indexes.ts';

const first = { engine: 'onnxruntime', device: 'webgpu', batchSize: 16 };
const halved = { engine: 'onnxruntime', device: 'webgpu', batchSize: 8 };
const moved = { engine: 'onnxruntime', device: 'cpu', batchSize: 16 };
const told = { description: 'onnxruntime', reason: 'It failed.' };
const index = (cursor: number): StoredIndex => ({ ...first, cursor, placementChanges: [{ ...halved, ...told, fromImage: 32 }, { ...moved, ...told, fromImage: 64 }] }) as unknown as StoredIndex;

it('changes with the image', () => {
  expect(firstWayOf(index(96))).toEqual(first);
  expect([0, 31, 32, 63, 64, 95].map((image) => wayOfImage(index(96), image))).toEqual([first, first, halved, halved, moved, moved]);
});

it('goes on as the last row was computed, which a change behind the cursor is not', () => {
  expect([0, 16, 32, 33, 64, 65, 96].map((cursor) => wayOf(index(cursor)))).toEqual([first, first, first, halved, halved, moved, moved]);
});
