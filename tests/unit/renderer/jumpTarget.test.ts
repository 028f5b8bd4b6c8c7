/** What "conv5 17" means. */
import { describe, expect, test } from 'vitest';
import { jumpTarget } from '../../../src-renderer/composables/jumpTarget.ts';

const layers = [
  { number: 1, title: 'conv1', name: 'relu_0', channels: 64 },
  { number: 2, title: 'fire2/squeeze1x1', name: 'relu_1', channels: 16 },
  { number: 3, title: 'fire2/expand1x1', name: 'relu_2', channels: 64 },
  { number: 4, title: 'conv10', name: 'relu_25', channels: 1000 },
];
const found = (words: string, shown: number | null = 2) => {
  const jump = jumpTarget(words, layers, shown);
  return jump.kind === 'found' ? jump.targets.map((target) => [target.layer, target.channel]) : jump;
};

describe('jumpTarget', () => {
  test('layer and channel, with space, colon, hash, comma or slash between', () => {
    for (const words of ['conv1 17', ' conv1:17 ', 'conv1 #17', 'conv1, 17', 'conv1/17', 'CONV1 17']) {
      expect(found(words)).toEqual([[1, 17], [4, 17]]);
    }
  });

  test('a title that itself ends in a number after a slash is a layer first', () => {
    expect(found('fire2/squeeze1x1')).toEqual([[2, null]]);
    expect(found('fire2/squeeze1x1 3')).toEqual([[2, 3]]);
  });

  test('a number alone is a channel of the layer on screen', () => {
    expect(found('15')).toEqual([[2, 15]]);
    expect(found('#15')).toEqual([[2, 15]]);
    expect(found('16')).toEqual({ kind: 'noChannel', title: 'fire2/squeeze1x1', channel: 16, channels: 16 });
  });

  test('the exact title comes before titles that begin with it, and ONNX names are found too', () => {
    expect(found('conv1')).toEqual([[1, null], [4, null]]);
    expect(found('relu_25')).toEqual([[4, null]]);
    expect(found('expand')).toEqual([[3, null]]);
  });

  test('the best matching layer decides whether the channel exists', () => {
    expect(found('conv1 64')).toEqual({ kind: 'noChannel', title: 'conv1', channel: 64, channels: 64 });
    expect(found('conv10 999')).toEqual([[4, 999]]);
  });

  test('says which word is no layer', () => {
    expect(found('conv77 3')).toEqual({ kind: 'noLayer', word: 'conv77' });
    expect(found('nonsense')).toEqual({ kind: 'noLayer', word: 'nonsense' });
  });

  test('no words name every layer', () => {
    expect(found('')).toEqual([[1, null], [2, null], [3, null], [4, null]]);
  });
});
