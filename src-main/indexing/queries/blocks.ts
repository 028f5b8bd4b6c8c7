/**
 * What the questions to the score matrix read: rows in pieces, in order, or one channel's whole column. A column takes four bytes an image (5 MB for ImageNet); everything else stays bounded by the
 * number of channels. Where the pieces come from is not their business.
 */

/** Some rows of one layer. Row r of the matrix belongs to an image; images are in path order. */
export interface ScoreBlock {
  readonly firstRow: number;
  readonly rows: number;
  /** Float32 `[rows, channels]`. */
  readonly scores: Float32Array;
}

export type ScoreBlocks = AsyncIterable<ScoreBlock>;

/** All scores of one channel, float32 `[rows]`. */
export async function readColumn(blocks: ScoreBlocks, rows: number, channels: number, channel: number): Promise<Float32Array> {
  const column = new Float32Array(rows);
  for await (const { firstRow, rows: count, scores } of blocks) {
    for (let row = 0, at = channel; row < count; row++, at += channels) column[firstRow + row] = scores[at]!;
  }
  return column;
}

/** Lets others have the thread after some milliseconds of computing, and stops when it is told to. */
export function createPauses(signal?: AbortSignal, afterMs = 12): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    signal?.throwIfAborted();
    if (performance.now() - since < afterMs) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now();
        resolve();
      }),
    );
  };
}
