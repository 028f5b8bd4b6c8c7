/** What the atlas projects first: units of one image together, but before them the channels that somebody looks at. */
import { describe, expect, it } from 'vitest';
import { byImage, takePortion } from '../../../src-main/projection/atlasOrder.ts';

const unit = (channel: number, imageNumber: number) => ({ channel, imageNumber });
/** 100 channels with three hits each on ten images. */
const units = byImage(Array.from({ length: 300 }, (_, at) => unit(Math.floor(at / 3), (at * 7) % 10)));

describe('the order of an atlas', () => {
  it('goes by image, then channel', () => {
    expect(byImage([unit(2, 1), unit(1, 0), unit(0, 1)])).toEqual([unit(1, 0), unit(0, 1), unit(2, 1)]);
    const { portion, rest } = takePortion(units, 40, null);
    expect(new Set(portion.map(({ imageNumber }) => imageNumber))).toEqual(new Set([0, 1]));
    expect([portion.length, rest.length]).toEqual([40, 260]);
  });
  it('takes the looked-at channel first, then those ahead of it, whole', () => {
    const { portion, rest } = takePortion(units, 9, 50);
    expect([...new Set(portion.map(({ channel }) => channel))].sort((a, b) => a - b)).toEqual([50, 51, 52]);
    expect([portion, rest.length]).toEqual([byImage(portion), 291]);
  });
  it('goes on by image when everything near is done, and loses no unit on the way', () => {
    let rest: readonly { channel: number; imageNumber: number }[] = units;
    const seen: { channel: number; imageNumber: number }[] = [];
    const channels: number[] = [];
    while (rest.length > 0) {
      const taken = takePortion(rest, 30, 20);
      seen.push(...taken.portion);
      channels.push(Math.max(...taken.portion.map(({ channel }) => channel)));
      rest = taken.rest;
    }
    expect(byImage(seen)).toEqual(units);
    expect([channels[0]! <= 56, channels.at(-1)! > 90]).toEqual([true, true]);
  });
});
