/**
 * Every view in both themes under axe (axe-core, WCAG 2.2 A and AA): contrast, names, roles, order, sizes of targets. A new view is a row of the table below.
 * What axe cannot see (that keys lead everywhere) the other tests in a browser walk through.
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
  { name: 'start', address: () => '/', ready: (page) => page.getByRole('heading', { level: 1 }).first().waitFor() },
  { name: 'workspace', address: ({ workspace }) => `/w/${workspace}`, ready: (page) => page.getByRole('link', { name: /squeezenet1\.1/ }).first().waitFor() },
  { name: 'settings', address: () => '/settings', ready: (page) => page.getByRole('combobox', { name: 'Theme' }).waitFor() },
  { name: 'atlas', address: (at) => atlas(at, '/l/3'), ready: (page) => page.getByRole('link', { name: /^Channel \d+, / }).first().waitFor() },
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
  { name: 'compare', address: ({ workspace, index }) => `/w/${workspace}/compare?left=${index}/3/1&right=${index}/4`, ready: (page) => page.getByText(/^correlation /).waitFor() },
  { name: 'compare without a choice that is there', address: ({ workspace, index }) => `/w/${workspace}/compare?left=nothere1/1&right=${index}/1`, ready: (page) => page.getByRole('heading', { name: 'Not found' }).waitFor() },
  { name: 'one image', address: (at) => atlas(at, '/image/2?layer=3'), ready: (page) => page.getByRole('heading', { name: /\.\w+$/ }).waitFor() },
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
  { name: 'weights of the first layer', address: (at) => atlas(at, '/l/1/weights'), ready: (page) => page.getByRole('link', { name: /^Filter 0, / }).waitFor() },
  { name: 'train', address: ({ workspace }) => `/w/${workspace}/train`, ready: (page) => page.getByText('None in this workspace yet.').waitFor() },
  { name: 'evolution', address: ({ workspace }) => `/w/${workspace}/evolution`, ready: (page) => page.getByText('None yet. A folder of checkpoints makes the first.').waitFor() },
  { name: 'diagnostics', address: ({ workspace, index }) => `/w/${workspace}/diagnostics?model=index:${index}&against=index:${index}`, ready: (page) => page.getByRole('heading', { name: 'Use of the channels' }).waitFor() },
  { name: 'weights of a deeper layer', address: (at) => atlas(at, '/l/8/weights'), ready: (page) => page.getByRole('link', { name: /^Filter 0, / }).waitFor() },
];

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
