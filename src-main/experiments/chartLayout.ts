/** A line chart in the manner of the paper's Figure 5: two axes with round numbers, a line for each series, the mean drawn stronger, and their names below. Lengths are CSS pixels from 0, 0. */
import { labelSize, shortened, widthOf, type FigureItem } from '../projection/figureLayout.ts';
import type { ChartLine, LineChart } from './shownResult.ts';

export interface LaidOutChart {
  readonly width: number;
  readonly height: number;
  readonly items: readonly FigureItem[];
}

const plotWidth = 250;
const plotHeight = 180;
const axisWidth = 54;
const titleHeight = 34;
const tickSize = 10;
const keyLine = 14;
const axisColour = '#404040';
const gridColour = '#dcdcdc';
const mainColour = '#000000';
/** Okabe and Ito's colours without the yellow, which is lost on white. */
const lineColours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00'];
const ticksWanted = 5;
/** More names would be longer than the chart. */
const mostNames = 12;
const keyColumn = 300;

/** Without the names of its lines: `layOutKey` has them, once for charts with the same lines. */
export function layOutChart({ title, across, up, lines, range }: LineChart): LaidOutChart {
  const points = lines.flatMap((line) => line.points);
  const ends = points.map(([x]) => x);
  const horizontal = axisOf(ends, ends.length === 0 ? null : [Math.min(...ends), Math.max(...ends)]);
  const vertical = axisOf(points.map(([, y]) => y), range ?? null);
  const [left, top] = [axisWidth, titleHeight];
  const x = (value: number) => left + ((value - horizontal.from) / (horizontal.to - horizontal.from)) * plotWidth;
  const y = (value: number) => top + plotHeight - ((value - vertical.from) / (vertical.to - vertical.from)) * plotHeight;
  const words = (text: string, at: number, baseline: number, anchor?: 'middle' | 'end'): FigureItem => ({ kind: 'words', size: tickSize, weight: 'plain', text, baseline, left: at, ...(anchor ? { anchor } : {}) });
  const items: FigureItem[] = [{ kind: 'words', left: 0, baseline: labelSize, size: labelSize, weight: 'bold', text: title }];
  for (const tick of vertical.ticks) {
    items.push({ kind: 'stroke', points: [[left, y(tick)], [left + plotWidth, y(tick)]], thickness: 0.5, colour: gridColour }, words(numberText(tick), left - 5, y(tick) + 3.5, 'end'));
  }
  for (const tick of horizontal.ticks) {
    items.push({ kind: 'stroke', points: [[x(tick), top + plotHeight], [x(tick), top + plotHeight + 4]], thickness: 1, colour: axisColour }, words(numberText(tick), x(tick), top + plotHeight + 15, 'middle'));
  }
  items.push({ kind: 'stroke', points: [[left, top], [left, top + plotHeight], [left + plotWidth, top + plotHeight]], thickness: 1, colour: axisColour });
  lines.forEach((line, at) => {
    if (line.points.length > 0) items.push({ kind: 'stroke', points: line.points.map(([px, py]) => [x(px), y(py)] as const), ...styleOf(line, at) });
  });
  items.push(words(across, left + plotWidth / 2, top + plotHeight + 30, 'middle'), words(up, 0, labelSize + 14));
  // Bold letters are a tenth wider.
  return { width: Math.max(left + plotWidth + 8, 1.1 * labelSize * widthOf(title)), height: top + plotHeight + 36, items };
}

/** What the lines stand for, in columns. */
export function layOutKey({ lines }: LineChart, columns: number): LaidOutChart {
  const shown = lines.length > mostNames ? [...lines.slice(0, mostNames - 1), lines.at(-1)!] : lines;
  const items = shown.flatMap((line, at): FigureItem[] => {
    const [left, top] = [(at % columns) * keyColumn, Math.floor(at / columns) * keyLine];
    return [
      { kind: 'stroke', points: [[left, top + 6], [left + 16, top + 6]], ...styleOf(line, lines.indexOf(line)) },
      { kind: 'words', left: left + 22, baseline: top + 10, size: tickSize, weight: 'plain', text: shortened(line.name, 40) },
    ];
  });
  const rows = Math.ceil(shown.length / columns);
  if (lines.length === shown.length) return { width: columns * keyColumn, height: rows * keyLine, items };
  const more: FigureItem = { kind: 'words', left: 22, baseline: rows * keyLine + 10, size: tickSize, weight: 'plain', text: `and ${lines.length - shown.length} more` };
  return { width: columns * keyColumn, height: (rows + 1) * keyLine, items: [...items, more] };
}

function styleOf({ isMain }: ChartLine, at: number): { readonly thickness: number; readonly colour: string } {
  return isMain ? { thickness: 2.2, colour: mainColour } : { thickness: 1, colour: lineColours[at % lineColours.length]! };
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
}

/** Ends at round numbers around the values, with a handful of round numbers between; a chart without points is empty, not broken. */
function axisOf(values: readonly number[], range: readonly [number, number] | null): Axis {
  const finite = values.filter(Number.isFinite);
  const [least, most] = range ?? (finite.length === 0 ? [0, 1] : [Math.min(...finite), Math.max(...finite)]);
  const step = roundStep((most - least || Math.abs(most) || 1) / ticksWanted);
  const [from, to] = range ?? [Math.floor(least / step) * step, Math.ceil(most / step) * step];
  const end = to > from ? to : from + step;
  const first = Math.ceil(from / step - 1e-9);
  return { from, to: end, ticks: Array.from({ length: Math.floor(end / step + 1e-9) - first + 1 }, (_, at) => (first + at) * step) };
}

/** 1, 2 or 5 times a power of ten, not below the given one. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10) * power;
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}
