/**
 * The real window: Electron starts, the core answers behind app://workbench, the page paints and its policy holds. Needs an Electron runtime and a
 * display; continuous integration has neither, so this one may skip there.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ElectronApplication, Page } from 'playwright-core';
import { _electron } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWhereAllowed, repositoryRoot } from '../support/testData.ts';

const electronFolder = dirname(createRequire(import.meta.url).resolve('electron/package.json'));

describeWhereAllowed('the workbench in its own window', reasonToSkip(), () => {
  let application: ElectronApplication;
  let page: Page;
  const problems: string[] = [];
  const userData = mkdtempSync(join(tmpdir(), 'switchback-electron-'));

  beforeAll(async () => {
    application = await _electron.launch({ executablePath: electronProgram() ?? '', args: [repositoryRoot, `--user-data-dir=${userData}`], cwd: repositoryRoot });
    page = await application.firstWindow();
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.waitForLoadState('load');
  });

  afterAll(async () => {
    await application.close();
    rmSync(userData, { recursive: true, force: true });
  });

  it('shows the workbench from app://workbench, with the bridge and without Node', async () => {
    expect(page.url()).toMatch(/^app:\/\/workbench\//);
    await page.locator('#workbench > *').first().waitFor();
    expect(await page.evaluate(() => [typeof Reflect.get(globalThis, 'switchbackDesktop'), typeof Reflect.get(globalThis, 'require')])).toEqual(['object', 'undefined']);
    expect(problems).toEqual([]);
  });

  it('reaches the core and never sees its token', async () => {
    const answer = await page.evaluate(async () => {
      const response = await fetch('/rpc/settings/get', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
      return { status: response.status, cookie: document.cookie, address: location.href };
    });
    expect(answer.status).toBe(200);
    expect(answer.cookie).toBe('');
    expect(answer.address).not.toContain('token');
  });

  it('lets its page go nowhere, open nothing, frame nothing and reach nobody', async () => {
    const outcome = await page.evaluate(async () => {
      const frame = document.createElement('iframe');
      frame.src = 'app://workbench/';
      document.body.append(frame);
      const framed = await new Promise((settle) => {
        frame.addEventListener('load', () => settle(frame.contentDocument?.querySelector('#workbench') !== null && frame.contentDocument !== null));
        setTimeout(() => settle(false), 1000);
      });
      frame.remove();
      return {
        framed,
        opened: window.open('https://example.org/') !== null,
        fetched: await fetch('https://example.org/').then(() => true, () => false),
        microphone: await navigator.mediaDevices.getUserMedia({ audio: true }).then(() => true, () => false),
        geolocation: await new Promise((settle) => navigator.geolocation.getCurrentPosition(() => settle(true), () => settle(false))),
      };
    });
    expect(outcome).toEqual({ framed: false, opened: false, fetched: false, microphone: false, geolocation: false });
    expect(page.url()).toMatch(/^app:\/\/workbench\//);
    problems.length = 0;
  });

  it('opens what a second start asks for in the window that is there', async () => {
    const running = application.process();
    expect(await application.evaluate(({ app }) => app.hasSingleInstanceLock())).toBe(true);
    await application.evaluate(({ app }) => void app.emit('open-url', { preventDefault: () => undefined }, 'switchback://workspace/unknown/i/abcdefgh'));
    await page.waitForURL('app://workbench/w/unknown/i/abcdefgh');
    expect([running.exitCode, application.windows().length]).toEqual([null, 1]);
  });

  it('ends the core when the window closes', async () => {
    const closed = application.waitForEvent('close');
    await page.close();
    await closed;
  });
});

function reasonToSkip(): string | null {
  if (electronProgram() === null) return 'the Electron runtime is not installed (node node_modules/electron/install.js fetches it from github.com)';
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return 'there is no display';
  if (process.platform === 'linux' && process.getuid?.() === 0) return 'Electron does not run as root with its sandbox on';
  if (!existsSync(join(repositoryRoot, 'out/main/desktop.js'))) return 'the desktop is not built (npm run build)';
  return null;
}

function electronProgram(): string | null {
  const record = join(electronFolder, 'path.txt');
  if (!existsSync(record)) return null;
  const program = join(electronFolder, 'dist', readFileSync(record, 'utf8').trim());
  return existsSync(program) ? program : null;
}
