/** How evenly a layer uses its channels, by one non-negative number for each (its mean score over the images). */

export interface Usage {
  /** 0: all alike; towards 1: one channel alone (Gini coefficient of the shares). */
  readonly gini: number;
  /** Entropy of the shares over that of equal ones: 1 all alike, 0 one channel alone. */
  readonly evenness: number;
  /** As many channels of equal strength have the same entropy. */
  readonly effectiveChannels: number;
  /** Share of the sum, by channel. */
  readonly shares: readonly number[];
}

/** Null where all are 0. Negative numbers count as 0. */
export function usageOf(strengths: readonly number[]): Usage | null {
  const positive = strengths.map((strength) => Math.max(0, strength));
  const total = positive.reduce((sum, strength) => sum + strength, 0);
  if (total === 0) return null;
  const shares = positive.map((strength) => strength / total);
  const entropy = shares.reduce((sum, share) => (share === 0 ? sum : sum - share * Math.log(share)), 0);
  const sorted = shares.toSorted((a, b) => a - b);
  const count = shares.length;
  const weighted = sorted.reduce((sum, share, at) => sum + (2 * (at + 1) - count - 1) * share, 0);
  return { gini: weighted / count, evenness: count === 1 ? 1 : entropy / Math.log(count), effectiveChannels: Math.exp(entropy), shares };
}
