/** Which process serves a call: that of its placement; trials get one of their own, so that a crash, a hang or memory they took ends with them. */
import type { Placement } from '../engine.ts';
import type { CallName, WorkerCalls } from './protocol.ts';

export interface Route {
  readonly placement: Placement;
  /** In a process that serves this one call and ends. */
  readonly alone: boolean;
}

/** Model files are read where the CPU computes: that process needs no driver, and mostly has the model already. */
const readingPlacement: Placement = { engine: 'onnxruntime', device: 'cpu' };
const trials: ReadonlySet<CallName> = new Set(['probe', 'measureBatch'] satisfies CallName[]);

export function routeOf<K extends CallName>(name: K, parameters: WorkerCalls[K][0]): Route {
  const placement = 'placement' in parameters ? (parameters.placement as Placement) : readingPlacement;
  return { placement, alone: trials.has(name) };
}

export function placementName({ engine, device }: Placement): string {
  return `${engine} on ${device}`;
}
