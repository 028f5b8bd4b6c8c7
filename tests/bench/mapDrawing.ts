/**
 * `node tests/bench/mapDrawing.ts`: a map of 100,000 points in Chromium against a real core: frames while it is moved and zoomed for ten seconds, drawn by WebGL (in software here) and without it. The
 * layout is synthetic and handed to the page in place of the core's; the record, the colours' legend and the pictures are those of a small index.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, reasonAgainstBrowser } from '../support/browser.ts';
import { percentile } from '../support/cheapCalls.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath } from '../support/testData.ts';

const points = Number(process.argv[2] ?? 100_000);
const images = 40;
const clusters = 30;
const moveMs = 10_000;
const viewport = { width: 1440, height: 900 };

const missing = reasonAgainstBrowser([squeezenet, photographs]);
if (missing !== null) {
  console.log(`Nothing measured: ${missing}.`);
} else {
  console.log(`${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), load ${loadavg()[0]!.toFixed(1)}, Node ${process.version}; ${viewport.width} x ${viewport.height}, ${points} points\n`);
  const home = temporaryFolder('bench-map');
  try {
    mkdirSync(home, { recursive: true });
    linkPhotographs(join(home, 'images'), images);
    const workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    try {
      const address = await smallMap(workbench, join(home, 'images'));
      for (const [name, args] of [['without a graphics card', ['--disable-gpu', '--disable-3d-apis']], ['WebGL in software', ['--use-angle=swiftshader', '--enable-unsafe-swiftshader']]] as const) {
        const browser = await openBrowser(...args);
        try {
          await measure(browser, workbench, address, name);
        } finally {
          await browser.close();
        }
      }
    } finally {
      await workbench.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** An index of few photographs and a map of them; returns the map's address. */
async function smallMap({ client }: ServedWorkbench, folder: string): Promise<string> {
  const { preprocessing } = await client.models.inspect({ path: dataPath(squeezenet) });
  const { index } = await client.indexing.start({ modelPath: dataPath(squeezenet), imagesPath: folder, preprocessing });
  for await (const _ of await client.indexing.watch({ index }));
  const layer = (await client.lab.layers({ index })).layers.at(-2)!.name;
  const { map } = await client.map.start({ subject: { kind: 'images', index, layer }, method: { kind: 'pca' } });
  for await (const _ of await client.map.watch({ map }));
  return `/w/${(await client.workspaces.current())!.id}/map/${map}`;
}

async function measure(browser: Browser, { address, origin }: ServedWorkbench, path: string, name: string): Promise<void> {
  const context = await browser.newContext({ viewport, locale: 'en-US', colorScheme: 'dark' });
  // The page paints pixels itself rather than by a card that the processor plays, unless it cannot tell.
  if (name === 'WebGL in software') await context.addInitScript(hideCardName);
  const page = await context.newPage();
  await replaceColumns(page);
  await page.goto(address);
  const startMs = performance.now();
  await page.goto(origin + path, { waitUntil: 'commit' });
  await page.locator('.map-surface canvas').first().waitFor({ timeout: 60_000 });
  const shownMs = performance.now() - startMs;
  const drawnBy = await page.evaluate(() => (document.querySelector<HTMLCanvasElement>('.map-surface canvas')!.getContext('2d') ? 'pixels' : 'WebGL'));
  await page.waitForTimeout(2000);
  for (const [what, key, times] of [['moving the whole map', 'Shift', 0], ['moving four times closer', 'Shift', 4], ['zooming', '', 0]] as const) {
    const frames = await page.evaluate(moveFor, { moveMs, isPan: key === 'Shift', closer: times });
    const share = frames.filter((ms) => ms < 25).length / frames.length;
    console.log(`${name} (${drawnBy}), ${what} for ${moveMs / 1000} s: ${(100 * share).toFixed(1)} % of ${frames.length} frames under 25 ms (goal: 95 %); median ${percentile(frames, 0.5).toFixed(1)}, p95 ${percentile(frames, 0.95).toFixed(1)}, longest ${Math.max(...frames).toFixed(0)} ms`);
  }
  console.log(`${name}: the map was there after ${shownMs.toFixed(0)} ms\n`);
  await context.close();
}

/** In the page: the processor that plays a graphics card is not known for it. */
function hideCardName(): void {
  const original = WebGL2RenderingContext.prototype.getExtension as (this: WebGL2RenderingContext, name: string) => unknown;
  WebGL2RenderingContext.prototype.getExtension = function (this: WebGL2RenderingContext, name: string) {
    return name === 'WEBGL_debug_renderer_info' ? null : original.call(this, name);
  } as typeof WebGL2RenderingContext.prototype.getExtension;
}

/** Hands the page clusters of points whose images are those of the small index in turn. */
async function replaceColumns(page: Page): Promise<void> {
  const random = seededRandom(5);
  const middles = Array.from({ length: clusters }, () => [random() * 40 - 20, random() * 40 - 20] as const);
  const normal = (): number => random() + random() + random() + random() - 2;
  const coordinates = Float32Array.from({ length: 2 * points }, (_, at) => middles[(at >> 1) % clusters]![at % 2]! + 2 * normal());
  const bodies = { coordinates, rows: Int32Array.from({ length: points }, (_, at) => at % images), colours: Float32Array.from({ length: points }, (_, at) => at % clusters) };
  for (const [column, values] of Object.entries(bodies)) {
    await page.route(new RegExp(`/media/map/[a-z0-9]+/${column}`), (route) => route.fulfill({ contentType: 'application/octet-stream', body: Buffer.from(values.buffer) }));
  }
}

/** In the page: presses the keys that move the map, or turns the wheel, once a frame; returns the time of each frame. */
function moveFor({ moveMs: forMs, isPan, closer }: { readonly moveMs: number; readonly isPan: boolean; readonly closer: number }): Promise<number[]> {
  const surface = document.querySelector<HTMLElement>('.map-surface')!;
  const box = surface.getBoundingClientRect();
  const press = (key: string, shiftKey: boolean): boolean => surface.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true }));
  press('0', false);
  for (let time = 0; time < closer; time++) press('+', false);
  const frames: number[] = [];
  return new Promise((resolve) => {
    const startMs = performance.now();
    let before = startMs;
    let count = 0;
    const frame = (now: number): void => {
      if (now > before) frames.push(now - before);
      before = now;
      count += 1;
      if (isPan) press(count % 16 < 8 ? 'ArrowRight' : 'ArrowLeft', true);
      else surface.dispatchEvent(new WheelEvent('wheel', { deltaY: count % 120 < 60 ? -60 : 60, clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true }));
      if (now - startMs < forMs) requestAnimationFrame(frame);
      else resolve(frames.slice(1));
    };
    requestAnimationFrame(frame);
  });
}
