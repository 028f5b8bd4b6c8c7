/** Every place as an address and back: what is copied today must open tomorrow. */
import { describe, expect, test } from 'vitest';
import { addressOf, defaultView, diagnosticsAddress, evolutionAddress, indexOfWord, indexWord, type Place, placeOf, trainAddress } from '../../../src-renderer/addresses.ts';
import { withoutToken } from '../../../src-renderer/api/session.ts';

const atlas: Place = { workspace: 'w1', index: 'k3v9x2', layer: 14, channel: null, ...defaultView };

describe('addressOf', () => {
  test('leaves defaults out of the query', () => {
    expect(addressOf(atlas)).toBe('/w/w1/i/k3v9x2/l/14');
    expect(addressOf({ ...atlas, channel: 0 })).toBe('/w/w1/i/k3v9x2/l/14/c/0');
    expect(addressOf({ ...atlas, layer: null })).toBe('/w/w1/i/k3v9x2');
  });

  test('names what differs, and a hit only with a channel', () => {
    expect(addressOf({ ...atlas, channel: 17, hit: 3, method: 'guided', seed: 'value', scale: 'shared' })).toBe('/w/w1/i/k3v9x2/l/14/c/17?hit=3&method=guided&seed=value&scale=shared');
    expect(addressOf({ ...atlas, hit: 3, method: 'gradient' })).toBe('/w/w1/i/k3v9x2/l/14?method=gradient');
  });

  test('writes the whole view into a link that leaves the session', () => {
    expect(addressOf({ ...atlas, channel: 17 }, true)).toBe('/w/w1/i/k3v9x2/l/14/c/17?hit=1&method=deconvnet&seed=one&scale=quantile');
  });

  test('escapes what a workspace id may hold', () => {
    expect(addressOf({ ...atlas, workspace: 'a/b c' })).toBe('/w/a%2Fb%20c/i/k3v9x2/l/14');
  });
});

describe('placeOf', () => {
  test('reads back what addressOf wrote', () => {
    const place: Place = { ...atlas, channel: 17, hit: 3, method: 'guided', seed: 'value', scale: 'raw' };
    const url = new URL(addressOf(place, true), 'http://127.0.0.1');
    const [, , workspace, , index, , layer, , channel] = url.pathname.split('/');
    expect(placeOf({ workspace, index, layer, channel }, Object.fromEntries(url.searchParams))).toEqual(place);
  });

  test('takes the default for what makes no sense', () => {
    const place = placeOf({ workspace: 'w1', index: 'k3v9x2', layer: '0', channel: '-1' }, { hit: '0', method: 'magic', seed: ['one', 'value'], scale: undefined });
    expect(place).toEqual({ workspace: 'w1', index: 'k3v9x2', layer: null, channel: null, hit: 1, method: 'deconvnet', seed: 'one', scale: 'quantile' });
  });
});

describe('withoutToken', () => {
  test('takes the token and nothing else', () => {
    expect(withoutToken('http://127.0.0.1:4000/w/a/i/b?token=s3cret&method=guided#x')).toBe('http://127.0.0.1:4000/w/a/i/b?method=guided#x');
    expect(withoutToken('http://127.0.0.1:4000/?token=s3cret')).toBe('http://127.0.0.1:4000/');
    expect(withoutToken('http://127.0.0.1:4000/settings')).toBe('http://127.0.0.1:4000/settings');
  });
});

test('trainings, series and diagnostics have addresses, which name only what is chosen', () => {
  expect([trainAddress('w1'), trainAddress('w1', '0123456789ab')]).toEqual(['/w/w1/train', '/w/w1/train/0123456789ab']);
  expect(evolutionAddress('w1')).toBe('/w/w1/evolution');
  expect(evolutionAddress('w1', { series: 'abc123', layer: 3, epoch: 0 })).toBe('/w/w1/evolution/abc123?layer=3&epoch=0');
  expect(evolutionAddress('w1', { folder: '/my runs/a', images: undefined })).toBe('/w/w1/evolution?folder=%2Fmy+runs%2Fa');
  expect(diagnosticsAddress('w1', { model: indexWord('k3v9x2'), against: '/net.onnx' })).toBe('/w/w1/diagnostics?model=index%3Ak3v9x2&against=%2Fnet.onnx');
  expect([indexOfWord(indexWord('k3v9x2')), indexOfWord('/net.onnx')]).toEqual(['k3v9x2', null]);
});
