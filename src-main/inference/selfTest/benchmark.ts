/** How many images of a small network a device computes in a second: a short timing that ranks the devices of one machine, and nothing else. */
import { elementCount } from '../../graph/graph.ts';
import type { Engine } from '../engine.ts';
import { timedNetwork } from './testNetwork.ts';

const batch = 16;
/** Runs are repeated up to here; the fastest counts, as everything that disturbs one makes it slower. */
const limitMs = 200;

/** The first run, which compiles shaders and makes buffers, does not count. */
export async function measureImagesPerSecond(engine: Engine, signal?: AbortSignal): Promise<number> {
  const session = await engine.compile(timedNetwork());
  const shape = [batch, 3, 112, 112];
  const feeds = new Map([['image', { shape, data: Float32Array.from({ length: elementCount(shape) }, (_, index) => ((index * 40503) % 1021) / 1021 - 0.5) }]]);
  try {
    await session.run(feeds, ['conv4/relu'], signal);
    let fastestMs = Infinity;
    for (let spentMs = 0; spentMs < limitMs; ) {
      const startMs = performance.now();
      await session.run(feeds, ['conv4/relu'], signal);
      const tookMs = performance.now() - startMs;
      fastestMs = Math.min(fastestMs, tookMs);
      spentMs += tookMs;
    }
    return (1000 * batch) / fastestMs;
  } finally {
    await session.close();
  }
}
