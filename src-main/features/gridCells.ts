/**
 * Points to the cells of a rectangular grid, one each, near where they were: the grid is cut in half across its longer side, the points are shared out by their
 * order along that side, as many to each half as it has cells, and so on with the halves. What was left of, right of, above or below a point so mostly
 * stays there, and crowds spread into the room that gaps leave. O(n log^2 n), nothing left to chance.
 */

export interface GridCells {
  readonly columns: number;
  readonly rows: number;
  /** For each point its cell, row-major: `cell = y * columns + x`; y grows with the second coordinate. Cells 0 to points - 1 are taken: only the last row has gaps, at its end. */
  readonly cells: Int32Array<ArrayBuffer>;
}

/** `positions`: `[points, 2]`. `aspect`: columns / rows wished for (1: square). No points: 0 x 0. Points in one place are told apart by their numbers. */
export function gridCells(positions: Float32Array, aspect = 1): GridCells {
  const points = positions.length / 2;
  if (points === 0) return { columns: 0, rows: 0, cells: new Int32Array(0) };
  const columns = Math.max(1, Math.min(points, Math.ceil(Math.sqrt(points * aspect))));
  const rows = Math.ceil(points / columns);
  const cells = new Int32Array(points);
  /** Cells of a piece of the grid that points may have. */
  const roomIn = ({ left, top, width, height }: Piece): number => {
    const whole = Math.max(0, Math.min(height, rows - 1 - top));
    const last = top + height === rows ? Math.max(0, Math.min(width, points - (rows - 1) * columns - left)) : 0;
    return whole * width + last;
  };
  const place = (members: Int32Array, piece: Piece): void => {
    if (members.length === 0) return;
    if (piece.width === 1 && piece.height === 1) {
      cells[members[0]!] = piece.top * columns + piece.left;
      return;
    }
    const [first, second] = halvesOf(piece);
    const axis = piece.width >= piece.height ? 0 : 1;
    members.sort((a, b) => positions[2 * a + axis]! - positions[2 * b + axis]! || a - b);
    const share = roomIn(first);
    place(members.subarray(0, share), first);
    place(members.subarray(share), second);
  };
  place(Int32Array.from({ length: points }, (_, point) => point), { left: 0, top: 0, width: columns, height: rows });
  return { columns, rows, cells };
}

interface Piece {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function halvesOf({ left, top, width, height }: Piece): readonly [Piece, Piece] {
  if (width >= height) {
    const half = Math.ceil(width / 2);
    return [{ left, top, width: half, height }, { left: left + half, top, width: width - half, height }];
  }
  const half = Math.ceil(height / 2);
  return [{ left, top, width, height: half }, { left, top: top + half, width, height: height - half }];
}
