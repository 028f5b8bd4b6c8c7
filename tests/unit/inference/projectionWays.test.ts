/**
 * Both ways of computing projections on a network small enough to run again and again: the same numbers as the plain projection graph, unit by unit, for units of several
 * pictures in any order; the choice between the ways; and cancelling between batches.
 */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../../src-main/graph/graph.ts';
import type { Session } from '../../../src-main/inference/engine.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { compileProjection, compileWhole, compileWindow, planProjection, type CompiledProjection, type Projecting } from '../../../src-main/inference/worker/compileProjection.ts';
import type { CompiledLooking } from '../../../src-main/inference/worker/labCalls.ts';
import type { UnitOfImage } from '../../../src-main/inference/worker/protocol.ts';
import type { CompiledFeatures, CompiledRanking, WorkerState } from '../../../src-main/inference/worker/state.ts';
import { runWhole } from '../../../src-main/inference/worker/wholeUnits.ts';
import { runWindows } from '../../../src-main/inference/worker/windowUnits.ts';
import { uncut } from '../../../src-main/projection/measure.ts';
import { projectionGraph } from '../../../src-main/rewrite/backward/projectionGraph.ts';
import { methods, type Method } from '../../../src-shared/domain/projection.ts';
import { floatTensor, randomTensor, seededRandom, windowOf } from '../../support/graphs.ts';

const [height, width] = [17, 14];
const never = new AbortController().signal;
const random = seededRandom(1311);
const preprocessing = { order: 'bgr', crop: [height, width], resize: { kind: 'none' }, scale: 1 / 255, mean: [0.4, 0.5, 0.45], std: [0.2, 0.25, 0.3] } as const;
const pictures = Array.from({ length: 3 }, () => Uint8Array.from({ length: height * width * 3 }, () => 256 * random()));
/** Neither in the order of the pictures nor as many of each. */
const units: readonly UnitOfImage[] = [[2, 1, 3, 2], [0, 0, 0, 0], [2, 2, 0, 2], [1, 1, 2, 1], [2, 1, 3, 2], [0, 2, 1, 0]].map(([picture, channel, y, x]) => ({ picture: picture!, channel: channel!, y: y!, x: x! }));

/** Layer y of 3 channels of 4 x 3, mostly above zero. Convolution, overlapping pool, LRN, residual sum: a rule that reads the forward pass of each sort. */
function network(): Graph {
  const b = createGraphBuilder('network');
  b.input('image', 'float32', ['batch', 3, height, width]);
  const conv = (input: string, name: string, from: number, to: number) =>
    b.add('Conv', [input, b.tensor(randomTensor(random, `${name}.w`, [to, from, 3, 3], 0.12)), b.tensor(floatTensor(`${name}.b`, [to], Array.from({ length: to }, () => 1 + random())))], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 })[0]!;
  const a = b.add('Relu', [conv('image', 'a', 3, 4)], {})[0]!;
  const pooled = b.add('MaxPool', [a], windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }))[0]!;
  const normalized = b.add('LRN', [pooled], { size: 3, alpha: 0.1, beta: 0.75, bias: 1 })[0]!;
  const sum = b.add('Add', [normalized, conv(normalized, 'c', 4, 4)], {})[0]!;
  const again = b.add('MaxPool', [b.add('Relu', [sum], {})[0]!], windowOf([2, 2], { strides: [2, 2] }))[0]!;
  b.add('Relu', [conv(again, 'd', 4, 3)], {}, { outputs: ['y'] });
  return b.finish(['y']);
}

const graph = network();
const engine = createReferenceEngine();

function stateOf(model: Graph): WorkerState {
  return {
    engines: { engineAt: () => Promise.resolve(engine) },
    model: () => Promise.resolve({ format: 'onnx', graph: model, imageInput: 'image', provenance: '' }),
    rankings: new Map<string, CompiledRanking>(),
    projections: new Map<string, CompiledProjection>(),
    lookings: new Map<string, CompiledLooking>(),
    features: new Map<string, CompiledFeatures>(),
  };
}

function projectingBy(method: Method, layer = 'y'): Projecting {
  return { model: { path: '', hash: '' }, layer, method, seed: 'one', control: 'none', preprocessing, placement: { engine: 'reference', device: 'cpu' }, belowActivation: false };
}

/** The plain way: the whole graph for one unit, on a picture normalised by the formula. */
async function plainly({ picture, channel, y, x }: UnitOfImage, method: Method): Promise<Float32Array> {
  const projection = projectionGraph(graph, 'image', 'y', method);
  const shape = withBatch(projection.graph.values.get(projection.seed)!.shape, 1);
  const seed = new Float32Array(shape.reduce((product, size) => product * size, 1));
  seed[(channel * shape[2]! + y) * shape[3]! + x] = 1;
  const image = Float32Array.from({ length: 3 * height * width }, (_, at) => {
    const plane = Math.floor(at / (height * width));
    return (pictures[picture]![(at % (height * width)) * 3 + 2 - plane]! / 255 - preprocessing.mean[plane]!) / preprocessing.std[plane]!;
  });
  const session = await engine.compile(projection.graph);
  const results = await session.run(new Map([['image', { shape: [1, 3, height, width], data: image }], [projection.seed, { shape, data: seed }]]), [projection.projection]);
  return results.get(projection.projection)!.data as Float32Array;
}

/** To 1e-5 of the largest value. Units that are off have no picture under some methods; most have one. */
async function expectPlain(found: readonly Float32Array[], method: Method, how: string): Promise<void> {
  let drawn = 0;
  for (const [at, unit] of units.entries()) {
    const expected = await plainly(unit, method);
    const absmax = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (absmax > 0) drawn++;
    expect(found[at]!.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0), `unit ${at}, ${how}`).toBeLessThanOrEqual(1e-5 * absmax);
  }
  expect(drawn).toBeGreaterThan(units.length / 2);
}

describe.each(methods)('by %s', (method) => {
  it('whole: an image goes forward once, for all of its units, whatever the batches', async () => {
    const state = stateOf(graph);
    const plan = await planProjection(state, projectingBy(method));
    const compiled = await compileWhole(state, projectingBy(method));
    let imagesRun = 0;
    const forward: Session = {
      run(feeds, fetches, signal) {
        imagesRun += feeds.get('image')!.shape[0]!;
        return compiled.forward.run(feeds, fetches, signal);
      },
      close: () => Promise.resolve(),
    };
    for (const [images, most] of [[8, 64], [2, 2], [1, 1]] as const) {
      imagesRun = 0;
      const results = await runWhole({ ...compiled, forward, images, units: most }, plan, { preprocessing, pictures }, units, () => 1, never);
      expect(imagesRun).toBe(3);
      await expectPlain(results.map(({ values }) => values), method, `batches of ${images} and ${most}`);
    }
  });

  it('on windows, whatever the batches', async () => {
    const state = stateOf(graph);
    const plan = await planProjection(state, projectingBy(method));
    const compiled = await compileWindow(state, projectingBy(method));
    for (const batch of [64, 4, 1]) {
      const results = await runWindows({ ...compiled, batch }, plan, { preprocessing, pictures }, units, () => 1, never);
      await expectPlain(results.map(({ values, box }) => uncut(values, box, 3, height, width)), method, `batches of ${batch}`);
    }
  });
});

describe('the choice', () => {
  /** One convolution of 3 x 3 on a large image, and the mean of it. */
  const large = (() => {
    const b = createGraphBuilder('large');
    b.input('image', 'float32', ['batch', 3, 64, 64]);
    const low = b.add('Conv', ['image', b.tensor(randomTensor(random, 'w', [2, 3, 3, 3])), ''], { ...windowOf([3, 3]), group: 1 }, { outputs: ['low'] })[0]!;
    b.add('GlobalAveragePool', [low], {}, { outputs: ['high'] });
    return b.finish(['high']);
  })();

  it('is the window where that is less work', async () => {
    const state = stateOf(large);
    const plan = await planProjection(state, projectingBy('deconvnet', 'low'));
    // 3 * 3 * 3 * 2 multiplications and two values made, each way.
    expect(plan.work.window).toBeLessThan(plan.work.backward / 100);
    expect((await compileProjection(state, plan, projectingBy('deconvnet', 'low'), 9, 1)).kind).toBe('window');
  });

  it('is the whole image where a unit sees all of it', async () => {
    const state = stateOf(large);
    const plan = await planProjection(state, projectingBy('deconvnet', 'high'));
    expect(plan.work.window).toBeUndefined();
    expect((await compileProjection(state, plan, projectingBy('deconvnet', 'high'), 1, 1)).kind).toBe('whole');
  });

  it('is the whole image where many units share one and their windows are nearly as large', async () => {
    const state = stateOf(graph);
    const plan = { ...(await planProjection(state, projectingBy('deconvnet'))), work: { window: 50, forward: 100, backward: 20 } };
    const wayFor = async (count: number, images: number) => (await compileProjection(state, plan, projectingBy('deconvnet'), count, images)).kind;
    expect([await wayFor(1, 1), await wayFor(3, 1), await wayFor(4, 1), await wayFor(4, 4)]).toEqual(['window', 'window', 'whole', 'window']);
  });
});

it.each(['window', 'whole'] as const)('a cancelled call ends after the batch under way (%s)', async (kind) => {
  const state = stateOf(graph);
  const plan = await planProjection(state, projectingBy('deconvnet'));
  const controller = new AbortController();
  let runs = 0;
  const counted = (session: Session): Session => ({
    run(feeds, fetches, signal) {
      runs++;
      controller.abort(new Error('enough'));
      return session.run(feeds, fetches, signal);
    },
    close: () => session.close(),
  });
  const given = { preprocessing, pictures };
  const work = async () => {
    if (kind === 'window') {
      const window = await compileWindow(state, projectingBy('deconvnet'));
      return runWindows({ ...window, session: counted(window.session), batch: 1 }, plan, given, units, () => 1, controller.signal);
    }
    const whole = await compileWhole(state, projectingBy('deconvnet'));
    return runWhole({ ...whole, forward: counted(whole.forward), images: 1 }, plan, given, units, () => 1, controller.signal);
  };
  await expect(work()).rejects.toThrow('enough');
  expect(runs).toBe(1);
});
