/** The charts and tables of an experiment as one figure in the layout that all figures share (projection/figureLayout.ts). Lengths are CSS pixels; colours tell lines apart for the colour-blind too. */
import { captionWords, figureMargin, labelSize, widthOf, type FigureItem, type FigureLayout } from '../projection/figureLayout.ts';
import { layOutChart, layOutKey } from './chartLayout.ts';
import type { LineChart, ResultTable, ShownResult } from './shownResult.ts';

interface Block {
  readonly width: number;
  readonly height: number;
  /** From 0, 0. */
  readonly items: readonly FigureItem[];
}

const between = 20;
const leastWidth = 480;
const lineHeight = 18;
const cellGap = 18;
/** Charts beside each other. */
const across = 3;
/** How much wider bold letters are. */
const boldness = 1.09;
/** More rows are for the CSV. */
const mostRows = 60;
const ruleColour = '#8a8a8a';

export function layOutResult({ charts, tables }: ShownResult, caption: string): FigureLayout {
  const rows: (readonly Block[])[] = [];
  const columns = charts.length % across === 0 ? across : Math.min(2, charts.length);
  for (let at = 0; at < charts.length; at += columns) rows.push(charts.slice(at, at + columns).map((chart) => withKey(chart, charts)));
  if (charts.length > 0 && sharesKey(charts)) rows.push([layOutKey(charts[0]!, columns)]);
  for (const table of tables) if (table.inFigure) rows.push([layOutTable(table)]);
  const width = 2 * figureMargin + Math.max(leastWidth, ...rows.map((row) => row.reduce((sum, block) => sum + block.width + between, -between)));
  const items: FigureItem[] = [];
  let top = figureMargin;
  for (const row of rows) {
    let left = figureMargin;
    for (const block of row) {
      items.push(...block.items.map((item) => moved(item, left, top)));
      left += block.width + between;
    }
    top += Math.max(...row.map((block) => block.height)) + between;
  }
  const words = captionWords(caption, top, width);
  return { width, height: words.bottom + figureMargin, items: [...items, ...words.items], caption };
}

/** Charts of the same lines have one key for all. */
function sharesKey(charts: readonly LineChart[]): boolean {
  const names = ({ lines }: LineChart) => JSON.stringify(lines.map(({ name }) => name));
  return charts.every((chart) => names(chart) === names(charts[0]!));
}

function withKey(chart: LineChart, charts: readonly LineChart[]): Block {
  const drawn = layOutChart(chart);
  if (sharesKey(charts)) return drawn;
  const key = layOutKey(chart, 1);
  return { width: Math.max(drawn.width, key.width), height: drawn.height + key.height, items: [...drawn.items, ...key.items.map((item) => moved(item, 0, drawn.height))] };
}

/** As journals set tables: a rule above and below the heading and one at the end; words to the left, numbers to the right. */
function layOutTable({ title, columns, rows }: ResultTable): Block {
  const cells = rows.slice(0, mostRows).map((row) => row.map((cell, at) => cellText(cell, columns[at]!.digits)));
  const isNumber = columns.map((_, at) => rows.some((row) => typeof row[at] === 'number'));
  const widths = columns.map(({ name }, at) => labelSize * Math.max(boldness * widthOf(name), ...cells.map((row) => widthOf(row[at]!))));
  const ruled = widths.reduce((sum, each) => sum + each + cellGap, -cellGap);
  const width = Math.max(ruled, labelSize * boldness * widthOf(title));
  const items: FigureItem[] = [{ kind: 'words', left: 0, baseline: labelSize, size: labelSize, weight: 'bold', text: title }];
  let top = lineHeight + 4;
  const rule = () => items.push({ kind: 'stroke', points: [[0, top], [ruled, top]], thickness: 1, colour: ruleColour });
  const line = (texts: readonly string[], weight: 'plain' | 'bold') => {
    let left = 0;
    texts.forEach((text, at) => {
      const place = isNumber[at] ? ({ left: left + widths[at]!, anchor: 'end' } as const) : { left };
      items.push({ kind: 'words', ...place, baseline: top + labelSize + 3, size: labelSize, weight, text });
      left += widths[at]! + cellGap;
    });
    top += lineHeight;
  };
  rule();
  line(columns.map(({ name }) => name), 'bold');
  rule();
  for (const row of cells) line(row, 'plain');
  if (rows.length > mostRows) line([`and ${rows.length - mostRows} more`], 'plain');
  rule();
  return { width, height: top, items };
}

function cellText(cell: string | number | null, digits: number | undefined): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  return digits === undefined ? String(Number(cell.toPrecision(6))) : cell.toFixed(digits);
}

function moved(item: FigureItem, left: number, top: number): FigureItem {
  if (item.kind === 'stroke') return { ...item, points: item.points.map(([x, y]) => [x + left, y + top] as const) };
  if (item.kind === 'words') return { ...item, left: item.left + left, baseline: item.baseline + top };
  return { ...item, left: item.left + left, top: item.top + top };
}
