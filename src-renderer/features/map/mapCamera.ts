/**
 * Where a map is looked at from. Points lie in a unit square, x to the right and y down; a camera names its middle and how much larger than the whole map things are drawn, so that an address means
 * the same place in every window.
 */

export interface MapCamera {
  /** Middle of the view, in the units of the layout. */
  readonly x: number;
  readonly y: number;
  /** 1: the whole map fits. */
  readonly zoom: number;
}

/** A size in CSS pixels, or in units of a layout. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** Of a point in the window. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

export const wholeMap: MapCamera = { x: 0.5, y: 0.5, zoom: 1 };
const leastZoom = 0.5;
const mostZoom = 4000;
/** Of the window that the whole map takes. */
const fitShare = 0.92;

/** CSS pixels of one unit. */
export function pixelsPerUnit(camera: MapCamera, window: Extent, map: Extent): number {
  return camera.zoom * fitShare * Math.min(window.width / Math.max(map.width, 1e-9), window.height / Math.max(map.height, 1e-9));
}

export function toWindow(camera: MapCamera, window: Extent, scale: number, point: Spot): Spot {
  return { x: window.width / 2 + (point.x - camera.x) * scale, y: window.height / 2 + (point.y - camera.y) * scale };
}

export function toMap(camera: MapCamera, window: Extent, scale: number, spot: Spot): Spot {
  return { x: camera.x + (spot.x - window.width / 2) / scale, y: camera.y + (spot.y - window.height / 2) / scale };
}

/** Zooms so that what is under `spot` stays there. */
export function zoomedAt(camera: MapCamera, factor: number, window: Extent, map: Extent, spot: Spot): MapCamera {
  const zoom = Math.min(mostZoom, Math.max(leastZoom, camera.zoom * factor));
  const under = toMap(camera, window, pixelsPerUnit(camera, window, map), spot);
  const scale = pixelsPerUnit({ ...camera, zoom }, window, map);
  return kept({ x: under.x - (spot.x - window.width / 2) / scale, y: under.y - (spot.y - window.height / 2) / scale, zoom });
}

/** Moves what is seen by so many CSS pixels. */
export function panned(camera: MapCamera, byX: number, byY: number, scale: number): MapCamera {
  return kept({ ...camera, x: camera.x - byX / scale, y: camera.y - byY / scale });
}

/** The middle stays on the map: nobody is to be lost in the empty. */
function kept({ x, y, zoom }: MapCamera): MapCamera {
  return { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)), zoom };
}
