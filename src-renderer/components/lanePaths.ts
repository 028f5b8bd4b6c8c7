/** The lanes of a drawn network as lines: each row's box-drawing characters become one SVG path, so that lanes meet without gaps in any font and at any height of row. */

/** Width of one character and height of one row, in CSS pixels. */
export const laneCell = { width: 7, height: 22 } as const;

const up = '│├┼┘┴●';
const down = '│├┼┐●';
const left = '─┼┐┘┴';
const right = '─┼├┴';

export interface RowLines {
  readonly path: string;
  /** Middle of the row's own node, or null in rows that only split or join. */
  readonly node: number | null;
  /** Of the row, CSS pixels. */
  readonly height: number;
}

/**
 * A node is tied only to neighbours that reach for it: the first row hangs on nothing.
 * @param heights of each row where they differ; the node lies in the middle of its row
 * @param width of one character
 */
export function lanePaths(rows: readonly string[], heights?: readonly number[], width: number = laneCell.width): readonly RowLines[] {
  return rows.map((row, at) => {
    const height = heights?.[at] ?? laneCell.height;
    const middle = height / 2;
    const parts: string[] = [];
    let node: number | null = null;
    [...row].forEach((character, column) => {
      const x = column * width + width / 2;
      const isNode = character === '●';
      if (isNode) node = x;
      if (up.includes(character) && (!isNode || down.includes(rows[at - 1]?.[column] || ' '))) parts.push(`M${x} 0V${middle}`);
      if (down.includes(character) && (!isNode || up.includes(rows[at + 1]?.[column] || ' '))) parts.push(`M${x} ${middle}V${height}`);
      if (left.includes(character)) parts.push(`M${x} ${middle}H${x - width / 2}`);
      if (right.includes(character)) parts.push(`M${x} ${middle}H${x + width / 2}`);
    });
    return { path: parts.join(''), node, height };
  });
}
