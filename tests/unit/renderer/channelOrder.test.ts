/** Which of a layer's channels are shown, and in which order. */
import { expect, test } from 'vitest';
import { orderChannels } from '../../../src-renderer/stores/channelOrder.ts';
import type { ChannelFilter, ChannelOrder } from '../../../src-renderer/stores/viewing.ts';

const channel = (number: number, topScore: number | null, shareAboveZero: number) => ({ channel: number, dead: topScore === null, hits: topScore === null ? 0 : 9, topScore, mean: 0, shareAboveZero, version: 'a' });
const channels = [channel(2, 5, 0.1), channel(0, null, 0), channel(1, 9, 0.6), channel(3, 5, 0.1)];
const tench = { class: { index: 0, wnid: null, name: 'tench' }, images: 4, auc: 0.9 };
const selectivity = [null, { ...tench, deviations: 1.5 }, { ...tench, deviations: 3 }, null];
const marks = new Map([[1, { tags: ['dog', 'edge'], noted: false }], [3, { tags: ['dog'], noted: true }], [0, { tags: [], noted: true }]]);
const numbers = (order: ChannelOrder, filter: ChannelFilter = 'all', known: typeof selectivity | undefined = selectivity) => orderChannels(channels, order, filter, { selectivity: known, marks }).map((each) => each.channel);

test('by number, strongest, sparsest and most selective; ties by number, dead ones last', () => {
  expect(numbers('number')).toEqual([0, 1, 2, 3]);
  expect(numbers('strongest')).toEqual([1, 2, 3, 0]);
  expect(numbers('sparsity')).toEqual([2, 3, 1, 0]);
  expect(numbers('selectivity')).toEqual([2, 1, 3, 0]);
});

test('selectivity that is not known yet leaves the order of numbers, dead ones last', () => {
  expect(orderChannels(channels, 'selectivity', 'all', { marks }).map((each) => each.channel)).toEqual([1, 2, 3, 0]);
});

test('alive, dead, tagged, noted, or with one tag; and the list given stays as it was', () => {
  expect(numbers('number', 'alive')).toEqual([1, 2, 3]);
  expect(numbers('number', 'dead')).toEqual([0]);
  expect(numbers('number', 'tagged')).toEqual([1, 3]);
  expect(numbers('number', 'noted')).toEqual([0, 3]);
  expect(numbers('number', 'tag:edge')).toEqual([1]);
  expect(numbers('number', 'tag:cat')).toEqual([]);
  expect(channels.map((each) => each.channel)).toEqual([2, 0, 1, 3]);
});
