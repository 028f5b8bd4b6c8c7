/**
 * The rows of a layer over the epochs, asked for in blocks as they come into sight. While the series grows, rows that are seen are asked for again; what is on
 * screen stays until the new ones are there.
 */
import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue';
import { core } from '../../api/client.ts';
import { toFailure, wasCalledOff } from '../../api/failure.ts';
import type { EvolutionRow } from '../../api/records.ts';
import type { PlainError } from '../../../src-shared/errors.ts';
import type { Span } from './gridWindow.ts';

export interface WantedRows {
  readonly series: string;
  /** Value name. */
  readonly layer: string;
  readonly channels: number;
  /** Changes whenever rows may have. */
  readonly version: string;
}

export interface EvolutionRows {
  /** By channel. */
  readonly rows: ShallowRef<ReadonlyMap<number, EvolutionRow>>;
  readonly failure: ShallowRef<PlainError | null>;
  /** Says which channels are in sight; also tries again what failed. */
  readonly see: (channels: Span) => void;
}

const blockSize = 16;

export function useEvolutionRows(wanted: () => WantedRows | null): EvolutionRows {
  const rows = shallowRef<ReadonlyMap<number, EvolutionRow>>(new Map());
  const failure = shallowRef<PlainError | null>(null);
  /** Version that each block was loaded at. */
  let loadedAt = new Map<number, string>();
  let seen: Span = { first: 0, end: 0 };
  let current: AbortController | null = null;

  async function fill(): Promise<void> {
    if (current) return;
    const controller = new AbortController();
    current = controller;
    failure.value = null;
    try {
      for (let block = missing(); block !== null; block = missing()) {
        const asked = wanted()!;
        const first = block * blockSize;
        const channels = Array.from({ length: Math.min(blockSize, asked.channels - first) }, (_, at) => first + at);
        const answer = await core.evolution.rows({ series: asked.series, layer: asked.layer, channels }, { signal: controller.signal });
        if (controller.signal.aborted) return;
        loadedAt.set(block, asked.version);
        rows.value = new Map([...rows.value, ...answer.map((row) => [row.channel, row] as const)]);
      }
    } catch (thrown) {
      if (!controller.signal.aborted && !wasCalledOff(thrown)) failure.value = toFailure(thrown);
    } finally {
      if (current === controller) current = null;
    }
  }

  function missing(): number | null {
    const asked = wanted();
    if (!asked) return null;
    const end = Math.min(seen.end, asked.channels);
    for (let block = Math.floor(seen.first / blockSize); block * blockSize < end; block++) if (loadedAt.get(block) !== asked.version) return block;
    return null;
  }

  function see(channels: Span): void {
    seen = channels;
    void fill();
  }

  watch(wanted, (now, before) => {
    if (now?.series !== before?.series || now?.layer !== before?.layer) {
      current?.abort();
      current = null;
      loadedAt = new Map();
      rows.value = new Map();
    }
    if (now) void fill();
  });
  onScopeDispose(() => current?.abort());
  return { rows, failure, see };
}
