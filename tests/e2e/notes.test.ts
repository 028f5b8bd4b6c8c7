/**
 * Tags and notes as a person gives them, in a browser against a served core: written, undone and done again, found by search and filter, there after a restart of the core, in a window of their
 * own, refused where another window was faster, out to a file by the command line and in again; and what search, help, settings and the guide say beside them.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NotesDocument } from '../../src-main/services/notes.ts';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { writeNoisePictures } from '../support/noisePictures.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { smallModelPreprocessing, writeSmallModel } from '../support/smallModel.ts';
import { describeWhere } from '../support/testData.ts';

describeWhere('tags and notes in a browser', reasonAgainstBrowser([]), () => {
  const home = temporaryFolder('notes');
  const folder = join(home, 'workspace');
  const problems: string[] = [];
  let workbench: ServedWorkbench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let workspace: string;
  let index: string;

  async function open(): Promise<void> {
    workbench = await serveWorkbench(home, '--workspace', folder);
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'dark', reducedMotion: 'reduce' });
    context.setDefaultTimeout(15_000);
    context.on('page', (opened) => watchPage(opened, problems));
    page = await context.newPage();
    await page.goto(workbench.address);
  }

  const channel = (number: number): string => `${workbench.origin}/w/${workspace}/i/${index}/l/1/c/${number}`;
  const tags = (on: Page = page) => on.getByRole('list', { name: 'Tags', exact: true }).getByRole('listitem');
  const toast = (text: string) => page.locator('.toast-text', { hasText: text });
  const addTag = (on: Page = page) => on.getByRole('combobox', { name: 'Add a tag…' });
  /** A shared machine may be slow. */
  const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 15_000 });
  const stored = (number: number) => workbench.client.notes.get({ place: { kind: 'channel', index, layer: 1, channel: number } });

  async function search(key: string, words: string): Promise<void> {
    await page.keyboard.press(key);
    await page.getByRole('combobox', { name: 'Search and commands' }).fill(words);
  }

  beforeAll(async () => {
    writeSmallModel(join(home, 'small.onnx'));
    await writeNoisePictures(join(home, 'images'), 12);
    browser = await openBrowser();
    await open();
    const { client } = workbench;
    ({ index } = await client.indexing.start({ modelPath: join(home, 'small.onnx'), imagesPath: join(home, 'images'), preprocessing: smallModelPreprocessing, engine: 'onnxruntime', device: 'cpu', batch: 4 }));
    for await (const _ of await client.indexing.watch({ index }));
    workspace = (await client.workspaces.current())!.id;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('are written with the keyboard alone, and read as Markdown', async () => {
    await page.goto(channel(2));
    await page.getByRole('heading', { name: 'Tags and note' }).waitFor();
    await addTag().waitFor();
    await page.keyboard.press('t');
    await page.keyboard.type('Edges');
    await page.keyboard.press('Enter');
    await page.keyboard.type('fur, edges');
    await page.keyboard.press('Enter');
    await soon(() => tags().allInnerTexts()).toEqual(['Edges', 'fur']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Write a note' }).click();
    await page.keyboard.type('Likes **curves**, see <b>this</b>');
    await page.keyboard.press('Control+Enter');
    expect(await page.locator('.markdown-text').innerHTML()).toContain('Likes <strong>curves</strong>, see &lt;b&gt;this&lt;/b&gt;');
    await soon(() => stored(2)).toMatchObject({ text: 'Likes **curves**, see <b>this</b>', tags: ['Edges', 'fur'] });
  });

  it('are undone and done again, one step at a time, with a word on it', async () => {
    await page.keyboard.press('Control+z');
    await toast('The note is as before.').waitFor();
    await page.keyboard.press('Control+z');
    await toast('The tags are as before.').waitFor();
    await soon(() => tags().allInnerTexts()).toEqual(['Edges']);
    expect(await stored(2)).toMatchObject({ text: '', tags: ['Edges'] });
    await page.keyboard.press('Control+Shift+Z');
    await toast('The tags are changed again.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await page.keyboard.press('Control+Shift+Z');
    await toast('The note is changed again.').waitFor();
    await soon(() => stored(2)).toMatchObject({ text: 'Likes **curves**, see <b>this</b>', tags: ['Edges', 'fur'] });
  });

  it('are undone step after step also by keys that come faster than the core answers', async () => {
    for (let press = 0; press < 2; press++) await page.keyboard.press('Control+z');
    await soon(() => stored(2)).toMatchObject({ text: '', tags: ['Edges'] });
    for (let press = 0; press < 2; press++) await page.keyboard.press('Control+Shift+z');
    await soon(() => stored(2)).toMatchObject({ text: 'Likes **curves**, see <b>this</b>', tags: ['Edges', 'fur'] });
  });

  it('are found by search, from anywhere, and filter the atlas', async () => {
    await page.goto(`${workbench.origin}/settings`);
    await page.getByRole('heading', { name: 'Storage' }).waitFor();
    await search('/', 'curves');
    await page.getByRole('group', { name: 'Notes' }).getByRole('option', { name: /Likes/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/l\/1\/c\/2$/);
    await page.goBack();
    await page.waitForURL(/\/settings$/);
    await page.goForward();
    await page.waitForURL(/\/l\/1\/c\/2$/);
    await page.keyboard.press('Escape');
    await page.waitForURL(/\/l\/1$/);
    await page.getByRole('combobox', { name: 'Which channels are shown' }).click();
    await page.getByRole('option', { name: /^fur/ }).click();
    await soon(() => page.locator('[data-channel]').count()).toBe(1);
    expect(await page.locator('[data-channel]').getAttribute('aria-label')).toContain('fur');
  });

  it('search leads to a layer also from a view that is of no index, with its whole address', async () => {
    const { title } = (await workbench.client.indexing.layers({ index }))[0]!;
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('heading', { name: 'Storage' }).waitFor();
    await search('/', title);
    await page.getByRole('option', { name: title }).first().click();
    await page.waitForURL(new RegExp(`/w/${workspace}/i/${index}/l/1$`));
  });

  it('finds files and classes by name, and says so where nothing is called so', async () => {
    await search('Control+k', 'picture-7');
    await page.getByRole('group', { name: 'Images' }).getByRole('option', { name: /picture-7\.png/ }).click();
    await page.waitForURL(/\/image\/\d+$/);
    await page.getByRole('heading', { name: 'picture-7.png' }).waitFor();
    await search('/', 'zzzz');
    await page.getByText('Nothing is called “zzzz”.').waitFor();
    await page.keyboard.press('Escape');
  });

  it('are refused where another window was faster, and nothing is lost', async () => {
    await page.goto(channel(1));
    const [other] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: 'Open in a new window' }).click()]);
    await other.waitForURL(/\/c\/1/);
    expect(other.url()).not.toContain('token');
    await addTag(other).fill('theirs');
    await addTag(other).press('Enter');
    await soon(() => stored(1)).toMatchObject({ tags: ['theirs'] });
    await other.close();
    problems.length = 0;
    await page.getByRole('button', { name: 'Write a note' }).click();
    await page.keyboard.type('mine');
    await page.keyboard.press('Escape');
    await page.getByText('This note was changed elsewhere meanwhile').waitFor();
    expect(problems.splice(0)).toEqual([expect.stringContaining('422'), expect.stringContaining('422')]);
    await page.getByRole('button', { name: 'Keep mine' }).click();
    await soon(() => stored(1)).toMatchObject({ text: 'mine', tags: ['theirs'] });
  });

  it('are there after a restart, and outlive their index', async () => {
    await context.close();
    expect(await workbench.stop()).toBe(0);
    await open();
    await page.goto(channel(2));
    await soon(() => tags().allInnerTexts()).toEqual(['Edges', 'fur']);
    // A page that shows an index would ask for pictures of what is gone.
    await page.goto(`${workbench.origin}/settings`);
    await workbench.client.indexing.delete({ index });
    ({ index } = await workbench.client.indexing.start({ modelPath: join(home, 'small.onnx'), imagesPath: join(home, 'images'), preprocessing: smallModelPreprocessing, engine: 'onnxruntime', device: 'cpu', batch: 4 }));
    for await (const _ of await workbench.client.indexing.watch({ index }));
    expect(await stored(2)).toMatchObject({ text: 'Likes **curves**, see <b>this</b>', tags: ['Edges', 'fur'] });
  });

  it('leave as a file and come back, in the browser and on the command line', async () => {
    await page.goto(`${workbench.origin}/w/${workspace}`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export tags and notes' }).click()]);
    expect(download.suggestedFilename()).toBe('workspace-notes.json');
    const document = JSON.parse(readFileSync(await download.path(), 'utf8')) as NotesDocument;
    expect(document.entries.map((entry) => [entry.layer?.name, entry.channel, entry.tags])).toEqual([['first', 1, ['theirs']], ['first', 2, ['Edges', 'fur']]]);
    const changed = join(home, 'theirs.json');
    writeFileSync(changed, JSON.stringify({ ...document, entries: [{ ...document.entries[1]!, text: 'Says someone else', tags: ['paws'] }] }));
    await page.locator('input[type=file]').setInputFiles(changed);
    await page.getByText('0 places added, 1 merged, 0 unchanged. 1 place had another text already: both are kept.').waitFor();
    await page.locator('input[type=file]').setInputFiles({ name: 'photo.json', mimeType: 'application/json', buffer: Buffer.from('[1]') });
    await page.getByText('photo.json is no file of notes.').waitFor();
    expect(await stored(2)).toMatchObject({ text: 'Likes **curves**, see <b>this</b>\n\n---\n\nSays someone else', tags: ['Edges', 'fur', 'paws'] });
    expect(problems).toEqual([]);
    await context.close();
    expect(await workbench.stop()).toBe(0);
    const file = join(home, 'notes.json');
    expect((await runCommand(home, 'notes', 'export', '--workspace', folder, '--out', file)).stdout).toBe(`${file}: tags and notes of 2 places\n`);
    const fresh = join(home, 'fresh');
    await runCommand(home, 'index', '--workspace', fresh, '--model', join(home, 'small.onnx'), '--images', join(home, 'images'), '--crop', '16', '--resize', 'exact', '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '4');
    expect(await runForJson(home, 'notes', 'import', file, '--workspace', fresh)).toEqual({ added: 2, merged: 0, unchanged: 0, conflicts: 0 });
    const bad = await runCommand(home, 'notes', 'import', join(home, 'small.onnx'), '--workspace', fresh);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/small\.onnx is no file of notes: .*Name a file that "switchback notes export" wrote\.\n$/)]);
  }, 60_000);
});
