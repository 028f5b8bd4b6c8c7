/** A real Chromium for tests of the interface, and what it had to complain about: nothing may appear on the console, and no request may fail. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { watchPictures } from './pageSteadiness.ts';
import { dataPath, missingData, repositoryRoot } from './testData.ts';

const program = process.env['SWITCHBACK_CHROMIUM'] ?? '/usr/bin/chromium';
const quiet = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

export function openBrowser(...args: readonly string[]): Promise<Browser> {
  return chromium.launch({ executablePath: program, args: [...quiet, ...args] });
}

/** Why tests in a browser that read these data cannot run here; null where they can. */
export function reasonAgainstBrowser(needed: readonly string[]): string | null {
  if (!existsSync(program)) return `${program} is not there (Debian's package chromium; SWITCHBACK_CHROMIUM names another)`;
  if (!existsSync(join(repositoryRoot, 'out/renderer/index.html'))) return 'the interface is not built (npm run build)';
  const missing = missingData(needed);
  return missing === null ? null : `${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder)`;
}

/** Adds to `problems` whatever the page's console, its scripts and its requests complain of from now on, and each picture that is asked for twice. */
export function watchPage(page: Page, problems: string[]): void {
  watchPictures(page, problems);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
  });
  page.on('requestfailed', (request) => {
    // ERR_ABORTED: called off by the page itself, which asks anew or has left the place, as a picture that it held is given up with it. Its own files are never called off.
    const { pathname, protocol } = new URL(request.url());
    const isCalledOff = request.failure()?.errorText === 'net::ERR_ABORTED' && (protocol === 'blob:' || /^\/(media|rpc)\//.test(pathname));
    if (!isCalledOff) problems.push(`${request.failure()?.errorText} ${pathname} on ${page.url()}`);
  });
}

/** How many of these images are loaded and have pixels. */
export function shownPictures(page: Page, selector: string): Promise<number> {
  return page.locator(selector).evaluateAll((found) => found.filter((each) => each instanceof HTMLImageElement && each.complete && each.naturalWidth > 0).length);
}
