/**
 * Two networks side by side on the same images, in a browser against a served core and on the command line: partners as the plain twin has them, linked selection, what differs, an address that
 * brings it all back, and the states where there is nothing to compare.
 */
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Comparison } from '../../src-main/services/compare.ts';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { readNpy } from '../support/npy.ts';
import { squeezenet } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const alexnet = 'models/alexnet-conv1-pool5.onnx';
const pictures = 'photos/cifar10-test';
const images = 30;

describeWhere('compare', reasonAgainstBrowser([squeezenet, alexnet, pictures]), () => {
  const home = temporaryFolder('compare');
  const folder = join(home, 'workspace');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let page: Page;
  let workspace: string;
  const ids = { alexnet: '', squeezenet: '', bare: '' };

  beforeAll(async () => {
    for (const name of ['airplane', 'frog', 'horse']) {
      mkdirSync(join(home, 'images', name), { recursive: true });
      for (const file of readdirSync(dataPath(`${pictures}/${name}`)).sort().slice(0, images / 3)) symlinkSync(dataPath(`${pictures}/${name}/${file}`), join(home, 'images', name, file));
    }
    const index = async (model: string, layers: string, ...more: readonly string[]) => (await runForJson<{ index: string }>(home, 'index', '--workspace', folder, '--model', dataPath(model), '--images', join(home, 'images'), '--layers', layers, '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '8', ...more)).index;
    ids.bare = await index(squeezenet, 'squeezenet0_conv0_relu', '--matrix', 'none', '--top', '3');
    ids.squeezenet = await index(squeezenet, 'squeezenet0_conv0_relu,squeezenet0_conv1_relu');
    ids.alexnet = await index(alexnet, 'relu1');
    workbench = await serveWorkbench(home, '--workspace', folder);
    workspace = (await workbench.client.workspaces.current())!.id;
    browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'light', reducedMotion: 'reduce' });
    context.setDefaultTimeout(20_000);
    page = await context.newPage();
    watchPage(page, problems);
    await page.goto(workbench.address);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const address = (left: string, right: string): string => `${workbench.origin}/w/${workspace}/compare?left=${left}&right=${right}`;
  const sides = (left: readonly [string, number], right: readonly [string, number]) => ({ left: { index: left[0], layer: left[1] }, right: { index: right[0], layer: right[1] } });
  /** A shared machine may be slow. */
  const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 20_000 });
  const chosen = (side: string) => page.getByRole('listbox', { name: `Channels, ${side}` }).getByRole('option', { selected: true });

  it('finds the partners that the score matrices say, on the command line too', async () => {
    const found = await workbench.client.compare.channels(sides([ids.alexnet, 1], [ids.squeezenet, 1]));
    if (found.kind !== 'compared') throw new Error(found.message);
    expect([found.images, found.left.length, found.right.length]).toEqual([images, 96, 64]);
    const [a, b] = await Promise.all([ids.alexnet, ids.squeezenet].map(async (id) => columns(await readNpy(join(folder, 'activations', id, '0001.npy')))));
    for (const { channel, partner, correlation } of found.left.filter((each) => each.channel % 7 === 0)) {
      const all = b!.map((other) => pearson(a![channel]!, other));
      if (partner === null) {
        expect(all.every(Number.isNaN)).toBe(true);
        continue;
      }
      const best = all.reduce((at, value, i) => (Number.isNaN(value) || value <= all[at]! ? at : i), all.findIndex((value) => !Number.isNaN(value)));
      expect(correlation).toBeCloseTo(all[best]!, 4);
      expect(all[partner]).toBeCloseTo(all[best]!, 5);
    }
    const printed = await runForJson<Comparison>(home, 'compare', '--workspace', folder, '--left', ids.alexnet, '--left-layer', 'conv1', '--right', ids.squeezenet, '--right-layer', 'squeezenet0_conv0');
    expect(printed).toEqual(found);
    const bad = await runCommand(home, 'compare', '--workspace', folder, '--left', ids.bare, '--left-layer', 'squeezenet0_conv0', '--right', ids.squeezenet);
    expect([bad.code, bad.stderr]).toEqual([1, `switchback: The index of squeezenet1.1 (${ids.bare}) keeps no scores: only its 3 hits per channel are known. Index the folder again with the score matrix to compare.\n`]);
  }, 60_000);

  it('suggests two models, and links what is chosen left to its best match right', async () => {
    await page.goto(`${workbench.origin}/w/${workspace}/compare`);
    await page.waitForURL(new RegExp(`left=${ids.alexnet}(%2F|/)1(%2F|/)\\d+&right=${ids.squeezenet}(%2F|/)1(%2F|/)\\d+`));
    const { client } = workbench;
    const found = await client.compare.channels(sides([ids.alexnet, 1], [ids.squeezenet, 1]));
    if (found.kind !== 'compared') throw new Error(found.message);
    const best = [...found.left].sort((x, y) => (y.correlation ?? -2) - (x.correlation ?? -2))[0]!;
    await page.getByRole('region', { name: `conv1, channel ${best.channel} beside squeezenet0_conv0, channel ${best.partner}` }).waitFor();
    await soon(() => chosen('Right').innerText()).toContain(String(best.partner));
    await page.getByText(`correlation ${best.correlation!.toFixed(3)}`).waitFor();
    expect(await page.getByText('The left one likes more').count()).toBe(1);
    const differences = await client.compare.differences({ left: { index: ids.alexnet, layer: 1, channel: best.channel }, right: { index: ids.squeezenet, layer: 1, channel: best.partner! }, limit: 24 });
    expect(await page.locator('.difference-list').first().getByRole('listitem').first().innerText()).toContain(differences.leftMore[0]!.image);
  });

  it('is walked with the keyboard, from either side, and its address brings it back', async () => {
    const left = page.getByRole('listbox', { name: 'Channels, Left' });
    await left.focus();
    const before = await chosen('Left').innerText();
    await page.keyboard.press('ArrowDown');
    await soon(() => chosen('Left').innerText()).not.toBe(before);
    await page.getByRole('radio', { name: 'Right' }).check({ force: true });
    await page.getByRole('listbox', { name: 'Channels, Right' }).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('region', { name: / beside / }).getByText(/correlation -?\d/).waitFor();
    const shown = await page.getByRole('region', { name: / beside / }).getAttribute('aria-label');
    await page.reload();
    await page.getByRole('region', { name: shown! }).waitFor();
    await page.getByRole('button', { name: 'Swap the sides' }).click();
    await page.waitForURL(new RegExp(`left=${ids.squeezenet}`));
    await page.getByRole('region', { name: / beside conv1, channel/ }).waitFor();
  });

  it('says what is missing where there is nothing to compare', async () => {
    await page.goto(address(`${ids.bare}/1`, `${ids.squeezenet}/1`));
    await page.getByRole('heading', { name: 'No scores are kept' }).waitFor();
    await page.getByText('keeps no scores: only its 3 hits per channel are known.').waitFor();
    expect(problems).toEqual([]);
    await page.goto(address('gone1234/1', `${ids.squeezenet}/1`));
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    problems.length = 0;
  });
});

function columns({ shape, data }: { readonly shape: readonly number[]; readonly data: ArrayLike<number> }): readonly (readonly number[])[] {
  const [rows, channels] = [shape[0]!, shape[1]!];
  return Array.from({ length: channels }, (_, channel) => Array.from({ length: rows }, (__, row) => data[row * channels + channel]!));
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0);
  const both = Math.sqrt(sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2));
  return both > 0 ? sum((i) => (a[i]! - ma) * (b[i]! - mb)) / both : NaN;
}
