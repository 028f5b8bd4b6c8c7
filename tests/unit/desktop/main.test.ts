/**
 * The Electron process as a whole, with `electron` and the core replaced: the order in which it does things, one instance, a window per workspace, what is
 * handed over to be opened, what the system is told of jobs, and that every core is gone before the app is.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CoreOptions } from '../../../src-main/desktop/coreProcess.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { createElectronStub, StubWindow, type ElectronStub } from '../../support/electronStub.ts';

interface FakeCore {
  readonly options: CoreOptions;
  readonly workspace: { id: string; path: string } | null;
  readonly calls: string[];
  /** Sends a list of jobs. */
  jobs(list: readonly object[]): void;
  gone(): void;
  isStopped: boolean;
  startedAgain: number;
}

const holder = vi.hoisted(() => ({ module: {} as object, cores: [] as unknown[] }));
vi.mock('electron', () => new Proxy({}, { get: (_target, name) => (name === 'then' ? undefined : Reflect.get(holder.module, name)), has: () => true, getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }) }));
vi.mock('../../../src-main/desktop/coreProcess.ts', () => ({
  startCore(options: CoreOptions) {
    const stopped = Promise.withResolvers<void>();
    const fake = { options, workspace: null, calls: [], isStopped: false, startedAgain: 0, gone: stopped.resolve, jobs: () => undefined };
    const number = holder.cores.push(fake) - 1;
    return {
      state: 'running',
      address: () => Promise.resolve({ port: number, token: 'x' }),
      startAgain: () => (fake.startedAgain += 1),
      stop() {
        fake.isStopped = true;
        return stopped.promise;
      },
    };
  },
}));
vi.mock('../../../src-main/desktop/coreClient.ts', () => ({
  coreClient({ port }: { port: number }) {
    const core = holder.cores[port] as { -readonly [K in keyof FakeCore]: FakeCore[K] };
    async function* watch(_input: unknown, { signal }: { signal: AbortSignal }): AsyncGenerator<readonly object[]> {
      while (!signal.aborted) {
        yield await new Promise<readonly object[]>((resolve, reject) => {
          core.jobs = resolve;
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        });
      }
    }
    return {
      settings: { get: () => Promise.resolve({ language: 'ko' }) },
      about: { diagnostics: () => Promise.resolve({ text: 'devices: none' }) },
      workspaces: {
        current: () => Promise.resolve(core.workspace),
        open: ({ path }: { path: string }) => {
          core.calls.push(`open ${path}`);
          return Promise.resolve({});
        },
      },
      jobs: { watch: (input: unknown, options: { signal: AbortSignal }) => Promise.resolve(watch(input, options)) },
    };
  },
}));

const folder = mkdtempSync(join(tmpdir(), 'switchback-main-'));
let stub: ElectronStub;
const cores = (): { -readonly [K in keyof FakeCore]: FakeCore[K] }[] => holder.cores as never;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
const argv = process.argv;
/** What Electron adds to Node's own process. */
Object.assign(process, { resourcesPath: '/resources', getSystemVersion: () => '13' });
const kept = { SIGINT: process.listeners('SIGINT'), SIGTERM: process.listeners('SIGTERM'), SIGHUP: process.listeners('SIGHUP'), uncaughtException: process.listeners('uncaughtException'), unhandledRejection: process.listeners('unhandledRejection') };

beforeEach(() => {
  vi.resetModules();
  const made = createElectronStub();
  stub = made.stub;
  stub.userData = folder;
  holder.module = made.module;
  holder.cores = [];
  process.argv = ['/usr/bin/switchback'];
  vi.stubEnv('SWITCHBACK_NODE', process.execPath);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  process.argv = argv;
  for (const window of StubWindow.all) window.destroy();
  for (const [name, listeners] of Object.entries(kept)) for (const listener of process.listeners(name as 'SIGINT')) if (!(listeners as unknown[]).includes(listener)) process.off(name, listener);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function begin(...args: readonly string[]): Promise<StubWindow> {
  process.argv = ['/usr/bin/switchback', ...args];
  await import('../../../src-main/desktop/main.ts');
  stub.becomeReady();
  await settle();
  return StubWindow.all[0] ?? expect.fail(`no window was made: ${stub.events.join('; ')}`);
}

/** The page of a window says that it listens. */
function listen(window: StubWindow): void {
  stub.ipc.emit('switchback:listening', { sender: window.webContents, senderFrame: window.webContents.mainFrame });
}

/** A workspace is opened in a window's page. */
async function openIn(position: number, workspace: { id: string; path: string }): Promise<void> {
  cores()[position]!.workspace = workspace;
  const fetched = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('{}'));
  await stub.sessions[position]!.handler!(new Request('app://workbench/rpc/workspaces/open', { method: 'POST', body: '{}' }) as never);
  fetched.mockRestore();
  await settle();
}

const openings = (window: StubWindow): unknown[] => window.webContents.sent.filter(([channel]) => channel === 'switchback:opening').map(([, opening]) => opening);
const job = (change: object): object => ({ id: 'a', title: 'Index photos', state: 'running', done: 0, total: 10, error: null, startedAt: '2026-11-22T10:00:00Z', endedAt: null, ...change });

function menuItem(label: string): MenuItemConstructorOptions {
  const all = (items: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] => items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? all(item.submenu) : [])]);
  return all(stub.menu).find((item) => item.label === label) ?? expect.fail(`the menu has no ${label}`);
}

describe('a start', () => {
  it('registers the scheme and the sandbox before it is ready, then starts the core on the pinned Node and loads the page', async () => {
    await import('../../../src-main/desktop/main.ts');
    expect([stub.events, cores().length]).toEqual([['scheme', 'sandbox'], 0]);
    stub.becomeReady();
    await settle();
    expect(cores()[0]!.options).toMatchObject({ node: process.execPath, args: ['--max-semi-space-size=4', '/app/out/main/core.js'] });
    expect([StubWindow.all[0]!.loaded, stub.sessions.map(({ partition }) => partition)]).toEqual([['app://workbench/'], ['persist:window-0']]);
  });

  it('quits at once where another instance runs', async () => {
    stub.isFirst = false;
    await import('../../../src-main/desktop/main.ts');
    expect(stub.events).toEqual(['quit']);
  });

  it('says why and ends where no Node can be found', async () => {
    vi.stubEnv('SWITCHBACK_NODE', '');
    await import('../../../src-main/desktop/main.ts');
    stub.becomeReady();
    await settle();
    expect(stub.events.at(-2)).toMatch(/^error The Node that runs Switchback's core was not found\. Looked at: /);
    expect(stub.events.at(-1)).toBe('exit 1');
  });

  it('takes the language that is set in the workbench', async () => {
    await begin();
    expect(stub.menu[0]!.label).toBe('&File');
    await cores()[0]!.options.prepare!({ port: 0, token: 'x' }, false);
    await settle();
    expect(stub.menu[0]!.label).toBe('파일(&F)');
  });
});

describe('what is handed over', () => {
  const model = join(folder, 'net.onnx');
  const pack = join(folder, 'work.switchback');
  const other = join(folder, 'other');
  writeFileSync(model, 'x');
  writeFileSync(pack, 'x');
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, 'workspace.sqlite'), 'x');

  it('waits until the page listens, and again after a reload', async () => {
    const window = await begin(model);
    expect(openings(window)).toEqual([]);
    listen(window);
    expect(openings(window)).toEqual([{ kind: 'model', path: model }]);
    window.webContents.emit('did-start-loading');
    stub.app.emit('second-instance', {}, ['/usr/bin/switchback', 'net.onnx'], folder);
    expect(openings(window).length).toBe(1);
    listen(window);
    expect(openings(window).length).toBe(2);
  });

  it('goes to the window that has the workspace, else to a free one, else to a new one', async () => {
    const first = await begin();
    listen(first);
    await openIn(0, { id: 'first', path: '/data/first' });
    expect(stub.events).toContain('recent /data/first');
    stub.app.emit('second-instance', {}, ['/usr/bin/switchback', 'work.switchback'], folder);
    expect(StubWindow.all.length).toBe(2);
    const second = StubWindow.all[1]!;
    listen(second);
    expect(openings(second)).toEqual([{ kind: 'workspace', path: pack }]);
    await openIn(1, { id: 'second', path: pack });
    stub.app.emit('open-file', { preventDefault: () => undefined }, other);
    expect(StubWindow.all.length).toBe(3);
    stub.app.emit('open-file', { preventDefault: () => undefined }, pack);
    stub.app.emit('open-url', { preventDefault: () => undefined }, 'switchback://workspace/first/i/abc/l/2?hit=3');
    expect([StubWindow.all.length, openings(second).length, openings(first)]).toEqual([3, 2, [{ kind: 'place', address: '/w/first/i/abc/l/2?hit=3' }]]);
    expect(StubWindow.focused).toBe(first);
    expect(stub.sessions.map(({ partition }) => partition)).toEqual(['persist:window-0', 'persist:window-1', 'persist:window-2']);
  });

  it('shows the window that is there where nothing is asked for', async () => {
    const window = await begin();
    window.deeds.length = 0;
    stub.app.emit('second-instance', {}, ['/usr/bin/switchback'], folder);
    expect([window.deeds, StubWindow.all.length]).toEqual([['show', 'focus'], 1]);
  });
});

describe('jobs', () => {
  it('show at the icon, keep the machine awake, and tell of their end when nobody looks', async () => {
    const window = await begin();
    cores()[0]!.jobs([job({ done: 3 })]);
    await settle();
    expect([window.progress.at(-1), stub.awake.size, stub.events]).toEqual([[0.3], 1, expect.arrayContaining(['keeps awake: prevent-app-suspension'])]);
    StubWindow.focused = null;
    cores()[0]!.jobs([job({ state: 'failed', error: { message: 'The disk is full.' }, endedAt: '2026-11-22T10:05:00Z' })]);
    await settle();
    expect([window.progress.at(-1), stub.awake.size]).toEqual([[-1], 0]);
    expect(stub.notifications).toMatchObject([{ title: 'Failed: Index photos', body: 'The disk is full.' }]);
  });

  it('make a window ask before it closes', async () => {
    stub.button = 1;
    const window = await begin();
    cores()[0]!.jobs([job({})]);
    await settle();
    window.close();
    await settle();
    expect([window.isDestroyed(), stub.asked]).toMatchObject([false, [{ message: 'A job is still running', buttons: ['Close', 'Cancel'] }]]);
    stub.button = 0;
    window.close();
    await settle();
    expect([window.isDestroyed(), stub.awake.size]).toEqual([true, 0]);
  });
});

describe('a core', () => {
  it('that came back has its workspace open again', async () => {
    await begin();
    await openIn(0, { id: 'first', path: '/data/first' });
    await cores()[0]!.options.prepare!({ port: 0, token: 'x' }, true);
    expect(cores()[0]!.calls).toEqual(['open /data/first']);
  });

  it('that does not come back is put before the person, who may try again; the window stays', async () => {
    const window = await begin();
    cores()[0]!.options.onGaveUp!(new AppError('UNAVAILABLE', 'The core ended 5 times.'));
    await settle();
    expect(stub.asked).toMatchObject([{ message: 'Switchback’s core has stopped and does not come back', detail: 'The core ended 5 times.', buttons: ['Start Again', 'Copy Diagnostics', 'Close Window'] }]);
    expect([cores()[0]!.startedAgain, window.isDestroyed()]).toEqual([1, false]);
  });
});

describe('the end', () => {
  it('waits for every core', async () => {
    await begin();
    (menuItem('New Window').click as () => void)();
    let prevented = 0;
    const event = { preventDefault: () => prevented++ };
    stub.app.emit('will-quit', event);
    cores()[0]!.gone();
    await settle();
    expect([prevented, cores().map(({ isStopped }) => isStopped), stub.events.filter((sentence) => sentence === 'quit').length]).toEqual([1, [true, true], 0]);
    cores()[1]!.gone();
    await settle();
    expect(stub.events.filter((sentence) => sentence === 'quit').length).toBe(1);
    stub.app.emit('will-quit', event);
    expect(prevented).toBe(1);
  });

  it('comes with the last window, and each window takes its core with it', async () => {
    const window = await begin();
    window.close();
    expect(cores()[0]!.isStopped).toBe(true);
    stub.app.emit('window-all-closed');
    expect(stub.events.at(-1)).toBe('quit');
  });

  it('comes by a signal without a question, though a job runs', async () => {
    const window = await begin();
    cores()[0]!.jobs([job({})]);
    await settle();
    process.emit('SIGTERM', 'SIGTERM');
    expect([window.isDestroyed(), stub.asked, stub.events.at(-1)]).toEqual([true, [], 'quit']);
  });

  it('comes by a fault of the shell itself, with its reason, after the cores', async () => {
    await begin();
    const [fault] = process.listeners('uncaughtException').filter((listener) => !(kept.uncaughtException as unknown[]).includes(listener));
    fault!(new Error('a bug'), 'uncaughtException');
    expect([stub.events.at(-1), cores()[0]!.isStopped]).toEqual(['error a bug', true]);
    cores()[0]!.gone();
    await settle();
    expect(stub.events.at(-1)).toBe('exit 1');
  });
});

describe('the menu', () => {
  it('sends to the window in front and shows its workspace in the file manager', async () => {
    const window = await begin();
    (menuItem('Jobs').click as () => void)();
    expect(window.webContents.sent).toEqual([['switchback:command', 'show-jobs']]);
    (menuItem('Show Workspace in Folder').click as () => void)();
    await openIn(0, { id: 'first', path: '/data/first' });
    (menuItem('Show Workspace in Folder').click as () => void)();
    expect(stub.events.filter((sentence) => sentence.startsWith('folder'))).toEqual(['folder shows /data/first']);
  });

  it('copies diagnostics without the name of the home folder', async () => {
    await begin();
    cores()[0]!.options.onLog!(`cannot read ${homedir()}/secret project/net.onnx`);
    (menuItem('Copy Diagnostics').click as () => void)();
    await settle();
    expect(stub.copied).toMatch(/^Switchback 1\.2\.3 \(from its sources\), Electron /);
    expect(stub.copied).toContain('devices: none');
    expect(stub.copied).toContain('core 0: cannot read ~/secret project/net.onnx');
    expect(stub.copied).not.toContain(homedir());
  });
});
