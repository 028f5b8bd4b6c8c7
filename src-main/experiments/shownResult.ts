/** How the numbers of an experiment are shown outside the workbench: as line charts and as tables of plain cells, from which figure and CSV are made. */

export interface ResultTable {
  readonly title: string;
  /** `digits`: after the point, in the figure; the CSV has all. */
  readonly columns: readonly { readonly name: string; readonly digits?: number }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export interface ChartLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn stronger than the others: a mean. */
  readonly isMain: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly across: string;
  readonly up: string;
  readonly lines: readonly ChartLine[];
  /** Ends of the vertical axis, where they are not those of the lines. */
  readonly range?: readonly [number, number];
}

export interface ShownResult {
  readonly charts: readonly LineChart[];
  /** The figure shows those marked; CSV has all. */
  readonly tables: readonly (ResultTable & { readonly inFigure: boolean })[];
}

/** RFC 4180 with LF; the caption and the tables' titles as lines that begin with "#". */
export function toCsv({ tables }: ShownResult, caption: string): string {
  const blocks = tables.map(({ title, columns, rows }) => [`# ${title}`, ...[columns.map(({ name }) => name), ...rows].map((cells) => cells.map(field).join(','))].join('\n'));
  return `${[`# ${caption.replaceAll(/\s+/g, ' ')}`, ...blocks].join('\n')}\n`;
}

function field(cell: string | number | null): string {
  if (cell === null) return '';
  const text = String(cell);
  // A program that opens the table must not take a name for a formula.
  const plain = typeof cell === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
