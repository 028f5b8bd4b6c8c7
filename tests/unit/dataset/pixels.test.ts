/** Sizes, normalisation, preprocessing records, labels and pictures: the pure rules with numbers written out. */
import { expect, it } from 'vitest';
import { classesOf, labelOf, parseLabels } from '../../../src-main/dataset/labels.ts';
import { normalizePixels } from '../../../src-main/dataset/normalize.ts';
import { planResize } from '../../../src-main/dataset/decode.ts';
import { encodePng, resizePixels } from '../../../src-main/dataset/picture.ts';
import { changePreprocessing, checkPreprocessing, describePreprocessing } from '../../../src-main/dataset/preprocessing.ts';
import { defaultResize } from '../../../src-shared/domain/preprocessing.ts';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';

const base: Preprocessing = { order: 'rgb', crop: [224, 224], resize: { kind: 'shorterSide', pixels: 256 }, scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const pixel: Pick<Preprocessing, 'crop'> = { crop: [1, 1] };

it('plans resize and crop as the method says', () => {
  expect(planResize({ width: 500, height: 375 }, base)).toEqual({ resized: { width: 341, height: 256 }, crop: { left: 58, top: 16, width: 224, height: 224 } });
  expect(planResize({ width: 375, height: 500 }, base)).toEqual({ resized: { width: 256, height: 341 }, crop: { left: 16, top: 58, width: 224, height: 224 } });
  expect(planResize({ width: 10, height: 20 }, base).resized).toEqual({ width: 256, height: 512 });
  expect(planResize({ width: 500, height: 375 }, { crop: [32, 32], resize: { kind: 'exact' } }).resized).toEqual({ width: 32, height: 32 });
  expect(planResize({ width: 301, height: 300 }, { crop: [224, 224], resize: { kind: 'none' } }).crop).toMatchObject({ left: 38, top: 38 });
  expect(() => planResize({ width: 300, height: 223 }, { crop: [224, 224], resize: { kind: 'none' } })).toThrow('The image is 300 x 223 pixels, smaller than the network input of 224 x 224, and resizing is switched off.');
  expect(() => planResize({ width: 20_000, height: 1 }, base)).toThrow('too long and narrow to resize (it would become 5120000 x 256)');
});

it('enlarges beyond the wanted shorter side where the crop needs it', () => {
  expect(planResize({ width: 100, height: 50 }, { crop: [224, 224], resize: { kind: 'shorterSide', pixels: 200 } }).resized).toEqual({ width: 448, height: 224 });
  expect(planResize({ width: 100, height: 100 }, { crop: [100, 300], resize: { kind: 'shorterSide', pixels: 114 } }).resized).toEqual({ width: 300, height: 300 });
});

it('normalises in the order the network receives', () => {
  const pixels = Uint8Array.of(10, 20, 30);
  const formula = { ...pixel, scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4] };
  expect([...normalizePixels(pixels, { ...formula, order: 'rgb' }, 1)]).toEqual([4, 4, 3]);
  expect([...normalizePixels(pixels, { ...formula, order: 'bgr' }, 1)]).toEqual([14, 4, 0.5]);
  expect([...normalizePixels(pixels, { ...pixel, order: 'grey', scale: 1, mean: [0], std: [1] }, 1)]).toEqual([Math.fround(18.15)]);
  expect([...normalizePixels(Uint8Array.of(7, 7, 7), { ...pixel, order: 'grey', scale: 1, mean: [0], std: [1] }, 1)]).toEqual([7]);
});

it('turns pixels into planes, image by image', () => {
  const pixels = Uint8Array.from({ length: 12 }, (_, i) => i);
  const planes = normalizePixels(pixels, { order: 'rgb', crop: [1, 2], scale: 1, mean: [0], std: [1] }, 2);
  expect([...planes]).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
  expect(() => normalizePixels(pixels, { order: 'rgb', crop: [1, 2], scale: 1, mean: [0], std: [1] }, 3)).toThrow('12 bytes for 3 images of 1 x 2 x 3');
});

it('knows the default resize', () => {
  expect([defaultResize([224, 224]), defaultResize([227, 227]), defaultResize([299, 320]), defaultResize([127, 200])]).toEqual([
    { kind: 'shorterSide', pixels: 256 },
    { kind: 'shorterSide', pixels: 259 },
    { kind: 'shorterSide', pixels: 366 },
    { kind: 'exact' },
  ]);
});

it('applies what a person changes', () => {
  expect(changePreprocessing(base, { order: 'bgr' })).toMatchObject({ order: 'bgr', mean: [0.406, 0.456, 0.485], std: [0.225, 0.224, 0.229] });
  expect(changePreprocessing(base, { crop: 64 })).toMatchObject({ crop: [64, 64], resize: { kind: 'exact' } });
  expect(changePreprocessing(base, { crop: 227, resize: '300' })).toMatchObject({ crop: [227, 227], resize: { kind: 'shorterSide', pixels: 300 } });
  expect(changePreprocessing(base, { resize: 'none', mean: [0], std: [1], scale: 1 })).toMatchObject({ resize: { kind: 'none' }, mean: [0, 0, 0], std: [1, 1, 1], scale: 1 });
  expect(changePreprocessing(base, { order: 'grey' }).mean).toHaveLength(1);
  expect(describePreprocessing(base)).toBe('RGB 224 x 224, shorter side to 256, (x * 0.00392157 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]');
});

it('refuses values that mean nothing, and says what to use', () => {
  expect(() => changePreprocessing(base, { resize: 'big' })).toThrow('Resize "big" is unknown: use a number of pixels for the shorter side, none, or exact.');
  expect(() => changePreprocessing(base, { order: 'hsv' })).toThrow('Channel order "hsv" is unknown: use rgb, bgr, grey.');
  expect(() => changePreprocessing(base, { crop: 0 })).toThrow('The crop is 0 pixels: use a whole number from 1 to 8192.');
  expect(() => changePreprocessing(base, { mean: [1, 2] })).toThrow('The mean has 2 values for 3 channels: give one value, or one per channel.');
  expect(() => checkPreprocessing({ ...base, std: [1, 0, 1] })).toThrow('The std of channel 1 is 0');
  expect(() => checkPreprocessing({ ...base, scale: Number.NaN })).toThrow('The scale is NaN');
});

it('reads labels and names the wrong line', () => {
  const labels = parseLabels('\uFEFFfile\tindex\twnid\r\na/1.png\t3\tn01\r\n2.png\t0\tn02\r\n\r\n', 'L.tsv');
  expect(labelOf(labels, 'a/1.png')).toEqual({ index: 3, wnid: 'n01', name: null });
  expect(labelOf(labels, 'deep/2.png')).toEqual({ index: 0, wnid: 'n02', name: null });
  expect(labelOf(labels, 'b/1.png')).toBeNull();
  const wrong = (text: string): string => {
    try {
      parseLabels(text, 'L.tsv');
    } catch (thrown) {
      return (thrown as Error).message;
    }
    return 'accepted';
  };
  expect(wrong('path,index\n')).toBe('L.tsv, line 1: the header is "path,index" but must name the tab-separated columns file, index, and wnid or name.');
  expect(wrong('file\tindex\tname\na\tx\tcat')).toBe('L.tsv, line 2: the class index is "x" but must be a whole number from 0.');
  expect(wrong('file\tindex\tname\na\t1')).toBe('L.tsv, line 2: 2 columns where the header has 3; separate them with tabs.');
  expect(wrong('file\tindex\tname\na\t1\tcat\n\na\t2\tdog')).toBe('L.tsv, line 4: "a" has a label on line 2 already.');
  expect(wrong('file\tindex\tname\n')).toBe('L.tsv, line 2: there is no label after the header.');
});

it('an image has its class in all the words that are known: from the labels file, else from its folder', () => {
  const labels = parseLabels('file\tindex\twnid\tname\na.png\t3\tn00000003\tred panda\nb.png\t4\tn00000004\t\nc.png\t5\t\t', 'labels.tsv');
  expect(classesOf(labels, 'deep/a.png')).toEqual({ className: 'red panda', classIndex: 3, classWnid: 'n00000003' });
  expect(classesOf(labels, 'b.png')).toEqual({ className: 'n00000004', classIndex: 4, classWnid: 'n00000004' });
  expect(classesOf(labels, 'c.png')).toEqual({ className: '5', classIndex: 5, classWnid: null });
  const none = { className: null, classIndex: null, classWnid: null };
  expect(classesOf(labels, 'cat/d.png')).toEqual(none);
  expect(classesOf(null, 'd.png')).toEqual(none);
  expect(classesOf(null, 'cat/deep/d.png')).toEqual({ className: 'cat', classIndex: null, classWnid: null });
  expect(classesOf(null, 'n01440764/d.png')).toEqual({ className: 'n01440764', classIndex: null, classWnid: 'n01440764' });
});

it('encodes PNG without loss, in all channel counts', async () => {
  for (const channels of [1, 2, 3, 4] as const) {
    const pixels = Uint8Array.from({ length: 6 * channels }, (_, i) => (i * 37) % 256);
    const png = await encodePng(pixels, 3, 2, channels);
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    // The library reads every PNG as RGB or RGBA: grey stands three times.
    const shown = channels < 3 ? Array.from({ length: 6 }, (_, i) => [pixels[i * channels]!, pixels[i * channels]!, pixels[i * channels]!, ...pixels.subarray(i * channels + 1, (i + 1) * channels)]).flat() : [...pixels];
    expect((await sharp(png).metadata()).channels).toBe(channels);
    expect([info.width, info.height, [...data]]).toEqual([3, 2, shown]);
  }
});

it('enlarges pictures with hard or soft edges', async () => {
  const picture = { pixels: Uint8Array.of(0, 255), width: 2, height: 1, channels: 1 } as const;
  expect([...(await resizePixels(picture, 4, 1, 'nearest')).pixels]).toEqual([0, 0, 255, 255]);
  const soft = await resizePixels(picture, 8, 1, 'cubic');
  expect(soft).toMatchObject({ width: 8, height: 1, channels: 1 });
  expect(new Set(soft.pixels).size).toBeGreaterThan(2);
  await expect(encodePng(new Uint8Array(5), 1, 1, 3)).rejects.toThrow('5 bytes for 1 x 1 x 3');
});

it('writes a batch over the one before', () => {
  const into = new Float32Array(3);
  const formula = { order: 'rgb', crop: [1, 1], scale: 1, mean: [0], std: [1] } as const;
  expect(normalizePixels(Uint8Array.of(1, 2, 3), formula, 1, into)).toBe(into);
  expect([...into]).toEqual([1, 2, 3]);
});
