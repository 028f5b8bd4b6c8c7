/** The training form: presets, numbers as typed, and the request that they make. */
import { describe, expect, test } from 'vitest';
import { presetOf, readCheckpoints, readField, requestOf, startWords, withPreset, wrongFields } from '../../../src-renderer/features/training/trainingWords.ts';
import { trainingStart } from '../../../src-shared/contract/training.ts';

const place = { imagesPath: '/images', engine: 'auto', device: 'auto' } as const;
const paper = withPreset(startWords(), 'paper');

describe('presets', () => {
  test('the paper’s recipe is the contract’s own', () => {
    const recipe = requestOf(paper, place)!.recipe;
    expect(recipe).toEqual({ ...trainingStart.parse({ architecture: { kind: 'zfnet' }, recipe: { epochs: 70 }, imagesPath: '/images' }).recipe, checkpoints: [1, 2, 5, 10, 20, 30, 40, 64] });
  });

  test('small data starts by He with small batches', () => {
    expect(requestOf(startWords(), place)!.recipe).toMatchObject({ initialisation: 'he', batch: 32, filterRms: null });
  });

  test('a preset is known until a word of it is changed', () => {
    expect(presetOf(paper)).toBe('paper');
    expect(presetOf(startWords())).toBe('small');
    expect(presetOf({ ...paper, batch: '64' })).toBeNull();
    expect(presetOf({ ...paper, seed: '9' })).toBe('paper');
  });

  test('AlexNet keeps its own input, and choosing a preset keeps network, file and seed', () => {
    const alexnet = withPreset({ ...startWords(), architecture: 'alexnet', seed: '5' }, 'paper');
    expect([alexnet.architecture, alexnet.input, alexnet.seed, presetOf(alexnet)]).toEqual(['alexnet', '227', '5', 'paper']);
  });
});

describe('fields', () => {
  test('whole numbers, decimals and powers within their limits', () => {
    expect(readField('epochs', ' 40 ')).toBe(40);
    expect(readField('learningRate', '1e-3')).toBe(0.001);
    expect(readField('dropout', '.5')).toBe(0.5);
    expect(readField('units', '')).toBeUndefined();
  });

  test('nothing else', () => {
    for (const [field, words] of [['epochs', '1.5'], ['epochs', '0'], ['epochs', ''], ['dropout', '1'], ['dropout', '-0.1'], ['learningRate', 'fast'], ['width', '5']] as const) expect(readField(field, words), `${field} ${words}`).toBeNull();
  });

  test('checkpoints in rising order without repeats', () => {
    expect(readCheckpoints('5, 1 2,2')).toEqual([1, 2, 5]);
    expect(readCheckpoints('')).toEqual([]);
    expect(readCheckpoints('1, two')).toBeNull();
  });
});

describe('request', () => {
  test('leaves out checkpoints beyond the last epoch, and units that the core chooses', () => {
    const request = requestOf({ ...paper, epochs: '10', units: '' }, place)!;
    expect(request.recipe.checkpoints).toEqual([1, 2, 5, 10]);
    expect(request.architecture).toEqual({ kind: 'zfnet', width: 1, input: 224 });
  });

  test('a file is asked for by its path, and only a file is fine-tuned', () => {
    expect(requestOf({ ...paper, architecture: 'file', file: ' /net.onnx ', finetune: true, width: 'x' }, place)).toMatchObject({ architecture: { kind: 'file', path: '/net.onnx' }, recipe: { finetune: true } });
    expect(requestOf({ ...paper, finetune: true }, place)!.recipe.finetune).toBe(false);
  });

  test('none while a field is wrong, which is named', () => {
    expect(wrongFields({ ...paper, batch: '0', checkpoints: 'x' })).toEqual(['batch', 'checkpoints']);
    expect(wrongFields({ ...paper, architecture: 'file' })).toEqual(['file']);
    expect(requestOf({ ...paper, batch: '0' }, place)).toBeNull();
  });
});
