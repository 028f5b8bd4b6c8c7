/** What a person reads when something is wrong, in a real browser against a served core: which file, what happened to it, what to do, and that it can be copied. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { writeNoisePictures } from '../support/noisePictures.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { mountProblem, mountSmallDisk } from '../support/smallDisk.ts';
import { smallModelPreprocessing, writeSmallModel } from '../support/smallModel.ts';
import { dataPath, describeWhere, describeWhereAllowed } from '../support/testData.ts';

const bad = ['models/bad/html-saved-as-caffemodel/age_net.caffemodel', 'models/bad/lfs-pointer/squeezenet1.1-7.onnx', 'models/bad/unknown-op/noisy_relu.onnx'] as const;
const [html, pointer, unknown] = bad.map(dataPath) as [string, string, string];

describeWhere('what goes wrong, in a browser', reasonAgainstBrowser(bad), () => {
  const home = temporaryFolder('failure-views');
  const images = join(home, 'images');
  const model = join(home, 'small.onnx');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  const alert = (): Locator => page.getByRole('alert').first();
  const request = { modelPath: model, preprocessing: smallModelPreprocessing, engine: 'onnxruntime', device: 'cpu', batch: 1 } as const;
  /** The core refuses what is asked for with a status that the browser notes: that is no fault of the page. */
  const expected = (problem: string): boolean => /^console: Failed to load resource: the server responded with a status of (404|409|422)/.test(problem) || /^(404|409|422) /.test(problem);

  async function report(path: string): Promise<string> {
    await page.goto(`${workbench.origin}/import?model=${encodeURIComponent(path)}`);
    await alert().waitFor();
    return alert().innerText();
  }

  beforeAll(async () => {
    writeSmallModel(model);
    await writeNoisePictures(images, 24);
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'en-US', colorScheme: 'light', permissions: ['clipboard-read', 'clipboard-write'] });
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

  it.each([
    ['a web page saved as a model', html, 'age_net.caffemodel', /web page|HTML/],
    ['a pointer of git LFS', pointer, 'squeezenet1.1-7.onnx', /LFS/],
    ['a file that is not there', join(home, 'gone.onnx'), 'gone.onnx', /not (there|found)|does not exist|no (such )?file/i],
  ])('names %s, says what it is, and can be copied', async (_, path, file, why) => {
    const said = await report(path);
    expect(said).toContain(file);
    expect(said).toMatch(why);
    await alert().getByRole('button', { name: /^Copy/ }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain(file);
  });

  it('says it in Korean to who reads Korean, with the file, and keeps the English sentence for reports', async () => {
    const korean = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'ko-KR', permissions: ['clipboard-read', 'clipboard-write'] });
    try {
      const own = await korean.newPage();
      await own.goto(workbench.address);
      await own.goto(`${workbench.origin}/import?model=${encodeURIComponent(join(home, 'gone.onnx'))}`);
      const said = own.getByRole('alert').first();
      await expect.poll(() => said.innerText()).toContain(`파일 ${join(home, 'gone.onnx')}이(가) 없습니다. 경로를 확인하세요.`);
      await said.getByRole('button', { name: '자세한 내용 복사' }).click();
      const copied = (): Promise<string> => own.evaluate(() => navigator.clipboard.readText());
      await expect.poll(copied).toContain(`There is no file ${join(home, 'gone.onnx')}. Check the path.`);
      expect(await copied()).toContain('이(가) 없습니다');
    } finally {
      await korean.close();
    }
  });

  it('names the operator that nobody knows, and starts nothing', async () => {
    await page.goto(`${workbench.origin}/import?model=${encodeURIComponent(unknown)}&images=${encodeURIComponent(images)}`);
    await page.getByText('NoisyRelu', { exact: false }).first().waitFor();
    const start = page.getByRole('button', { name: 'Start indexing' });
    expect((await start.count()) === 0 || (await start.isDisabled())).toBe(true);
  });

  it('says which image is broken, and why, beside those that are not', async () => {
    writeFileSync(join(images, 'torn.jpg'), 'no picture at all');
    const { index } = await workbench.client.indexing.start({ ...request, imagesPath: images });
    for await (const _ of await workbench.client.indexing.watch({ index }));
    await page.goto(`${workbench.origin}/w/${(await workbench.client.workspaces.current())!.id}/i/${index}/l/1`);
    await expect.poll(() => page.getByRole('region', { name: 'Index' }).innerText(), { timeout: 20_000 }).toMatch(/24 images/);
    await page.getByRole('button', { name: '1 skipped' }).click();
    const dialog = page.getByRole('dialog', { name: 'Skipped images' });
    await dialog.getByText('torn.jpg').waitFor();
    expect((await dialog.getByRole('definition').innerText()).length).toBeGreaterThan(10);
    await page.keyboard.press('Escape');
  });

  it('pauses where the image folder went, says so, and goes on when it is back', async () => {
    const folder = join(home, 'more images');
    await writeNoisePictures(folder, 400);
    const { jobId } = await workbench.client.indexing.start({ ...request, imagesPath: folder });
    renameSync(folder, `${folder} elsewhere`);
    await page.getByRole('button', { name: /^Jobs/ }).click();
    await page.getByText(`The image folder ${folder} is gone. Bring it back, then resume; nothing that was done is lost.`).waitFor();
    renameSync(`${folder} elsewhere`, folder);
    const row = page.getByRole('listitem').filter({ hasText: folder }).first();
    await row.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(async () => (await workbench.client.jobs.list()).find(({ id }) => id === jobId)?.state, { timeout: 60_000 }).toBe('done');
    await page.keyboard.press('Escape');
  });

  // Only root may mount a file system, and not in every container.
  describeWhereAllowed('on a full disk', mountProblem(home), () => {
    it('pauses with what to do, and the page lives on', async () => {
      const disk = mountSmallDisk(join(home, 'small disk'), '400k');
      try {
        await workbench.client.workspaces.create({ path: join(disk.path, 'w'), name: 'Small' });
        mkdirSync(join(home, 'many'), { recursive: true });
        await writeNoisePictures(join(home, 'many'), 300);
        await workbench.client.indexing.start({ ...request, imagesPath: join(home, 'many') });
        await page.goto(workbench.origin);
        await page.getByRole('button', { name: /^Jobs/ }).click();
        await page.getByText('the disk is full; free some space and resume', { exact: false }).first().waitFor({ timeout: 60_000 });
        await page.keyboard.press('Escape');
        await page.getByRole('link', { name: 'Settings' }).click();
        await page.getByRole('combobox', { name: 'Theme' }).waitFor();
      } finally {
        await workbench.client.workspaces.open({ path: join(home, 'workspace') });
        disk.remove();
      }
    });
  });

  it('had nothing else to say on the console', () => {
    expect(problems.filter((problem) => !expected(problem))).toEqual([]);
  });
});
