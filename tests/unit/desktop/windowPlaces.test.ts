/** Windows come back to where they were, and to a screen that is there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openWindowPlaces, placeOnScreens, type WindowPlace } from '../../../src-main/desktop/windowPlaces.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchback-places-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const laptop = { x: 0, y: 25, width: 1440, height: 875 };
const second = { x: 1440, y: 0, width: 2560, height: 1400 };
const place = (x: number, y: number, width = 1200, height = 800): WindowPlace => ({ x, y, width, height, isMaximized: false });

describe('a window', () => {
  it('opens in the middle of the main screen when it was nowhere before, within what there is', () => {
    expect(placeOnScreens(undefined, [second, laptop])).toEqual({ x: 1440 + 560, y: 250, width: 1440, height: 900, isMaximized: false });
    expect(placeOnScreens(undefined, [laptop])).toEqual({ x: 0, y: 25, width: 1440, height: 875, isMaximized: false });
    expect(placeOnScreens(undefined, [])).toMatchObject({ width: 1440, height: 900 });
  });

  it('opens where it was, partly off the screen too as long as it can be taken hold of', () => {
    expect(placeOnScreens(place(1600, 100), [laptop, second])).toEqual(place(1600, 100));
    expect(placeOnScreens(place(-900, 100), [laptop])).toEqual(place(-900, 100));
    expect(placeOnScreens({ ...place(10, 30), isMaximized: true }, [laptop]).isMaximized).toBe(true);
  });

  it('opens in the middle when its screen is gone or its top is out of reach', () => {
    for (const lost of [place(1600, 100), place(-1190, 100), place(100, -300), place(100, 890)]) {
      expect(placeOnScreens({ ...lost, isMaximized: true }, [laptop])).toEqual({ x: 0, y: 25, width: 1440, height: 875, isMaximized: false });
    }
  });

  it('is no larger than its screen and no smaller than the workbench needs', () => {
    expect(placeOnScreens(place(0, 30, 5000, 4000), [laptop])).toMatchObject({ width: 1440, height: 875 });
    expect(placeOnScreens(place(0, 30, 200, 100), [laptop])).toMatchObject({ width: 900, height: 600 });
  });

  it('does not hide another', () => {
    expect(placeOnScreens(place(100, 100), [second, laptop], [place(100, 100), place(132, 132)])).toMatchObject({ x: 164, y: 164 });
  });
});

describe('the list of places', () => {
  it('is kept by workspace, newest last, and a new workspace takes the newest', () => {
    const file = join(folder, 'a', 'windows.json');
    const places = openWindowPlaces(file);
    expect(places.find('/work')).toBeUndefined();
    places.keep('/work', place(1, 2));
    places.keep('', place(3, 4));
    expect([openWindowPlaces(file).find('/work'), openWindowPlaces(file).find('/other')]).toEqual([place(1, 2), place(3, 4)]);
    for (let count = 0; count < 30; count += 1) places.keep(`/w${count}`, place(count, 0));
    expect((JSON.parse(readFileSync(file, 'utf8')) as unknown[]).length).toBe(20);
  });

  it('is empty where the file is broken or says nonsense', () => {
    for (const text of ['{', '[["/w",{"x":"left"}]]', '[["/w",{"x":1e9,"y":0,"width":1,"height":1,"isMaximized":false}]]']) {
      writeFileSync(join(folder, 'broken.json'), text);
      expect(openWindowPlaces(join(folder, 'broken.json')).find('/w')).toBeUndefined();
    }
  });
});
