/**
 * Two processes for one processor while an index is made. onnxruntime's threads wait for each other by spinning, and beside decoders on the same cores one of them is always late: one
 * thread took 13 to 20 % less processor time than two for the same index (squeezenet1.1, 2 busy cores). Two processes with half of the threads each use the cores all the same: they never wait
 * for each other, and while one normalises or reads scores the other computes. A second copy of the weights must fit, else one process has all cores.
 */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { memoryBudgetBytes, sessionPerWeight } from './memory.ts';
import type { WorkerCalls } from './protocol.ts';

type Batch = WorkerCalls['score'][0];

export interface Lanes {
  /** Hands a batch to the process that has the fewest; `run` calls a process by its name. */
  score<T>(name: string, batch: Batch, run: (lane: string, batch: Batch) => Promise<T>): Promise<T>;
  /** The processes that a placement may have. */
  namesOf(name: string): readonly string[];
}

/** @param budgetBytes what a process may hold, where it is stated */
export function createLanes(budgetBytes: () => Promise<number | null>, cores = availableParallelism()): Lanes {
  const busy = new Map<string, number>();
  const fitting = new Map<string, Promise<boolean>>();
  const namesOf = (name: string): readonly string[] => [name, `${name} (second)`];

  async function fitsTwice(path: string): Promise<boolean> {
    const [found, stated] = await Promise.all([stat(path).catch(() => null), budgetBytes()]);
    // Where the file is gone the worker says so.
    return found !== null && 2 * sessionPerWeight * found.size <= (stated ?? memoryBudgetBytes());
  }

  async function sharesCores({ placement: { engine, device }, beside, model }: Batch): Promise<boolean> {
    if (!beside || cores < 2 || engine !== 'onnxruntime' || device !== 'cpu') return false;
    const known = fitting.get(model.hash) ?? fitsTwice(model.path);
    fitting.set(model.hash, known);
    return known;
  }

  return {
    namesOf,
    async score(name, batch, run) {
      const shares = await sharesCores(batch);
      if (!shares) return run(name, { ...batch, beside: false });
      const [first, second] = namesOf(name) as [string, string];
      const lane = (busy.get(second) ?? 0) < (busy.get(first) ?? 0) ? second : first;
      busy.set(lane, (busy.get(lane) ?? 0) + 1);
      try {
        return await run(lane, batch);
      } finally {
        busy.set(lane, busy.get(lane)! - 1);
      }
    },
  };
}
