/** Means with their deviations, as the paper's tables have them. Pure. */

/** A share from 0 to 1 in per cent with one decimal: "86.5"; with its deviation "86.5 ± 0.5". */
export function percentWords(share: number, deviation: number | null = null): string {
  const percent = (value: number): string => (100 * value).toFixed(1);
  return deviation === null ? percent(share) : `${percent(share)} ± ${percent(deviation)}`;
}

/** Three decimals, as in the paper's Table 1: "0.067 ± 0.007". */
export function meanWords(mean: number, deviation: number | null): string {
  return deviation === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
}
