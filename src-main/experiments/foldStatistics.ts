/** Mean and spread over folds, and accuracy class by class, as the tables of the paper give them. */

export interface Spread {
  readonly mean: number;
  /** Of the sample (divided by one less than the folds); 0 for one fold. */
  readonly deviation: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

/** Share of each class's images whose class has rank 0, null for a class without images. @param ranks as of `rankOf`, one of each image */
export function accuracyByClass(ranks: readonly number[], labels: ArrayLike<number>, classes: number): readonly (number | null)[] {
  const [right, seen] = [new Float64Array(classes), new Float64Array(classes)];
  ranks.forEach((rank, image) => {
    seen[labels[image]!]! += 1;
    if (rank === 0) right[labels[image]!]! += 1;
  });
  return Array.from(right, (count, label) => (seen[label] === 0 ? null : count / seen[label]!));
}

/** Over the classes that have one. */
export function meanOfClasses(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
