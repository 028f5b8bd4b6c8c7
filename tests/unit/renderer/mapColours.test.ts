/** Colours of points, and the pixels that they become where there is no graphics card. */
import { describe, expect, test } from 'vitest';
import { classColours, colourPoints, distinctColour, linkedColours, scoreColour, type MapTheme } from '../../../src-renderer/features/map/mapColouring.ts';
import { paintPoints } from '../../../src-renderer/features/map/softwareDrawing.ts';

const dark: MapTheme = { isDark: true, ground: [18, 18, 18], quiet: [116, 116, 116] };
const light: MapTheme = { isDark: false, ground: [242, 242, 242], quiet: [133, 133, 133] };
const few = [{ value: 3 }, { value: 8 }];
const many = Array.from({ length: 11 }, (_, value) => ({ value }));

function contrast(a: readonly number[], b: readonly number[]): number {
  const luminance = (colour: readonly number[]): number => {
    const [r, g, bl] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * bl!;
  };
  const [dim, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright! + 0.05) / (dim! + 0.05);
}

describe('colours of classes', () => {
  test('few have one each; where some are set apart, only those', () => {
    expect([...classColours(few, [], dark).keys()]).toEqual([3, 8]);
    expect(classColours(few, [8], dark)).toEqual(new Map([[8, distinctColour(1, dark)]]));
  });

  test('many are grey but those that are named, in the order of naming', () => {
    expect(classColours(many, [], dark).size).toBe(0);
    expect(classColours(many, [9, 2], dark)).toEqual(new Map([[9, distinctColour(0, dark)], [2, distinctColour(1, dark)]]));
  });

  test('stand out from the ground', () => {
    for (let at = 0; at < 10; at++) expect(contrast(distinctColour(at, dark), dark.ground), `dark ${at}`).toBeGreaterThan(3);
    expect(distinctColour(0, light)).not.toEqual(distinctColour(0, dark));
  });
});

describe('colourPoints', () => {
  test('writes colour and opacity, unchosen points faint and below', () => {
    const legend = { kind: 'classes', classes: [{ value: 0, name: 'cat', points: 1 }, { value: 1, name: 'dog', points: 1 }], without: 1 } as const;
    const values = Float32Array.of(0, 1, Number.NaN);
    const all = colourPoints(3, values, legend, [], null, dark);
    expect([...all.colours]).toEqual([...distinctColour(0, dark), 255, ...distinctColour(1, dark), 255, ...dark.quiet, 120]);
    expect([...all.raised]).toEqual([1, 1, 0]);
    const some = colourPoints(3, values, legend, [], Uint8Array.of(0, 0, 1), dark);
    expect([...some.colours].filter((_, at) => at % 4 === 3)).toEqual([40, 40, 255]);
    expect([...some.raised]).toEqual([0, 0, 1]);
  });

  test('wrong ones stand out, scores go from least to most, nothing known is quiet', () => {
    expect([...colourPoints(2, Float32Array.of(0, 1), { kind: 'errors', right: 1, wrong: 1, without: 0 }, [], null, dark).raised]).toEqual([0, 1]);
    const scores = colourPoints(2, Float32Array.of(-1, 3), { kind: 'numbers', from: -1, to: 3, without: 0 }, [], null, light);
    expect([...scores.colours.slice(0, 3)]).toEqual([...scoreColour(0, light)]);
    expect([...scores.colours.slice(4, 7)]).toEqual([...scoreColour(1, light)]);
    expect([...colourPoints(1, null, null, [], null, dark).colours]).toEqual([...dark.quiet, 120]);
  });

  test('another map takes the colours of the same images', () => {
    const from = { colours: Uint8Array.of(1, 2, 3, 200, 4, 5, 6, 255), raised: Uint8Array.of(0, 1) };
    const linked = linkedColours(3, Int32Array.of(1, -1, 0), from, dark);
    expect([...linked.colours]).toEqual([4, 5, 6, 255, ...dark.quiet, 40, 1, 2, 3, 200]);
    expect([...linked.raised]).toEqual([1, 0, 0]);
  });
});

describe('painting without a graphics card', () => {
  const view = { width: 4, height: 4, scale: 4, left: 0, top: 0, size: 1, square: true, pixelRatio: 1 };
  const pixel = (data: Uint8ClampedArray, x: number, y: number): number[] => [...data.slice(4 * (4 * y + x), 4 * (4 * y + x) + 4)];

  test('puts each point at its place on the ground, raised ones above', () => {
    const picture = { data: new Uint8ClampedArray(64), width: 4, height: 4 };
    const colours = Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 255, 9, 9, 9, 255, 9, 9, 9, 255]);
    paintPoints(picture, view, Float32Array.of(0.25, 0.5, 0.25, 0.5, Number.NaN, Number.NaN, 7, 7), { colours, raised: Uint8Array.of(1, 0, 0, 0), ground: [18, 18, 18] });
    expect(pixel(picture.data, 1, 2)).toEqual([255, 0, 0, 255]);
    expect(pixel(picture.data, 0, 0)).toEqual([18, 18, 18, 255]);
    expect(picture.data.filter((value) => value === 18).length).toBe(3 * 15);
  });

  test('mixes what is half transparent', () => {
    const picture = { data: new Uint8ClampedArray(64), width: 4, height: 4 };
    paintPoints(picture, view, Float32Array.of(0, 0, 0, 0), { colours: Uint8Array.from([0, 0, 200, 255, 200, 0, 0, 127]), raised: Uint8Array.of(0, 1), ground: [0, 0, 0] });
    expect(pixel(picture.data, 0, 0)).toEqual([99, 0, 100, 255]);
  });

  test('cuts off what lies beyond the edge', () => {
    const picture = { data: new Uint8ClampedArray(64), width: 4, height: 4 };
    paintPoints(picture, { ...view, size: 3 }, Float32Array.of(0, 1), { colours: Uint8Array.of(255, 255, 255, 255), raised: Uint8Array.of(0), ground: [0, 0, 0] });
    expect([...picture.data].filter((value, at) => at % 4 === 0 && value === 255).length).toBe(2);
  });
});
