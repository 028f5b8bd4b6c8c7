/** Which differences of two screenshots count: noise and smoothing do not; a moved panel, a lost word and another colour do. */
import { expect, it } from 'vitest';
import { encodePng, sizeOfPicture } from '../../../src-main/dataset/picture.ts';
import { compareKept, keptPicture } from '../../support/screenshots.ts';

const [width, height] = [320, 160];
type Colour = readonly [number, number, number];
const ground: Colour = [20, 20, 24];
const panel: Colour = [70, 90, 160];

/** A panel of 100 x 60 at `left`, on a ground, each pixel off by what `noise` says. */
function window(left: number, colour: Colour = panel, noise: (at: number) => number = () => 0): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    const inside = x >= left && x < left + 100 && y >= 40 && y < 100;
    return (inside ? colour : ground)[at % 3]! + noise(at);
  });
  return encodePng(pixels, width, height, 3).then((png) => keptPicture(Buffer.from(png)));
}

it('keeps half the size', async () => {
  expect(await sizeOfPicture(await window(40))).toMatchObject({ width: 160, height: 80 });
});

it('takes noise of a few levels for no difference', async () => {
  expect((await compareKept(await window(40), await window(40, panel, (at) => (at % 7) - 3))).share).toBe(0);
});

it('finds a panel that has moved by eight pixels of the window', async () => {
  // Two edges of 60 x 8 pixels on 320 x 160 are 0.02 of it; smoothing touches their neighbours.
  const { share } = await compareKept(await window(40), await window(48));
  expect(share).toBeGreaterThan(0.01);
  expect(share).toBeLessThan(0.04);
});

it('finds another colour everywhere it is', async () => {
  expect((await compareKept(await window(40), await window(40, [70, 130, 160]))).share).toBeCloseTo((100 * 60) / (width * height), 1);
});

it('takes another size for another picture', async () => {
  const small = await keptPicture(Buffer.from(await encodePng(new Uint8Array(64 * 64 * 3), 64, 64, 3)));
  expect((await compareKept(small, await window(40))).share).toBe(1);
});
