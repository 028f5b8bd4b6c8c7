/**
 * What a page must not do while nobody touches it: move what is already there, or ask for the same picture twice. Shifts are what Chromium's own layout-shift entries (web.dev: Cumulative Layout
 * Shift) say without those that follow a key or a click; pictures are counted by address for as long as one document lives.
 */
import type { BrowserContext, Page, Response } from 'playwright-core';

export interface Shift {
  /** Share of the window that moved times how far, as Chromium counts it; 0.1 is what it calls good for a whole page. */
  readonly value: number;
  /** The elements that moved, as `tag.class from x,y to x,y`. */
  readonly moved: readonly string[];
}

/** Notes every layout shift of the pages that are opened from now on; `shiftsOf` reads them. */
export function recordShifts(context: BrowserContext): Promise<unknown> {
  return context.addInitScript(() => {
    interface Source { readonly node: Node | null; readonly previousRect: DOMRectReadOnly; readonly currentRect: DOMRectReadOnly }
    interface Entry extends PerformanceEntry { readonly value: number; readonly hadRecentInput: boolean; readonly sources: readonly Source[] }
    const shifts: Shift[] = [];
    (globalThis as unknown as { shifts: Shift[] }).shifts = shifts;
    const corner = ({ x, y }: DOMRectReadOnly): string => `${Math.round(x)},${Math.round(y)}`;
    const name = (node: Node | null): string => (node instanceof Element ? `${node.localName}.${[...node.classList].join('.')}` : String(node?.nodeName));
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Entry[]) {
        if (!entry.hadRecentInput) shifts.push({ value: entry.value, moved: entry.sources.map(({ node, previousRect, currentRect }) => `${name(node)} from ${corner(previousRect)} to ${corner(currentRect)}`) });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/** The shifts of the open document so far; `recordShifts` comes before it is opened. */
export function shiftsOf(page: Page): Promise<readonly Shift[]> {
  return page.evaluate(() => (globalThis as unknown as { shifts: Shift[] }).shifts);
}

/** Adds to `problems` each picture that one document was given a second time. A request that was called off was given nothing. */
export function watchPictures(page: Page, problems: string[]): void {
  let given = new Set<string>();
  page.on('domcontentloaded', () => (given = new Set()));
  page.on('requestfinished', (request) => {
    if (!new URL(request.url()).pathname.startsWith('/media/')) return;
    // Of a page that has been closed meanwhile there is no answer left.
    const count = (response: Response | null): void => {
      if (response?.status() !== 200 || !response.headers()['content-type']?.startsWith('image/')) return;
      if (given.has(request.url())) problems.push(`asked twice: ${request.url()} on ${page.url()}`);
      given.add(request.url());
    };
    void request.response().then(count, () => undefined);
  });
}

/** Waits until everything that is seen has stood still for a moment: nothing is busy, every picture is there, and no more are added. */
export async function settled(page: Page, limitMs = 20_000): Promise<void> {
  const state = (): Promise<string> =>
    page.evaluate(() => {
      const pictures = [...document.images];
      const waiting = document.querySelectorAll('[aria-busy=true]').length + pictures.filter((each) => !each.complete).length;
      return `${waiting} waiting, ${pictures.length} pictures, ${document.body.innerText.length} letters`;
    });
  const deadline = performance.now() + limitMs;
  let before = '';
  for (let same = 0; same < 3; ) {
    const now = await state();
    same = now === before && now.startsWith('0 ') ? same + 1 : 0;
    before = now;
    if (performance.now() > deadline) throw new Error(`After ${limitMs} ms ${page.url()} has not come to rest: ${now}.`);
    await page.waitForTimeout(80);
  }
}
