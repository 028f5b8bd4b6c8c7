/** What is kept within a budget, what graphs are estimated to hold, and how memory that ran out is recognised. */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { createByteBudget } from '../../../src-main/inference/worker/compiledCache.ts';
import { createLimits, type Limits } from '../../../src-main/inference/worker/limits.ts';
import { fittingSizes } from '../../../src-main/inference/worker/measureBatch.ts';
import { liveBytes, sessionBytes, weightBytes } from '../../../src-main/inference/worker/memory.ts';
import { diedOfMemory, kernelKills, speaksOfMemory } from '../../../src-main/inference/worker/outOfMemory.ts';
import type { CallName, NextWork } from '../../../src-main/inference/worker/protocol.ts';
import { createWatchedEngines } from '../../../src-main/inference/worker/watchedEngines.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

/** image [n, 1, 2, 2] -> a [n, 4, 2, 2] -> b, the same -> c [n, 1, 2, 2]; 32 bytes of weights. */
function network() {
  const build = createGraphBuilder('network');
  build.input('image', 'float32', ['batch', 1, 2, 2]);
  build.add('Conv', ['image', build.tensor(floatTensor('up', [4, 1, 1, 1], [1, 2, 3, 4])), ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['a'] });
  build.add('Relu', ['a'], {}, { outputs: ['b'] });
  build.add('Conv', ['b', build.tensor(floatTensor('down', [1, 4, 1, 1], [1, 1, 1, 1])), ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['c'] });
  return build.finish(['c']);
}

describe('estimates', () => {
  it('hold values from their making to their last reading', () => {
    // The most stands at b: the 64 bytes of a beside the 64 of b; the 16 of the image are spent.
    expect([liveBytes(network(), 1), liveBytes(network(), 10)]).toEqual([128, 1280]);
    expect(weightBytes(network())).toBe(32);
    expect(sessionBytes(network(), 1)).toBeCloseTo(1.8 * 32 + 128);
  });

  it('let batches be tried that fit, and one image in any case', () => {
    expect(fittingSizes(network(), 1.8 * 32 + 128 * 16)).toEqual([1, 4, 16]);
    expect(fittingSizes(network(), 10)).toEqual([1]);
  });

  it('grow with the largest batch that a session ran', async () => {
    const signs: NextWork[] = [];
    const reference = createReferenceEngine();
    const watched = createWatchedEngines({ engineAt: () => Promise.resolve(reference) }, (next) => signs.push(next));
    const engine = await watched.engineAt({ engine: 'reference', device: 'cpu' });
    const session = await engine.compile(network());
    const feeds = (batch: number) => new Map([['image', { shape: [batch, 1, 2, 2], data: new Float32Array(4 * batch) }]]);
    const before = watched.bytesOf(session);
    await session.run(feeds(5), ['c']);
    const largest = watched.bytesOf(session);
    await session.run(feeds(2), ['c']);
    expect([largest - before, watched.bytesOf(session) - largest]).toEqual([4 * 128, 0]);
    expect(signs, 'the engine starts, compiles, runs for the first time and once more').toEqual(['prepare', 'prepare', 'prepare', 'prepare', 'compute', 'compute']);
    expect(watched.sessionsIn({ kind: 'x', session, inner: { again: session } })).toEqual([session]);
  });
});

describe('a budget of bytes', () => {
  function kept(budgetBytes: number) {
    const dropped: string[] = [];
    const budget = createByteBudget(budgetBytes);
    const keeping = { bytesOf: (entry: { bytes: number }) => entry.bytes, drop: ({ name }: { name: string }) => void dropped.push(name) };
    return { budget, dropped, one: budget.cache<{ name: string; bytes: number }>(keeping), other: budget.cache<{ name: string; bytes: number }>(keeping) };
  }

  it('drops the longest unused of all caches, between calls', () => {
    const { budget, dropped, one, other } = kept(100);
    one.set('a', { name: 'a', bytes: 40 });
    other.set('a', { name: 'b', bytes: 40 });
    one.get('a');
    one.set('c', { name: 'c', bytes: 40 });
    expect([dropped, budget.heldBytes()]).toEqual([[], 120]);
    budget.settle();
    expect([dropped, budget.heldBytes()]).toEqual([['b'], 80]);
    expect([one.get('a')?.name, other.get('a'), one.get('c')?.name]).toEqual(['a', undefined, 'c']);
  });

  it('keeps the last used, whatever its size, and sees what has grown', () => {
    const { budget, dropped, one } = kept(100);
    const growing = { name: 'growing', bytes: 10 };
    one.set('growing', growing);
    one.set('small', { name: 'small', bytes: 10 });
    one.get('growing');
    growing.bytes = 500;
    budget.settle();
    expect([dropped, one.get('growing')?.name, budget.heldBytes()]).toEqual([['small'], 'growing', 500]);
  });

  it('lets go of what is replaced or deleted, once', () => {
    const { budget, dropped, one } = kept(100);
    one.set('a', { name: 'old', bytes: 1 });
    one.set('a', { name: 'new', bytes: 1 });
    expect([one.delete('a'), one.delete('a'), dropped]).toEqual([true, false, []]);
    budget.settle();
    budget.settle();
    expect(dropped).toEqual(['old', 'new']);
  });
});

describe('memory that ran out', () => {
  it.each([
    'std::bad_alloc',
    'onnxruntime on cpu failed in net: Failed to allocate memory for requested buffer of size 6422528',
    'CUDA failure 2: out of memory ; GPU=0',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
    '8007000E Not enough memory resources are available to complete this operation.',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    'Buffer size (4294967296) exceeds the max buffer size limit (2147483648).',
    'onnxruntime on webgpu failed in net: WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.',
    'numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false. Too many storage buffers in shader. Current: 16, Max is 12',
    'WebGPU device error(3): Allocation size too large',
    'memory access out of bounds',
    'OOM when allocating tensor with shape[64,512,28,28]',
    'Aborted(OOM). Build with -sASSERTIONS for more info.',
    'Array buffer allocation failed',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  ])('is told by: %s', (text) => expect(speaksOfMemory(text)).toBe(true));

  it.each(['Node "conv1" (Conv) failed: shape mismatch', 'Failed to get a WebGPU adapter', 'the memory layout is NHWC', 'VK_ERROR_DEVICE_LOST'])('is not told by: %s', (text) => expect(speaksOfMemory(text)).toBe(false));

  it('is why a large process was killed, not a small one, and not one that ended in another way', () => {
    const kills = kernelKills();
    expect(diedOfMemory('SIGKILL', '', 2 ** 50, kills)).toBe(true);
    expect(diedOfMemory('SIGKILL', '', 100 * 2 ** 20, kills)).toBe(false);
    expect(diedOfMemory('SIGKILL', '', 100 * 2 ** 20, kills - 1)).toBe(true);
    expect(diedOfMemory('SIGSEGV', '', 2 ** 50, kills - 1)).toBe(false);
    expect(diedOfMemory('SIGABRT', "terminate called after throwing an instance of 'std::bad_alloc'", 0, kills)).toBe(true);
  });
});

describe('how long silence may last', () => {
  const limitsOf = (limits: Limits, ...names: readonly CallName[]) => names.map((name) => limits.of({ name, next: 'compute', isCancelled: false }));

  it('is generous before anything was seen, then twenty times the longest, at least a minute', () => {
    const limits = createLimits();
    expect([...limitsOf(limits, 'score', 'probe'), limits.of(undefined)]).toEqual([600_000, 120_000, 120_000]);
    limits.learn('score', 200);
    expect(limitsOf(limits, 'score')).toEqual([60_000]);
    limits.learn('score', 9000);
    limits.learn('score', 100);
    expect([...limitsOf(limits, 'score', 'project'), limits.of({ name: 'score', next: 'compute', isCancelled: true })]).toEqual([180_000, 600_000, 30_000]);
  });

  it('stays generous while a model is read and compiled, whatever small ones took', () => {
    const limits = createLimits();
    limits.learn('project', 5);
    limits.learn('inspect', 5);
    expect([limits.of({ name: 'project', next: 'prepare', isCancelled: false }), limits.of({ name: 'project', next: 'prepare', isCancelled: true }), ...limitsOf(limits, 'project', 'inspect')]).toEqual([600_000, 120_000, 60_000, 600_000]);
  });
});
