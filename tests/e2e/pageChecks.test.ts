/** What the tests in a browser watch pages with does find what it is there to find: on a page that does everything wrong. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { overflowingWords } from '../support/overflow.ts';
import { recordShifts, settled, shiftsOf } from '../support/pageSteadiness.ts';
import { describeWhere } from '../support/testData.ts';

const html = `<!doctype html><link rel="icon" href="data:,"><style>* { margin: 0; font: 16px/1.2 monospace } .narrow { width: 60px; white-space: nowrap }</style>
<section id="above"></section><p>fits</p>
<button class="narrow" style="overflow: hidden">cut off by its box</button><p class="narrow outside">sticks out of it</p>
<p class="narrow" style="overflow: hidden; text-overflow: ellipsis">ends in an ellipsis</p>
<dl style="display: grid; grid-template-columns: 50px 1fr"><dt class="keys" style="display: flex"><kbd>Home</kbd><kbd>PageDown</kbd></dt><dd>covered</dd></dl>
<img src="/media/once.png" alt=""><script>
const get = async (path) => (await fetch(path, { cache: 'no-store' })).blob();
addEventListener('load', () => setTimeout(async () => {
  above.style.height = '300px';
  await get('/media/twice.png'); await get('/media/twice.png');
  const left = new AbortController(); fetch('/media/slow.png', { signal: left.signal }).catch(() => 0); left.abort();
  await get('/media/gone.png'); console.warn('a warning'); document.title = 'done';
}, 200));</script>`;

describeWhere('what watches a page', reasonAgainstBrowser([]), () => {
  const problems: string[] = [];
  let server: Server;
  let browser: Browser;
  let page: Page;
  let origin: string;

  beforeAll(async () => {
    const png = await encodePng(new Uint8Array(12), 2, 2, 3);
    server = createServer(({ url }, response) => {
      if (url === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(html);
      if (url === '/media/gone.png') return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': 'image/png' }).end(png);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
    await recordShifts(context);
    page = await context.newPage();
    watchPage(page, problems);
    await page.goto(origin);
    await page.waitForFunction(() => document.title === 'done');
    await settled(page);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it('says what moved', async () => {
    const shifts = await shiftsOf(page);
    expect(shifts.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(0.02);
    expect(shifts.flatMap(({ moved }) => moved).join()).toMatch(/dl\. from 0,\d+ to 0,3\d+/);
  });

  it('says which words do not fit, and leaves out those that end in an ellipsis', async () => {
    expect((await overflowingWords(page)).map((words) => words.replace(/: .*/, ''))).toEqual(['button.narrow "cut off by its box"', 'p.narrow.outside "sticks out of it"', 'dt.keys "HomePageDown"']);
  });

  it('says what was asked for twice, what failed and what the console said, and nothing of what was called off', () => {
    expect(problems.sort()).toEqual([
      `404 ${origin}/media/gone.png`,
      `asked twice: ${origin}/media/twice.png on ${origin}/`,
      'console: Failed to load resource: the server responded with a status of 404 (Not Found)',
      'console: a warning',
    ]);
  });
});
