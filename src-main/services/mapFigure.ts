/** A map as a figure: points as small discs in the colours of what is known of them, a legend beside them, the caption below. Lengths are CSS pixels. */
import { colourAt, labelColour } from '../../src-shared/domain/colourMaps.ts';
import { pointColours, wrongPointColour } from '../../src-shared/domain/pointColours.ts';
import type { Picture } from '../projection/display.ts';
import { captionWords, figureDensity, figureMargin, labelSize, shortened, type FigureLayout, type FigurePicture, type FigureWords } from '../projection/figureLayout.ts';
import type { ColourLegend } from './mapColours.ts';
import { extentOf } from './mapJob.ts';

type Colour = readonly [red: number, green: number, blue: number];

export interface MapDrawing {
  /** `[rows, 2]`. */
  readonly positions: Float32Array;
  /** `[rows]`, as `legend` says. */
  readonly values: Float32Array;
  readonly legend: ColourLegend;
  /** Beside the points; null where they have none. */
  readonly names: readonly string[] | null;
  readonly caption: string;
}

/** Edge of the plot. */
const plotEdge = 640;
const legendWidth = 150;
const legendLine = 16;
const swatch = 10;
/** Room for names beside the outermost points. */
const plotMargin = 24;
/** Of more points names would hide the map. */
const mostNames = 600;
const nameSize = 7;
/** Lines of a legend; the rest is counted. */
const mostLines = 36;
const grey: Colour = [170, 170, 170];

export function drawMapFigure(drawing: MapDrawing): FigureLayout {
  const { caption, positions, names, legend } = drawing;
  const isBare = legend.kind === 'none';
  const width = 2 * figureMargin + plotEdge + (isBare ? 0 : legendWidth);
  const words = captionWords(caption, figureMargin + plotEdge + figureMargin, width);
  const places = placesOf(positions);
  const plot: FigurePicture = { kind: 'picture', left: figureMargin, top: figureMargin, width: plotEdge, height: plotEdge, picture: drawPoints(drawing, places) };
  const labels = names === null || names.length > mostNames ? [] : names.map((text, row): FigureWords => ({ kind: 'words', left: figureMargin + places.x(row) + 4, baseline: figureMargin + places.y(row) + 3, size: nameSize, weight: 'plain', text }));
  return { width, height: words.bottom + figureMargin, items: [plot, ...labels, ...drawLegend(legend, figureMargin + plotEdge + figureMargin), ...words.items], caption };
}

/** Where a point stands on the plot, in CSS pixels: both axes have one scale, since distances are what a map is for. */
interface Places {
  x(row: number): number;
  y(row: number): number;
  readonly radius: number;
}

function placesOf(positions: Float32Array): Places {
  const count = positions.length / 2;
  const radius = count > 20_000 ? 0.6 : count > 4000 ? 1 : count > 800 ? 1.6 : 2.5;
  const [left, bottom, right, top] = extentOf(positions) ?? [0, 0, 0, 0];
  const span = Math.max(right - left, top - bottom);
  const scale = span > 0 ? (plotEdge - 4 * radius - plotMargin) / span : 0;
  const [centreX, centreY] = [(left + right) / 2, (bottom + top) / 2];
  return { radius, x: (row) => plotEdge / 2 + (positions[2 * row]! - centreX) * scale, y: (row) => plotEdge / 2 - (positions[2 * row + 1]! - centreY) * scale };
}

/** White with discs, later rows above earlier ones. */
function drawPoints({ positions, values, legend }: MapDrawing, { x, y, radius }: Places): Picture {
  const edge = plotEdge * figureDensity;
  const pixels = new Uint8Array(edge * edge * 4).fill(255);
  const colourOf = colouring(legend);
  for (let row = 0; row < positions.length / 2; row++) disc(pixels, edge, x(row) * figureDensity, y(row) * figureDensity, radius * figureDensity, colourOf(values[row]!));
  return { width: edge, height: edge, pixels };
}

function colouring(legend: ColourLegend): (value: number) => Colour {
  switch (legend.kind) {
    case 'classes': {
      const places = new Map(legend.classes.map(({ value }, at) => [value, at]));
      const colourOf = legend.classes.length <= pointColours.length ? (at: number) => pointColours[at]! : labelColour;
      return (value) => (Number.isNaN(value) ? grey : colourOf(places.get(value)!));
    }
    case 'errors':
      return (value) => (Number.isNaN(value) ? grey : pointColours[value === 1 ? wrongPointColour : 0]!);
    case 'numbers':
      return (value) => (Number.isFinite(value) ? colourAt('heat', legend.to > legend.from ? (value - legend.from) / (legend.to - legend.from) : 0) : grey);
    case 'none':
      return () => [90, 90, 90];
  }
}

/** Soft at its rim. */
function disc(pixels: Uint8Array, edge: number, x: number, y: number, radius: number, colour: Colour): void {
  const reach = Math.ceil(radius + 1);
  for (let row = Math.max(0, Math.floor(y) - reach); row <= Math.min(edge - 1, Math.floor(y) + reach); row++) {
    for (let column = Math.max(0, Math.floor(x) - reach); column <= Math.min(edge - 1, Math.floor(x) + reach); column++) {
      const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y))) * 0.9;
      if (share === 0) continue;
      const at = (row * edge + column) * 4;
      for (let part = 0; part < 3; part++) pixels[at + part] = Math.round(pixels[at + part]! * (1 - share) + colour[part]! * share);
    }
  }
}

function drawLegend(legend: ColourLegend, left: number): (FigurePicture | FigureWords)[] {
  const lines: { readonly colour: Colour | null; readonly text: string }[] = [];
  const colourOf = colouring(legend);
  if (legend.kind === 'classes') {
    for (const { value, name, points } of legend.classes.slice(0, mostLines)) lines.push({ colour: colourOf(value), text: `${shortened(name, 18)} (${points})` });
    if (legend.classes.length > mostLines) lines.push({ colour: null, text: `and ${legend.classes.length - mostLines} more` });
  }
  if (legend.kind === 'errors') lines.push({ colour: colourOf(0), text: `right (${legend.right})` }, { colour: colourOf(1), text: `wrong (${legend.wrong})` });
  if (legend.kind === 'numbers') {
    for (let step = 4; step >= 0; step--) {
      const value = legend.from + ((legend.to - legend.from) * step) / 4;
      lines.push({ colour: colourOf(value), text: String(Number(value.toPrecision(4))) });
    }
  }
  if (legend.kind !== 'none' && legend.without > 0) lines.push({ colour: grey, text: `none (${legend.without})` });
  return lines.flatMap(({ colour, text }, at): (FigurePicture | FigureWords)[] => {
    const baseline = figureMargin + at * legendLine + labelSize;
    const label: FigureWords = { kind: 'words', left: left + swatch + 6, baseline, size: labelSize, weight: 'plain', text };
    return colour === null ? [label] : [{ kind: 'picture', left, top: baseline - swatch + 1, width: swatch, height: swatch, picture: filled(colour) }, label];
  });
}

function filled([red, green, blue]: Colour): Picture {
  const edge = swatch * figureDensity;
  const pixels = new Uint8Array(edge * edge * 4);
  for (let at = 0; at < pixels.length; at += 4) pixels.set([red, green, blue, 255], at);
  return { width: edge, height: edge, pixels };
}
