/**
 * What views.test.ts does not open, in both themes under axe (axe-core, WCAG 2.2 A and AA: contrast, names, roles, order, sizes of targets): views that are empty, refused, or have something opened
 * over them. A new one is a row of the table below. What axe cannot see (that keys lead everywhere) the other tests in a browser walk through.
 */
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOf } from '../support/accessibility.ts';
import { openBrowser, reasonAgainstBrowser } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { squeezenet } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const pictures = 'photos/cifar10-test';
const classes = ['airplane', 'frog', 'ship'];
const imagesOfClass = 4;

/** What addresses are made of. */
interface Where {
  readonly workspace: string;
  readonly index: string;
}

interface View {
  readonly name: string;
  readonly address: (at: Where) => string;
  /** Waits until the view is what it should be when it is looked at. */
  readonly ready: (page: Page) => Promise<unknown>;
}

const atlas = ({ workspace, index }: Where, rest: string): string => `/w/${workspace}/i/${index}${rest}`;

const views: readonly View[] = [
  { name: 'atlas with nothing to show', address: (at) => atlas(at, '/l/99'), ready: (page) => page.getByText('No such layer').waitFor() },
  {
    name: 'inspector',
    address: (at) => atlas(at, '/l/8/c/3'),
    ready: async (page) => {
      const feeds = page.getByRole('region', { name: 'Channels that feed it' });
      await feeds.scrollIntoViewIfNeeded();
      await feeds.getByRole('link').first().waitFor();
    },
  },
  {
    name: 'inspector with its loupe',
    address: (at) => atlas(at, '/l/8/c/3?hit=2'),
    ready: async (page) => {
      await page.getByRole('button', { name: /^hit 2, /, pressed: true }).waitFor();
      await page.keyboard.press('z');
      await page.getByText(/colour \d+, \d+, \d+$/).waitFor();
    },
  },
  { name: 'compare without a choice that is there', address: ({ workspace, index }) => `/w/${workspace}/compare?left=nothere1/1&right=${index}/1`, ready: (page) => page.getByRole('heading', { name: 'Not found' }).waitFor() },
  {
    name: 'search',
    address: (at) => atlas(at, '/l/3'),
    ready: async (page) => {
      await page.getByRole('link', { name: /^Channel \d+, / }).first().waitFor();
      await page.keyboard.press('/');
      await page.getByRole('combobox', { name: 'Search and commands' }).fill('stripes');
      await page.getByRole('group', { name: 'Tags' }).getByRole('option').first().waitFor();
    },
  },
  {
    name: 'help',
    address: () => '/settings',
    ready: async (page) => {
      await page.getByRole('heading', { name: 'Storage' }).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('heading', { name: 'Projection methods' }).waitFor();
    },
  },
  {
    name: 'the guide and a message',
    address: (at) => atlas(at, '/l/3/c/1'),
    ready: async (page) => {
      await page.getByRole('combobox', { name: 'Add a tag…' }).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('button', { name: 'Show the first minute' }).click();
      await page.getByRole('region', { name: 'First minute' }).waitFor();
      const tag = page.getByRole('combobox', { name: 'Add a tag…' });
      await tag.fill(`tag ${String(Date.now())}`);
      await tag.press('Enter');
      await page.locator('.toast-text').first().waitFor();
    },
  },
  { name: 'train', address: ({ workspace }) => `/w/${workspace}/train`, ready: (page) => page.getByText('None in this workspace yet.').waitFor() },
  { name: 'evolution', address: ({ workspace }) => `/w/${workspace}/evolution`, ready: (page) => page.getByText('None yet. A folder of checkpoints makes the first.').waitFor() },
  { name: 'weights of a deeper layer', address: (at) => atlas(at, '/l/8/weights'), ready: (page) => page.getByRole('link', { name: /^Filter 0, / }).waitFor() },
  { name: 'image lab without a picture', address: ({ workspace, index }) => `/w/${workspace}/lab?model=${index}`, ready: (page) => page.getByText('No picture yet').waitFor() },
  { name: 'image lab, activations', address: ({ workspace, index }) => `/w/${workspace}/lab?model=${index}&image=image-0&layer=squeezenet0_conv2_relu`, ready: (page) => page.getByText(/^row \d+, column \d+ · activation/).waitFor() },
  { name: 'image lab, methods', address: ({ workspace, index }) => `/w/${workspace}/lab?model=${index}&image=image-0&layer=squeezenet0_conv2_relu&channel=3&tool=methods`, ready: (page) => page.getByRole('img', { name: /^Gradient of the nine hits/ }).waitFor() },
  ...(['saliency', 'segment', 'occlusion', 'ascend', 'adversarial'] as const).map((tool) => ({ name: `image lab, ${tool}`, address: ({ workspace, index }: Where) => `/w/${workspace}/lab?model=${index}&image=image-0&tool=${tool}`, ready: (page: Page) => page.locator('.caption').first().waitFor() })),
  { name: 'image lab, camera', address: ({ workspace, index }) => `/w/${workspace}/lab?model=${index}&image=image-0&tool=camera`, ready: (page) => page.getByRole('button', { name: 'Start the camera' }).waitFor() },
];

/** Small ones, so that each tool of the lab has something to show. */
const studies = [
  { kind: 'saliency', rows: ['gradient', 'gradientInput'] },
  { kind: 'segment', iterations: 1 },
  { kind: 'occlusion', stride: 112 },
  { kind: 'ascend', target: { kind: 'channel', layer: 'squeezenet0_conv2_relu', channel: 3 }, steps: 2, keepEvery: 1 },
  { kind: 'adversarial', target: 96, steps: 2 },
] as const;

describeWhere('accessibility', reasonAgainstBrowser([squeezenet, pictures]), () => {
  const home = temporaryFolder('accessibility');
  let workbench: ServedWorkbench;
  let browser: Browser;
  let where: Where;

  beforeAll(async () => {
    for (const name of classes) {
      mkdirSync(join(home, 'images', name), { recursive: true });
      for (const file of readdirSync(dataPath(`${pictures}/${name}`)).slice(0, imagesOfClass)) symlinkSync(dataPath(`${pictures}/${name}/${file}`), join(home, 'images', name, file));
    }
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    const { client } = workbench;
    const { preprocessing } = await client.models.inspect({ path: dataPath(squeezenet) });
    const { index } = await client.indexing.start({ modelPath: dataPath(squeezenet), imagesPath: join(home, 'images'), preprocessing });
    for await (const _ of await client.indexing.watch({ index }));
    where = { index, workspace: (await client.workspaces.current())!.id };
    await client.notes.set({ place: { kind: 'channel', index, layer: 3, channel: 1 }, tags: ['stripes'], text: 'See **channel 4** as well.' });
    for (const study of studies) {
      const { id } = await client.lab.start({ index, picture: 'image-0', study: structuredClone(study) as never });
      for await (const _ of await client.lab.watch({ id }));
    }
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  describe.each(['dark', 'light'] as const)('in the %s theme', (theme) => {
    let page: Page;
    beforeAll(async () => {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: theme, reducedMotion: 'reduce' });
      context.setDefaultTimeout(20_000);
      page = await context.newPage();
      await page.goto(workbench.address);
    });
    afterAll(() => page?.context().close());

    it.each(views)('$name', async ({ address, ready }) => {
      await page.goto(workbench.origin + address(where));
      await ready(page);
      expect(await violationsOf(page)).toEqual([]);
    });
  });
});
