/** The threads that draw the sample: as many as there are cores, each always with an order ahead. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { DrawOrder, DrawnPicture } from '../training/sample/drawThread.ts';

const mostThreads = 8;
/** For each thread: one that is drawn, one that waits. */
const ordersAhead = 2;

/** From the sources the entry lies with the drawing; built, beside every chunk. */
const entry = new URL(import.meta.url.endsWith('.ts') ? '../training/sample/drawThread.ts' : './drawThread.js', import.meta.url);

/** Draws all orders, in no particular order of their ends; `store` is awaited for each. Rejects with the first failure, or the signal's reason. */
export async function drawInThreads(orders: readonly DrawOrder[], store: (picture: DrawnPicture) => Promise<void>, signal: AbortSignal): Promise<void> {
  if (orders.length === 0) return;
  const waiting = [...orders].reverse();
  let left = orders.length;
  const workers = Array.from({ length: Math.min(mostThreads, availableParallelism(), orders.length) }, () => new Worker(entry, { execArgv: [] }));
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = () => reject(signal.reason as Error);
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      for (const worker of workers) {
        const next = () => {
          const order = waiting.pop();
          if (order) worker.postMessage(order);
        };
        worker.once('error', reject);
        worker.on('message', (picture: DrawnPicture) => {
          next();
          store(picture).then(() => --left === 0 && resolve(), reject);
        });
        for (let ahead = 0; ahead < ordersAhead; ahead++) next();
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
