/**
 * Where windows stood when they were closed, by workspace, so that each comes back to its place; on a screen that is gone, to one that is there. Kept as one
 * small JSON file; a broken one is worth no failed start.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Rectangle } from 'electron';
import * as z from 'zod';

export interface WindowPlace extends Rectangle {
  readonly isMaximized: boolean;
}

export interface WindowPlaces {
  /** The place of a workspace's window (its path; '' for a window without one); undefined where it had none. */
  find(workspace: string): WindowPlace | undefined;
  keep(workspace: string, place: WindowPlace): void;
}

export const smallestWindow = { width: 900, height: 600 };
export const usualWindow = { width: 1440, height: 900 };

const mostKept = 20;
/** So much of a window's top must be on a screen that a person can take hold of it. */
const reachable = { width: 120, height: 40 };

const finite = z.number().int().min(-100_000).max(100_000);
const kept = z.array(z.tuple([z.string(), z.object({ x: finite, y: finite, width: finite, height: finite, isMaximized: z.boolean() })]));

/** Opens the list at `file`. */
export function openWindowPlaces(file: string): WindowPlaces {
  const places = new Map<string, WindowPlace>(read(file));
  return {
    find: (workspace) => places.get(workspace) ?? [...places.values()].at(-1),
    keep(workspace, place) {
      places.delete(workspace);
      places.set(workspace, place);
      for (const oldest of places.keys()) if (places.size > mostKept) places.delete(oldest);
      write(file, [...places]);
    },
  };
}

/**
 * Where a window opens. `screens`: work areas of the displays, the main one first; `taken`: places of the windows that are open, so that none hides another.
 * A kept place that no screen shows any more counts as none.
 */
export function placeOnScreens(wanted: WindowPlace | undefined, screens: readonly Rectangle[], taken: readonly Rectangle[] = []): WindowPlace {
  const screen = (wanted === undefined ? undefined : screens.find((area) => isReachable(wanted, area))) ?? screens[0] ?? { x: 0, y: 0, ...usualWindow };
  const fits = wanted !== undefined && screens.some((area) => isReachable(wanted, area));
  const width = clamp(fits ? wanted.width : usualWindow.width, smallestWindow.width, screen.width);
  const height = clamp(fits ? wanted.height : usualWindow.height, smallestWindow.height, screen.height);
  let x = fits ? wanted.x : screen.x + Math.round((screen.width - width) / 2);
  let y = fits ? wanted.y : screen.y + Math.round((screen.height - height) / 2);
  while (taken.some((other) => Math.abs(other.x - x) < 16 && Math.abs(other.y - y) < 16)) [x, y] = [x + 32, y + 32];
  return { x, y, width, height, isMaximized: fits && wanted.isMaximized };
}

function isReachable(place: Rectangle, screen: Rectangle): boolean {
  const wide = Math.min(place.x + place.width, screen.x + screen.width) - Math.max(place.x, screen.x);
  return wide >= reachable.width && place.y >= screen.y && place.y + reachable.height <= screen.y + screen.height;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(Math.min(value, most), Math.min(least, most));
}

function read(file: string): z.infer<typeof kept> {
  try {
    return kept.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}

function write(file: string, places: readonly unknown[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(places));
    renameSync(`${file}.new`, file);
  } catch {
    // A full or read-only disk: the window opens in the middle next time.
  }
}
