/** Samples dealt out by chance, class by class, so that each part has its share of every class. The numbers of chance are handed in. */

/** Uniform in [0, 1). */
export type Chance = () => number;

/**
 * The part (0 to `parts` - 1) of each sample. A class goes on where the one before it stopped, so that parts differ by one sample at most.
 * @param classOf class of each sample; of samples with several classes the first is enough
 */
export function dealOut(classOf: ArrayLike<number>, parts: number, chance: Chance): Uint8Array {
  const part = new Uint8Array(classOf.length);
  let next = 0;
  for (const rows of byClass(classOf)) for (const row of inChance(rows, chance)) part[row] = next++ % parts;
  return part;
}

export interface Draw {
  readonly training: Uint32Array;
  readonly test: Uint32Array;
}

export interface DrawSize {
  readonly perClass: number;
  /** Of all draws that are to be compared: they share their test samples, and smaller training sets lie within larger ones. */
  readonly largest: number;
  readonly testPerClass: number;
}

/** So many samples of each class for training (one fewer than there are where none would be left), and at most so many of those that no draw trains on for the test; both ascending. */
export function drawPerClass(classOf: ArrayLike<number>, { perClass, largest, testPerClass }: DrawSize, chance: Chance): Draw {
  const [training, test]: [number[], number[]] = [[], []];
  for (const rows of byClass(classOf)) {
    const order = inChance(rows, chance);
    const most = Math.max(1, order.length - 1);
    training.push(...order.slice(0, Math.min(perClass, most)));
    test.push(...order.slice(Math.min(largest, most)).slice(0, testPerClass));
  }
  return { training: Uint32Array.from(training).sort(), test: Uint32Array.from(test).sort() };
}

/** Rows of each class, in the order of the classes; a negative class is none. */
function byClass(classOf: ArrayLike<number>): readonly (readonly number[])[] {
  const rows: number[][] = [];
  for (let row = 0; row < classOf.length; row++) if (classOf[row]! >= 0) (rows[classOf[row]!] ??= []).push(row);
  return rows.filter((each) => each !== undefined);
}

function inChance(rows: readonly number[], chance: Chance): readonly number[] {
  const order = [...rows];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(chance() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
