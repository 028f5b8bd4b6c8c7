/** What makes files a series, how far weights went, and when the strongest image changed suddenly. */
import { describe, expect, it } from 'vitest';
import { imageChanges } from '../../../src-main/training/evolution/changes.ts';
import { numberedFiles, numberOf } from '../../../src-main/training/evolution/checkpointNames.ts';
import { movementOf, relativeDistance } from '../../../src-main/training/evolution/movement.ts';

describe('names of checkpoints', () => {
  it('end in the number of their epoch, wherever letters follow', () => {
    expect(['epoch-005.onnx', 'cifar10_full_iter_60000.caffemodel', 'model.12.h5', 'v2-final.onnx', 'best.onnx'].map(numberOf)).toEqual([5, 60000, 12, 2, null]);
  });
  it('are put in order; others are left with the reason, and files that hold no network are not named', () => {
    expect(numberedFiles(['epoch-010.onnx', 'training.json', 'epoch-002.onnx', 'training.state', 'best.onnx', '.epoch-003.onnx', 'epoch-004.onnx.123.tmp'])).toEqual({
      checkpoints: [{ epoch: 2, name: 'epoch-002.onnx' }, { epoch: 10, name: 'epoch-010.onnx' }],
      left: [{ name: 'best.onnx', reason: 'its name does not end in a number' }],
      twice: null,
    });
  });
  it('with one number twice are told', () => {
    expect(numberedFiles(['b-1.onnx', 'a-1.onnx', 'a-2.onnx']).twice).toEqual({ epoch: 1, names: ['a-1.onnx', 'b-1.onnx'] });
  });
});

describe('movement', () => {
  it('is relative to the size of what it is compared with', () => {
    expect(relativeDistance(Float32Array.of(3, 0), Float32Array.of(3, 4))).toBe(0.8);
    expect(relativeDistance(Float32Array.of(1), Float32Array.of(0))).toBeNull();
  });
  it('compares every checkpoint with the first, the last and the one before, reading each once', async () => {
    const weights = [[3, 4], [3, 0], [0, 8]];
    const reads: number[] = [];
    const [row, ...others] = await movementOf(3, (at) => {
      reads.push(at);
      return Promise.resolve([{ layer: 'relu1', title: 'conv1', data: Float32Array.from(weights[at]!) }]);
    });
    expect(others).toEqual([]);
    expect(row).toEqual({ layer: 'relu1', title: 'conv1', parameters: 2, fromFirst: [0, 0.8, 1], fromLast: [0.625, Math.sqrt(73) / 8, 0], fromPrevious: [null, 0.8, Math.sqrt(73) / 3] });
    expect(reads).toEqual([0, 2, 1]);
  });
});

describe('the strongest image', () => {
  it('stays, changes among those known before, or suddenly; epochs without images are passed over', () => {
    expect(imageChanges([[], ['a', 'b'], ['a'], ['b', 'a'], [], ['a', 'c'], ['c']])).toEqual([null, 'first', 'same', 'sudden', null, 'other', 'other']);
  });
  it('is sudden when it was the tenth before, however long the lists are', () => {
    const ten = Array.from({ length: 12 }, (_, at) => `image ${at}`);
    expect(imageChanges([ten, ['image 8']])).toEqual(['first', 'other']);
    expect(imageChanges([ten, ['image 9']])).toEqual(['first', 'sudden']);
  });
});
