/**
 * What the desktop does between its window and the core, without Electron: the built core is started as the desktop starts it, and app:// requests are
 * passed on as its protocol handler passes them. Only Electron's own part is missing (electron.test.ts).
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { passToCore } from '../../src-main/desktop/appProtocol.ts';
import type { CoreProcess } from '../../src-main/desktop/coreProcess.ts';
import { startCore } from '../../src-main/desktop/coreProcess.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

vi.mock('electron', () => ({ protocol: {} }));

const entry = join(repositoryRoot, 'out/main/core.js');

describeWhere('app://workbench over the real core', existsSync(entry) ? null : `${entry} is not there; run "npm run build" first`, () => {
  let core: CoreProcess;
  const folder = mkdtempSync(join(tmpdir(), 'switchback-shell-'));
  const ask = (path: string, init?: RequestInit): Promise<Response> => passToCore(new Request(`app://workbench${path}`, init), () => core.address());

  beforeAll(() => {
    const environment = { ...process.env, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, APPDATA: folder, LOCALAPPDATA: folder };
    core = startCore({ node: process.execPath, args: [entry], environment, onLog: (line) => console.log(`core: ${line}`) });
  });

  afterAll(async () => {
    await core.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the page at every address of the workbench, under the policy', async () => {
    for (const path of ['/', '/w/some/i/index/l/3/c/17?hit=2']) {
      const answer = await ask(path);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'; ");
      expect(answer.headers.get('set-cookie')).toBe(null);
      expect(await answer.text()).toContain('<div id="workbench">');
    }
  });

  it('loads every script and style that the page names, from the root', async () => {
    const page = await (await ask('/w/some')).text();
    const addresses = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '');
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) {
      const answer = await ask(address);
      expect([address, answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([address, 200, address.endsWith('.js') ? 'text/javascript' : 'text/css']);
      expect((await answer.text()).length).toBeGreaterThan(0);
    }
  });

  it('passes typed calls on', async () => {
    const answer = await ask('/rpc/settings/get', { method: 'POST', headers: { 'content-type': 'application/json', origin: 'app://workbench' }, body: '{}' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ json: { theme: 'system', engine: 'auto' } });
  });

  it('streams: the list of jobs arrives while the stream stays open', async () => {
    const answer = await ask('/rpc/jobs/watch', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const reader = (answer.body ?? expect.fail('no body')).pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('event: message')) {
      const { value, done } = await reader.read();
      if (done) expect.fail(`the stream ended after: ${heard}`);
      heard += value;
    }
    expect(heard).toContain('"json":[]');
    await reader.cancel();
  });

  it('is not reached without the token', async () => {
    const { port } = await core.address();
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401);
  });
});
