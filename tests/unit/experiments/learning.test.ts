/** Small parts of the experiments that learn: tables of several classes, statistics over folds, how a layer becomes vectors. */
import { describe, expect, it } from 'vitest';
import { accuracyByClass, meanOfClasses, spreadOf } from '../../../src-main/experiments/foldStatistics.ts';
import { parseSeveralLabels } from '../../../src-main/experiments/severalLabels.ts';
import { featureChoice, heldTogether } from '../../../src-main/services/experimentFeatureRows.ts';

describe('a table of several classes', () => {
  it('takes a row for each class, or one with all', () => {
    const { classes, classesOf } = parseSeveralLabels('file\tname\na/1.png\tdog\r\na/1.png\tcat\n2.png\thorse; dog ;\n', 'labels.tsv');
    expect(classes).toEqual(['cat', 'dog', 'horse']);
    expect([classesOf('a/1.png'), classesOf('b/2.png'), classesOf('3.png')]).toEqual([[0, 1], [1, 2], []]);
  });

  it('says which line is wrong', () => {
    expect(() => parseSeveralLabels('picture\tname\n1.png\tdog\n', 'labels.tsv')).toThrow('labels.tsv, line 1: the header is "picture, name" but must name the tab-separated columns file, and name, wnid or index.');
    expect(() => parseSeveralLabels('file\tname\n1.png\tdog\n\tcat\n', 'labels.tsv')).toThrow('labels.tsv, line 3: the file name is empty.');
    expect(() => parseSeveralLabels('file\tname\n1.png\tdog', 'labels.tsv')).toThrow('the table names one class; it takes two or more to tell them apart.');
  });
});

it('folds have the deviation of a sample, one fold none', () => {
  expect(spreadOf([0.4, 0.6, 0.8])).toEqual({ mean: expect.closeTo(0.6, 12), deviation: expect.closeTo(0.2, 12) });
  expect(spreadOf([0.4])).toEqual({ mean: 0.4, deviation: 0 });
});

it('accuracy goes class by class; a class without images has none', () => {
  const ofClass = accuracyByClass([0, 1, 0, 0], [0, 0, 0, 2], 3);
  expect(ofClass).toEqual([2 / 3, null, 1]);
  expect(meanOfClasses(ofClass)).toBeCloseTo(5 / 6, 12);
});

describe('how a layer becomes vectors', () => {
  const layer = { number: 1, name: 'relu1', title: 'conv1', kind: 'conv', channels: 32, height: 16, width: 16, nonNegative: true, receptiveField: { size: [1, 1], stride: [1, 1], offset: [0, 0] } } as never;

  it('as asked for, or by its mean where flat ones are too many, and says so', () => {
    expect(featureChoice(layer, 'flat', 200)).toEqual({ pooling: 'flat', dimension: 8192, words: 'all values of the maps', note: null });
    expect(featureChoice(layer, 'max', 1e6)).toEqual({ pooling: 'max', dimension: 32, words: "each channel's largest value", note: null });
    expect(featureChoice(layer, 'flat', 20_000)).toEqual({ pooling: 'mean', dimension: 32, words: "each channel's mean over its map", note: "conv1 has 8192 numbers for each of 20000 images, too many to learn from; each channel's mean stands for them." });
  });

  it('so many layers together as can be held', () => {
    const wanted = [100, 100, 200, 10].map((dimension) => ({ layer, choice: { pooling: 'flat', dimension, words: '', note: null } as const }));
    // 200 numbers of 600,000 images are 480 MB.
    expect(heldTogether(wanted, 600_000).map((group) => group.map(({ choice }) => choice.dimension))).toEqual([[100, 100], [200, 10]]);
  });
});
