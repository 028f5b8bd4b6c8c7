/**
 * The atlas and the inspector in a browser, on small photographs in class folders: the drawn spine, orders and filters, the place that is remembered, the loupe, the channels that feed a channel,
 * the map of its hits, and the view of the weights. Nothing may appear on the console, and no request may fail.
 */
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { squeezenet } from '../support/photographs.ts';
import { eventually } from '../support/processes.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const pictures = 'photos/cifar10-test';
const classes = ['airplane', 'frog', 'ship', 'truck'];
const imagesOfClass = 8;

describeWhere('the atlas and the inspector', reasonAgainstBrowser([squeezenet, pictures]), () => {
  const home = temporaryFolder('inspector');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let index: string;
  let workspace: string;

  const address = (rest: string): string => `${workbench.origin}/w/${workspace}/i/${index}${rest}`;
  const cells = () => page.getByRole('list', { name: /^Channels of / }).getByRole('link');
  const unit = (name: string) => page.getByRole('region', { name });

  beforeAll(async () => {
    for (const name of classes) {
      mkdirSync(join(home, 'images', name), { recursive: true });
      for (const file of readdirSync(dataPath(`${pictures}/${name}`)).slice(0, imagesOfClass)) symlinkSync(dataPath(`${pictures}/${name}/${file}`), join(home, 'images', name, file));
    }
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    const { client } = workbench;
    const { preprocessing } = await client.models.inspect({ path: dataPath(squeezenet) });
    ({ index } = await client.indexing.start({ modelPath: dataPath(squeezenet), imagesPath: join(home, 'images'), preprocessing }));
    for await (const _ of await client.indexing.watch({ index }));
    workspace = (await client.workspaces.current())!.id;
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'dark' });
    context.setDefaultTimeout(20_000);
    context.on('page', (opened) => watchPage(opened, problems));
    page = await context.newPage();
    await page.goto(workbench.address);
  });

  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('draws the network with its branches, and the keyboard walks along the layers', async () => {
    await page.goto(address('/l/2'));
    const spine = page.getByRole('navigation', { name: 'Layers' });
    await spine.getByText('concat of 2').first().waitFor();
    expect(await spine.getByRole('link').count()).toBe(26);
    expect(await spine.getByText('max pool 3x3/2').count()).toBe(3);
    // A fire module: both of its branches are drawn as lanes beside each other.
    expect(await spine.locator('[data-layer="3"] circle').getAttribute('cx')).toBe('3.5');
    expect(await spine.locator('[data-layer="4"] circle').getAttribute('cx')).toBe('17.5');
    await spine.locator('[data-layer="2"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.waitForURL(/\/l\/3$/);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-layer'))).toBe('3');
    await page.keyboard.press('End');
    await page.waitForURL(/\/l\/26$/);
    await page.keyboard.press('Home');
    await page.waitForURL(/\/l\/1$/);
  });

  it('orders by the class that a channel tells apart, and says which', async () => {
    await page.goto(address('/l/25'));
    await choose('Order of the channels', 'Most selective');
    const first = cells().first();
    await eventually(async () => (/, (airplane|frog|ship|truck) (0\.9\d|1\.00)/.test((await first.getAttribute('aria-label')) ?? '') ? true : undefined), 'the most selective channel first');
    const { channels } = await workbench.client.scores.layerSelectivity({ index, layer: 25 });
    const best = channels.flatMap((each, channel) => (each ? [{ channel, deviations: each.deviations }] : [])).sort((a, b) => b.deviations - a.deviations || a.channel - b.channel)[0]!;
    expect(await first.getAttribute('data-channel')).toBe(String(best.channel));
    await choose('Order of the channels', 'By number');
  });

  it('filters by tag, by note and dead channels, and says what an empty list means', async () => {
    await page.goto(address('/l/3'));
    await workbench.client.notes.set({ place: { kind: 'channel', index, layer: 3, channel: 7 }, tags: ['stripes'], text: '' });
    await page.reload();
    await choose('Which channels are shown', 'With tags');
    await eventually(async () => ((await cells().count()) === 1 ? true : undefined), 'one channel with a tag');
    expect(await cells().first().getAttribute('aria-label')).toMatch(/^Channel 7, .*tags stripes$/);
    await page.getByText('1 of 64 channels').waitFor();
    await choose('Which channels are shown', 'With a note');
    await page.getByText('No channel of this layer has a note yet.').waitFor();
    await choose('Which channels are shown', 'Dead only');
    const dead = (await workbench.client.indexing.channels({ index, layer: 3 })).filter((each) => each.dead).length;
    await eventually(async () => ((await cells().count()) === dead ? true : undefined), `${dead} dead channels`);
    await choose('Which channels are shown', 'stripes');
    await eventually(async () => ((await cells().count()) === 1 ? true : undefined), 'the tag by its name');
    await choose('Which channels are shown', 'All channels');
  });

  it('keeps what is seen first when the window changes, and comes back to the place it was left at', async () => {
    await page.goto(address('/l/26'));
    await page.getByText('Patches', { exact: true }).click();
    const area = page.locator('.channel-grid');
    await cells().first().waitFor();
    await area.evaluate((grid) => (grid.scrollTop = 8000));
    const seenFirst = (): Promise<number> =>
      area.evaluate((grid) => {
        const top = grid.getBoundingClientRect().top;
        const seen = [...grid.querySelectorAll<HTMLElement>('[data-channel]')].filter((cell) => cell.getBoundingClientRect().top >= top - 60);
        return Math.min(...seen.map((cell) => Number(cell.dataset['channel'])));
      });
    const before = await eventually(async () => ((await seenFirst()) > 100 ? seenFirst() : undefined), 'a grid that is scrolled');
    await page.setViewportSize({ width: 1100, height: 720 });
    // A row holds fewer cells now: the one that was first is in the first row still.
    await eventually(async () => (Math.abs((await seenFirst()) - before) < 12 ? true : undefined), 'the same channels after a resize');
    await page.setViewportSize({ width: 1440, height: 900 });
    await eventually(async () => (Math.abs((await seenFirst()) - before) < 12 ? true : undefined), 'the same channels after another resize');
    const left = await seenFirst();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await page.goto(`${workbench.origin}/w/${workspace}`);
    await page.goto(address(''));
    await page.waitForURL(/\/l\/26$/);
    await eventually(async () => (Math.abs((await seenFirst()) - left) < 12 ? true : undefined), 'the place that was left');
    expect(await page.getByRole('radio', { name: 'Patches' }).isChecked()).toBe(true);
    await page.getByText('Both', { exact: true }).click();
  });

  it('opens a channel at a hit by its digit, and shows its pixels under a loupe that keys move', async () => {
    await page.goto(address('/l/8'));
    await cells().nth(3).focus();
    await page.keyboard.press('2');
    await page.waitForURL(/\/l\/8\/c\/3\?hit=2$/);
    const region = unit('squeezenet0_conv7, channel 3');
    await region.getByRole('button', { name: /^hit 2, /, pressed: true }).waitFor();
    await eventually(async () => ((await region.getByRole('img', { name: /as the network sees it/ }).count()) === 1 ? true : undefined), 'the whole input');
    await page.keyboard.press('z');
    const words = region.getByText(/^row \d+, column \d+colour \d+, \d+, \d+$/);
    const place = async () => /^row (\d+), column (\d+)/.exec((await words.textContent()) ?? '')!.slice(1).map(Number) as [number, number];
    const [row, column] = await place();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Shift+ArrowLeft');
    await eventually(async () => ((await place()).join() === [row + 1, Math.max(0, column - 10)].join() ? true : undefined), 'the loupe one pixel down and ten to the left');
    expect(page.url()).toMatch(/\/c\/3\?hit=2$/);
    await page.keyboard.press('Escape');
    await words.waitFor({ state: 'detached' });
    expect(page.url()).toMatch(/\/c\/3\?hit=2$/);
  });

  it('marks the hits in the histogram, and shows where they lie', async () => {
    const region = unit('squeezenet0_conv7, channel 3');
    await region.getByText('9 hits marked').waitFor();
    const map = region.getByRole('region', { name: 'Where the hits lie' });
    await map.getByText('Middles of the fields of 9 hits, input of 224 × 224').waitFor();
    expect(await map.getByRole('button').count()).toBe(9);
    await map.getByRole('button', { name: /^Hit 5, / }).dispatchEvent('click');
    await page.waitForURL(/hit=5$/);
  });

  it('names the channels that feed it by their weight, each a way to itself', async () => {
    const region = unit('squeezenet0_conv7, channel 3');
    const feeds = region.getByRole('region', { name: 'Channels that feed it' });
    await feeds.scrollIntoViewIfNeeded();
    const links = feeds.getByRole('link', { name: /^squeezenet0_conv[56] \d+ mostly (excites|inhibits) it: norm [\d.]+, sum −?-?[\d.]+$/ });
    await links.first().waitFor();
    expect(await links.count()).toBe(12);
    await feeds.getByText(/^12 of 128, \d\d% of the filter’s weight$/).waitFor();
    const { channels } = await workbench.client.weights.feeding({ index, layer: 8, channel: 3 });
    expect(channels[0]!.source).toMatchObject({ layer: expect.any(Number) as number });
    const { layer, channel } = channels[0]!.source!;
    await links.first().click();
    await page.waitForURL(new RegExp(`/l/${layer}/c/${channel}$`));
    await page.goto(address('/l/1/c/0'));
    const first = unit('squeezenet0_conv0, channel 0').getByRole('region', { name: 'Channels that feed it' });
    await first.scrollIntoViewIfNeeded();
    for (const colour of ['red', 'green', 'blue']) await first.getByText(colour, { exact: true }).waitFor();
  });

  it('opens the same place in a window of its own', async () => {
    const [opened] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: /new window/i }).click()]);
    await opened.getByRole('region', { name: 'squeezenet0_conv0, channel 0' }).waitFor();
    expect(opened.url()).not.toContain('token');
    await opened.close();
  });

  it('shows the first filters in colour, and says why deeper ones say little', async () => {
    await page.goto(address('/l/1'));
    await page.getByRole('link', { name: 'Weights' }).click();
    await page.waitForURL(/\/l\/1\/weights$/);
    await page.getByText('64 filters over 3 input channels, 3 × 3, stride 2×2.').waitFor();
    await page.getByText('Each tile is one filter in the colours that it answers to.').waitFor();
    expect(await page.getByRole('link', { name: /^Filter \d+, root mean square / }).count()).toBe(64);
    await page.getByText('Shared scale', { exact: true }).click();
    await page.getByText(/full contrast at a weight of ±[\d.]+ in all tiles/).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save PNG' }).click()]);
    expect(download.suggestedFilename()).toBe('squeezenet0_conv0-weights-shared.png');
    await page.keyboard.press(']');
    await page.waitForURL(/\/l\/2\/weights$/);
    await page.getByText(/Deeper filters read other channels, not pixels/).waitFor();
    await page.getByRole('link', { name: /^Filter 5, / }).click();
    await unit('squeezenet0_conv1, channel 5').waitFor();
  });

  it('had nothing to say on the console, and no request failed', () => {
    expect(problems).toEqual([]);
  });

  async function choose(label: string, option: string): Promise<void> {
    await page.getByRole('combobox', { name: label }).click();
    await page.getByRole('option', { name: new RegExp(`^${option}`) }).click();
  }
});
