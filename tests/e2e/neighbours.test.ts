/**
 * Nearest images in a browser against a core whose limit for looking at every image is lowered to ten: pictures that are dropped, and what cannot be one; the index of neighbours from its offer to its
 * answers; and a pack that brings maps and features, opened without model and images.
 */
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { placeOf } from '../../src-main/core/place.ts';
import { startServer, type RunningServer } from '../../src-main/core/server.ts';
import type { Services } from '../../src-main/services/services.ts';
import { openBrowser, reasonAgainstBrowser, shownPictures, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { indexMapNetwork, writeMapNetwork } from '../support/mapNetwork.ts';
import { openServices } from '../support/openServices.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

interface Dropped {
  readonly name: string;
  readonly type: string;
  readonly base64?: string;
  /** Zeros instead. */
  readonly bytes?: number;
}

describeWhere('nearest images', reasonAgainstBrowser([]), () => {
  const home = temporaryFolder('neighbours-view');
  const token = 'a'.repeat(48);
  const problems: string[] = [];
  let services: Services;
  let server: RunningServer;
  let browser: Browser;
  let page: Page;
  let index: string;

  const origin = () => `http://127.0.0.1:${server.port}`;
  const place = (query: string) => `${origin()}/w/${services.workspaces.current()!.id}/neighbours?index=${index}&layer=second&${query}`;
  const lists = { features: () => page.getByRole('region', { name: 'By what the layer makes of them' }), pixels: () => page.getByRole('region', { name: 'By their pixels' }) };
  const picture = (name: string): Dropped => ({ name: name.split('/').at(-1)!, type: 'image/png', base64: readFileSync(join(home, 'images', name)).toString('base64') });

  async function drop(...files: readonly Dropped[]): Promise<void> {
    await page.locator('main.neighbours').evaluate((target, dropped) => {
      const transfer = new DataTransfer();
      for (const { name, type, base64, bytes } of dropped) {
        const content = base64 === undefined ? new Uint8Array(bytes ?? 0) : Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
        transfer.items.add(new File([content], name, { type }));
      }
      for (const kind of ['dragenter', 'dragover', 'drop']) target.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, files);
  }

  beforeAll(async () => {
    await writeMapNetwork(home);
    services = await openServices(home, join(home, 'work'), { neighbourLimits: { mostExactRows: 10, mostBytes: 1e9 } });
    index = await indexMapNetwork(services, home);
    const { queue } = services.workspaces.required();
    const { jobId } = await services.maps.start({ subject: { kind: 'images', index, layer: 'second', pooling: 'mean' }, method: { kind: 'umap', neighbours: 5, minDistance: 0.1, epochs: 50 }, metric: 'l2', seed: 3 });
    await queue.ended(jobId!);
    const { interfaceFolder } = placeOf(pathToFileURL(join(repositoryRoot, 'src-main/cli/main.ts')).href);
    server = await startServer({ services, token, interfaceFolder, port: 0 });
    browser = await openBrowser('--use-angle=swiftshader', '--enable-unsafe-swiftshader');
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', reducedMotion: 'reduce' });
    context.setDefaultTimeout(30_000);
    page = await context.newPage();
    watchPage(page, problems);
    await page.goto(`${origin()}/?token=${token}`);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await services?.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('are found for a picture that is dropped on the view', async () => {
    await page.goto(place('picture=image-3'));
    await lists.features().getByRole('button').first().waitFor();
    await drop(picture('dog/2.png'));
    await page.waitForURL(/picture=given-[0-9a-f]{32}/);
    await page.getByText('2.png', { exact: true }).waitFor();
    for (const list of [lists.features(), lists.pixels()]) expect(await list.getByRole('button').first().getAttribute('title')).toBe('dog/2.png, dog');
    await expect.poll(() => shownPictures(page, '.image-tiles img')).toBeGreaterThan(40);
    expect(problems).toEqual([]);
  });

  it('say what was dropped that is no picture, is too large or is broken, and of several look at the first', async () => {
    const before = page.url();
    const alert = page.getByRole('alert');
    await drop({ name: 'words.txt', type: 'text/plain', base64: btoa('no picture') });
    await alert.getByText('words.txt is not a picture. Give a JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP file.').waitFor();
    await drop({ name: 'a.txt', type: 'text/plain' }, { name: 'b.onnx', type: '' });
    await alert.getByText('None of the 2 files is a picture.').waitFor();
    await drop({ name: 'huge.png', type: 'image/png', bytes: 64 * 2 ** 20 + 1 });
    await alert.getByText('huge.png is larger than 64 MB. Give a smaller picture.').waitFor();
    await drop({ name: 'broken.png', type: 'image/png', base64: btoa('no picture either') });
    await alert.getByText(/^broken\.png: /).waitFor();
    expect(page.url()).toBe(before);
    problems.splice(0, problems.length, ...problems.filter((problem) => !/422|400/.test(problem)));
    await drop({ name: 'words.txt', type: 'text/plain' }, picture('cat/1.png'), picture('bee/1.png'));
    await page.getByText('3 files were given. Only 1.png is looked at.').waitFor();
    await expect.poll(() => lists.pixels().getByRole('button').first().getAttribute('title')).toBe('cat/1.png, cat');
    expect([await alert.count(), problems]).toEqual([0, []]);
  });

  it('are found through an index, which says beforehand what it costs and afterwards that it was asked', async () => {
    await page.goto(place('picture=image-11'));
    await page.getByText('Every one of 40 images was looked at.').waitFor();
    await page.getByText(/^An index of neighbours finds them without looking at every image, nearly all of the true nearest\. Building it takes about 1 .* once and [\d.]+ KiB on the disk\.$/).waitFor();
    const exact = await lists.features().getByRole('button').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('title')));
    await page.getByRole('button', { name: 'Build index of neighbours' }).click();
    await page.getByText('By features: found through an index among 40 images, nearly all of the true nearest. By pixels: every one was looked at.').waitFor();
    expect(await page.getByRole('button', { name: 'Build index of neighbours' }).count()).toBe(0);
    expect(await lists.features().getByRole('button').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('title')))).toEqual(exact);
    const [job] = await services.jobs.list();
    expect([job!.kind, job!.state]).toEqual(['neighbours', 'done']);
    expect(problems).toEqual([]);
  });

  it('and maps are in a pack, which names the size of its parts, and opens without model and images', async () => {
    const work = services.workspaces.current()!;
    await page.goto(`${origin()}/w/${work.id}`);
    await page.getByRole('button', { name: 'Pack…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/^Together\s*about [\d,.]+ KiB$/).waitFor();
    expect(await dialog.getByRole('checkbox', { name: '1 map with small pictures of its images' }).isChecked()).toBe(true);
    await dialog.getByRole('checkbox', { name: 'Features of layers, to find nearest images' }).check();
    const file = join(home, 'packed.switchback');
    await dialog.getByLabel('File to write').fill(file);
    await dialog.getByRole('button', { name: 'Pack', exact: true }).click();
    await dialog.getByText(/maps: 1, experiments: 0\./).waitFor();
    expect(statSync(file).isFile()).toBe(true);
    renameSync(join(home, 'images'), join(home, 'images-away'));
    renameSync(join(home, 'net.onnx'), join(home, 'net-away.onnx'));
    const { id } = await services.workspaces.open(file);
    await page.goto(`${origin()}/w/${id}/map`);
    await page.getByRole('link', { name: /^conv2, UMAP/ }).click();
    await page.getByRole('application', { name: 'conv2, UMAP, 40 images' }).waitFor();
    await page.goto(place('picture=image-11'));
    await page.getByText('By features: found through an index among 40 images', { exact: false }).waitFor();
    await expect.poll(() => shownPictures(page, '.image-tiles img')).toBeGreaterThan(40);
    expect(await page.getByRole('button', { name: 'Open a picture…' }).count()).toBe(0);
    await expect.poll(() => shownPictures(page, '.seen img')).toBe(1);
    expect(problems).toEqual([]);
  });
});
