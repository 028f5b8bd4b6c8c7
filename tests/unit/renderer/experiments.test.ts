/** The paper's experiments in the interface: addresses, small charts, boxes that mark parts, what is typed into forms, and the printed tables. */
import { describe, expect, test } from 'vitest';
import { linePath, roundTicks, shortNames, spreadPlaces, valueSpan } from '../../../src-renderer/components/studies/chartScale.ts';
import { meanWords, percentWords } from '../../../src-renderer/components/studies/meanWords.ts';
import { experimentAddress, experimentOf, experimentsAddress, paperAddress } from '../../../src-renderer/addresses.ts';
import type { ChannelSummary, IndexedLayer, SpecOf, TrainingEntry } from '../../../src-renderer/api/records.ts';
import { usualEpochs, usualTraining } from '../../../src-renderer/composables/usualTraining.ts';
import { readNumbers, readOptional } from '../../../src-renderer/features/experiments/numberWords.ts';
import { boxBetween, keyedBox, middleBox, movedBox, sizedBox } from '../../../src-renderer/features/experiments/partBox.ts';
import { settingsOf } from '../../../src-renderer/features/experiments/settingsWords.ts';
import { emptySpec } from '../../../src-renderer/features/experiments/startSpec.ts';
import { studies } from '../../../src-renderer/features/experiments/studies.ts';
import { shownChannels, shownLayers } from '../../../src-renderer/features/paper/paperLayers.ts';
import { printedTables } from '../../../src-renderer/features/paper/published.ts';
import { experimentKinds } from '../../../src-shared/domain/experiments.ts';

describe('addresses', () => {
  test('name a result, a form with what it begins with, and the paper', () => {
    expect([experimentsAddress('w 1'), experimentsAddress('w1', 'abc123abc123'), paperAddress('w1', 'abcdef12')]).toEqual(['/w/w%201/experiments', '/w/w1/experiments/abc123abc123', '/w/w1/paper?index=abcdef12']);
    const address = experimentAddress('w1', 'evidence', { index: 'abcdef12', class: 'golden retriever', layer: 3 });
    expect(address).toBe('/w/w1/experiments/new/evidence?index=abcdef12&class=golden+retriever&layer=3');
    expect(experimentOf({ kind: 'evidence' }, Object.fromEntries(new URL(address, 'http://x').searchParams))).toEqual({ kind: 'evidence', start: { index: 'abcdef12', class: 'golden retriever', layer: 3 } });
  });
  test('what makes no sense is not chosen', () => {
    expect(experimentOf({ kind: 'astrology' }, { index: '../x', layer: '0', from: 'A' })).toEqual({ kind: null, start: {} });
  });
});

describe('a small chart', () => {
  test('has round ticks within its span', () => {
    expect(roundTicks([-60, 60], 6)).toEqual([-60, -40, -20, 0, 20, 40, 60]);
    expect(roundTicks([1, 1.8], 4)).toEqual([1, 1.2, 1.4, 1.6, 1.8]);
    expect(roundTicks([0, 0.037], 4)).toEqual([0, 0.01, 0.02, 0.03]);
    expect(roundTicks([5, 5], 4), 'one value').toEqual([5]);
  });
  test('spans from zero to a little above the largest value', () => {
    expect(valueSpan([[0, null, 2], [1]])).toEqual([0, 2.08]);
    expect(valueSpan([[null, Number.NaN]]), 'nothing to draw').toEqual([0, 1]);
  });
  test('interrupts a line where a value is missing, and keeps what stands alone', () => {
    const path = linePath([0, 1, 2, 3, 4], [1, 2, null, 3, null], (x, y) => [10 * x, 100 - y]);
    expect(path).toBe('M0.00 99.00L10.00 98.00M30.00 97.00h0.01');
  });
  test('leaves out what all names begin with, where that ends with a mark', () => {
    expect(shortNames(['squeezenet0_conv0', 'squeezenet0_conv12'])).toEqual(['conv0', 'conv12']);
    expect(shortNames(['conv1', 'conv2', 'fc6'])).toEqual(['conv1', 'conv2', 'fc6']);
    expect(shortNames(['conv1', 'conv2'])).toEqual(['conv1', 'conv2']);
    expect(shortNames(['alone_1'])).toEqual(['alone_1']);
  });
  test('names some of many places, the ends among them', () => {
    expect([spreadPlaces(3, 7), spreadPlaces(25, 4), spreadPlaces(0, 4)]).toEqual([[0, 1, 2], [0, 8, 16, 24], []]);
  });
  test('numbers have the digits of the paper', () => {
    expect([percentWords(0.3203), percentWords(0.865, 0.005), meanWords(0.0674, 0.0071), meanWords(0.1, null)]).toEqual(['32.0', '86.5 ± 0.5', '0.067 ± 0.007', '0.100']);
  });
});

describe('boxes of parts', () => {
  const crop = [96, 128] as const;
  test('lie between any two corners, within the picture and never too small', () => {
    expect(boxBetween([40.4, 90.2], [10.1, 60.6], crop)).toEqual([10, 61, 40, 90]);
    expect(boxBetween([90, 120], [200, 300], crop)).toEqual([90, 120, 96, 128]);
    expect(boxBetween([95, 127], [95, 127], crop), 'a press in the corner').toEqual([92, 124, 96, 128]);
  });
  test('are moved as far as the picture goes, and resized by their lower right corner', () => {
    expect(movedBox([10, 10, 30, 30], 100, -100, crop)).toEqual([76, 0, 96, 20]);
    expect(sizedBox([10, 10, 30, 30], -100, 200, crop)).toEqual([10, 10, 14, 128]);
  });
  test('obey arrows, with Shift their size; other keys are left alone', () => {
    const box = middleBox(crop);
    expect(box).toEqual([38, 54, 57, 73]);
    expect(keyedBox(box, { key: 'ArrowDown', shiftKey: false }, 2, crop)).toEqual([40, 54, 59, 73]);
    expect(keyedBox(box, { key: 'ArrowRight', shiftKey: true }, 2, crop)).toEqual([38, 54, 57, 75]);
    expect(keyedBox(box, { key: 'Tab', shiftKey: false }, 2, crop)).toBeNull();
  });
});

describe('forms', () => {
  test('read several numbers, in order and once each', () => {
    expect(readNumbers('60, 15 30;15', { least: 1, most: 100, whole: true })).toEqual([15, 30, 60]);
    expect(readNumbers('1e-4, 0.1', { least: 1e-9, most: 1e6 })).toEqual([0.0001, 0.1]);
    for (const wrong of ['', '15, x', '0', '1.5', '101']) expect(readNumbers(wrong, { least: 1, most: 100, whole: true }), wrong).toBeNull();
    expect([readOptional(' ', 1), readOptional('12', 1), readOptional('0', 1), readOptional('1.5', 1)]).toEqual([undefined, 12, null, null]);
  });
  test('train as the run that the network came from, with fewer epochs', () => {
    const run = (index: string, epochs: number, finetune = false) => ({ imagesPath: `/pictures/${index}`, indexes: { 'epoch-100.onnx': index }, architecture: { kind: 'zfnet', width: 0.5, input: 64 }, recipe: { epochs, checkpoints: [1, 2], batch: 16, finetune } }) as unknown as TrainingEntry;
    const usual = usualTraining([run('other123', 100), run('wanted12', 100)], 'wanted12');
    expect(usual).toMatchObject({ imagesPath: '/pictures/wanted12', architecture: { width: 0.5 }, recipe: { epochs: usualEpochs, checkpoints: [], batch: 16 } });
    expect(usualTraining([run('short123', 3)], null).recipe.epochs).toBe(3);
    expect(usualTraining([], null)).toMatchObject({ imagesPath: null, architecture: { kind: 'zfnet', width: 0.25, input: 96 } });
    expect(usualTraining([run('tuned123', 100, true)], null).architecture, 'a network that was only finetuned has no recipe of its own').toMatchObject({ width: 0.25 });
  });
  test('begin without an index only where none is needed', () => {
    const training = usualTraining([], null);
    expect(experimentKinds.filter((kind) => emptySpec(kind, null, training) !== null)).toEqual(['ablation']);
    expect(experimentKinds.filter((kind) => emptySpec(kind, 'abcdef12', training) === null), 'class evidence has no form').toEqual(['evidence']);
  });
  test('every experiment has its place in the list', () => {
    expect(studies.map(({ kind }) => kind).sort()).toEqual([...experimentKinds].sort());
  });
  test('settings of a result are said in words, without what was left open', () => {
    const t = (key: string): string => key;
    const invariance = settingsOf({ kind: 'invariance', index: 'abcdef12', images: [3, 7], shift: null, scale: { from: 1, to: 1.8, step: 0.05 }, rotation: { from: 0, to: 350, step: 10 } }, t);
    expect(invariance.map(({ name, value }) => [name.split('.').at(-1), value])).toEqual([['images', '3, 7'], ['shift', '–'], ['scale', '1 … 1.8 (0.05)'], ['rotation', '0 … 350 (10)']]);
    const ablation = settingsOf({ ...emptySpec('ablation', null, usualTraining([], null)), variants: [{ name: 'Without layer 7', remove: ['fc7'], widths: {} }] } as SpecOf<'ablation'>, t);
    const value = (name: string) => ablation.find((each) => each.name === name)?.value;
    expect([value('experiments.setting.architecture'), value('training.field.learningRate'), value('training.flips'), value('experiments.setting.variants'), value('experiments.setting.engine')]).toEqual(['training.architecture.zfnet · training.facts.widthIs · 96 × 96', '0.005', 'experiments.yes', 'Without layer 7', 'engine.auto']);
  });
});

describe('the paper', () => {
  test('shows five convolutions from first to last, and channels that something excites', () => {
    const layers = Array.from({ length: 9 }, (_, at) => ({ title: `conv${at + 1}`, kind: at === 8 ? 'gemm' : 'conv', channels: 8 })) as unknown as IndexedLayer[];
    expect(shownLayers(layers, 5).map(({ title }) => title)).toEqual(['conv1', 'conv3', 'conv5', 'conv6', 'conv8']);
    const channels = [0, 1, 2, 3, 4].map((channel) => ({ channel, dead: channel === 1, hits: channel === 4 ? 0 : 9 })) as unknown as ChannelSummary[];
    expect(shownChannels(channels, 2).map(({ channel }) => channel)).toEqual([0, 3]);
  });
  test('prints its tables with all their rows', () => {
    const t = (key: string, values?: Record<string, string | number>): string => [key.split('.').at(-1), ...Object.values(values ?? {})].join(' ');
    const sizes = (['correspondence', 'error', 'ablation', 'generalise', 'features'] as const).map((study) => printedTables(study, t).map(({ columns, rows }) => [columns.length, rows.length]));
    expect(sizes).toEqual([[[2, 4]], [[3, 10]], [[3, 7], [3, 5]], [[2, 2], [4, 2], [1, 3]], [[2, 8]]]);
    expect(printedTables('correspondence', t)[0]!.rows[3]).toEqual(['random', '0.107 ± 0.017', '0.073 ± 0.014']);
    expect(printedTables('error', t)[0]!.rows[0]).toEqual(['gunji', '–', '–', '26.2']);
    for (const study of ['error', 'ablation', 'generalise', 'features'] as const) for (const { columns, rows } of printedTables(study, t)) expect(rows.every((row) => row.length === columns.length + 1), study).toBe(true);
  });
});
