/**
 * The shell's refusals and answers, with `electron` replaced by objects typed against Electron's own declarations: what the window may open, what
 * permissions it has, who may ask for a dialog, what the menu sends.
 */
import type { EventEmitter } from 'node:events';
import type { BrowserWindow, BrowserWindowConstructorOptions, IpcMainInvokeEvent, OpenDialogOptions, OpenDialogReturnValue, Session, WebContents, WebFrameMain } from 'electron';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { answerDialogs } from '../../../src-main/desktop/dialogs.ts';
import { menuTemplate } from '../../../src-main/desktop/menu.ts';
import { denyPermissions, openWindow } from '../../../src-main/desktop/window.ts';
import type { DesktopCommand } from '../../../src-shared/contract/desktopBridge.ts';
import { desktopCommands } from '../../../src-shared/contract/desktopBridge.ts';

type OpenHandler = Parameters<WebContents['setWindowOpenHandler']>[0];
type Answer = (event: IpcMainInvokeEvent, ...rest: unknown[]) => Promise<unknown>;

const stub = vi.hoisted(() => ({
  windows: [] as { options: unknown; loaded: string; shown: boolean; contents: unknown; openHandler: unknown }[],
  opened: [] as string[],
  answers: new Map<string, unknown>(),
  asked: [] as unknown[],
  chosen: { canceled: false, filePaths: ['/models/net.onnx'] },
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class StubContents extends Emitter {
    readonly mainFrame = { url: 'app://workbench/' };
    readonly record: (typeof stub.windows)[number];
    constructor(record: (typeof stub.windows)[number]) {
      super();
      this.record = record;
    }
    setWindowOpenHandler(handler: unknown): void {
      this.record.openHandler = handler;
    }
  }
  class StubWindow extends Emitter {
    readonly record;
    readonly webContents: StubContents;
    constructor(options: unknown) {
      super();
      this.record = { options, loaded: '', shown: false, contents: undefined as unknown, openHandler: undefined as unknown };
      this.webContents = new StubContents(this.record);
      this.record.contents = this.webContents;
      stub.windows.push(this.record);
    }
    show(): void {
      this.record.shown = true;
    }
    loadURL(address: string): Promise<void> {
      this.record.loaded = address;
      return Promise.resolve();
    }
  }
  return {
    BrowserWindow: StubWindow,
    Menu: {},
    nativeTheme: { shouldUseDarkColors: true },
    shell: { openExternal: (address: string) => Promise.resolve(stub.opened.push(address)) },
    ipcMain: {
      handle: (channel: string, answer: unknown) => stub.answers.set(channel, answer),
      removeHandler: (channel: string) => stub.answers.delete(channel),
    },
    dialog: {
      showOpenDialog: (_window: unknown, options: OpenDialogOptions): Promise<OpenDialogReturnValue> => {
        stub.asked.push(options);
        return Promise.resolve(stub.chosen);
      },
    },
  };
});

beforeEach(() => {
  stub.windows.length = 0;
  stub.opened.length = 0;
  stub.asked.length = 0;
  stub.answers.clear();
  stub.chosen = { canceled: false, filePaths: ['/models/net.onnx'] };
});

async function open(): Promise<{ window: BrowserWindow; record: (typeof stub.windows)[number] }> {
  const window = await openWindow('/app', () => {});
  return { window, record: stub.windows[0] ?? expect.fail('no window was made') };
}

describe('the window', () => {
  it('is sandboxed and isolated, and shows the workbench only when it has something to show', async () => {
    const { window, record } = await open();
    const { webPreferences, show } = record.options as BrowserWindowConstructorOptions;
    expect(webPreferences).toMatchObject({ preload: '/app/out/preload/preload.cjs', contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true, webviewTag: false });
    expect([show, record.loaded, record.shown]).toEqual([false, 'app://workbench/', false]);
    window.emit('ready-to-show');
    expect(record.shown).toBe(true);
  });

  it('opens no other window, and only https addresses in the browser', async () => {
    const { record } = await open();
    const handler = record.openHandler as OpenHandler;
    const ask = (url: string): unknown => handler({ url } as Parameters<OpenHandler>[0]);
    expect([ask('https://arxiv.org/abs/1311.2901'), ask('file:///etc/passwd'), ask('javascript:alert(1)'), ask('app://workbench/')]).toEqual(Array(4).fill({ action: 'deny' }));
    expect(stub.opened).toEqual(['https://arxiv.org/abs/1311.2901']);
  });

  it('stays on the workbench', async () => {
    const { window } = await open();
    const refused = (name: string, url: string): boolean => {
      let prevented = false;
      (window.webContents as unknown as EventEmitter).emit(name, { url, preventDefault: () => (prevented = true) });
      return prevented;
    };
    expect(refused('will-navigate', 'app://workbench/w/a/i/b')).toBe(false);
    expect(refused('will-navigate', 'app://workbench.example/')).toBe(true);
    expect(refused('will-navigate', 'http://127.0.0.1:8080/')).toBe(true);
    expect(refused('will-redirect', 'https://example.org/')).toBe(true);
    expect(refused('will-attach-webview', '')).toBe(true);
    expect(stub.opened).toEqual([]);
  });

  it('may write text to the clipboard and nothing else', () => {
    type Request = NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>;
    type Check = NonNullable<Parameters<Session['setPermissionCheckHandler']>[0]>;
    let request: Request | undefined;
    let check: Check | undefined;
    denyPermissions({
      setPermissionRequestHandler: (handler: Request) => (request = handler),
      setPermissionCheckHandler: (handler: Check) => (check = handler),
    } as unknown as Session);
    const answers: boolean[] = [];
    for (const permission of ['clipboard-sanitized-write', 'media', 'geolocation', 'notifications'] as const) {
      request?.({} as WebContents, permission, (granted) => answers.push(granted), { requestingUrl: 'app://workbench/' } as Parameters<Request>[3]);
    }
    expect(answers).toEqual([true, false, false, false]);
    expect(check?.(null, 'clipboard-sanitized-write', 'https://example.org', {} as Parameters<Check>[3])).toBe(false);
    expect(check?.(null, 'clipboard-sanitized-write', 'app://workbench/', {} as Parameters<Check>[3])).toBe(true);
  });
});

describe('dialogs', () => {
  const answerOf = (channel: string): Answer => (stub.answers.get(channel) ?? expect.fail(`nobody answers ${channel}`)) as Answer;
  const from = (window: BrowserWindow, frame: WebFrameMain | null = window.webContents.mainFrame): IpcMainInvokeEvent =>
    ({ sender: window.webContents, senderFrame: frame }) as IpcMainInvokeEvent;

  it('give the chosen path, or null when the person cancels', async () => {
    const { window } = await open();
    answerDialogs(window);
    expect(await answerOf('switchback:choose-model')(from(window))).toBe('/models/net.onnx');
    stub.chosen = { canceled: true, filePaths: [] };
    expect(await answerOf('switchback:choose-image-folder')(from(window))).toBe(null);
    expect(stub.asked).toMatchObject([{ properties: ['openFile'] }, { properties: ['openDirectory'] }]);
  });

  it('are refused to another frame, another page, another window and to arguments', async () => {
    const { window } = await open();
    const { window: other } = await open();
    answerDialogs(window);
    const ask = answerOf('switchback:choose-workspace');
    await expect(ask(from(window, { url: 'https://example.org/' } as WebFrameMain))).rejects.toThrow(
      "A dialog was asked for by https://example.org/; only the workbench's own page may ask.",
    );
    await expect(ask(from(window, null))).rejects.toThrow('a closed frame');
    await expect(ask(from(other))).rejects.toThrow('only the workbench');
    await expect(ask(from(window), '/etc')).rejects.toThrow('A dialog was asked for with 1 arguments; it takes none.');
    expect(stub.asked).toEqual([]);
  });

  it('are no longer answered once the window is gone', async () => {
    const { window } = await open();
    const stop = answerDialogs(window);
    expect(stub.answers.size).toBe(3);
    stop();
    expect(stub.answers.size).toBe(0);
  });
});

describe('the menu', () => {
  it('offers every command of the contract once, on each platform', () => {
    for (const platform of ['linux', 'win32', 'darwin'] as const) {
      const sent: DesktopCommand[] = [];
      const click = (items: ReturnType<typeof menuTemplate>): void => {
        for (const item of items) {
          (item.click as (() => void) | undefined)?.();
          if (Array.isArray(item.submenu)) click(item.submenu);
        }
      };
      click(menuTemplate((command) => sent.push(command), platform));
      expect(sent.toSorted()).toEqual([...desktopCommands].toSorted());
    }
  });
});
