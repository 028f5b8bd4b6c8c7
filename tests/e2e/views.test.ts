/**
 * Every view on the drawn sample, in a real browser against a served core: it looks as its kept screenshots at two sizes in both themes, nothing moves after the first paint, all words fit in
 * three languages, axe (WCAG 2.2 AA) finds nothing, and the console stays empty. `npm run baselines` keeps new screenshots where a view is meant to look different; look at them before they are committed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOf } from '../support/accessibility.ts';
import { openBrowser, reasonAgainstBrowser, watchPage } from '../support/browser.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { overflowingWords } from '../support/overflow.ts';
import { recordShifts, settled, shiftsOf } from '../support/pageSteadiness.ts';
import { sampleViews, type SampleView } from '../support/sampleViews.ts';
import { sampleNetworkFolder, serveSample, type SampleWorkbench } from '../support/sampleWorkbench.ts';
import { compareKept, keptPicture } from '../support/screenshots.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

const kept = join(repositoryRoot, 'tests/e2e/baselines');
const isWriting = process.env['SWITCHBACK_BASELINES'] === 'write';
const sizes = [{ width: 1440, height: 900 }, { width: 1024, height: 700 }] as const;
const themes = ['dark', 'light'] as const;
/** Share of a picture's squares that may differ: a caret, a number that has changed its width. */
const allowedShare = 0.004;
/** Sum of a view's shifts: none on a quiet machine; a busy one may bring two answers in another order. Chromium calls 0.1 good. */
const allowedShift = 0.002;

/** What words are drawn with here; kept with the screenshots, as others would differ in every letter. */
const fonts = ['system-ui', 'sans-serif', 'DejaVu Sans Mono', 'sans-serif:lang=ko', 'sans-serif:lang=zh-cn'].map((name) => `${name}: ${fontOf(name)}\n`).join('');
const fontsFile = join(kept, 'fonts.txt');
const otherFonts = !isWriting && existsSync(fontsFile) && readFileSync(fontsFile, 'utf8') !== fonts ? `words are drawn with other fonts than the kept screenshots: ${fonts.replaceAll('\n', ', ')}` : null;
const reason = reasonAgainstBrowser([]) ?? (existsSync(join(sampleNetworkFolder, 'training.json')) ? null : 'resources/sample holds no network');

describeWhere('the views of the sample', reason ?? otherFonts, () => {
  const home = temporaryFolder('views');
  const problems: string[] = [];
  let sample: SampleWorkbench;
  let browser: Browser;

  async function newPage(locale: string): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext({ viewport: sizes[0], locale, timezoneId: 'UTC', colorScheme: 'dark', reducedMotion: 'reduce' });
    context.setDefaultTimeout(30_000);
    await recordShifts(context);
    const page = await context.newPage();
    watchPage(page, problems);
    await page.goto(sample.workbench.address);
    // Files that still come when the next page is opened would be called off.
    await settled(page);
    return { context, page };
  }

  async function open(page: Page, view: SampleView): Promise<void> {
    await page.goto(sample.workbench.origin + view.address(sample));
    await page.locator(view.ready).first().waitFor();
    await settled(page);
    // Until here nobody has touched anything.
    const shifts = await shiftsOf(page);
    expect(shifts.reduce((sum, { value }) => sum + value, 0), JSON.stringify(shifts)).toBeLessThanOrEqual(allowedShift);
    if (view.keys === undefined) return;
    await page.keyboard.press(view.keys);
    await page.locator(view.after!).first().waitFor();
    await settled(page);
  }

  beforeAll(async () => {
    sample = await serveSample(home);
    browser = await openBrowser('--force-color-profile=srgb', '--disable-lcd-text', '--hide-scrollbars');
    if (isWriting) {
      rmSync(kept, { recursive: true, force: true });
      mkdirSync(kept, { recursive: true });
      writeFileSync(fontsFile, fonts);
    }
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await sample?.workbench.stop();
    rmSync(home, { recursive: true, force: true });
  });

  describe('in English', () => {
    let page: Page;
    let context: BrowserContext;
    beforeAll(async () => void ({ page, context } = await newPage('en-US')));
    afterAll(() => context?.close());

    it.each(sampleViews)('$name stands still, holds its words, is open to all, and looks as it did', async (view) => {
      await page.setViewportSize(sizes[0]);
      await page.emulateMedia({ colorScheme: themes[0], reducedMotion: 'reduce' });
      await open(page, view);
      const differences: string[] = [];
      for (const size of sizes) {
        await page.setViewportSize(size);
        for (const colorScheme of themes) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await settled(page);
          // The size changes neither names nor colours.
          if (size === sizes[0]) expect(await violationsOf(page), colorScheme).toEqual([]);
          await makeSteady(page, sample, home);
          const picture = await keptPicture(await page.screenshot({ animations: 'disabled', caret: 'hide' }));
          const said = await compared(`${view.name}-${size.width}-${colorScheme}`, picture);
          if (said !== null) differences.push(said);
        }
        expect(await overflowingWords(page)).toEqual([]);
      }
      expect(differences).toEqual([]);
    });
  });

  // Korean words are the longest; Chinese ones are measured when the screenshots are made anew.
  describe.each(isWriting ? ['ko-KR', 'zh-CN'] : ['ko-KR'])('in %s', (locale) => {
    let page: Page;
    let context: BrowserContext;
    beforeAll(async () => {
      ({ page, context } = await newPage(locale));
      await page.setViewportSize(sizes[1]);
    });
    afterAll(() => context?.close());

    it.each(sampleViews)('$name holds its words', async (view) => {
      await open(page, view);
      expect(await overflowingWords(page)).toEqual([]);
    });
  });

  it('had nothing to say on the console, no request failed but those for what there is not, and no picture was asked for twice', () => {
    const isAskedForInVain = (problem: string): boolean => /^422 \S+\/rpc\/models\/inspect$/.test(problem) || problem === 'console: Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)';
    expect(problems.filter((problem) => !isAskedForInVain(problem))).toEqual([]);
  });
});

/** Null where the picture is as the kept one; else what is wrong, with both pictures and their difference beside each other in the folder that it names. */
async function compared(name: string, picture: Buffer): Promise<string | null> {
  const file = join(kept, `${name}.webp`);
  if (isWriting) writeFileSync(file, picture);
  if (!existsSync(file)) return `${name}: no screenshot is kept (npm run baselines)`;
  const { share, marked } = await compareKept(readFileSync(file), picture);
  if (share <= allowedShare) return null;
  const folder = join(repositoryRoot, 'out/differences');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.now.webp`), picture);
  writeFileSync(join(folder, `${name}.marked.png`), marked);
  return `${name}: ${(100 * share).toFixed(2)} % differs from the kept screenshot; see ${name}.now.webp and ${name}.marked.png in ${folder}`;
}

/** Writes the same words for what differs from run to run and from machine to machine: folders, ids, times, sizes of files, versions. */
async function makeSteady(page: Page, { workspace, index, earlier, series, run }: SampleWorkbench, home: string): Promise<void> {
  await page.evaluate(
    ({ folder, ids }) => {
      const steady = (words: string): string =>
        ids
          .reduce((text, id) => text.replaceAll(id, 'a1b2c3d4'), words.replaceAll(folder, '/home/reader'))
          .replace(/[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}\s[AP]M/g, 'Jan 1, 2026, 9:00 AM')
          .replace(/[\d.,]+ (?:B|KiB|MiB|GiB)\b/g, '1.0 MiB')
          .replace(/[\d,]+ (entr(?:y|ies))/g, '1 $1')
          .replace(/\d+\.\d+\.\d+(?:-[\w.]+)?/g, '1.0.0');
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const words = node.nodeValue ?? '';
        if (steady(words) !== words) node.nodeValue = steady(words);
      }
      for (const field of document.querySelectorAll('input')) if (field.type !== 'checkbox' && field.type !== 'radio' && steady(field.value) !== field.value) field.value = steady(field.value);
    },
    { folder: home, ids: [workspace, index, earlier, series, run] },
  );
}

function fontOf(name: string): string {
  try {
    return execFileSync('fc-match', [name, 'family'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
