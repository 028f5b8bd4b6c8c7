/** The measures of an architecture on filters whose answers can be written down: gratings, constants, single points, uneven overlaps. */
import { describe, expect, it } from 'vitest';
import { aliasedShare } from '../../../src-main/training/diagnostics/aliasing.ts';
import { phasesOfFilters, phasesOfProjections, unevenness } from '../../../src-main/training/diagnostics/checkerboard.ts';
import { bankOf, largestOf, rmsOf, slicesOf, type FilterBank } from '../../../src-main/training/diagnostics/filterBank.ts';
import { drawFilters } from '../../../src-main/training/diagnostics/filterSheet.ts';
import { drawPhases, drawResponse } from '../../../src-main/training/diagnostics/maps.ts';
import { compareMeasures, measureAliasing, measureCheckerboard, measureDead, measureFrequency, measureStrength, measureUsage, type LayerActivity } from '../../../src-main/training/diagnostics/measures.ts';
import { filterResponse } from '../../../src-main/training/diagnostics/response.ts';
import { filterSpectrum } from '../../../src-main/training/diagnostics/spectrum.ts';
import { usageOf } from '../../../src-main/training/diagnostics/usage.ts';

type Weight = (y: number, x: number, input: number) => number;

function bank(height: number, width: number, filters: readonly Weight[], inputs = 1): FilterBank {
  const data = filters.flatMap((weight) => Array.from({ length: inputs * height * width }, (_, at) => weight(Math.floor(at / width) % height, at % width, Math.floor(at / (height * width)))));
  return { filters: filters.length, inputs, height, width, data: Float32Array.from(data) };
}

const grating = (cycles: number, size: number): Weight => (_, x) => Math.cos((2 * Math.PI * cycles * x) / size);
const constant: Weight = () => 1;
const checkerboard: Weight = (y, x) => (-1) ** (y + x);
const zero: Weight = () => 0;

describe('the spectrum of filters', () => {
  it('finds a grating at its frequency, a constant at 0, a checkerboard in the corner', () => {
    const { perFilter, mean, rings } = filterSpectrum(bank(8, 8, [grating(3, 8), grating(1, 8), constant, checkerboard, zero]));
    expect(perFilter.map((bands) => bands && [bands.dc, bands.low, bands.high].map((share) => Number(share.toFixed(6))))).toEqual([[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1], null]);
    expect([mean!.dc, mean!.low, mean!.high].map((share) => share.toFixed(6)), 'without the filter of zeros').toEqual(['0.250000', '0.250000', '0.500000']);
    expect(rings.map(({ frequency, share }) => [frequency, Number(share.toFixed(6))]).filter(([, share]) => share! > 0)).toEqual([[0, 0.25], [0.125, 0.25], [0.375, 0.25], [0.725, 0.25]]);
  });
  it('counts each filter alike, whatever its strength, and adds up input channels', () => {
    const strong: Weight = (y, x) => 100 * checkerboard(y, x, 0);
    expect(filterSpectrum(bank(4, 4, [constant, strong])).mean).toEqual({ dc: 0.5, low: 0, high: 0.5 });
    const twoInputs: Weight = (y, x, input) => (input === 0 ? 1 : Math.SQRT2 * checkerboard(y, x, 0));
    expect(filterSpectrum(bank(4, 4, [twoInputs], 2)).mean!.high).toBeCloseTo(2 / 3, 6);
  });
  it('is a picture with the mean in the middle, and the limit as a line', () => {
    const waves = filterResponse(bank(4, 4, [grating(1, 4), zero]));
    // cos(pi x / 2) is 1, 0, -1, 0: at a quarter of a cycle per pixel |H|^2 is 4 times 4 squared over the energy 8, times 1 for the constant columns.
    const energy = (v: number, u: number) => Number(waves.energies[(waves.size / 2 + v) * waves.size + waves.size / 2 + u]!.toFixed(6));
    expect([waves.size, energy(0, 16), energy(0, -16), energy(0, 0), energy(16, 0), energy(16, 16)]).toEqual([64, 8, 8, 0, 0, 0]);
    const { pixels, width, height } = drawResponse(filterResponse(bank(1, 1, [constant])), { kind: 'rectangle', vertical: 0.25, horizontal: 0.125 });
    const level = (y: number, x: number) => pixels[(y * width + x) * 4];
    expect([width, height]).toEqual([192, 192]);
    expect([level(96, 96), level(48, 96), level(47, 96), level(96, 72), level(96, 71), level(96, 120), level(96, 121)], 'a point lets all through; the line is black on it').toEqual([255, 0, 255, 0, 255, 0, 255]);
  });
});

describe('aliasing', () => {
  it('of a single point is all that lies outside the band: 1 - 1 / stride^2', () => {
    const point = bank(1, 1, [constant]);
    expect([1, 2, 4].map((stride) => aliasedShare(point, [stride, stride]))).toEqual([0, 0.75, 0.9375]);
  });
  it('of two equal points side by side at stride 2 is 1 - (1/2)(1/2 + 1/pi)', () => {
    expect(aliasedShare(bank(1, 2, [constant]), [2, 2])).toBeCloseTo(0.5908450569, 9);
  });
  it('is nearly nothing for a slow grating, nearly all for a fast one, nothing at stride 1', () => {
    const [slow, fast] = [bank(32, 32, [grating(1, 32)]), bank(32, 32, [grating(13, 32)])];
    expect(aliasedShare(slow, [2, 2])).toBeLessThan(0.03);
    expect(aliasedShare(fast, [2, 2])).toBeGreaterThan(0.97);
    expect(aliasedShare(fast, [1, 1])).toBeCloseTo(0, 9);
    expect(aliasedShare(fast, [4, 1]), 'it varies along the rows only, which are all read').toBeLessThan(0.05);
    expect(aliasedShare(bank(3, 3, [zero]), [2, 2])).toBeNull();
  });
  it('says what the stride cannot carry', () => {
    expect(measureAliasing(bank(1, 1, [constant]), [2, 2]).sentence).toEqual({ key: 'aliasingStrong', values: { share: 0.75, stride: 2, kernel: 1 } });
    expect(measureAliasing(bank(1, 1, [constant]), [1, 1]).sentence.key).toBe('aliasingNoStride');
    expect(measureAliasing(bank(32, 32, [grating(1, 32)]), [2, 2]).sentence.key).toBe('aliasingNone');
  });
});

describe('the checkerboard', () => {
  it('of filters comes from overlaps that do not divide evenly', () => {
    expect(unevenness(phasesOfFilters(bank(4, 4, [constant]), [2, 2]))).toBe(0);
    // 3 x 3 at stride 2: places get 4, 2, 2 and 1 weights; mean 9/4, mean of squares 25/4.
    const phases = phasesOfFilters(bank(3, 3, [constant]), [2, 2]);
    expect([...phases].map((phase) => phase.toFixed(4))).toEqual(['1.7778', '0.8889', '0.8889', '0.4444']);
    expect(unevenness(phases)).toBeCloseTo(0.19, 9);
    // 11 x 11 at stride 4, the paper's case: 3, 3, 3 and 2 weights along each axis.
    expect(unevenness(phasesOfFilters(bank(11, 11, [constant]), [4, 4]))).toBeCloseTo(0.0478018, 6);
    expect(unevenness(phasesOfFilters(bank(3, 3, [zero]), [2, 2]))).toBeNull();
  });
  it('of projections is where they are strong in the period, by place in the picture, not in the cut-out', () => {
    const striped = (top: number, strength: number) => ({ values: Float32Array.from({ length: 2 * 6 * 6 }, (_, at) => ((top + (Math.floor(at / 6) % 6)) % 2 === 1 ? -strength : 0)), top, left: 3, rows: 6, columns: 6 });
    const phases = phasesOfProjections([striped(1, 1), striped(4, 1000)], [2, 2]);
    expect([...phases]).toEqual([0, 0, 2, 2]);
    expect(unevenness(phases)).toBe(0.5);
    const flat = { values: new Float32Array(36).fill(0.5), top: 5, left: 1, rows: 6, columns: 6 };
    expect(unevenness(phasesOfProjections([flat], [4, 4]))).toBe(0);
    const small = { values: Float32Array.of(7), top: 0, left: 0, rows: 1, columns: 1 };
    expect(unevenness(phasesOfProjections([flat, small], [4, 4])), 'a support smaller than the period says nothing').toBe(0);
  });
  it('says where it was seen, and draws four periods', () => {
    const phases = phasesOfFilters(bank(3, 3, [constant]), [2, 2]);
    expect(measureCheckerboard({ phases, strides: [2, 2], kernel: 3, projected: null })).toMatchObject({ basis: 'filters', sentence: { key: 'checkerboardStrong', values: { stride: 2, channels: 0 } } });
    expect(measureCheckerboard({ phases: Float64Array.of(1, 1, 1, 1), strides: [2, 2], kernel: 3, projected: { layer: 'conv2', channels: [4, 9] } })).toMatchObject({ value: 0, basis: 'projections', layer: 'conv2', sentence: { key: 'checkerboardNone', values: { channels: 2 } } });
    const { width, pixels } = drawPhases(phases, [2, 2]);
    expect([width, pixels[0], pixels[(width / 8) * 4], pixels[(width / 4) * 4]]).toEqual([192, 255, 128, 255]);
  });
});

describe('strength, dead channels and use', () => {
  it('names the filter that drowns the others', () => {
    const filters = bank(2, 2, [constant, constant, () => -8, constant]);
    expect(rmsOf(filters)).toEqual([1, 1, 8, 1]);
    expect(measureStrength(filters)).toEqual({ kind: 'strength', value: 8, share: 64 / 67, channel: 2, rms: [1, 1, 8, 1], sentence: { key: 'strengthDominated', values: { channel: 2, ratio: 8, share: 64 / 67, filters: 4 } } });
    expect(measureStrength(bank(2, 2, [constant, constant])).sentence.key).toBe('strengthEven');
    expect(measureStrength(bank(2, 2, [zero])), 'nothing is strongest').toMatchObject({ value: null, share: null, channel: null });
  });
  it('says how evenly channels share', () => {
    expect(usageOf([2, 2, 2, 2])).toMatchObject({ gini: 0, evenness: 1, effectiveChannels: 4 });
    expect(usageOf([0, 5, 0, -3])).toMatchObject({ gini: 0.75, evenness: 0, effectiveChannels: 1, shares: [0, 1, 0, 0] });
    const uneven = usageOf([3, 1])!;
    expect([uneven.gini, uneven.evenness, uneven.effectiveChannels].map((each) => each.toFixed(4))).toEqual(['0.2500', '0.8113', '1.7548']);
    expect(usageOf([0, 0])).toBeNull();
  });

  const layer = (number: number, means: readonly number[], nonNegative = true): LayerActivity => ({ layer: number, name: `value ${number}`, title: `conv${number}`, nonNegative, channels: means.map((mean, channel) => ({ channel, mean, dead: mean === 0 })) });
  it('counts the dead where there can be any', () => {
    const measured = measureDead([layer(1, [1, 1, 1, 0]), layer(2, [1, 0, 0, 1]), layer(3, [-1, -2], false)], 10);
    expect(measured.value).toBe(3 / 8);
    expect(measured.layers.map(({ title, dead }) => [title, dead])).toEqual([['conv1', [3]], ['conv2', [1, 2]]]);
    expect(measured.sentence).toEqual({ key: 'deadMany', values: { dead: 3, channels: 8, share: 3 / 8, layer: 'conv2', layerShare: 0.5 } });
    expect(measureDead([layer(1, [1, 2])], 10).sentence.key).toBe('deadNone');
    expect([measureDead([], 0).sentence.key, measureDead([layer(3, [1], false)], 10).sentence.key]).toEqual(['needsIndex', 'noLayers']);
  });
  it('names the channel that dominates a layer', () => {
    const means = Array.from({ length: 20 }, (_, channel) => (channel === 7 ? 81 : 1));
    const measured = measureUsage([layer(1, [1, 1, 1, 1]), layer(2, means)], 10);
    expect(measured.sentence).toMatchObject({ key: 'usageDominated', values: { layer: 'conv2', channel: 7, share: 0.81 } });
    expect(Number(measured.sentence.values['ratio'])).toBeCloseTo(16.2, 9);
    expect(measured.layers[1]!.strongest.slice(0, 2)).toEqual([{ channel: 7, share: 0.81 }, { channel: 0, share: 0.01 }]);
    expect(measureUsage([layer(1, [1, 1, 1, 1])], 10).sentence.key).toBe('usageEven');
    expect(measureUsage([layer(1, [9, 1, 1, 1])], 10).sentence.key, 'one of four can have no tenfold share').toBe('usageUneven');
  });
});

describe('sentences about frequencies', () => {
  const keyOf = (filters: readonly Weight[], size = 8) => {
    const each = bank(size, size, filters);
    return measureFrequency(each, filterSpectrum(each)).sentence.key;
  };
  it('tell mostly high from mostly low, both kinds without a middle, and filters too small to tell', () => {
    const halfHigh: Weight = (y, x) => grating(1, 8)(y, x, 0) + 0.8 * grating(3, 8)(y, x, 0);
    expect([keyOf([grating(3, 8)]), keyOf([grating(1, 8)]), keyOf([grating(3, 8), constant]), keyOf([halfHigh]), keyOf([checkerboard], 3)]).toEqual(['frequencyMostlyHigh', 'frequencyMostlyLow', 'frequencyExtremes', 'frequencyBalanced', 'frequencyTooSmall']);
  });
  it('compare two models by the ratio of their measures', () => {
    const measured = (value: number | null) => [{ ...measureStrength(bank(1, 1, [constant])), value, media: null }];
    const compared = (left: number | null, right: number | null) => compareMeasures(measured(left), measured(right))[0]!.sentence;
    expect(compared(0.5, 0.25)).toEqual({ key: 'compareLower', values: { left: 0.5, right: 0.25, ratio: 0.5 } });
    expect([compared(0.5, 0.8).key, compared(0.5, 0.52).key, compared(0, 0.004).key, compared(null, 1).key]).toEqual(['compareHigher', 'compareAlike', 'compareAlike', 'compareUnknown']);
  });
});

describe('a sheet of filters', () => {
  const pixel = ({ width, pixels }: { readonly width: number; readonly pixels: Uint8Array }, y: number, x: number) => [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
  const colours = bank(1, 1, [(_, __, input) => [1, 0, -1][input]!, () => 0.5], 3);
  it('shows three inputs as colours in the order of the screen, zero as grey, each at its limit', () => {
    const own = drawFilters(colours, { kind: 'colour', order: 'rgb' }, largestOf(colours));
    expect([own.columns, own.tile, own.zoom, own.picture.width, own.picture.height]).toEqual([2, [44, 44], 44, 89, 44]);
    expect([pixel(own.picture, 3, 3), pixel(own.picture, 3, 44), pixel(own.picture, 3, 60)]).toEqual([[255, 128, 1, 255], [0, 0, 0, 0], [255, 255, 255, 255]]);
    const bgr = drawFilters(colours, { kind: 'colour', order: 'bgr' }, [1, 1]).picture;
    expect([pixel(bgr, 3, 3), pixel(bgr, 3, 60)], 'one scale for both').toEqual([[1, 128, 255, 255], [192, 192, 192, 255]]);
  });
  it('shows one input in grey, or a row of tiles for each filter', () => {
    const grey = drawFilters(colours, { kind: 'grey', input: 2 }, [1, 1]).picture;
    expect([pixel(grey, 0, 0), pixel(grey, 0, 60)]).toEqual([[1, 1, 1, 255], [192, 192, 192, 255]]);
    const rows = drawFilters(colours, { kind: 'rows' }, [1, 1]);
    expect([rows.columns, rows.zoom, rows.picture.width, rows.picture.height]).toEqual([3, 16, 50, 33]);
    expect([pixel(rows.picture, 0, 0), pixel(rows.picture, 0, 17), pixel(rows.picture, 0, 34), pixel(rows.picture, 17, 0)]).toEqual([[255, 255, 255, 255], [128, 128, 128, 255], [1, 1, 1, 255], [192, 192, 192, 255]]);
  });
  it('keeps a tile of a long filter long, and a large sheet within 4096 pixels', () => {
    const long = drawFilters(bank(1, 7, [constant]), { kind: 'grey', input: 0 }, [1]);
    expect([long.tile, long.picture.width, long.picture.height]).toEqual([[6, 42], 85, 6]);
    expect(drawFilters(bank(3, 3, Array.from({ length: 4 }, () => constant), 900), { kind: 'rows' }, [1, 1, 1, 1]).picture.width).toBe(900 * 3 + 899);
  });
  it('is cut from all filters, and a transposed convolution reads like any other', () => {
    const all = bank(1, 1, [() => 1, () => 2, () => 3]);
    expect([...slicesOf(all, 1, 9).data]).toEqual([2, 3]);
    // Two groups of one input channel, two filters each: [C, M/group] is read as [M, C/group].
    expect(bankOf({ kind: 'ConvTranspose', shape: [4, 2, 1, 1], group: 2, data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) })).toEqual({ filters: 4, inputs: 2, height: 1, width: 1, data: Float32Array.of(1, 3, 2, 4, 5, 7, 6, 8) });
  });
});
