/**
 * A session from the first model to the finished figure, in one go, in a real browser against a served core on real data: AlexNet on a hundred photographs. Each step leaves what the next one
 * needs, as for a person; the tests beside this one look closer at each view.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { linkPhotographs, photographs } from '../support/photographs.ts';
import { eventually } from '../support/processes.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const alexnet = 'models/alexnet-conv1-pool5.onnx';
const images = 100;
const patienceMs = 30_000;

describeWhere('a session', reasonAgainstBrowser([alexnet, photographs]), () => {
  const home = temporaryFolder('journey');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let files: readonly string[];

  /** A core, and a window that knows nothing of an earlier one. */
  async function open(): Promise<void> {
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'dark', permissions: ['clipboard-read', 'clipboard-write'] });
    context.setDefaultTimeout(patienceMs);
    context.on('page', (opened) => watchPage(opened, problems));
    page = await context.newPage();
    await page.goto(workbench.address);
  }

  const shown = (selector: string): Promise<number> => page.locator(selector).evaluateAll((found) => found.filter((each) => each instanceof HTMLImageElement && each.complete && each.naturalWidth > 0).length);
  const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: patienceMs });
  const unit = () => page.getByRole('region', { name: 'conv5, channel 17', exact: true });
  const jump = async (words: string): Promise<void> => {
    await page.keyboard.press('g');
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
  };

  beforeAll(async () => {
    files = linkPhotographs(join(home, 'images'), images);
    browser = await openBrowser();
    await open();
  });
  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('imports a model and shows its report', async () => {
    const model = page.getByRole('textbox', { name: 'Path of a model file' });
    await model.fill(dataPath(alexnet));
    await model.press('Enter');
    await page.getByRole('heading', { name: 'alexnet-conv1-pool5' }).waitFor();
    await page.getByText('227', { exact: false }).first().waitFor();
    for (const layer of ['conv1', 'conv2', 'conv3', 'conv4', 'conv5']) await page.getByRole('checkbox', { name: new RegExp(`^Index ${layer}\\b`) }).first().waitFor();
    const folder = page.getByRole('textbox', { name: 'Path of an image folder' });
    await folder.fill(join(home, 'images'));
    await folder.press('Enter');
    await page.getByText(`${images} images`, { exact: true }).waitFor();
    await page.getByRole('img', { name: `${files[0]} as the net will see it` }).waitFor();
  });

  it('indexes a hundred photographs, and cells fill meanwhile', async () => {
    await page.getByRole('textbox', { name: 'Batch size' }).fill('2');
    await page.getByRole('button', { name: 'Start indexing' }).click();
    await page.waitForURL(/\/w\/[^/]+\/i\/[a-z0-9]{8}\/l\/1$/);
    const status = page.getByRole('region', { name: 'Index' });
    const counts = new Set<string>();
    const whole = new RegExp(`^${images} images$`);
    const filled = await eventually(async () => {
      const text = await status.getByText(new RegExp(`^\\d+ of ${images} images$`)).textContent({ timeout: 500 }).catch(() => null);
      if (text !== null) counts.add(text);
      const pictures = await shown('[data-channel] img');
      if (text !== null && counts.size >= 3 && pictures > 0) return pictures;
      return (await status.getByText(whole).count()) > 0 ? 0 : undefined;
    }, 'cells that fill');
    expect([filled > 0, counts.size >= 3], `${filled} pictures at ${[...counts].join(', ')}`).toEqual([true, true]);
    await status.getByText(whole).waitFor({ timeout: 90_000 });
  });

  it('goes to conv5 17 by typing, to a hit and through the methods by keyboard alone', async () => {
    await jump('conv5 16');
    await page.getByRole('region', { name: 'conv5, channel 16', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await jump('conv5 17');
    await unit().getByRole('button', { name: /^hit 1, /, pressed: true }).waitFor();
    await page.keyboard.press('4');
    await page.waitForURL(/\/c\/17\?hit=4$/);
    const file = /^hit 4, ([^,]+), /.exec((await unit().getByRole('button', { name: /^hit 4, /, pressed: true }).getAttribute('aria-label'))!)![1]!;
    expect(files).toContain(file);
    for (const [method, word] of [['guided', 'Guided'], ['gradient', 'Gradient']] as const) {
      await page.keyboard.press('m');
      await page.waitForURL((address) => address.searchParams.get('method') === method);
      await unit().getByRole('img', { name: `${word} projection of the unit for ${file}`, exact: true }).waitFor();
    }
  });

  it('tags and notes it, and the tag filters the atlas', async () => {
    await page.keyboard.press('t');
    await page.getByRole('combobox', { name: 'Add a tag…' }).waitFor();
    await page.keyboard.type('beaks');
    await page.keyboard.press('Enter');
    await soon(() => page.getByRole('list', { name: 'Tags', exact: true }).getByRole('listitem').allInnerTexts()).toEqual(['beaks']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Write a note' }).click();
    await page.keyboard.type('Birds, *mostly*');
    await page.keyboard.press('Control+Enter');
    await page.locator('.markdown-text em', { hasText: 'mostly' }).waitFor();
    await page.getByRole('region', { name: 'conv5, channel 17', exact: true }).press('Escape');
    await page.waitForURL(/\/l\/\d+\?method=gradient$/);
    await filterByTag();
  });

  it('has both after a restart of the core, in a new window', async () => {
    const place = new URL(page.url()).pathname;
    await context.close();
    expect(await workbench.stop()).toBe(0);
    await open();
    await page.goto(`${workbench.origin}${place}`);
    await filterByTag();
    await page.locator('[data-channel="17"]').click();
    await unit().waitFor();
    await page.locator('.markdown-text em', { hasText: 'mostly' }).waitFor();
  });

  it('opens a copied address in a fresh window at the same place', async () => {
    await page.keyboard.press('3');
    await page.waitForURL(/hit=3/);
    await page.keyboard.press('m');
    await page.waitForURL(/method=guided/);
    await page.getByRole('button', { name: 'Copy the link to this place' }).click();
    await page.getByText('Copied').waitFor({ state: 'attached' });
    const address = await page.evaluate(() => navigator.clipboard.readText());
    expect(address).toMatch(/\/c\/17\?hit=3&method=guided&seed=one&scale=quantile$/);
    const fresh = await context.newPage();
    await fresh.goto(address);
    await fresh.getByRole('region', { name: 'conv5, channel 17', exact: true }).getByRole('button', { name: /^hit 3, /, pressed: true }).waitFor();
    await fresh.getByRole('img', { name: /^Guided projection of the unit for / }).waitFor();
    await fresh.close();
  });

  it('saves the figure, whose caption is enough to make it again', async () => {
    await page.getByRole('button', { name: 'More for this index' }).click();
    await page.getByRole('menuitem', { name: /^Save a figure/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Figure of conv5' });
    await dialog.getByRole('textbox', { name: 'Channels, e.g. 0-15, 40' }).fill('17');
    await dialog.getByRole('button', { name: 'Draw' }).click();
    const save = dialog.getByRole('link', { name: /^Save, / });
    await save.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
    const figure = readFileSync(await download.path(), 'utf8');
    const caption = [...figure.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, words]) => words).join(' ');
    const [record] = await workbench.client.indexing.list();
    for (const part of ['17', 'conv5', 'alexnet-conv1-pool5', 'guided', 'seed one', `${images} of ${images} readable`, record!.id, record!.modelHash.slice(0, 16)]) expect(caption).toContain(part);
    expect(download.suggestedFilename()).toBe('alexnet-conv1-pool5-conv5-17-guided.svg');
  });

  it('had nothing to say on the console, no request failed, and no picture was asked for twice', () => {
    expect(problems).toEqual([]);
  });

  async function filterByTag(): Promise<void> {
    await page.getByRole('combobox', { name: 'Which channels are shown' }).click();
    await page.getByRole('option', { name: /^beaks/ }).click();
    await soon(() => page.locator('[data-channel]').evaluateAll((cells) => cells.map((cell) => cell.getAttribute('data-channel')))).toEqual(['17']);
  }
});
