/** Where things of the image lab lie: its addresses, maps over pictures, sheets of tiles, and the grids of an occlusion sweep. */
import { describe, expect, test } from 'vitest';
import { labAddress, labPlaceOf } from '../../../src-renderer/addresses.ts';
import { classWords, startWish, targetOf, usualLayer, wishOf } from '../../../src-renderer/features/lab/labWords.ts';
import { mapBox, sheetColumns, unitAt } from '../../../src-renderer/features/lab/mapPlace.ts';
import { coveredBox, filledGrid, rangeOf } from '../../../src-renderer/features/lab/occlusionGrid.ts';

describe('addresses', () => {
  test('leave out what is usual, and are read back', () => {
    expect(labAddress('w 1')).toBe('/w/w%201/lab');
    const address = labAddress('w1', { model: 'abcdef12', image: 'image-3', tool: 'occlusion', layer: 'conv5/relu', channel: 0, y: 2, x: 1, method: 'guided', result: 'abc123abc123' });
    const query = Object.fromEntries(new URL(address, 'http://x').searchParams);
    expect(query).toEqual({ model: 'abcdef12', image: 'image-3', layer: 'conv5/relu', channel: '0', y: '2', x: '1', result: 'abc123abc123', tool: 'occlusion', method: 'guided' });
    expect(labPlaceOf({ workspace: 'w1' }, query)).toEqual({ workspace: 'w1', model: 'abcdef12', image: 'image-3', tool: 'occlusion', layer: 'conv5/relu', channel: 0, y: 2, x: 1, method: 'guided', seed: 'one', scale: 'quantile', result: 'abc123abc123' });
  });
  test('what makes no sense is not chosen', () => {
    const place = labPlaceOf({ workspace: 'w1' }, { model: '../x', image: 'image-', tool: 'nothing', channel: '-1', y: 'a', result: 'A', method: 'best' });
    expect(place).toMatchObject({ model: null, image: null, tool: 'activations', channel: null, y: null, result: null, method: 'deconvnet' });
  });
});

describe('maps over pictures', () => {
  const layer = { height: 13, width: 13, receptiveField: { size: [35, 35] as const, stride: [16, 16] as const, offset: [-1, -1] as const } };
  test('each position lies around the middle of what it sees', () => {
    // Middle of the first field: -1 + 17.5 = 16.5; its tile reaches from 8.5 to 24.5.
    const box = mapBox(layer, [224, 224]);
    expect(box).toEqual({ top: 8.5 / 224, left: 8.5 / 224, height: 208 / 224, width: 208 / 224 });
    expect(unitAt(layer, box, { y: 24 / 224, x: 25 / 224 })).toEqual({ y: 0, x: 1 });
    expect(unitAt(layer, box, { y: 0, x: 1 })).toEqual({ y: 0, x: 12 });
  });
  test('one position is all of the picture', () => {
    expect(mapBox({ height: 1, width: 1, receptiveField: { size: [300, 300], stride: [32, 32], offset: [0, 0] } }, [224, 224])).toEqual({ top: 0, left: 0, height: 1, width: 1 });
  });
  test('a sheet takes as many tiles to a row as fit with their gaps', () => {
    expect([sheetColumns(145, 72, 256), sheetColumns(144, 72, 256), sheetColumns(1000, 72, 3), sheetColumns(10, 72, 256)]).toEqual([2, 1, 3, 1]);
  });
});

describe('an occlusion sweep that is under way', () => {
  test('shows the nearest known value', () => {
    expect(filledGrid([[1, null, null, 2], [null, null, null, null]])).toEqual([[1, 1, 2, 2], [1, 1, 2, 2]]);
    expect(filledGrid([[null, null]])).toEqual([[null, null]]);
  });
  test('knows its range', () => {
    expect(rangeOf([[null, 3], [-1, null]], [0, 1])).toEqual([-1, 3]);
    expect(rangeOf([[null]], [0, 1])).toEqual([0, 1]);
  });
  test('the square is clipped to the picture', () => {
    expect(coveredBox({ y: 0, x: 50 }, 20, [100, 100])).toEqual({ top: 0, left: 0.4, height: 0.1, width: expect.closeTo(0.2, 10) as number });
  });
});

describe('what is asked about', () => {
  const layerOf = (name: string, channels: number, edge: number) => ({ name, title: name, kind: 'conv' as const, number: 1, channels, height: edge, width: edge, receptiveField: { size: [1, 1] as const, stride: [1, 1] as const, offset: [0, 0] as const }, nonNegative: true, index: null });
  const layers = [layerOf('first', 8, 20), layerOf('second', 16, 10), layerOf('scores', 1000, 10)];
  test('begins with the last convolution that does not make the class scores', () => {
    expect(usualLayer({ layers, classes: 1000 })?.name).toBe('second');
    expect(usualLayer({ layers, classes: 0 })?.name).toBe('scores');
  });
  test('is a class, a channel or a unit, and comes back from a kept study', () => {
    const subject = { layers, classes: 1000, named: false, modelName: 'net', preprocessing: { order: 'rgb' as const, crop: [20, 20] as const, resize: { kind: 'none' as const }, scale: 1, mean: [0], std: [1] } };
    const wish = startWish({ layer: 'first', channel: 3, y: null, x: 2 }, subject);
    expect(targetOf(wish)).toEqual({ kind: 'class' });
    expect(targetOf(wish, true)).toBeNull();
    expect(targetOf({ ...wish, kind: 'unit' })).toEqual({ kind: 'unit', layer: 'first', channel: 3, y: 0, x: 2 });
    expect(wishOf({ kind: 'channel', layer: 'second', channel: 9 }, wish)).toMatchObject({ kind: 'channel', layer: 'second', channel: 9, x: 2 });
    expect(wishOf({ kind: 'class', index: 7 }, wish)).toMatchObject({ kind: 'class', class: 7, layer: 'first' });
  });
  test('a class is called by the first of its names', () => {
    expect([classWords({ index: 3, name: 'toucan, bird', wnid: null }), classWords({ index: 3, name: null, wnid: 'n01' }), classWords({ index: 3, name: null })]).toEqual(['toucan (3)', 'n01 (3)', '3']);
  });
});
