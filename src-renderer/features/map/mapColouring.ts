/**
 * The colours of the points of a map, as the theme needs them. Ten classes at most have a colour each; where there are more, all are grey but the ones that a person names.
 */
import { colourAt } from '../../../src-shared/domain/colourMaps.ts';
import { pointColours, wrongPointColour as wrongColour } from '../../../src-shared/domain/pointColours.ts';
import type { ColourLegend } from '../../api/records.ts';
import type { PaintedPoints } from './pointDrawing.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Colours that the theme decides. */
export interface MapTheme {
  readonly isDark: boolean;
  readonly ground: Colour;
  /** Of points that are not what is asked about. */
  readonly quiet: Colour;
}

export const mostColouredClasses = pointColours.length;
/** On a dark ground colours are mixed with this share of white, on a light one with this share of black. */
const lighten = 0.22;
const darken = 0.08;
/** The darkest part of the scale is lost on a dark ground, the brightest on a light one. */
const scaleOnDark = [0.18, 1] as const;
const scaleOnLight = [0, 0.92] as const;
const opacity = { usual: 255, quiet: 120, unchosen: 40 } as const;

/** The `at`th distinct colour, as the theme needs it. */
export function distinctColour(at: number, { isDark }: MapTheme): Colour {
  const [share, towards] = isDark ? [lighten, 255] : [darken, 0];
  const [red, green, blue] = pointColours[at % pointColours.length]!;
  const mixed = (part: number): number => Math.round(part + (towards - part) * share);
  return [mixed(red), mixed(green), mixed(blue)];
}

export function wrongPointColour(theme: MapTheme): Colour {
  return distinctColour(wrongColour, theme);
}

/** The colour of a score, `share` 0-1 between the least and the most. */
export function scoreColour(share: number, { isDark }: MapTheme): Colour {
  const [from, to] = isDark ? scaleOnDark : scaleOnLight;
  return colourAt('heat', from + Math.min(1, Math.max(0, share)) * (to - from));
}

/** Which classes have a colour, and which: the highlighted ones, in the order in which they were named, or all where they are few and none is. */
export function classColours(classes: readonly { readonly value: number }[], highlighted: readonly number[], theme: MapTheme): ReadonlyMap<number, Colour> {
  const isFew = classes.length <= mostColouredClasses;
  if (isFew) return new Map(classes.map(({ value }, at) => [value, distinctColour(at, theme)] as const).filter(([value]) => highlighted.length === 0 || highlighted.includes(value)));
  return new Map(highlighted.slice(0, mostColouredClasses).map((value, at) => [value, distinctColour(at, theme)]));
}

/**
 * @param values one for each point, NaN where there is none; null while they are not known
 * @param chosen 1 for each chosen point; null where none is, so that all are shown alike
 */
export function colourPoints(points: number, values: Float32Array | null, legend: ColourLegend | null, highlighted: readonly number[], chosen: Uint8Array | null, theme: MapTheme): PaintedPoints {
  const colours = new Uint8Array(4 * points);
  const raised = new Uint8Array(points);
  const colourOf = valueColours(legend, highlighted, theme);
  for (let point = 0; point < points; point++) {
    const colour = values === null ? null : colourOf(values[point] ?? Number.NaN);
    const isChosen = chosen?.[point] === 1;
    colours.set(colour ?? theme.quiet, 4 * point);
    colours[4 * point + 3] = isChosen ? 255 : chosen !== null ? opacity.unchosen : colour === null ? opacity.quiet : opacity.usual;
    raised[point] = isChosen || (chosen === null && colour !== null) ? 1 : 0;
  }
  return { colours, raised, ground: theme.ground };
}

/** Colours of another map's points: each takes that of the same image here, or is quiet where it has none. */
export function linkedColours(points: number, link: Int32Array, from: Pick<PaintedPoints, 'colours' | 'raised'>, theme: MapTheme): PaintedPoints {
  const colours = new Uint8Array(4 * points);
  const raised = new Uint8Array(points);
  for (let point = 0; point < points; point++) {
    const same = link[point] ?? -1;
    if (same >= 0) colours.set(from.colours.subarray(4 * same, 4 * same + 4), 4 * point);
    else colours.set([...theme.quiet, opacity.unchosen], 4 * point);
    raised[point] = same >= 0 ? from.raised[same]! : 0;
  }
  return { colours, raised, ground: theme.ground };
}

/** A function of the value; null: nothing is known of it, or it is not asked about. */
function valueColours(legend: ColourLegend | null, highlighted: readonly number[], theme: MapTheme): (value: number) => Colour | null {
  switch (legend?.kind) {
    case 'classes': {
      const colours = classColours(legend.classes, highlighted, theme);
      return (value) => colours.get(value) ?? null;
    }
    case 'errors':
      return (value) => (value === 1 ? wrongPointColour(theme) : null);
    case 'numbers':
      return (value) => (Number.isNaN(value) ? null : scoreColour((value - legend.from) / (legend.to - legend.from || 1), theme));
    case 'none':
    case undefined:
      return () => null;
  }
}
