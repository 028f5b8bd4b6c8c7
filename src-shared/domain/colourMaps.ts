/**
 * Colours of maps, the same in pictures and in the legends beside them. `heat` rises evenly in lightness and is told apart by people of any colour vision (after matplotlib's viridis);
 * `signed` is grey at zero, blue below and orange above; `grey` from black to white.
 */

export const colourMaps = ['grey', 'signed', 'heat'] as const;
export type ColourMap = (typeof colourMaps)[number];

type Colour = readonly [red: number, green: number, blue: number];

/** Evenly spaced, from the lowest value to the highest. */
export const colourStops: Readonly<Record<ColourMap, readonly Colour[]>> = {
  grey: [[0, 0, 0], [255, 255, 255]],
  signed: [[20, 70, 160], [70, 125, 195], [128, 128, 128], [215, 140, 60], [250, 190, 90]],
  heat: [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]],
};

/** @param share from 0 (lowest) to 1; what lies outside is clipped */
export function colourAt(map: ColourMap, share: number): Colour {
  const stops = colourStops[map];
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(place));
  const [from, to] = [stops[below]!, stops[below + 1]!];
  const mix = (at: 0 | 1 | 2) => Math.round(from[at] + (place - below) * (to[at] - from[at]));
  return [mix(0), mix(1), mix(2)];
}

/** The colour of a class on a label map: hues by the golden angle, in three lightnesses, so that they differ without hue too. */
export function labelColour(label: number): Colour {
  const hue = (label * 137.508) % 360;
  const lightness = [0.38, 0.55, 0.72][label % 3]!;
  const spread = 0.55 * Math.min(lightness, 1 - lightness);
  const part = (shift: number) => {
    const at = (shift + hue / 30) % 12;
    return Math.round(255 * (lightness - spread * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [part(0), part(8), part(4)];
}
