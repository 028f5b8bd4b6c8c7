/**
 * The main job as a person does it in a browser: open a model, check the report, choose images, watch the atlas fill, open a channel by typing, walk its
 * hits by keyboard, copy the address and open it anew, in both themes. Nothing may appear on the console, and no request may fail.
 * SWITCHBACK_SCREENSHOTS=FOLDER keeps a picture of each step.
 */
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, reasonAgainstBrowser, shownPictures, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { eventually } from '../support/processes.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const screenshots = process.env['SWITCHBACK_SCREENSHOTS'];
const images = 160;

describeWhere('the workbench in a browser', reasonAgainstBrowser([squeezenet, photographs]), () => {
  const home = temporaryFolder('browser');
  let workbench: ServedWorkbench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    linkPhotographs(join(home, 'images'), images);
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'dark', permissions: ['clipboard-read', 'clipboard-write'] });
    context.setDefaultTimeout(20_000);
    context.on('page', (opened) => watchPage(opened, problems));
    page = await context.newPage();
  });

  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('opens at the printed address, and keeps the key out of it', async () => {
    await page.goto(workbench.address);
    await page.getByRole('heading', { name: 'See what every channel looks for' }).waitFor();
    expect(page.url()).toBe(`${workbench.origin}/`);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    await look('start');
  });

  it('reports the model before anything long begins', async () => {
    const path = page.getByRole('textbox', { name: 'Path of a model file' });
    await path.fill(dataPath(squeezenet));
    await path.press('Enter');
    await page.getByRole('heading', { name: 'squeezenet1.1' }).waitFor();
    await page.getByText('26 of 26 to be indexed').waitFor();
    expect(await page.getByRole('checkbox', { name: /^Index squeezenet0_conv/ }).count()).toBe(26);
    await page.getByText('Choose an image folder first.').waitFor();
    expect(await page.getByRole('button', { name: 'Start indexing' }).isDisabled()).toBe(true);
    const folder = page.getByRole('textbox', { name: 'Path of an image folder' });
    await folder.fill(join(home, 'images'));
    await folder.press('Enter');
    await page.getByText(`${images} images`, { exact: true }).waitFor();
    await pictureShown(page, 'n01440764_tench.JPEG as the net will see it');
    await look('report');
  });

  it('fills the atlas while it indexes', async () => {
    await page.getByRole('textbox', { name: 'Batch size' }).fill('4');
    await page.getByRole('button', { name: 'Start indexing' }).click();
    await page.waitForURL(/\/w\/[^/]+\/i\/[a-z0-9]{8}\/l\/1$/);
    const status = page.getByRole('region', { name: 'Index' });
    const progress = status.getByText(new RegExp(`^\\d+ of ${images} images$`));
    const seen = new Set<string>();
    const filledWhileRunning = await eventually(async () => {
      const text = await progress.textContent({ timeout: 500 }).catch(() => null);
      if (text !== null) seen.add(text);
      if (text === null && seen.size > 0) return { filled: 0 };
      const filled = await shownPictures(page, '[data-channel] img');
      return seen.size >= 3 && filled > 0 ? { filled } : undefined;
    }, 'cells that fill');
    expect(seen.size, [...seen].join(', ')).toBeGreaterThanOrEqual(3);
    expect(filledWhileRunning.filled).toBeGreaterThan(0);
    await look('atlas while indexing');
  });

  it('shows patches beside projections of every visible channel when it is done', async () => {
    await page.getByRole('region', { name: 'Index' }).getByText(`${images} images`, { exact: true }).waitFor({ timeout: 60_000 });
    const cells = page.getByRole('link', { name: /^Channel \d+, strongest score / });
    await cells.first().waitFor();
    await eventually(async () => {
      const [alive, shown] = [await cells.count(), await shownPictures(page, '[data-channel] img')];
      return alive > 0 && shown === 2 * alive ? true : undefined;
    }, 'two pictures in each living cell', 90_000);
    expect(await page.getByRole('navigation', { name: 'Layers' }).getByRole('link').count()).toBe(26);
    await look('atlas');
  });

  it('goes to a channel by typing, to a hit by its digit, and through the methods by m', async () => {
    await page.keyboard.press('g');
    await page.keyboard.type('squeezenet0_conv25 17');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/l\/26\/c\/17$/);
    const unit = page.getByRole('region', { name: 'squeezenet0_conv25, channel 17' });
    await unit.getByRole('button', { name: /^hit 1, /, pressed: true }).waitFor();
    expect(await unit.getByRole('list', { name: 'Hits' }).getByRole('button').count()).toBe(9);
    await page.keyboard.press('3');
    await page.waitForURL(/\/l\/26\/c\/17\?hit=3$/);
    const third = await unit.getByRole('button', { name: /^hit 3, /, pressed: true }).getAttribute('aria-label');
    const image = /^hit 3, (n\d{8}_[^,]+\.JPEG), /.exec(third ?? '')![1]!;
    await pictureShown(page, `${image} as the network sees it, with the receptive field of the unit`);
    const pictures: string[] = [];
    for (const [word, method] of [['Deconvnet', null], ['Guided', 'guided'], ['Gradient', 'gradient']] as const) {
      if (method !== null) {
        await page.keyboard.press('m');
        await page.waitForURL((address) => address.searchParams.get('method') === method);
      }
      await pictureShown(page, `${word} projection of the unit for ${image}`);
      await unit.getByText(method === 'gradient' ? '0 of 26 nonlinearities' : '26 of 26 nonlinearities').waitFor();
      pictures.push(await pixelsOf(page, `${word} projection of the unit for ${image}`));
    }
    expect(new Set(pictures).size).toBe(3);
    await look('inspector');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/\/c\/18\?/);
    await page.keyboard.press('Escape');
    await page.waitForURL(/\/l\/26\?method=gradient$/);
  });

  it('opens a copied address in a fresh page', async () => {
    await page.getByRole('link', { name: /^Channel 17, / }).click();
    await page.getByRole('button', { name: /^hit 1, /, pressed: true }).waitFor();
    await page.keyboard.press('2');
    await page.waitForURL(/\/c\/17\?hit=2&method=gradient$/);
    await page.getByRole('button', { name: 'Copy the link to this place' }).click();
    await page.getByText('Copied').waitFor({ state: 'attached' });
    const address = await page.evaluate(() => navigator.clipboard.readText());
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/w\/[^/]+\/i\/[a-z0-9]{8}\/l\/26\/c\/17\?hit=2&method=gradient&seed=one&scale=quantile$/);
    const fresh = await context.newPage();
    await fresh.goto(address);
    const unit = fresh.getByRole('region', { name: 'squeezenet0_conv25, channel 17' });
    const name = await unit.getByRole('button', { name: /^hit 2, /, pressed: true }).getAttribute('aria-label');
    await pictureShown(fresh, `Gradient projection of the unit for ${/^hit 2, ([^,]+), /.exec(name ?? '')![1]!}`);
    await fresh.close();
  });

  it('is dark and light, and remembers which', async () => {
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('combobox', { name: 'Theme' }).click();
    await page.getByRole('option', { name: 'Light' }).click();
    await page.locator('html[data-theme=light]').waitFor();
    const light = await background();
    expect([brightness(dark) < 80, brightness(light) > 180], `${dark} and ${light}`).toEqual([true, true]);
    await look('settings in light');
    await page.goBack();
    await page.getByRole('link', { name: /^Channel \d+, strongest score / }).first().waitFor();
    await page.reload();
    await page.getByRole('region', { name: 'squeezenet0_conv25, channel 17' }).waitFor();
    await eventually(async () => ((await shownPictures(page, '[data-channel] img')) >= 4 ? true : undefined), 'pictures after a reload');
    expect(await background()).toBe(light);
    await look('inspector in light');
  });

  it('shows more hits, similar channels, and saves a figure with its caption', async () => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('squeezenet0_conv12 3');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/l\/13\/c\/3/);
    const unit = page.getByRole('region', { name: 'squeezenet0_conv12, channel 3' });
    await unit.getByRole('button', { name: 'More hits' }).click();
    await unit.getByRole('button', { name: /^hit 45, / }).waitFor();
    expect(await unit.getByRole('list', { name: 'Hits' }).getByRole('button').count()).toBe(45);
    const similar = unit.getByRole('link', { name: /^Channel \d+, correlation 0\.\d\d$/ });
    await similar.first().waitFor();
    expect(await similar.count()).toBeGreaterThan(2);
    await look('more hits');

    await page.getByRole('button', { name: 'More for this index' }).click();
    await page.getByRole('menuitem', { name: /^Save a figure/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Figure of squeezenet0_conv12' });
    const channels = dialog.getByRole('textbox', { name: 'Channels, e.g. 0-15, 40' });
    await channels.fill('0-1, 128');
    await dialog.getByText('Channels are numbers or ranges from 0 to 127').waitFor();
    await channels.fill('0-1');
    await dialog.getByRole('button', { name: 'Draw' }).click();
    const save = dialog.getByRole('link', { name: /^Save, / });
    await save.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
    const figure = readFileSync(await download.path(), 'utf8');
    expect(download.suggestedFilename()).toMatch(/\.svg$/);
    expect(figure.match(/<image /g)?.length).toBeGreaterThanOrEqual(4);
    expect(figure).toContain('squeezenet0_conv12');
    await look('figure');
    await page.keyboard.press('Escape');
  });

  it('hides duplicates, projects a layer ahead, and finds a new image', async () => {
    const files = readdirSync(join(home, 'images')).sort();
    copyFileSync(join(home, 'images', files[0]!), join(home, 'images', 'a-copy.JPEG'));
    const menu = page.getByRole('button', { name: 'More for this index' });
    await menu.click();
    await page.getByRole('menuitem', { name: /^Look for changed images/ }).click();
    await page.getByText('1 added').waitFor();
    const index = page.getByRole('region', { name: 'Index' });
    await index.getByText(`${images + 1} images`, { exact: true }).waitFor({ timeout: 60_000 });
    await menu.click();
    await page.getByRole('menuitem', { name: /^Project all hits of squeezenet0_conv12/ }).click();
    await page.getByRole('button', { name: /^Jobs/ }).click();
    const job = page.getByRole('listitem').filter({ hasText: '1,152 of 1,152 projections' });
    await job.getByText('done', { exact: true }).waitFor({ timeout: 120_000 });
    await look('jobs');
    await page.keyboard.press('Escape');
    await page.getByRole('checkbox', { name: 'No duplicates' }).check();
    await eventually(async () => ((await shownPictures(page, '[data-channel] img')) >= 4 ? true : undefined), 'sheets without duplicates');
    await page.getByRole('checkbox', { name: 'No duplicates' }).uncheck();
    await page.keyboard.press('Escape');
  });

  it('had nothing to say on the console, and no request failed', () => {
    expect(problems).toEqual([]);
  });

  async function look(step: string): Promise<void> {
    if (screenshots) await page.screenshot({ path: join(screenshots, `${step.replaceAll(' ', '-')}.png`) });
  }
});

/** Waits until the picture is there; an older one stays on screen, under the new name, while its place is busy. */
async function pictureShown(page: Page, alt: string): Promise<void> {
  const picture = page.getByRole('img', { name: alt, exact: true });
  await picture.waitFor();
  const isShown = (): Promise<boolean> => picture.evaluate((found) => found instanceof HTMLImageElement && found.complete && found.naturalWidth > 0 && found.closest('[aria-busy]')?.getAttribute('aria-busy') === 'false');
  await eventually(async () => ((await isShown()) ? true : undefined), `picture "${alt}"`);
}

/** The drawn pixels of a picture as a data address. */
function pixelsOf(page: Page, alt: string): Promise<string> {
  return page.getByRole('img', { name: alt, exact: true }).evaluate((found) => {
    const picture = found as HTMLImageElement;
    const canvas = document.createElement('canvas');
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    canvas.getContext('2d')!.drawImage(picture, 0, 0);
    return canvas.toDataURL();
  });
}

/** Mean of red, green and blue of "rgb(r, g, b)". */
function brightness(colour: string): number {
  const parts = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  return parts.reduce((sum, part) => sum + part, 0) / 3;
}
