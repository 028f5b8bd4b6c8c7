/** The order of things when a device fails while two batches are under way: what is told, from which image on, and what is computed again. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-shared/errors.ts';
import { unavailableRow, type EngineAvailability, type Placement } from '../../../src-main/inference/engine.ts';
import type { InferenceClient } from '../../../src-main/inference/worker/client.ts';
import type { BatchScores, WorkerCalls } from '../../../src-main/inference/worker/protocol.ts';
import { createDeviceScoring, type WayChange } from '../../../src-main/services/deviceScoring.ts';

const card: Placement = { engine: 'onnxruntime', device: 'webgpu' };
const processor: Placement = { engine: 'onnxruntime', device: 'cpu' };
const never = new AbortController().signal;

/** Pictures of one pixel; the score of a picture is its red value, and 1000 more on the processor, so that one sees who computed it. */
const preprocessing = { order: 'rgb', crop: [1, 1], resize: { kind: 'none' }, scale: 1, mean: [0], std: [1] } as const;
const picturesOf = (...reds: number[]) => Uint8Array.from(reds.flatMap((red) => [red, 0, 0]));

function computed({ pixels, batch, placement }: WorkerCalls['score'][0]): BatchScores {
  expect(pixels.length).toBe(batch * 3);
  const score = Float32Array.from({ length: batch }, (_, at) => pixels[3 * at]! + (placement.device === 'cpu' ? 1000 : 0));
  return { layers: [{ score, position: Int32Array.from(score, (value) => value + 0.5) }], vectors: [] };
}

type Score = (parameters: WorkerCalls['score'][0]) => BatchScores | Promise<BatchScores>;

function scoringWith(score: Score, { next = [], probe, batchSize = 4 }: { readonly next?: readonly Placement[]; readonly probe?: (placement: Placement) => EngineAvailability; readonly batchSize?: number } = {}) {
  const notes: string[] = [];
  const changes: WayChange[] = [];
  const restarted: string[] = [];
  const sizes: number[] = [];
  const inference = {
    async call(name: string, parameters: never, signal?: AbortSignal) {
      await Promise.resolve();
      if (signal?.aborted) throw new AppError('CANCELLED', 'Cancelled.');
      if (name === 'probe') return (probe ?? usable)((parameters as WorkerCalls['probe'][0]).placement);
      sizes.push((parameters as WorkerCalls['score'][0]).batch);
      return score(parameters);
    },
    restart: ({ device }: Placement) => restarted.push(device),
  } as unknown as Pick<InferenceClient, 'call' | 'restart'>;
  const scoring = createDeviceScoring({
    inference,
    index: { ...card, batchSize, modelPath: 'net.onnx', modelHash: 'hash', layers: ['y'], preprocessing },
    devices: () => Promise.resolve(next),
    note: (text) => notes.push(text),
    changed: (change) => void changes.push(change),
  });
  return { scoring, notes, changes, restarted, sizes };
}

function usable(placement: Placement): EngineAvailability {
  return { ...unavailableRow(placement, ''), available: true, description: `a ${placement.device}` };
}

const died = () => new AppError('UNAVAILABLE', 'The inference process ended unexpectedly (signal SIGKILL).', { how: 'signal SIGKILL' });
const full = () => new AppError('OUT_OF_MEMORY', 'Failed to allocate memory.');
const valuesOf = ({ layers }: BatchScores) => [...layers[0]!.score];

describe('out of memory', () => {
  it('halves from the batch on that met it, and computes the one behind it the new way too', async () => {
    const { scoring, notes, changes, sizes, restarted } = scoringWith((parameters) => {
      // Only while pictures 4 to 7 are among them is a batch of four too large.
      if (parameters.batch === 4 && parameters.pixels.includes(14)) throw full();
      return computed(parameters);
    });
    const first = scoring.score(picturesOf(10, 11, 12, 13), 0, never);
    const second = scoring.score(picturesOf(14, 15, 16, 17), 4, never);
    const third = scoring.score(picturesOf(18, 19, 20, 21), 8, never);
    expect([valuesOf(await first), valuesOf(await second), valuesOf(await third)]).toEqual([[10, 11, 12, 13], [14, 15, 16, 17], [18, 19, 20, 21]]);
    const reason = 'onnxruntime on webgpu ran out of memory with 4 images at once; it goes on with 2.';
    expect(notes).toEqual([reason]);
    expect(changes).toEqual([{ fromImage: 4, ...card, batchSize: 2, description: 'onnxruntime on webgpu', reason }]);
    expect(scoring.placement()).toEqual({ ...card, batchSize: 2 });
    expect(sizes).toEqual([4, 4, 4, 2, 2, 2, 2]);
    expect(restarted).toEqual(['webgpu']);
  });

  it('fills up the last part where the batch does not divide', async () => {
    const withVectors = (parameters: WorkerCalls['score'][0]): BatchScores => {
      const { layers } = computed(parameters);
      return { layers, vectors: [Float32Array.from([...layers[0]!.score].flatMap((value) => [value, -value]))] };
    };
    const { scoring, sizes } = scoringWith((parameters) => (parameters.batch > 3 ? Promise.reject(full()) : withVectors(parameters)), { batchSize: 7 });
    const { layers: [found], vectors } = await scoring.score(picturesOf(1, 2, 3, 4, 5, 6, 7), 0, never);
    expect([[...found!.score], [...found!.position], sizes]).toEqual([[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], [7, 3, 3, 3]]);
    expect(vectors.map((each) => [...each])).toEqual([[1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7]]);
  });

  it('starts with the smaller batch that the index recorded, without telling it again', async () => {
    const { scoring, changes, sizes } = scoringWith(computed, { batchSize: 2 });
    expect(valuesOf(await scoring.score(picturesOf(1, 2, 3, 4), 8, never))).toEqual([1, 2, 3, 4]);
    expect([changes, sizes]).toEqual([[], [2, 2]]);
  });
});

describe('strikes', () => {
  it('count one death once, though two batches were under way', async () => {
    let deaths = 0;
    const { scoring, notes, changes } = scoringWith((parameters) => (deaths++ < 2 ? Promise.reject(died()) : computed(parameters)));
    const both = await Promise.all([scoring.score(picturesOf(1, 2, 3, 4), 0, never), scoring.score(picturesOf(5, 6, 7, 8), 4, never)]);
    expect(both.map(valuesOf)).toEqual([[1, 2, 3, 4], [5, 6, 7, 8]]);
    expect([notes, changes]).toEqual([['the inference process ended and was started again (1 of 2)'], []]);
  });

  it('move on at the third, from the first image that the next device computed', async () => {
    const { scoring, notes, changes } = scoringWith((parameters) => (parameters.placement.device === 'webgpu' && parameters.pixels[0]! >= 5 ? Promise.reject(died()) : computed(parameters)), { next: [card, processor] });
    const batches = [0, 1, 2].map((at) => scoring.score(picturesOf(4 * at + 1, 4 * at + 2, 4 * at + 3, 4 * at + 4), 4 * at, never));
    expect((await Promise.all(batches)).map(valuesOf)).toEqual([[1, 2, 3, 4], [1005, 1006, 1007, 1008], [1009, 1010, 1011, 1012]]);
    const reason = 'onnxruntime on webgpu was given up: The inference process ended unexpectedly (signal SIGKILL). onnxruntime on cpu goes on.';
    expect(notes).toEqual(['the inference process ended and was started again (1 of 2)', 'the inference process ended and was started again (2 of 2)', reason]);
    expect(changes).toEqual([{ fromImage: 4, ...processor, batchSize: 4, description: 'a cpu', reason }]);
  });

  it('are forgotten after twenty good batches', async () => {
    const bad = new Set([2, 30, 60]);
    let calls = 0;
    const { scoring, notes } = scoringWith((parameters) => (bad.has(++calls) ? Promise.reject(died()) : computed(parameters)));
    for (let at = 0; at < 70; at++) await scoring.score(picturesOf(1, 2, 3, 4), 4 * at, never);
    expect(notes).toEqual(Array.from({ length: 3 }, () => 'the inference process ended and was started again (1 of 2)'));
  });

  it('are not waited for where the device fails its self-test after the first', async () => {
    const { scoring, notes } = scoringWith((parameters) => (parameters.placement.device === 'webgpu' ? Promise.reject(died()) : computed(parameters)), {
      next: [processor],
      probe: (placement) => (placement.device === 'webgpu' ? unavailableRow(placement, 'It failed its self-test and is not used.') : usable(placement)),
    });
    expect(valuesOf(await scoring.score(picturesOf(1), 0, never))).toEqual([1001]);
    expect(notes).toEqual([
      'the inference process ended and was started again (1 of 2)',
      'onnxruntime on webgpu was given up: The inference process ended unexpectedly (signal SIGKILL). It failed its self-test and is not used. onnxruntime on cpu goes on.',
    ]);
  });

  it('do not count for a device that has no kernel for a node: it is left at once', async () => {
    const { scoring, notes } = scoringWith((parameters) => (parameters.placement.device === 'webgpu' ? Promise.reject(new AppError('UNSUPPORTED', 'No kernel for node "a".')) : computed(parameters)), { next: [processor] });
    expect(valuesOf(await scoring.score(picturesOf(1), 0, never))).toEqual([1001]);
    expect(notes).toEqual(['onnxruntime on webgpu was given up: No kernel for node "a". onnxruntime on cpu goes on.']);
  });
});

describe('the end', () => {
  it('lists what was tried, for every batch under way', async () => {
    const { scoring } = scoringWith(() => Promise.reject(died()), { next: [card], probe: usable });
    const both = await Promise.allSettled([scoring.score(picturesOf(1), 0, never), scoring.score(picturesOf(2), 1, never)]);
    const message = 'No device is left to compute with; what is done is kept. onnxruntime on webgpu: The inference process ended unexpectedly (signal SIGKILL).';
    expect(both).toMatchObject([{ status: 'rejected', reason: { code: 'UNAVAILABLE', message } }, { status: 'rejected', reason: { code: 'UNAVAILABLE', message } }]);
  });

  it('comes at once for what no device would cure', async () => {
    const { scoring, restarted } = scoringWith(() => Promise.reject(new AppError('CONFLICT', 'The model file is no longer the one.')), { next: [processor] });
    await expect(scoring.score(picturesOf(1), 0, never)).rejects.toThrow('The model file is no longer the one.');
    expect(restarted).toEqual([]);
  });

  it('comes at once when it is cancelled', async () => {
    const controller = new AbortController();
    const { scoring, notes } = scoringWith(() => {
      controller.abort();
      throw died();
    });
    await expect(scoring.score(picturesOf(1), 0, controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(notes).toEqual([]);
  });

  it('does not return rows of a new way before that was told', async () => {
    const order: string[] = [];
    const inference = {
      call: (name: string, parameters: WorkerCalls['score'][0]) => (name === 'probe' ? Promise.resolve(usable(parameters.placement)) : parameters.batch > 1 ? Promise.reject(full()) : Promise.resolve(computed(parameters))),
      restart: () => undefined,
    } as unknown as Pick<InferenceClient, 'call' | 'restart'>;
    const scoring = createDeviceScoring({
      inference, index: { ...card, batchSize: 2, modelPath: '', modelHash: '', layers: ['y'], preprocessing }, devices: () => Promise.resolve([]), note: () => undefined,
      changed: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('told');
      },
    });
    await scoring.score(picturesOf(1, 2), 0, never);
    order.push('returned');
    expect(order).toEqual(['told', 'returned']);
  });
});
