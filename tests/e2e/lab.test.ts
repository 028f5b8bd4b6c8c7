/**
 * The image lab in a browser against a served core: a picture given in every way, each tool from its empty state to a result that its address brings back, the camera by a fake device, and the ways in
 * from the atlas. The networks are real, the settings small.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { runForJson, temporaryFolder } from '../support/commandLine.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWhere } from '../support/testData.ts';

const labels = 'labels/imagenet-synset-words.txt';
const layer = 'squeezenet0_conv2_relu';

describeWhere('image lab', reasonAgainstBrowser([squeezenet, photographs, labels]), () => {
  const home = temporaryFolder('lab');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let page: Page;
  let names: readonly string[];
  let index: string;
  let workspace: string;

  beforeAll(async () => {
    names = linkPhotographs(join(home, 'images'), 4);
    index = (await runForJson<{ index: string }>(home, 'index', '--workspace', join(home, 'workspace'), '--model', dataPath(squeezenet), '--images', join(home, 'images'), '--layers', layer, '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '4')).index;
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    workspace = (await workbench.client.workspaces.current())!.id;
    browser = await openBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'light', reducedMotion: 'reduce', permissions: ['camera', 'clipboard-read', 'clipboard-write'] });
    context.setDefaultTimeout(40_000);
    page = await context.newPage();
    watchPage(page, problems);
    await page.goto(workbench.address);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const lab = (query: string): string => `${workbench.origin}/w/${workspace}/lab?model=${index}${query}`;
  const run = (): Locator => page.getByRole('button', { name: 'Run', exact: true });
  const caption = (words: RegExp): Promise<void> => page.locator('.caption').filter({ hasText: words }).waitFor();
  const picture = (name: string | RegExp): Promise<void> => page.getByRole('img', { name }).first().waitFor();
  /** What a study has in the workspace: the screen shows nothing that the core does not know. */
  const shown = async () => workbench.client.lab.get({ id: new URL(page.url()).searchParams.get('result')! });
  const fill = (name: string, value: string): Promise<void> => page.getByLabel(name, { exact: true }).fill(value);

  it('is found from the workspace, and says what is missing before a picture is given', async () => {
    await page.goto(`${workbench.origin}/w/${workspace}`);
    await page.getByRole('link', { name: 'Image lab' }).click();
    await page.getByText('No picture yet').waitFor();
    await page.waitForURL(new RegExp(`lab\\?model=${index}`));
    await page.keyboard.press(']');
    await page.getByRole('tab', { name: 'Saliency', selected: true }).waitFor();
    expect(await run().isDisabled()).toBe(true);
    await page.getByText('Give a picture first').waitFor();
  });

  it('takes a picture of the index, one that is opened, and one that is pasted', async () => {
    await page.getByRole('button', { name: 'From index' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Image 2' }).click();
    await page.waitForURL(/image=image-2/);
    await page.getByText(names[2]!).waitFor();
    await page.locator('input[type=file]').setInputFiles({ name: 'mine.jpg', mimeType: 'image/jpeg', buffer: readFileSync(dataPath(`${photographs}/${names[1]!}`)) });
    await page.waitForURL(/image=given-[0-9a-f]{32}/);
    await page.getByText('mine.jpg').waitFor();
    const bytes = readFileSync(dataPath(`${photographs}/${names[0]!}`)).toString('base64');
    await page.evaluate((data) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0))], 'pasted.jpg', { type: 'image/jpeg' }));
      globalThis.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
    }, bytes);
    await page.getByText('pasted.jpg').waitFor();
    expect(problems).toEqual([]);
    await page.locator('input[type=file]').setInputFiles({ name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
    await page.getByText(/^words\.txt: /).waitFor();
    problems.length = 0;
  });

  it('names the classes from a file, and predicts', async () => {
    await page.goto(lab('&image=image-1'));
    const [best] = (await workbench.client.lab.predict({ index, picture: 'image-1', top: 1 })).predictions;
    await page.getByText(`Class ${best!.index}`, { exact: true }).waitFor();
    await page.getByText('Name the classes…').click();
    await page.getByLabel('Labels file', { exact: false }).fill(dataPath(labels));
    await page.getByRole('button', { name: 'Use' }).click();
    const bestName = async () => (await workbench.client.lab.predict({ index, picture: 'image-1', top: 1 })).predictions[0]!.name ?? '';
    await expect.poll(bestName, { timeout: 20_000 }).not.toBe('');
    const named = (await bestName()).split(',')[0]!;
    await page.getByRole('list', { name: 'Predictions' }).getByText(named).waitFor();
  });

  it('shows all maps of a layer; a tile opens large, and every position of it is a unit', async () => {
    await page.goto(lab(`&image=image-1&layer=${layer}`));
    const { channels } = await workbench.client.lab.activations({ index, picture: 'image-1', layer, order: 'strength' });
    const tiles = page.getByRole('button', { name: /^Channel \d+, strongest/ });
    await tiles.first().waitFor();
    expect(await tiles.count()).toBe(channels.length);
    expect(await tiles.first().getAttribute('aria-label')).toContain(`Channel ${channels[0]!.channel},`);
    await tiles.first().focus();
    await page.keyboard.press('ArrowRight');
    const { channel, y, x } = channels[1]!;
    await page.waitForURL(new RegExp(`channel=${channel}&y=${y}&x=${x}`));
    await page.getByText(`row ${y}, column ${x} · activation`).waitFor();
    await picture(new RegExp(`^Deconvnet of .*channel ${channel}$`));
    const map = page.getByRole('group', { name: /^Map of / });
    await map.focus();
    await page.keyboard.press(y > 0 ? 'ArrowUp' : 'ArrowDown');
    const moved = y > 0 ? y - 1 : y + 1;
    await page.waitForURL(new RegExp(`y=${moved}&x=${x}`));
    await map.click({ position: { x: 2, y: 2 } });
    await page.waitForURL(/y=0&x=0/);
    await page.getByRole('link', { name: 'Open in the atlas' }).click();
    await page.waitForURL(new RegExp(`/i/${index}/l/1/c/${channel}`));
    await page.getByRole('link', { name: 'Open this image in the lab' }).click();
    await page.waitForURL(new RegExp(`image=image-\\d+&layer=${layer}&channel=${channel}`));
    await page.getByRole('tab', { name: 'Activations', selected: true }).waitFor();
    expect(problems).toEqual([]);
  });

  it('puts three methods side by side, of one unit and of the nine hits', async () => {
    await page.goto(lab(`&image=image-1&layer=${layer}&channel=7&tool=methods`));
    for (const method of ['Guided', 'Deconvnet', 'Gradient']) {
      await picture(new RegExp(`^${method} of .*, channel 7$`));
      await picture(new RegExp(`^${method} of the nine hits`));
    }
  });

  it('draws saliency row by row, keeps it, and saves it as a figure', async () => {
    await page.goto(lab('&image=image-1&tool=saliency'));
    await page.getByText('Shows which pixels the answer depends on', { exact: false }).waitFor();
    await page.getByLabel('Integrated gradients').uncheck();
    await fill('Noisy copies', '2');
    await page.keyboard.press('Enter');
    await caption(/^Saliency of /);
    const result = await shown();
    expect(result.study).toMatchObject({ kind: 'saliency', rows: ['gradient', 'gradientInput', 'smooth'], smoothSamples: 2 });
    expect(await page.locator('.result-picture').count()).toBe(4);
    expect(await page.getByRole('img', { name: /^SmoothGrad: 0 … / }).count()).toBe(1);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save figure' }).click()]);
    expect(readFileSync(await download.path(), 'utf8')).toContain('Saliency of ');
    await page.getByRole('tab', { name: 'Activations' }).click();
    await page.getByRole('tab', { name: 'Saliency' }).click();
    await page.waitForURL(new RegExp(`result=${result.id}`));
  });

  it('cuts out the object, and gives its mask away', async () => {
    await page.goto(lab('&image=image-1&tool=segment'));
    await fill('Rounds', '1');
    await run().click();
    await caption(/^Segmentation of .*GrabCut, 1 iterations/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save mask' }).click()]);
    expect(readFileSync(await download.path()).subarray(1, 4).toString()).toBe('PNG');
  });

  it('sweeps a square over the picture; a position is pointed at or walked to', async () => {
    await page.goto(lab('&image=image-1&tool=occlusion'));
    await fill('Step, px', '56');
    await page.getByText('25 positions').waitFor();
    await run().click();
    await caption(/^Occlusion of /);
    const { numbers } = await shown();
    if (numbers?.kind !== 'occlusion') throw new Error('no numbers');
    const map = page.getByRole('group', { name: /^Probability of the class/ });
    await map.focus();
    await page.keyboard.press('ArrowUp');
    await page.getByText(`centre y ${numbers.rows[1]}, x ${numbers.columns[2]}`).waitFor();
    const share = numbers.probability[1]![2]!;
    expect(await map.getAttribute('aria-label')).toContain(new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share));
    await page.locator('.square').waitFor();
    await page.getByRole('group', { name: /, total: / }).hover({ position: { x: 3, y: 3 } });
    await page.getByText('centre y 0, x 0').waitFor();
  });

  it('climbs towards a channel, live, is stopped, and shows its strip', async () => {
    await page.goto(lab(`&tool=ascend&layer=${layer}&channel=3`));
    await page.getByRole('combobox', { name: 'Asked about' }).click();
    await page.getByRole('option', { name: 'A channel' }).click();
    await fill('Steps', '400');
    await fill('Keep every', '2');
    await run().click();
    await page.getByRole('button', { name: 'Step 2', exact: true }).click();
    await picture('The picture after step 2');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped. What was computed until then is shown.').waitFor();
    const result = await shown();
    expect([result.state, result.study]).toMatchObject(['cancelled', { kind: 'ascend', target: { kind: 'channel', layer, channel: 3 }, regularisers: { blur: { every: 4, radius: 1 }, jitter: { pixels: 8 } } }]);
    await page.getByRole('button', { name: 'Delete this result' }).click();
    await page.getByText('Climbs from noise', { exact: false }).waitFor();
    expect(problems).toEqual([]);
  }, 120_000);

  it('makes the network see another class, and asks again about the PNG', async () => {
    await page.goto(lab('&image=image-1&tool=adversarial'));
    await page.getByText('Choose the class that the network is to see.').waitFor();
    await page.getByRole('combobox', { name: 'Towards the class' }).fill('toucan');
    await page.getByRole('option', { name: 'toucan 96' }).waitFor();
    await page.keyboard.press('Enter');
    await run().click();
    await page.getByText('The network now sees the target, also in the saved PNG.').waitFor({ timeout: 90_000 });
    expect(await page.getByRole('row', { name: /^As PNG, again toucan \(96\)/ }).count()).toBe(1);
    const address = page.url();
    await page.goto(lab('&image=image-2'));
    await page.goto(address);
    await page.getByRole('row', { name: /^After toucan \(96\)/ }).waitFor();
    await expect.poll(() => page.getByRole('combobox', { name: 'Towards the class' }).inputValue(), { timeout: 20_000 }).toBe('toucan (96)');
  }, 120_000);

  it('follows the camera without queueing, and keeps a frame that is taken', async () => {
    await page.goto(lab(`&layer=${layer}&channel=3`));
    await page.getByRole('button', { name: 'Camera' }).click();
    await page.getByRole('button', { name: 'Start the camera' }).click();
    await page.getByText(/frames per second, the rest is dropped/).waitFor();
    await picture(/^Deconvnet of .*, channel 3$/);
    await expect.poll(() => page.locator('.camera-tool .prediction-list li').count()).toBe(5);
    await page.getByRole('button', { name: 'Take this picture' }).click();
    await page.waitForURL(/image=given-[0-9a-f]{32}/);
    await page.getByText(/^camera \d{4}-/).waitFor();
    expect(problems).toEqual([]);
  });

  it('says what is wrong with an address', async () => {
    await page.goto(`${workbench.origin}/w/${workspace}/lab?model=gone1234`);
    await page.getByText('This workspace has no index gone1234 (any more).').waitFor();
    await page.goto(lab('&image=image-1&tool=saliency&result=gone1234'));
    await page.getByText('There is no study "gone1234" in this workspace.', { exact: false }).waitFor();
  });
});
