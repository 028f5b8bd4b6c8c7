/**
 * What the desktop does between its window and the core, without Electron: the built core is started as the desktop starts it, and app:// requests are
 * passed on as its protocol handler passes them. Only Electron's own part is missing (electron.test.ts). Whichever way the shell ends, no process of it is left;
 * whatever becomes of the core or its workspace, the person is told and loses nothing. `npm run starts` starts and ends it fifty times.
 */
import { fork, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { safe } from '@orpc/client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { passToCore } from '../../src-main/desktop/appProtocol.ts';
import type { CoreProcess } from '../../src-main/desktop/coreProcess.ts';
import { startCore } from '../../src-main/desktop/coreProcess.ts';
import { openDatabase } from '../../src-main/store/driver.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { writeNoisePictures } from '../support/noisePictures.ts';
import { allGone, eventually, noProcessList, processesOf } from '../support/processes.ts';
import { clientOf } from '../support/servedWorkbench.ts';
import { smallModelPreprocessing, writeSmallModel } from '../support/smallModel.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

vi.mock('electron', () => ({ protocol: {} }));

const entry = join(repositoryRoot, 'out/main/core.js');
const notBuilt = existsSync(entry) ? null : `${entry} is not there; run "npm run build" first`;

describeWhere('app://workbench over the real core', notBuilt, () => {
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

describeWhere('the end of the shell', notBuilt ?? noProcessList, () => {
  const ways = ['stop', 'SIGTERM', 'SIGKILL', 'throw', 'exit'] as const;
  const rounds = Number(process.env['SWITCHBACK_STARTS'] ?? ways.length);

  it(`leaves no process behind, in ${rounds} starts in a row, whichever way it comes`, async () => {
    const home = temporaryFolder('starts');
    writeSmallModel(join(home, 'small.onnx'));
    for (let round = 0; round < rounds; round += 1) {
      const way = ways[round % ways.length]!;
      const shell = fork(join(repositoryRoot, 'tests/support/shellProcess.ts'), [entry], { env: { ...process.env, SWITCHBACK_HOME: home }, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      const { port, token } = await new Promise<{ port: number; token: string }>((settle, reject) => {
        shell.once('message', settle as (message: unknown) => void);
        shell.once('exit', (code) => reject(new Error(`round ${round}: the shell ended with ${code} before its core was ready`)));
      });
      const client = clientOf(`http://127.0.0.1:${port}`, token);
      await client.workspaces.create({ path: join(home, 'workspace') });
      // Inspecting a model starts an inference process, so that three generations have to end.
      if (round < 2 * ways.length) await client.models.inspect({ path: join(home, 'small.onnx') });
      expect((await processesOf(home)).length, way).toBeGreaterThanOrEqual(round < 2 * ways.length ? 3 : 2);
      const ended = new Promise((settle) => shell.once('exit', settle));
      if (way === 'SIGTERM' || way === 'SIGKILL') shell.kill(way);
      else shell.send(way);
      await ended;
      await allGone(home, 10_000);
    }
    rmSync(home, { recursive: true, force: true });
  }, 600_000);

  it('ends a core that hangs and hears nothing', async () => {
    const home = temporaryFolder('hanging');
    const hanging = `import { endWithParent } from ${JSON.stringify(join(repositoryRoot, 'src-main/core/parentWatch.ts'))}; endWithParent({ graceMs: 100, lookMs: 50 }); setTimeout(() => { for (;;); }, 300);`;
    writeFileSync(join(home, 'hanging.mjs'), hanging);
    const parent = spawn(process.execPath, ['-e', `require('node:child_process').spawn(process.execPath, [${JSON.stringify(join(home, 'hanging.mjs'))}], { stdio: 'ignore' }); setInterval(() => {}, 1000)`], { env: { ...process.env, SWITCHBACK_HOME: home }, stdio: 'ignore' });
    await eventually(async () => ((await processesOf(home)).length === 2 ? true : undefined), 'hanging process');
    await new Promise((wake) => setTimeout(wake, 1000));
    parent.kill('SIGKILL');
    await allGone(home, 5000);
    rmSync(home, { recursive: true, force: true });
  });
});

describeWhere('a core that', notBuilt ?? noProcessList, () => {
  const home = temporaryFolder('misfortune');
  const workspace = join(home, 'workspace');
  const cores: CoreProcess[] = [];
  const start = (options: Partial<Parameters<typeof startCore>[0]> = {}): CoreProcess => {
    const core = startCore({ node: process.execPath, args: [entry], environment: { ...process.env, SWITCHBACK_HOME: home }, restartPauseMs: () => 50, ...options });
    cores.push(core);
    return core;
  };
  const clientFor = async (core: CoreProcess): Promise<ReturnType<typeof clientOf>> => {
    const { port, token } = await core.address();
    return clientOf(`http://127.0.0.1:${port}`, token);
  };
  const messageOf = async (call: Promise<unknown>): Promise<string | undefined> => (await safe(call))[0]?.message;
  let index = '';

  beforeAll(async () => {
    writeSmallModel(join(home, 'small.onnx'));
    await writeNoisePictures(join(home, 'pictures'), 12);
    const client = await clientFor(start());
    await client.workspaces.create({ path: workspace });
    index = (await client.indexing.start({ modelPath: join(home, 'small.onnx'), imagesPath: join(home, 'pictures'), preprocessing: smallModelPreprocessing, batch: 4 })).index;
    await eventually(async () => ((await client.indexing.get({ index })).state === 'complete' ? true : undefined), 'index');
    await cores.pop()!.stop();
  });

  afterAll(async () => {
    await Promise.all(cores.map((core) => core.stop()));
    await allGone(home);
    rmSync(home, { recursive: true, force: true });
  });

  it('dies has its workspace open again, and requests that came meanwhile wait for it', async () => {
    const core = start({
      prepare: async ({ port, token }, isRestart) => {
        if (isRestart) await clientOf(`http://127.0.0.1:${port}`, token).workspaces.open({ path: workspace });
      },
    });
    await (await clientFor(core)).workspaces.open({ path: workspace });
    const killed = (await processesOf(home)).find(({ command }) => command.includes('out/main/core.js'))!;
    process.kill(killed.pid, 'SIGKILL');
    await eventually(async () => (core.state.startsWith('restarting') || (await processesOf(home)).every(({ pid }) => pid !== killed.pid) ? true : undefined), 'death of the core');
    const ask = (path: string): Promise<Response> => passToCore(new Request(`app://workbench${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ json: { index } }) }), () => core.address());
    const answer = await eventually(async () => {
      const response = await ask('/rpc/indexing/get');
      return response.ok ? response : undefined;
    }, 'answer of the new core');
    expect(await answer.json()).toMatchObject({ json: { id: index, state: 'complete' } });
    await core.stop();
  });

  it('is started twice is told who holds the workspace', async () => {
    const first = start();
    const second = start();
    await (await clientFor(first)).workspaces.open({ path: workspace });
    expect(await messageOf((await clientFor(second)).workspaces.open({ path: workspace }))).toMatch(/^The workspace .* is open in process \d+ on .* since .*\. Close it there, or use another workspace\.$/);
    await Promise.all([first.stop(), second.stop()]);
  });

  it('loses its workspace folder says so, and finds everything again when it is back', async () => {
    const core = start();
    const client = await clientFor(core);
    renameSync(workspace, `${workspace} away`);
    expect(await messageOf(client.workspaces.open({ path: workspace }))).toMatch(/workspace/);
    expect((await client.workspaces.recent()).find(({ path }) => path === workspace)?.exists).toBe(false);
    renameSync(`${workspace} away`, workspace);
    await client.workspaces.open({ path: workspace });
    expect((await client.indexing.get({ index })).state).toBe('complete');
    await core.stop();
  });

  it('finds a newer database leaves it alone and says what to do', async () => {
    const database = await openDatabase(join(workspace, 'workspace.sqlite'), 'write');
    await database.exec('PRAGMA user_version = 9999');
    await database.close();
    const core = start();
    expect(await messageOf((await clientFor(core)).workspaces.open({ path: workspace }))).toMatch(/newer/);
    await core.stop();
    const after = await openDatabase(join(workspace, 'workspace.sqlite'), 'read');
    expect(await after.get('PRAGMA user_version')).toEqual({ user_version: 9999 });
    await after.close();
  });
});
