/**
 * Training as a person meets it in a browser: a small network is trained and watched, paused, lowered and resumed; the features of its checkpoints are followed over the
 * epochs and saved as Figure 4; two of them are diagnosed beside each other. And one click on the sample leads to its atlas. Nothing may appear on the console.
 * SWITCHBACK_SCREENSHOTS=FOLDER keeps a picture of each step.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawSampleFolder } from '../../src-main/services/sample.ts';
import { violationsOf } from '../support/accessibility.ts';
import { openBrowser, reasonAgainstBrowser, shownPictures, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { eventually } from '../support/processes.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

const screenshots = process.env['SWITCHBACK_SCREENSHOTS'];
const epochs = 10;

describeWhere('training in a browser', reasonAgainstBrowser([]), () => {
  const home = temporaryFolder('training-views');
  let workbench: ServedWorkbench;
  let browser: Browser;
  let page: Page;
  let trained: string;
  const problems: string[] = [];

  beforeAll(async () => {
    await drawSampleFolder(join(home, 'pictures'), { perClass: 4 }, new AbortController().signal);
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'dark' });
    context.setDefaultTimeout(30_000);
    page = await context.newPage();
    watchPage(page, problems);
    await page.goto(workbench.address);
  });

  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('says what a training will be before it begins', async () => {
    await page.getByRole('link', { name: 'Train a network' }).click();
    await page.waitForURL(/\/w\/[^/]+\/train$/);
    await page.getByText('Choose an image folder first.').waitFor();
    const folder = page.getByRole('textbox', { name: 'Path of an image folder' });
    await folder.fill(join(home, 'pictures'));
    await folder.press('Enter');
    await page.getByText('72 images · 18 class folders').waitFor();
    await page.getByRole('radio', { name: 'The paper' }).check({ force: true });
    expect(await page.getByRole('textbox', { name: 'Batch size' }).inputValue()).toBe('128');
    await page.getByRole('radio', { name: 'Small data' }).check({ force: true });
    for (const [name, words] of [['Width', '0.08'], ['Input, px', '64'], ['Fully connected units', '32'], ['Epochs', String(epochs)], ['Learning rate', '0.01'], ['Epochs, e.g. 1, 2, 5, 10', `1, 4, ${epochs}`]] as const) await page.getByRole('textbox', { name, exact: true }).fill(words);
    await page.getByRole('radio', { name: 'Own' }).waitFor({ state: 'attached' });
    await page.getByText('Training images').locator('xpath=following-sibling::dd').filter({ hasText: /^54$/ }).waitFor();
    await look('train');
    const width = page.getByRole('textbox', { name: 'Width', exact: true });
    await width.fill('9');
    await page.getByText('A number from 0.01 to 4.').waitFor();
    expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    await width.fill('0.08');
  });

  it('shows a training while it runs, pauses it, lowers its rate, and goes on', async () => {
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.waitForURL(/\/train\/[0-9a-f]{12}$/);
    await page.getByText(new RegExp(`^epoch \\d+ of ${epochs}$`)).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Lower the rate' }).click();
    await page.getByText('learning rate 0.001', { exact: true }).waitFor();
    await look('paused');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('complete', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText(`${epochs} of ${epochs} epochs`).waitFor();
    expect(await page.getByRole('link', { name: /^Open in atlas epoch \d+$/ }).count()).toBe(3);
    const loss = page.getByRole('img', { name: /^Loss over the epochs/ });
    await loss.locator('canvas').waitFor();
    expect(await inked(loss)).toBeGreaterThan(200);
    await page.getByText('All epochs').click();
    expect(await page.getByRole('table').nth(1).getByRole('row').count()).toBe(epochs + 1);
    trained = (await page.locator('main .path').first().textContent())!;
    await look('run');
    expect(await violationsOf(page)).toEqual([]);
  });

  it('follows the features over the checkpoints', async () => {
    await page.getByRole('link', { name: 'Watch the features evolve' }).click();
    await page.getByText(`3 checkpoints, epochs 1, 4, ${epochs}`).waitFor();
    for (const layer of ['conv3', 'conv4', 'conv5', 'fc6', 'fc7', 'fc8']) await page.getByRole('checkbox', { name: layer }).uncheck();
    await page.getByRole('button', { name: 'Show the evolution' }).click();
    await page.waitForURL(/\/evolution\/[0-9a-z]+$/);
    const progress = page.getByRole('progressbar', { name: 'Progress of the series' });
    await page.getByRole('grid', { name: 'Channels of conv1 over the epochs' }).waitFor();
    await eventually(async () => ((await progress.count()) === 0 ? true : undefined), 'whole series', 60_000);
    const cells = page.getByRole('gridcell');
    const alive = page.getByRole('gridcell', { name: /score/ });
    // A channel that one epoch finds dead may live at the next: every cell says which, once the rows of the whole series are read.
    const words = /^Channel \d+, epoch (1|4|10): (.+, score .+|no image excites this channel)$/;
    const allSay = async () => (await cells.evaluateAll((all) => all.map((cell) => cell.getAttribute('aria-label') ?? ''))).every((name) => words.test(name));
    await eventually(async () => ((await cells.count()) > 0 && (await allSay()) ? true : undefined), 'a word of what each cell shows');
    await eventually(async () => ((await alive.count()) > 0 && (await shownPictures(page, '[role=gridcell] img')) === (await alive.count()) ? true : undefined), 'a projection in each living cell');
    await look('evolution');
    expect(await violationsOf(page)).toEqual([]);
  });

  it('chooses a cell by keyboard, shows one epoch, and saves Figure 4', async () => {
    await page.getByRole('gridcell', { name: /^Channel 0, epoch 4/ }).click();
    await page.waitForURL(/channel=0&epoch=4|epoch=4&channel=0/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    await eventually(async () => (new URL(page.url()).searchParams.get('channel') === '1' && new URL(page.url()).searchParams.get('epoch') === '1' ? true : undefined), 'channel 1 at epoch 1');
    await page.getByRole('heading', { name: 'conv1, channel 1' }).waitFor();
    await page.getByText('One epoch', { exact: true }).click();
    await page.keyboard.press('.');
    await page.getByRole('heading', { name: 'Epoch 4' }).waitFor();
    await eventually(async () => ((await shownPictures(page, '.epoch-grid .cell img')) > 0 ? true : undefined), 'sheets of one epoch');
    await look('one epoch');
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save as Figure 4' }).click();
    const dialog = page.getByRole('dialog', { name: 'Figure 4 of conv1' });
    await dialog.getByRole('textbox', { name: 'Channels, e.g. 0-15, 40' }).fill('0-2');
    await dialog.getByRole('button', { name: 'Draw' }).click();
    const save = dialog.getByRole('link', { name: /^Save, / });
    await save.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
    expect(readFileSync(await download.path(), 'utf8')).toContain('epoch 4');
    await page.keyboard.press('Escape');
  });

  it('diagnoses two checkpoints beside each other', async () => {
    await page.getByRole('link', { name: 'Diagnose' }).click();
    await page.waitForURL(/\/diagnostics\?model=index/);
    await page.getByRole('heading', { name: 'Dead channels' }).waitFor();
    await page.getByText(/^All \d+ channels are alive|channels are dead|^Many dead channels/).waitFor();
    const other = page.getByRole('textbox', { name: 'Path of a model file' }).nth(1);
    await other.fill(`${trained}/epoch-001.onnx`);
    await other.press('Enter');
    await page.getByText('Needs an index').first().waitFor();
    await eventually(async () => ((await shownPictures(page, '.filter-panel img')) === 2 ? true : undefined), 'filters of both');
    await page.getByText('One for all', { exact: true }).click();
    await page.getByText(/^−0?\.\d+/).first().waitFor();
    await page.getByText(/^(Lower|Higher) on the right|^About the same/).first().waitFor();
    await look('diagnostics');
  });

  it('had nothing to say on the console, and no request failed', () => {
    expect(problems).toEqual([]);
  });

  async function look(step: string): Promise<void> {
    if (screenshots) await page.screenshot({ path: join(screenshots, `${step.replaceAll(' ', '-')}.png`) });
  }
});

const sample = join(repositoryRoot, 'resources/sample/training.json');

describeWhere('the sample in a browser', reasonAgainstBrowser([]) ?? (existsSync(sample) ? null : `${sample} is missing`), () => {
  const home = temporaryFolder('sample-view');
  let workbench: ServedWorkbench;
  let browser: Browser;

  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('is one click from the start page to an atlas that fills', async () => {
    workbench = await serveWorkbench(home);
    browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
    await page.goto(workbench.address);
    await page.getByRole('button', { name: 'Look at the sample' }).click();
    await page.getByText(/^Drawing [\d,]+ of 1,620 pictures$/).waitFor();
    await page.waitForURL(/\/w\/[^/]+\/i\/[a-z0-9]+\/l\/1$/, { timeout: 150_000 });
    await eventually(async () => ((await shownPictures(page, '[data-channel] img')) > 3 ? true : undefined), 'cells that fill');
    expect(await page.getByRole('region', { name: 'Index' }).textContent()).toMatch(/1,620 images/);
  }, 240_000);
});

/** Pixels of the chart that are not its ground. */
function inked(chart: ReturnType<Page['getByRole']>): Promise<number> {
  return chart.locator('canvas').evaluate((found) => {
    const canvas = found as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at]! > 128) count += 1;
    return count;
  });
}
