/**
 * The shell's refusals and answers, with `electron` replaced by objects typed against Electron's own declarations: what the window may open, what
 * permissions it has, who may ask for a dialog, what the menu sends, what becomes of a page that dies.
 */
import type { BrowserWindow, BrowserWindowConstructorOptions, IpcMainInvokeEvent, MenuItemConstructorOptions, OpenDialogOptions, Session, WebContents, WebFrameMain } from 'electron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DesktopCommand } from '../../../src-shared/contract/desktopBridge.ts';
import { desktopCommands } from '../../../src-shared/contract/desktopBridge.ts';
import { createElectronStub, type ElectronStub, type StubContents, type StubWindow } from '../../support/electronStub.ts';

let stub: ElectronStub;
const holder = vi.hoisted(() => ({ module: {} as object }));
vi.mock('electron', () => new Proxy({}, { get: (_target, name) => (name === 'then' ? undefined : Reflect.get(holder.module, name)), has: () => true, getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }) }));

const { answerDialogs } = await import('../../../src-main/desktop/dialogs.ts');
const { menuTemplate } = await import('../../../src-main/desktop/menu.ts');
const { limitPermissions } = await import('../../../src-main/desktop/permissions.ts');
const { createWindow } = await import('../../../src-main/desktop/window.ts');
const { wordsFor } = await import('../../../src-main/desktop/words.ts');

const words = wordsFor('en');
const place = { x: 10, y: 20, width: 1200, height: 800, isMaximized: false };

beforeEach(() => {
  const made = createElectronStub();
  stub = made.stub;
  holder.module = made.module;
});
afterEach(() => vi.useRealTimers());

function open(change: Partial<typeof place> = {}): { window: BrowserWindow; record: StubWindow; contents: StubContents; logged: string[] } {
  const logged: string[] = [];
  const window = createWindow({ appRoot: '/app', session: {} as Session, place: { ...place, ...change }, words, log: (line) => logged.push(line) });
  const record = window as unknown as StubWindow;
  return { window, record, contents: record.webContents, logged };
}

describe('the window', () => {
  it('is sandboxed and isolated, stands where it is told, and is shown only when it has something to show', () => {
    const { record } = open();
    const { webPreferences, ...options } = record.options as BrowserWindowConstructorOptions;
    expect(webPreferences).toMatchObject({
      preload: '/app/out/preload/preload.cjs',
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
    });
    expect(options).toMatchObject({ x: 10, y: 20, width: 1200, height: 800, minWidth: 900, minHeight: 600, show: false });
    expect(record.deeds).toEqual([]);
    record.emit('ready-to-show');
    expect(record.deeds).toEqual(['show']);
    expect(open({ isMaximized: true }).record.deeds).toEqual(['maximize']);
  });

  it('opens no other window, and only https addresses in the browser', () => {
    const { contents } = open();
    const ask = (url: string): unknown => contents.openHandler?.({ url } as Parameters<NonNullable<StubContents['openHandler']>>[0]);
    expect([ask('https://arxiv.org/abs/1311.2901'), ask('file:///etc/passwd'), ask('javascript:alert(1)'), ask('smb://host/share'), ask('app://workbench/')]).toEqual(Array(5).fill({ action: 'deny' }));
    expect(stub.events).toEqual(['browser https://arxiv.org/abs/1311.2901']);
  });

  it('stays on the workbench, and holds no frame of anything', () => {
    const { contents } = open();
    const refused = (name: string, url: string, isMainFrame = true): boolean => {
      let prevented = false;
      contents.emit(name, { url, isMainFrame, preventDefault: () => (prevented = true) });
      return prevented;
    };
    expect(refused('will-navigate', 'app://workbench/w/a/i/b')).toBe(false);
    expect(refused('will-navigate', 'app://workbench.example/')).toBe(true);
    expect(refused('will-navigate', 'http://127.0.0.1:8080/')).toBe(true);
    expect(refused('will-frame-navigate', 'app://workbench/')).toBe(false);
    expect(refused('will-frame-navigate', 'app://workbench/', false)).toBe(true);
    expect(refused('will-redirect', 'https://example.org/')).toBe(true);
    expect(refused('will-attach-webview', '')).toBe(true);
    expect(stub.events).toEqual([]);
  });

  it('loads a page that died again, after growing pauses, and asks when it keeps dying', async () => {
    vi.useFakeTimers();
    stub.button = 1;
    const { record, contents, logged } = open();
    const die = (): boolean => contents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 11 });
    for (const [pauseMs, reloads] of [[250, 1], [500, 2], [1000, 3]] as const) {
      die();
      await vi.advanceTimersByTimeAsync(pauseMs - 1);
      expect(contents.reloads).toBe(reloads - 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(contents.reloads).toBe(reloads);
    }
    die();
    await vi.advanceTimersByTimeAsync(1);
    expect(stub.asked).toMatchObject([{ message: 'The page has crashed', detail: 'crashed (11)', buttons: ['Reload', 'Close Window'] }]);
    expect([contents.reloads, record.isDestroyed()]).toEqual([3, true]);
    expect(logged).toEqual(Array(4).fill('page: crashed, code 11'));
    contents.emit('render-process-gone', {}, { reason: 'clean-exit', exitCode: 0 });
    expect(stub.asked.length).toBe(1);
  });

  it('asks what to do with a page that hangs', async () => {
    stub.button = 1;
    const { record, contents } = open();
    record.emit('unresponsive');
    await vi.waitFor(() => expect(contents.reloads).toBe(1));
    expect(stub.asked).toMatchObject([{ message: 'The page does not respond', buttons: ['Wait', 'Reload'] }]);
  });
});

describe('permissions', () => {
  const sessionWith = (allow: boolean): { ask: (permission: string, url?: string, types?: string[]) => Promise<boolean>; check: (permission: string, origin?: string, mediaType?: string) => boolean; asked: number[] } => {
    const asked: number[] = [];
    const session = (Reflect.get(holder.module, 'session') as { fromPartition(name: string): Session }).fromPartition('test');
    limitPermissions(session, () => {
      asked.push(1);
      return Promise.resolve(allow);
    });
    const record = stub.sessions.at(-1)!;
    type Request = NonNullable<typeof record.request>;
    type Check = NonNullable<typeof record.check>;
    return {
      asked,
      ask: (permission, requestingUrl = 'app://workbench/', mediaTypes = ['video']) =>
        new Promise((settle) => record.request?.({} as WebContents, permission as Parameters<Request>[1], settle, { requestingUrl, mediaTypes } as unknown as Parameters<Request>[3])),
      check: (permission, origin = 'app://workbench/', mediaType = 'video') => record.check!(null, permission as Parameters<Check>[1], origin, { mediaType } as Parameters<Check>[3]),
    };
  };

  it('are the clipboard for the workbench, and nothing for anyone else', async () => {
    const { ask, check, asked } = sessionWith(true);
    expect(await ask('clipboard-sanitized-write')).toBe(true);
    for (const permission of ['geolocation', 'notifications', 'midi', 'hid', 'serial', 'usb', 'clipboard-read', 'fullscreen', 'openExternal', 'fileSystem']) expect([permission, await ask(permission), check(permission)]).toEqual([permission, false, false]);
    expect([await ask('clipboard-sanitized-write', 'https://example.org/'), check('clipboard-sanitized-write', 'https://example.org')]).toEqual([false, false]);
    expect([await ask('media', 'https://example.org/'), check('clipboard-sanitized-write')]).toEqual([false, true]);
    expect(asked).toEqual([]);
  });

  it('are the camera when the person agrees, asked once, and never the microphone', async () => {
    const agreed = sessionWith(true);
    expect(await Promise.all([agreed.ask('media'), agreed.ask('media')])).toEqual([true, true]);
    expect([await agreed.ask('media'), agreed.asked.length]).toEqual([true, 1]);
    expect([await agreed.ask('media', undefined, ['audio']), await agreed.ask('media', undefined, ['video', 'audio']), agreed.check('media', undefined, 'audio')]).toEqual([false, false, false]);
    const refused = sessionWith(false);
    expect([await refused.ask('media'), await refused.ask('media'), refused.asked.length]).toEqual([false, false, 2]);
  });
});

describe('dialogs', () => {
  type Answer = (event: IpcMainInvokeEvent, ...rest: unknown[]) => Promise<unknown>;
  const answerOf = (channel: string): Answer => (stub.ipc.handlers.get(channel) ?? expect.fail(`nobody answers ${channel}`)) as unknown as Answer;
  const from = (window: BrowserWindow, frame: WebFrameMain | null = window.webContents.mainFrame): IpcMainInvokeEvent => ({ sender: window.webContents, senderFrame: frame }) as IpcMainInvokeEvent;
  const asking = (window: BrowserWindow, listens = (): void => undefined) => ({ window, words, workspacePath: '/data/work', listens });

  it('give the chosen path, or null when the person cancels', async () => {
    const { window } = open();
    answerDialogs(() => [asking(window)]);
    expect(await answerOf('switchback:choose-model')(from(window))).toBe('/models/net.onnx');
    expect(await answerOf('switchback:choose-pack-file')(from(window))).toBe('/packs/work.switchback');
    stub.chosen = { canceled: true, filePaths: [] };
    stub.saved = { canceled: true, filePath: '' };
    expect([await answerOf('switchback:choose-image-folder')(from(window)), await answerOf('switchback:choose-pack-file')(from(window))]).toEqual([null, null]);
    expect(stub.asked as OpenDialogOptions[]).toMatchObject([{ properties: ['openFile'] }, { defaultPath: '/data/work.switchback' }, { properties: ['openDirectory'] }, {}]);
  });

  it('belong to the window whose own page asked; another frame, page or window, and arguments, are refused', async () => {
    const { window } = open();
    const { window: stranger } = open();
    let listened = 0;
    answerDialogs(() => [asking(window, () => void (listened += 1))]);
    const ask = answerOf('switchback:choose-workspace');
    await expect(ask(from(window, { url: 'https://example.org/' } as WebFrameMain))).rejects.toThrow("The shell was asked by https://example.org/; only the workbench's own page may ask.");
    await expect(ask(from(window, { url: 'app://workbench/' } as WebFrameMain)), 'a frame of the same address within the page').rejects.toThrow('only the workbench');
    await expect(ask(from(window, null))).rejects.toThrow('a closed frame');
    await expect(ask(from(stranger))).rejects.toThrow('only the workbench');
    await expect(ask(from(window), '/etc')).rejects.toThrow('A dialog was asked for with 1 arguments; it takes none.');
    expect(() => stub.ipc.emit('switchback:listening', from(stranger))).toThrow('only the workbench');
    expect([stub.asked, listened]).toEqual([[], 0]);
    stub.ipc.emit('switchback:listening', from(window));
    expect(listened).toBe(1);
  });

  it('are no longer answered when the shell ends', () => {
    const stop = answerDialogs(() => []);
    expect([stub.ipc.handlers.size, stub.ipc.listenerCount('switchback:listening')]).toEqual([4, 1]);
    stop();
    expect([stub.ipc.handlers.size, stub.ipc.listenerCount('switchback:listening')]).toEqual([0, 0]);
  });
});

describe('the menu', () => {
  const made = (platform: NodeJS.Platform, language = 'en', checkForUpdates?: () => void): { items: MenuItemConstructorOptions[]; sent: DesktopCommand[]; done: string[] } => {
    const sent: DesktopCommand[] = [];
    const done: string[] = [];
    const actions = { newWindow: () => done.push('window'), showWorkspaceInFolder: () => done.push('folder'), copyDiagnostics: () => done.push('diagnostics'), showLog: () => done.push('log'), ...(checkForUpdates ? { checkForUpdates } : {}) };
    return { items: menuTemplate({ send: (command) => sent.push(command), actions, words: wordsFor(language), platform }), sent, done };
  };
  const all = (items: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] => items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? all(item.submenu) : [])]);

  it.each(['linux', 'win32', 'darwin'] as const)('offers every command of the contract and every deed of the shell once on %s', (platform) => {
    const { items, sent, done } = made(platform);
    for (const item of all(items)) (item.click as (() => void) | undefined)?.();
    expect(sent.toSorted()).toEqual([...desktopCommands].toSorted());
    expect(done.toSorted()).toEqual(['diagnostics', 'folder', 'log', 'window']);
    const accelerators = all(items).flatMap(({ accelerator }) => (accelerator === undefined ? [] : [accelerator]));
    expect(new Set(accelerators).size).toBe(accelerators.length);
  });

  it('has each platform’s own order', () => {
    const [application] = made('darwin').items;
    expect(all([application!]).map(({ role }) => role).filter(Boolean)).toEqual(['services', 'hide', 'hideOthers', 'unhide', 'quit']);
    expect(all(made('darwin').items).map(({ role }) => role)).toContain('recentDocuments');
    const file = made('linux').items[0]!;
    expect([file.label, all([file]).at(-1)?.role]).toEqual(['&File', 'quit']);
    expect(all(made('win32').items).map(({ role }) => role)).not.toContain('services');
  });

  it('speaks the three languages, and looks for updates only where there is a feed', () => {
    expect(['en-GB', 'ko-KR', 'zh-Hans-CN', 'fr'].map((tag) => made('linux', tag).items[0]!.label)).toEqual(['&File', '파일(&F)', '文件(&F)', '&File']);
    const labels = (check?: () => void): (string | undefined)[] => all(made('win32', 'en', check).items).map(({ label }) => label);
    expect([labels().includes('Check for Updates…'), labels(() => undefined).includes('Check for Updates…')]).toEqual([false, true]);
    for (const tag of ['ko', 'zh']) expect(Object.entries(wordsFor(tag)).filter(([name, word]) => word === Reflect.get(words, name)).map(([name]) => name)).toEqual([]);
  });
});
