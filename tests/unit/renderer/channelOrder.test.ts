/** The order of a layer's channels. */
import { expect, test } from 'vitest';
import { orderChannels } from '../../../src-renderer/stores/channelOrder.ts';

const channel = (number: number, topScore: number | null, shareAboveZero: number) => ({ channel: number, dead: topScore === null, hits: topScore === null ? 0 : 9, topScore, mean: 0, shareAboveZero, version: 'a' });
const channels = [channel(2, 5, 0.1), channel(0, null, 0), channel(1, 9, 0.6), channel(3, 5, 0.1)];
const numbers = (order: 'number' | 'strongest' | 'sparsity', hideDead = false) => orderChannels(channels, order, hideDead).map((each) => each.channel);

test('by number, strongest and sparsest; ties by number, dead ones last', () => {
  expect(numbers('number')).toEqual([0, 1, 2, 3]);
  expect(numbers('strongest')).toEqual([1, 2, 3, 0]);
  expect(numbers('sparsity')).toEqual([2, 3, 1, 0]);
});

test('dead channels can be hidden, and the list given stays as it was', () => {
  expect(numbers('number', true)).toEqual([1, 2, 3]);
  expect(channels.map((each) => each.channel)).toEqual([2, 0, 1, 3]);
});
