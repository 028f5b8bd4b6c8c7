/** How far the weights of a layer went: relative Euclidean distances between checkpoints. */

/** `|w - r| / |r|` of weights and what they are compared with, both float32 of one shape; null where r is all zeros. */
export function relativeDistance(weights: Float32Array, reference: Float32Array): number | null {
  let [difference, norm] = [0, 0];
  for (let at = 0; at < reference.length; at++) {
    const r = reference[at]!;
    difference += (weights[at]! - r) ** 2;
    norm += r ** 2;
  }
  return norm === 0 ? null : Math.sqrt(difference / norm);
}

/** Weights of a layer at one checkpoint. */
export interface MovingLayer {
  /** Value name. */
  readonly layer: string;
  readonly title: string;
  readonly data: Float32Array;
}

export interface Movement {
  readonly layer: string;
  readonly title: string;
  readonly parameters: number;
  /** One number per checkpoint. */
  readonly fromFirst: readonly (number | null)[];
  readonly fromLast: readonly (number | null)[];
  readonly fromPrevious: readonly (number | null)[];
}

/**
 * Reads each checkpoint once and holds four of them at most.
 * @param read layers of a checkpoint, the same ones in the same order for all
 */
export async function movementOf(checkpoints: number, read: (checkpoint: number) => Promise<readonly MovingLayer[]>): Promise<readonly Movement[]> {
  const first = await read(0);
  const last = await read(checkpoints - 1);
  const rows = first.map(({ layer, title, data }) => ({ layer, title, parameters: data.length, fromFirst: [] as (number | null)[], fromLast: [] as (number | null)[], fromPrevious: [] as (number | null)[] }));
  let previous: readonly MovingLayer[] | null = null;
  for (let at = 0; at < checkpoints; at++) {
    const current = at === 0 ? first : at === checkpoints - 1 ? last : await read(at);
    for (const [layer, { data }] of current.entries()) {
      rows[layer]!.fromFirst.push(relativeDistance(data, first[layer]!.data));
      rows[layer]!.fromLast.push(relativeDistance(data, last[layer]!.data));
      rows[layer]!.fromPrevious.push(previous ? relativeDistance(data, previous[layer]!.data) : null);
      // A layer may have millions of weights: whoever waits meanwhile gets a turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    previous = current;
  }
  return rows;
}
