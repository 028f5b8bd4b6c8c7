/** A binary heap of rows with the smallest key on top: what a search of the index has still to look at. */

export function createNearestHeap() {
  let keys = new Float64Array(1024);
  let rows = new Int32Array(1024);
  let size = 0;
  return {
    clear: () => void (size = 0),
    size: () => size,
    topKey: () => keys[0]!,
    push(key: number, row: number): void {
      if (size === keys.length) {
        const [grownKeys, grownRows] = [new Float64Array(2 * size), new Int32Array(2 * size)];
        grownKeys.set(keys);
        grownRows.set(rows);
        [keys, rows] = [grownKeys, grownRows];
      }
      let at = size++;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (keys[parent]! <= key) break;
        keys[at] = keys[parent]!;
        rows[at] = rows[parent]!;
        at = parent;
      }
      keys[at] = key;
      rows[at] = row;
    },
    pop(): number {
      const top = rows[0]!;
      const key = keys[--size]!;
      const row = rows[size]!;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
        if (keys[child]! >= key) break;
        keys[at] = keys[child]!;
        rows[at] = rows[child]!;
        at = child;
      }
      keys[at] = key;
      rows[at] = row;
      return top;
    },
  };
}
