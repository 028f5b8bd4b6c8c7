/** Windows of units, their boxes in the input, and layers with their fields. */
import { describe, expect, it } from 'vitest';
import { layersOf } from '../../../src-main/geometry/layers.ts';
import { clipBox, unitWindow } from '../../../src-main/geometry/receptiveField.ts';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

describe('the window of a unit', () => {
  const field = { size: [51, 27], stride: [8, 4], offset: [-16, -1] } as const;
  it('starts at offset + stride * position and may reach outside the input', () => {
    expect(unitWindow(field, 0, 0)).toEqual([-16, -1, 35, 26]);
    expect(unitWindow(field, 2, 3)).toEqual([0, 11, 51, 38]);
  });
  it('is all of the input for a unit of a fully connected layer', () => {
    expect(unitWindow({ size: [227, 227], stride: [0, 0], offset: [0, 0] }, 0, 0)).toEqual([0, 0, 227, 227]);
  });
  it('widens rational strides to whole pixels', () => {
    expect(unitWindow({ size: [1.5, 2], stride: [0.5, 1], offset: [-0.5, 0] }, 2, 1)).toEqual([0, 1, 2, 3]);
  });
  it('is clipped on all four sides separately', () => {
    expect(clipBox([-16, 200, 35, 240], 224, 227)).toEqual([0, 200, 35, 227]);
    expect(clipBox([200, -5, 240, 10], 224, 227)).toEqual([200, 0, 224, 10]);
  });
});

describe('layers with their fields', () => {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 1, 8, 8]);
  builder.add('Conv', ['image', builder.tensor(floatTensor('w', [1, 1, 3, 3], new Array(9).fill(1)))], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 }, { outputs: ['c'] });
  builder.add('Relu', ['c'], {}, { outputs: ['r'] });
  builder.add('MaxPool', ['r'], windowOf([2, 2], { strides: [2, 2] }), { outputs: ['p'] });
  const map = builder.tensor(floatTensor('map', [1, 1, 4, 4], new Array(16).fill(1)));
  builder.add('Conv', [map, builder.tensor(floatTensor('v', [1, 1, 1, 1], [1]))], { ...windowOf([1, 1]), group: 1 }, { outputs: ['fixed'] });
  const graph = builder.finish(['p', 'fixed']);

  it('are the default layers that depend on the image, numbered from 1', () => {
    expect(layersOf(graph, 'image')).toEqual([
      { name: 'r', title: 'conv1', kind: 'conv', number: 1, channels: 1, height: 8, width: 8, nonNegative: true, receptiveField: { size: [3, 3], stride: [1, 1], offset: [-1, -1] } },
    ]);
  });
  it('are those named, once each, in the order of the network', () => {
    expect(layersOf(graph, 'image', ['p', 'r', 'p']).map(({ name, number, receptiveField }) => [name, number, receptiveField.size])).toEqual([['r', 1, [3, 3]], ['p', 2, [4, 4]]]);
  });
  it('must depend on the image when named', () => {
    expect(() => layersOf(graph, 'image', ['fixed'])).toThrow('The layer "fixed" does not depend on the image.');
  });
});
