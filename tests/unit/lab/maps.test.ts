/** Maps as pictures, hints for a segmentation, and names of classes. */
import { describe, expect, it } from 'vitest';
import { parseClassNames } from '../../../src-main/dataset/classNames.ts';
import { differenceFactor, drawActivationSheet, drawDifference, drawLabels, drawMap } from '../../../src-main/lab/drawing.ts';
import { labelColour } from '../../../src-shared/domain/colourMaps.ts';
import { acrossColours } from '../../../src-main/lab/saliency.ts';
import { segmentationHints } from '../../../src-main/lab/segmentation.ts';
import { colourAt, colourMaps } from '../../../src-shared/domain/colourMaps.ts';

describe('maps', () => {
  it('go from one end of their colours to the other, and are transparent where nothing is known', () => {
    const { pixels } = drawMap([0, 5, 10, null], 2, 2, { map: 'grey', from: 0, to: 10 });
    expect([...pixels]).toEqual([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255, 0, 0, 0, 0]);
    expect([...drawMap([-1, 0, 1], 1, 3, { map: 'signed', from: -1, to: 1 }).pixels.subarray(4, 7)]).toEqual([128, 128, 128]);
  });
  it('have colours that rise in lightness', () => {
    const lightness = ([red, green, blue]: readonly [number, number, number]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    for (const map of colourMaps) for (let at = 1; at <= 20; at++) expect(lightness(colourAt(map, at / 20)), `${map} ${at}`).toBeGreaterThan(lightness(colourAt(map, (at - 1) / 20)));
    expect([colourAt('heat', -1), colourAt('heat', 2)]).toEqual([[68, 1, 84], [253, 231, 37]]);
  });
  it('of labels give each its own colour', () => {
    const colours = Array.from({ length: 100 }, (_, label) => labelColour(label).join());
    expect(new Set(colours).size).toBe(100);
    expect([...drawLabels([3, null], 1, 2).pixels]).toEqual([...labelColour(3), 255, 0, 0, 0, 0]);
  });
  it('of a layer stand on one sheet in the order asked for', () => {
    const maps = Float32Array.of(0, 0, 0, 0, /* channel 1 */ 4, 2, 2, 0);
    const sheet = drawActivationSheet({ maps, height: 2, width: 2, channels: [1, 0], size: 2, columns: 2, limitOf: () => 4, signed: false });
    expect([sheet.width, sheet.height]).toEqual([5, 2]);
    expect([...sheet.pixels].filter((_, at) => at % 4 === 0)).toEqual([255, 128, 0, 0, 0, 128, 0, 0, 0, 0]);
    expect(sheet.pixels[2 * 4 + 3], 'the gap').toBe(0);
    // Four numbers averaged into one pixel.
    expect(drawActivationSheet({ maps, height: 2, width: 2, channels: [1], size: 1, columns: 1, limitOf: () => 4, signed: false }).pixels[0]).toBe(128);
  });
  it('of saliency take the largest magnitude over the colours', () => {
    expect([...acrossColours(Float32Array.of(1, -2, -3, 1), 2)]).toEqual([3, 2]);
  });
});

it('differences are magnified around grey', () => {
  const [before, after] = [Uint8Array.of(10, 10, 10), Uint8Array.of(10, 20, 0)];
  expect(differenceFactor(before, after)).toBe(12);
  expect([...drawDifference(before, after, 12)]).toEqual([128, 248, 8]);
  expect(differenceFactor(before, before)).toBe(1);
});

it('segmentation begins above one quantile and below another', () => {
  const saliency = Float32Array.from({ length: 101 }, (_, at) => at);
  const { hints, thresholds } = segmentationHints(saliency, 0.95, 0.3);
  expect(thresholds).toEqual({ foreground: 95, background: 30 });
  expect([hints[29], hints[30], hints[95], hints[96]]).toEqual([1, 0, 0, 2]);
});

describe('names of classes', () => {
  it.each([
    ['lines with ids', 'n01440764 tench, Tinca tinca\nn01443537 goldfish', [{ wnid: 'n01440764', name: 'tench, Tinca tinca' }, { wnid: 'n01443537', name: 'goldfish' }]],
    ['plain lines', 'cat\r\nhot dog\r\n', [{ wnid: null, name: 'cat' }, { wnid: null, name: 'hot dog' }]],
    ['a table', 'file\tindex\twnid\na.png\t1\tn00000002\nb.png\t0\tn00000001', [{ wnid: 'n00000001', name: null }, { wnid: 'n00000002', name: null }]],
    ['a JSON list', '["cat", "dog"]', [{ wnid: null, name: 'cat' }, { wnid: null, name: 'dog' }]],
    ['a JSON object', '{"1": ["n00000002", "dog"], "0": "cat"}', [{ wnid: null, name: 'cat' }, { wnid: 'n00000002', name: 'dog' }]],
  ])('come from %s', (_, text, names) => {
    expect(parseClassNames(text, 'names')).toEqual(names);
  });
  it.each([
    ['{}', 'names.txt names no classes: it needs a line for each class, a table with the columns index and name or wnid, or a JSON list.'],
    ['[1', /^names\.txt is no JSON: /],
  ])('%j is refused', (text, message) => {
    expect(() => parseClassNames(text, 'names.txt')).toThrow(message);
  });
});
