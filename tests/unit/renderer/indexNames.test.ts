/** Indexes are told apart by as little as does it. */
import { expect, test } from 'vitest';
import { indexNames } from '../../../src-renderer/composables/indexNames.ts';

const of = (id: string, modelName: string, imagesPath: string, createdAt = '2026-01-01') => ({ id, modelName, imagesPath, createdAt });
const namesOf = (...indexes: readonly ReturnType<typeof of>[]) => [...indexNames(indexes, (iso) => `on ${iso}`).values()];

test('the model where that is enough', () => {
  expect(namesOf(of('a', 'alexnet', '/x/birds'), of('b', 'zfnet', '/x/birds'))).toEqual(['alexnet', 'zfnet']);
});

test('the folder of the images where the model is the same, the time where both are', () => {
  expect(namesOf(of('a', 'alexnet', '/x/birds'), of('b', 'alexnet', 'C:\\y\\cars\\'))).toEqual(['alexnet · birds', 'alexnet · cars']);
  expect(namesOf(of('a', 'alexnet', '/x/birds', '1'), of('b', 'alexnet', '/y/birds', '2'))).toEqual(['alexnet · on 1', 'alexnet · on 2']);
});

test('the id only where nothing else differs', () => {
  expect(namesOf(of('a', 'alexnet', '/x'), of('b', 'alexnet', '/x'))).toEqual(['alexnet · a', 'alexnet · b']);
});
