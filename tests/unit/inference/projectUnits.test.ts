/** Seeds and controls as the worker runs them, on a network of one convolution small enough to work out by hand. */
import { LRUCache } from 'lru-cache';
import { describe, expect, it } from 'vitest';
import type { Control, Method, Seed } from '../../../src-shared/domain/projection.ts';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { uncut } from '../../../src-main/projection/measure.ts';
import { projectUnits } from '../../../src-main/inference/worker/projectUnits.ts';
import type { CompiledProjection } from '../../../src-main/inference/worker/compileProjection.ts';
import type { CompiledLooking } from '../../../src-main/inference/worker/labCalls.ts';
import type { CompiledFeatures, CompiledRanking, WorkerState } from '../../../src-main/inference/worker/state.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

const preprocessing = { order: 'grey', crop: [2, 2], resize: { kind: 'none' }, scale: 1, mean: [0], std: [1] } as const;

function network(make: (builder: GraphBuilder) => void): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 1, 2, 2]);
  make(builder);
  return builder.finish(['y']);
}

/** Two channels: the image times 2 and times -1, through an activation. */
const twoChannels = (activation: (b: GraphBuilder) => void) =>
  network((b) => {
    b.add('Conv', ['image', b.tensor(floatTensor('w', [2, 1, 1, 1], [2, -1])), ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['x'] });
    activation(b);
  });
const relu = twoChannels((b) => void b.add('Relu', ['x'], {}, { outputs: ['y'] }));
const bounded = twoChannels((b) => void b.add('Clip', ['x'], { minimum: 0, maximum: 6 }, { outputs: ['y'] }));

async function project(graph: Graph, levels: readonly number[], seed: Seed, rest: { readonly method?: Method; readonly control?: Control; readonly y?: number; readonly x?: number } = {}) {
  const state: WorkerState = {
    engines: { engineAt: () => Promise.resolve(createReferenceEngine()) },
    model: () => Promise.resolve({ format: 'onnx', graph, imageInput: 'image', provenance: '' }),
    rankings: new LRUCache<string, CompiledRanking>({ max: 1 }),
    projections: new LRUCache<string, CompiledProjection>({ max: 4 }),
    lookings: new LRUCache<string, CompiledLooking>({ max: 1 }),
    features: new LRUCache<string, CompiledFeatures>({ max: 1 }),
  };
  const [unit] = await projectUnits(
    state,
    {
      model: { path: '', hash: '' }, layer: 'y', method: rest.method ?? 'deconvnet', seed, control: rest.control ?? 'none', preprocessing, placement: { engine: 'reference', device: 'cpu' },
      pictures: [Uint8Array.from(levels.flatMap((level) => [level, level, level]))],
      units: [{ picture: 0, channel: 0, y: rest.y ?? 0, x: rest.x ?? 1 }],
    },
    new AbortController().signal,
  );
  return { ...unit!, projection: [...uncut(unit!.values, unit!.box, 1, 2, 2)].map((value) => Number(value.toPrecision(5))) };
}

describe('seeds', () => {
  it('one: 1.0 at the unit', async () => {
    expect(await project(relu, [1, 2, 3, 4], 'one')).toMatchObject({ projection: [0, 2, 0, 0], activation: 4, notes: [] });
  });

  it('value: its activation', async () => {
    expect(await project(relu, [1, 2, 3, 4], 'value')).toMatchObject({ projection: [0, 8, 0, 0], activation: 4, notes: [] });
  });

  it("map: the channel's activations, the other channel 0, and it says so", async () => {
    expect(await project(relu, [1, 2, 3, 4], 'map')).toMatchObject({
      projection: [4, 8, 12, 16], activation: 4, notes: ["The seed is the whole map of the channel, so the picture reaches beyond one unit's receptive field."],
    });
  });

  it('map at an upper bound: the whole map starts below the activation', async () => {
    const { projection, notes, rectified } = await project(bounded, [1, 2, 3, 4], 'map', { method: 'guided' });
    expect(projection).toEqual([4, 8, 12, 12]);
    expect(notes[1]).toBe("Some of the map sits at its activation's upper bound (6); the walk starts at the activation's input.");
    expect(rectified).toEqual({ handled: 0, total: 1 });
  });

  it('one at an upper bound, as before', async () => {
    expect(await project(bounded, [1, 2, 3, 4], 'one', { method: 'guided', y: 1, x: 1 })).toMatchObject({
      projection: [0, 0, 0, 2], activation: 6, notes: ["The unit sits at its activation's upper bound (6); the walk starts at the activation's input."],
    });
    expect(await project(bounded, [1, 2, 3, 4], 'one', { method: 'guided' })).toMatchObject({ projection: [0, 2, 0, 0], notes: [] });
  });

  it('logit: a class score of a fully connected layer, and nowhere else', async () => {
    const classes = network((b) => {
      const flat = b.add('Reshape', ['image'], { shape: ['batch', 4] })[0]!;
      b.add('Gemm', [flat, b.tensor(floatTensor('m', [2, 4], [1, 2, 3, 4, 0, 0, 0, 0])), ''], { transposeB: true }, { outputs: ['y'] });
    });
    expect(await project(classes, [1, 1, 1, 1], 'logit', { x: 0 })).toMatchObject({ projection: [1, 2, 3, 4], activation: 10 });
    await expect(project(relu, [1, 2, 3, 4], 'logit')).rejects.toThrow(
      'The seed "logit" stands for the score of a class; the channels of "y" are maps of 2 x 2. Choose a fully connected layer, or the seed "one" or "map".',
    );
  });
});

describe('controls', () => {
  it('random weights change the picture and say so', async () => {
    const { projection, notes } = await project(relu, [1, 2, 3, 4], 'one', { control: 'randomWeights' });
    expect(projection[1]).not.toBe(2);
    expect(projection.filter((value) => value !== 0)).toHaveLength(1);
    expect(notes).toEqual(['Control: the weights are random (seed 1), of the same shapes, means and deviations. This is not what the network learned.']);
  });

  it('window centres replace the switches and say so', async () => {
    const pooled = network((b) => void b.add('MaxPool', ['image'], windowOf([2, 2]), { outputs: ['y'] }));
    expect((await project(pooled, [1, 2, 3, 4], 'one', { x: 0 })).projection).toEqual([0, 0, 0, 1]);
    expect(await project(pooled, [1, 2, 3, 4], 'one', { x: 0, control: 'centreSwitches' })).toMatchObject({
      projection: [1, 0, 0, 0], notes: ["Control: unpooled to the centre of each window, without this image's switches."],
    });
  });
});
