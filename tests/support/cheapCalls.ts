/** How long the contract's cheap calls take while the core has other work: what a person feels who looks around during an index. */
import { setTimeout as wait } from 'node:timers/promises';
import type { CoreClient } from './servedWorkbench.ts';

/** Milliseconds of each call, by the call's name. */
export type Latencies = ReadonlyMap<string, readonly number[]>;

const pauseMs = 10;

/** Asks in turn, one call at a time, over all layers and many channels, until the index is complete. */
export async function timeCheapCalls(client: CoreClient, index: string): Promise<Latencies> {
  const layers = await client.indexing.layers({ index });
  const latencies = new Map<string, number[]>();
  const timed = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const answer = await call();
    const elapsedMs = performance.now() - startedMs;
    latencies.set(name, [...(latencies.get(name) ?? []), elapsedMs]);
    await wait(pauseMs);
    return answer;
  };
  for (let round = 0; ; round++) {
    const { number: layer, channels } = layers[round % layers.length]!;
    const list = await timed('indexing.list', () => client.indexing.list());
    await timed('indexing.layers', () => client.indexing.layers({ index }));
    await timed('indexing.channels', () => client.indexing.channels({ index, layer }));
    await timed('indexing.channel', () => client.indexing.channel({ index, layer, channel: (round * 37) % channels }));
    await timed('jobs.list', () => client.jobs.list());
    await timed('settings.get', () => client.settings.get());
    if (list.find((record) => record.id === index)?.jobId == null) return latencies;
  }
}

/** The value that a share of all values does not exceed, e.g. 0.95. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** One line per call and one for all: how many, median, 95th percentile, longest, in milliseconds. */
export function describeLatencies(latencies: Latencies): string {
  const row = (name: string, values: readonly number[]): string => `${name.padEnd(18)} ${[values.length, ...[0.5, 0.95, 1].map((share) => percentile(values, share).toFixed(1))].map((cell) => String(cell).padStart(8)).join('')}`;
  return [`${'ms'.padEnd(18)} ${['calls', 'median', '95 %', 'longest'].map((title) => title.padStart(8)).join('')}`, ...[...latencies].map(([name, values]) => row(name, values)), row('all', [...latencies.values()].flat())].join('\n');
}
