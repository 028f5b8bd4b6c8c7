/**
 * Maps in a browser against a served core, on few pictures of ten classes: one is made from the form, coloured, looked through by keys, chosen from by class, by box and by drawing; the channels of what was
 * chosen are those that the core names; two maps beside each other share what is chosen; nearest images; an address that brings it all back; WebGL and plain pixels draw the same; and the states where
 * something is missing.
 */
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, reasonAgainstBrowser, shownPictures, watchPage } from '../support/browser.ts';
import { runForJson, temporaryFolder } from '../support/commandLine.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const network = 'models/caffe/cifar10-v1/cifar10_full_iter_60000.caffemodel';
const pictures = 'photos/cifar10-test';
const perClass = 4;
const images = 10 * perClass;

describeWhere('the map', reasonAgainstBrowser([network, pictures]), () => {
  const home = temporaryFolder('map-view');
  const folder = join(home, 'workspace');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let workspace: string;
  let index: string;
  /** Of the first map, made by the form. */
  let made = '';

  const surface = (at = 0) => page.getByRole('application').nth(at);
  const chosenTitle = () => page.getByRole('heading', { name: / chosen$/ });

  beforeAll(async () => {
    for (const name of readdirSync(dataPath(pictures)).filter((each) => !each.includes('.'))) {
      mkdirSync(join(home, 'images', name), { recursive: true });
      for (const file of readdirSync(dataPath(`${pictures}/${name}`)).sort().slice(0, perClass)) symlinkSync(dataPath(`${pictures}/${name}/${file}`), join(home, 'images', name, file));
    }
    index = (await runForJson<{ index: string }>(home, 'index', '--workspace', folder, '--model', dataPath(network), '--images', join(home, 'images'), '--order', 'rgb', '--mean', '125.3,123.0,113.9', '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '10')).index;
    workbench = await serveWorkbench(home, '--workspace', folder);
    workspace = (await workbench.client.workspaces.current())!.id;
    browser = await openBrowser('--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--force-color-profile=srgb');
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', colorScheme: 'dark', reducedMotion: 'reduce' });
    context.setDefaultTimeout(30_000);
    page = await context.newPage();
    watchPage(page, problems);
    await page.goto(workbench.address);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('is made from the form, which says what a method keeps, and is drawn with a colour for each class', async () => {
    await page.goto(`${workbench.origin}/w/${workspace}/map`);
    await page.getByText('No map yet.').waitFor();
    await page.getByText('Features are computed first: 40 × 64 values').waitFor();
    await page.getByText('Distances between groups and their sizes mean little').waitFor();
    await page.getByRole('radio', { name: /^PCA/ }).check();
    await page.getByRole('button', { name: 'Make the map' }).click();
    await page.waitForURL(/\/map\/[a-z0-9]+$/);
    made = page.url().split('/').at(-1)!;
    for (const name of ['airplane', 'frog', 'truck']) await page.getByRole('button', { name: `${name} ${perClass}`, exact: true }).waitFor();
    await surface().waitFor();
    expect(await surface().getAttribute('aria-label')).toBe('conv3, PCA, 40 images');
    await page.getByText('About this map').click();
    await page.getByText('Variance').waitFor();
  });

  it('is looked through by keys: a point, what it is, and what lies nearest to it', async () => {
    await surface().focus();
    await page.keyboard.press('ArrowRight');
    const card = page.locator('.map-surface .name');
    await card.filter({ hasText: /^[a-z]+\/\d+\.jpg$/ }).waitFor();
    const name = (await card.textContent())!;
    await page.keyboard.press('Enter');
    const panel = page.getByRole('region', { name: 'The chosen image' });
    await panel.getByRole('heading', { name }).waitFor();
    await panel.getByText('Taken for').waitFor();
    await panel.getByRole('button', { name: /\.jpg/ }).first().waitFor();
    const [point] = await workbench.client.map.points({ map: made, images: [Number((await panel.getByRole('link', { name: 'Image', exact: true }).getAttribute('href'))!.split('/').at(-1))] });
    expect(point?.image).toBe(name);
    const answer = await workbench.client.map.neighbours({ index, layer: 'relu3', picture: `image-${point!.imageNumber}`, k: 12 });
    const shown = await panel.locator('.image-tiles button').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('title')));
    expect(shown).toEqual(answer.features.map(({ image, className }) => `${image}, ${className}`));
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
  });

  it('names the channels that a chosen class excites most, as the core does, each with its way into the atlas', async () => {
    await page.getByRole('button', { name: 'Choose the images of frog' }).click();
    await page.getByRole('heading', { name: '4 images chosen' }).waitFor();
    const channels = page.locator('.chosen-panel ol a');
    await channels.first().waitFor();
    const layer = (await workbench.client.indexing.layers({ index })).findLast(({ kind }) => kind === 'conv')!.number;
    const rows = await workbench.client.map.points({ map: made, images: Array.from({ length: images }, (_, image) => image) });
    const frogs = rows.filter(({ className }) => className === 'frog').map(({ imageNumber }) => imageNumber);
    const { channels: expected } = await workbench.client.map.excited({ index, layer, images: frogs });
    const shown = await channels.evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    expect(shown).toEqual(expected.map(({ channel }) => `/w/${workspace}/i/${index}/l/${layer}/c/${channel}`));
    await page.getByRole('button', { name: 'Colour', exact: true }).first().click();
    await page.waitForURL((url) => url.search === `?colour=channel&layer=${layer}&channel=${expected[0]!.channel}`);
    await page.locator('.map-legend .scale').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
  });

  it('chooses by a box with keys, by drawing, adds with Shift and takes away with Alt', async () => {
    await surface().focus();
    await page.keyboard.press('b');
    await page.getByText('Enter chooses what is in it').waitFor();
    for (let press = 0; press < 20; press++) await page.keyboard.press('ArrowLeft');
    for (let press = 0; press < 20; press++) await page.keyboard.press('ArrowUp');
    for (let press = 0; press < 50; press++) await page.keyboard.press('Shift+ArrowRight');
    for (let press = 0; press < 50; press++) await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '40 images chosen' }).waitFor();
    await page.getByText('All images are chosen').waitFor();
    const box = (await surface().boundingBox())!;
    const draw = async (from: number, to: number, key?: string): Promise<void> => {
      if (key) await page.keyboard.down(key);
      await page.mouse.move(box.x + from, box.y + 2);
      await page.mouse.down();
      for (const [x, y] of [[to, 2], [to, box.height - 4], [from, box.height - 4], [from, 2]] as const) await page.mouse.move(box.x + x, box.y + y, { steps: 3 });
      await page.mouse.up();
      if (key) await page.keyboard.up(key);
    };
    const count = async (): Promise<number> => Number((await chosenTitle().textContent())!.split(' ')[0]);
    await page.locator('label', { hasText: /^\s*Choose\s*$/ }).click();
    await draw(2, box.width / 2);
    await expect.poll(count).toBeLessThan(images);
    const left = await count();
    await draw(box.width / 2, box.width - 60, 'Shift');
    await expect.poll(count).toBeGreaterThan(left);
    await draw(2, box.width / 2, 'Alt');
    await expect.poll(count).toBeLessThan(images - left + 1);
    await page.keyboard.press('Escape');
    await chosenTitle().waitFor({ state: 'hidden' });
  });

  it('shows two maps of the same images with what is chosen in both, and comes back by its address', async () => {
    const { map: other } = await workbench.client.map.start({ subject: { kind: 'images', index, layer: 'relu2' }, method: { kind: 'pca' } });
    for await (const _ of await workbench.client.map.watch({ map: other }));
    await page.goto(`${workbench.origin}/w/${workspace}/map/${made}?beside=${other}&colour=error&view=mosaic`);
    await surface(1).waitFor();
    expect(await page.getByRole('application').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))).toEqual(['conv3, PCA, 40 images', 'conv2, PCA, 40 images']);
    await page.getByRole('button', { name: 'Choose the images of wrong' }).waitFor();
    // Enter on a cell of the second map asks about that image; the first map's panel shows it.
    await surface(1).focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.map-surface .name').filter({ hasText: '.jpg' }).first().waitFor();
    await page.keyboard.press(' ');
    await page.getByRole('heading', { name: '1 image chosen' }).waitFor();
    await page.reload();
    await surface(1).waitFor();
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ beside: other, colour: 'error', view: 'mosaic' });
    expect(await page.getByRole('radio', { name: 'Mosaic' }).isChecked()).toBe(true);
  });

  it('draws the same points by WebGL and by plain pixels', async () => {
    const pictureOf = async (isCard: boolean): Promise<Buffer> => {
      const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', colorScheme: 'dark', reducedMotion: 'reduce' });
      if (isCard) await own.addInitScript(hideCardName);
      // Points alone: their pictures, which are the same in both, never come.
      await own.route(/\/media\/thumbnails\//, () => undefined);
      const looking = await own.newPage();
      await looking.goto(workbench.address);
      await looking.goto(`${workbench.origin}/w/${workspace}/map/${made}`);
      await looking.getByRole('button', { name: 'frog 4', exact: true }).waitFor();
      // The canvas says nothing when it is painted.
      await looking.waitForTimeout(1500);
      expect(await looking.locator('.map-surface canvas').first().evaluate((canvas: HTMLCanvasElement) => canvas.getContext('2d') === null)).toBe(isCard);
      const box = (await looking.locator('.map-surface').boundingBox())!;
      const picture = await looking.screenshot({ clip: { ...box, width: box.width - 60, height: box.height - 60 } });
      await own.close();
      return sharp(picture).removeAlpha().blur(2).raw().toBuffer();
    };
    const [pixels, card] = [await pictureOf(false), await pictureOf(true)];
    expect(pixels.length).toBe(card.length);
    expect(pixels.reduce((most, value, at) => Math.max(most, Math.abs(value - card[at]!)), 0)).toBeLessThan(64);
    // Forty points, not an empty map.
    expect(pixels.filter((value) => value > 60).length).toBeGreaterThan(300);
  });

  it('finds the nearest images by features beside those by pixels, once the features are there', async () => {
    await page.goto(`${workbench.origin}/w/${workspace}/neighbours?index=${index}&picture=image-12&layer=conv1`);
    await page.getByText('The features of this layer are not there yet').waitFor();
    problems.splice(0, problems.length, ...problems.filter((problem) => !/422/.test(problem)));
    await page.getByRole('button', { name: 'Compute features' }).click();
    const lists = { features: page.getByRole('region', { name: 'By what the layer makes of them' }), pixels: page.getByRole('region', { name: 'By their pixels' }) };
    await lists.features.getByRole('button').first().waitFor();
    const answer = await workbench.client.map.neighbours({ index, layer: 'conv1', picture: 'image-12', k: 24 });
    for (const kind of ['features', 'pixels'] as const) {
      const shown = await lists[kind].getByRole('button').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('title')));
      expect(shown, kind).toEqual(answer[kind].map(({ image, className }) => `${image}, ${className}`));
    }
    await expect.poll(() => shownPictures(page, '.image-tiles img')).toBeGreaterThan(20);
    const given = dataPath(`${pictures}/ship/${readdirSync(dataPath(`${pictures}/ship`)).sort()[0]!}`);
    await page.locator('input[type=file]').setInputFiles(given);
    await page.waitForURL(/picture=given-[0-9a-f]{32}/);
    await lists.pixels.getByRole('button').first().waitFor();
  });

  it('waits for its job, which can be called off and gone on with, draws what it makes, and says where a map is gone', async () => {
    // One after the other, so that the last one is still to come when the page opens.
    const started: string[] = [];
    for (const seed of [1, 2, 3, 4, 5]) started.push((await workbench.client.map.start({ subject: { kind: 'images', index, layer: 'relu3' }, method: { kind: 'tsne', perplexity: 5, iterations: 10_000 }, seed })).map);
    const map = started.at(-1)!;
    await page.goto(`${workbench.origin}/w/${workspace}/map/${map}`);
    await page.getByText(/^queued · /).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/^cancelled · /).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    // Without anything more from the person: the layout comes, and what tells of the job goes.
    await page.getByRole('application', { name: 'conv3, t-SNE, 40 images' }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'frog 4', exact: true }).waitFor();
    await page.goto(`${workbench.origin}/w/${workspace}/map`);
    const newest = page.getByRole('link', { name: /^conv3, t-SNE/ }).first();
    const deleted = (await newest.getAttribute('href'))!.split('/').at(-1)!;
    await page.getByRole('button', { name: 'Delete the map conv3, t-SNE' }).first().click();
    await page.getByRole('button', { name: 'Delete map' }).click();
    await expect.poll(() => page.getByRole('link', { name: /^conv3, t-SNE/ }).count()).toBe(4);
    await page.goto(`${workbench.origin}/w/${workspace}/map/${deleted}`);
    await page.getByRole('alert').getByRole('link', { name: 'Maps' }).waitFor();
    problems.splice(0, problems.length, ...problems.filter((problem) => !/422|404/.test(problem)));
  });

  it('had nothing to say on the console, and no picture was asked for twice', () => {
    expect(problems).toEqual([]);
  });
});

/** In the page: the processor that plays a graphics card is not known for it. */
function hideCardName(): void {
  const original = WebGL2RenderingContext.prototype.getExtension as (this: WebGL2RenderingContext, name: string) => unknown;
  WebGL2RenderingContext.prototype.getExtension = function (this: WebGL2RenderingContext, name: string) {
    return name === 'WEBGL_debug_renderer_info' ? null : original.call(this, name);
  } as typeof WebGL2RenderingContext.prototype.getExtension;
}
