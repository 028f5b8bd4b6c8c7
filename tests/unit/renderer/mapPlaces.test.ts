/** Maps and nearest images as addresses and back. */
import { describe, expect, test } from 'vitest';
import { mapAddress, mapPlaceOf, mapsAddress, neighboursAddress, neighboursPlaceOf } from '../../../src-renderer/addresses.ts';

const queryOf = (address: string): Record<string, string> => Object.fromEntries(new URL(address, 'http://127.0.0.1').searchParams);

describe('mapAddress', () => {
  test('leaves out what is usual', () => {
    expect(mapAddress('w1', 'cabd7595')).toBe('/w/w1/map/cabd7595');
    expect(mapsAddress('w1')).toBe('/w/w1/map');
    expect(mapsAddress('w1', { index: 'k3v9x2', layer: 'relu3' })).toBe('/w/w1/map?index=k3v9x2&layer=relu3');
  });

  test('names the channel only where it colours', () => {
    expect(mapAddress('w1', 'cabd7595', { colour: 'channel', layer: 3, channel: 0 })).toBe('/w/w1/map/cabd7595?colour=channel&layer=3&channel=0');
    expect(mapAddress('w1', 'cabd7595', { colour: 'error', layer: 3, channel: 0 })).toBe('/w/w1/map/cabd7595?colour=error');
  });

  test('is read back whole', () => {
    const looking = { colour: 'channel', layer: 3, channel: 17, classes: [4, 0], view: 'mosaic', beside: 'x1y2z3', at: { x: 0.25, y: 1, zoom: 12.5 } } as const;
    const address = mapAddress('w1', 'cabd7595', looking);
    expect(address).toBe('/w/w1/map/cabd7595?colour=channel&layer=3&channel=17&classes=4.0&view=mosaic&beside=x1y2z3&at=0.2500_1.0000_12.50');
    expect(mapPlaceOf({ workspace: 'w1', map: 'cabd7595' }, queryOf(address))).toEqual({ workspace: 'w1', map: 'cabd7595', ...looking });
  });

  test('takes what is usual for what makes no sense', () => {
    const place = mapPlaceOf({ workspace: 'w1', map: 'm' }, { colour: 'smell', layer: '0', channel: '-1', classes: '1..2', view: 'cube', beside: '../etc', at: '0.5_0.5_0' });
    expect(place).toEqual({ workspace: 'w1', map: 'm', colour: 'class', layer: null, channel: null, classes: [], view: 'points', beside: null, at: null });
  });
});

describe('neighboursAddress', () => {
  test('leaves out what is usual and is read back whole', () => {
    expect(neighboursAddress('w1')).toBe('/w/w1/neighbours');
    const at = { index: 'k3v9x2', picture: 'image-12', layer: 'fire9/concat', pooling: 'flat', metric: 'cosine' } as const;
    const address = neighboursAddress('w1', at);
    expect(address).toBe('/w/w1/neighbours?index=k3v9x2&picture=image-12&layer=fire9%2Fconcat&pooling=flat&metric=cosine');
    expect(neighboursPlaceOf({ workspace: 'w1' }, queryOf(address))).toEqual({ workspace: 'w1', ...at });
    expect(neighboursPlaceOf({ workspace: 'w1' }, { picture: 'file:///etc/passwd', pooling: 'sum' })).toEqual({ workspace: 'w1', index: null, picture: null, layer: null, pooling: 'mean', metric: 'l2' });
  });
});
