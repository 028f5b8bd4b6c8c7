/** Which index a view begins with. */
import { expect, test } from 'vitest';
import type { IndexRecord } from '../../../src-renderer/api/records.ts';
import { usualFirst, usualIndex } from '../../../src-renderer/composables/usualIndex.ts';

const of = (modelName: string, indexed: number, createdAt: string, state: IndexRecord['state'] = 'complete') => ({ modelName, indexed, createdAt, state }) as IndexRecord;
const named = (...indexes: readonly IndexRecord[]) => usualIndex(indexes)?.modelName;

test('the complete one with most images, the newest where they are equal', () => {
  expect(named(of('few', 10, '3'), of('many', 900, '1'), of('more', 5000, '2', 'partial'))).toBe('many');
  expect(named(of('old', 900, '1'), of('new', 900, '2'))).toBe('new');
  expect(named(of('resnet50', 900, '1'), of('resnet18', 900, '2')), 'numbers of another meaning').toBe('resnet18');
});

test('of the checkpoints of one training the last, though an evolution indexed the others later', () => {
  expect(named(of('epoch-100', 1620, '1'), of('epoch-001', 1620, '2'), of('epoch-064', 1620, '3'))).toBe('epoch-100');
  expect(named(of('epoch-100', 20, '1'), of('epoch-001', 1620, '2'))).toBe('epoch-001');
});

test('what there is, where none is complete, and nothing where there is none', () => {
  expect(named(of('a', 3, '1', 'empty'), of('b', 5, '1', 'partial'))).toBe('b');
  expect(usualIndex([])).toBeNull();
});

test('it leads the list, the others stay in order', () => {
  const list = [of('epoch-064', 1620, '5'), of('epoch-001', 1620, '4'), of('squeezenet', 5000, '3'), of('begun', 9000, '2', 'partial')];
  expect(usualFirst(list).map(({ modelName }) => modelName)).toEqual(['squeezenet', 'epoch-064', 'epoch-001', 'begun']);
  expect(usualFirst([])).toEqual([]);
});
