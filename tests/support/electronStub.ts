/**
 * Electron without Electron: objects with the parts of its interface that the shell uses, which remember what was done with them. What they take and give is
 * typed by Electron's own declarations, so that a call that Electron does not know does not compile.
 */
import { EventEmitter } from 'node:events';
import type {
  App, BrowserWindowConstructorOptions, Clipboard, Dialog, Display, IpcMain, LoadURLOptions, MenuItemConstructorOptions, MessageBoxOptions, NotificationConstructorOptions, OpenDialogOptions,
  OpenDialogReturnValue, PowerSaveBlocker, ProgressBarOptions, Rectangle, SaveDialogOptions, SaveDialogReturnValue, Screen, Session, Shell, WebContents, WebFrameMain,
} from 'electron';

type OpenHandler = Parameters<WebContents['setWindowOpenHandler']>[0];
type Handler = Parameters<Session['protocol']['handle']>[1];

export class StubContents extends EventEmitter {
  readonly mainFrame = { url: 'app://workbench/' } as WebFrameMain;
  readonly sent: unknown[][] = [];
  openHandler: OpenHandler | undefined;
  reloads = 0;
  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }
  send(...message: Parameters<WebContents['send']>): void {
    this.sent.push(message);
  }
  getURL(): string {
    return this.mainFrame.url;
  }
  reload(): void {
    this.reloads += 1;
  }
}

export class StubWindow extends EventEmitter {
  static all: StubWindow[] = [];
  static focused: StubWindow | null = null;
  static getFocusedWindow(): StubWindow | null {
    return StubWindow.focused;
  }
  readonly webContents = new StubContents();
  readonly options: BrowserWindowConstructorOptions;
  readonly loaded: string[] = [];
  readonly progress: [number, ProgressBarOptions?][] = [];
  readonly deeds: string[] = [];
  #isDestroyed = false;
  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    StubWindow.all.push(this);
  }
  loadURL(address: string, _options?: LoadURLOptions): Promise<void> {
    this.loaded.push(address);
    return Promise.resolve();
  }
  setProgressBar(share: number, options?: ProgressBarOptions): void {
    this.progress.push(options === undefined ? [share] : [share, options]);
  }
  isMinimized(): boolean {
    return false;
  }
  isMaximized(): boolean {
    return false;
  }
  isFocused(): boolean {
    return StubWindow.focused === this;
  }
  isDestroyed(): boolean {
    return this.#isDestroyed;
  }
  getBounds(): Rectangle {
    const { x = 0, y = 0, width = 0, height = 0 } = this.options;
    return { x, y, width, height };
  }
  getNormalBounds(): Rectangle {
    return this.getBounds();
  }
  maximize(): void {
    this.deeds.push('maximize');
  }
  restore(): void {
    this.deeds.push('restore');
  }
  show(): void {
    this.deeds.push('show');
  }
  focus(): void {
    StubWindow.focused = this;
    this.deeds.push('focus');
  }
  flashFrame(): void {
    this.deeds.push('flash');
  }
  setRepresentedFilename(path: string): void {
    this.deeds.push(`represents ${path}`);
  }
  /** As a person closes it: its page or the shell may object. */
  close(): void {
    let isPrevented = false;
    this.emit('close', { preventDefault: () => (isPrevented = true) });
    if (!isPrevented) this.destroy();
  }
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (StubWindow.focused === this) StubWindow.focused = null;
    this.emit('closed');
  }
}

export interface StubSession {
  readonly partition: string;
  handler?: Handler;
  request?: NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>;
  check?: NonNullable<Parameters<Session['setPermissionCheckHandler']>[0]>;
  readonly events: EventEmitter;
}

export interface ElectronStub {
  /** What happened, in order, as short sentences. */
  readonly events: string[];
  readonly app: EventEmitter;
  readonly ipc: EventEmitter & { readonly handlers: Map<string, (event: never, ...rest: never[]) => unknown> };
  readonly sessions: StubSession[];
  readonly notifications: NotificationConstructorOptions[];
  readonly awake: Set<number>;
  readonly asked: (OpenDialogOptions | SaveDialogOptions | MessageBoxOptions)[];
  menu: MenuItemConstructorOptions[];
  isFirst: boolean;
  displays: readonly Pick<Display, 'workArea'>[];
  /** What the next dialogs answer: paths, or the number of a button. */
  chosen: OpenDialogReturnValue;
  saved: SaveDialogReturnValue;
  button: number;
  copied: string;
  userData: string;
  becomeReady: () => void;
}

/** A new Electron: its state, and the module that takes the place of `electron`. */
export function createElectronStub(): { readonly stub: ElectronStub; readonly module: object } {
  StubWindow.all = [];
  StubWindow.focused = null;
  const events: string[] = [];
  const note = (sentence: string): void => void events.push(sentence);
  const stub: ElectronStub = {
    events,
    app: new EventEmitter(),
    ipc: Object.assign(new EventEmitter(), { handlers: new Map() }),
    sessions: [],
    notifications: [],
    awake: new Set(),
    asked: [],
    menu: [],
    isFirst: true,
    displays: [{ workArea: { x: 0, y: 0, width: 1920, height: 1040 } }],
    chosen: { canceled: false, filePaths: ['/models/net.onnx'] },
    saved: { canceled: false, filePath: '/packs/work.switchback' },
    button: 0,
    copied: '',
    userData: '',
    becomeReady: () => undefined,
  };
  const app = {
    isPackaged: false,
    requestSingleInstanceLock: () => stub.isFirst,
    enableSandbox: () => note('sandbox'),
    whenReady: () => new Promise<void>((resolve) => (stub.becomeReady = resolve)),
    getAppPath: () => '/app',
    getPath: (name) => `${stub.userData}/${name}`,
    getVersion: () => '1.2.3',
    getLocale: () => 'en-US',
    getPreferredSystemLanguages: () => ['en-GB'],
    getGPUFeatureStatus: () => ({}) as ReturnType<App['getGPUFeatureStatus']>,
    setAsDefaultProtocolClient: () => true,
    setAppUserModelId: () => undefined,
    addRecentDocument: (path) => note(`recent ${path}`),
    quit: () => note('quit'),
    exit: (code) => note(`exit ${code}`),
  } satisfies Partial<App>;
  Object.assign(stub.app, app);
  const dialog = {
    showErrorBox: (_title, text) => note(`error ${text}`),
    showOpenDialog: ((_window: unknown, options: OpenDialogOptions) => {
      stub.asked.push(options);
      return Promise.resolve(stub.chosen);
    }) as Dialog['showOpenDialog'],
    showSaveDialog: ((_window: unknown, options: SaveDialogOptions) => {
      stub.asked.push(options);
      return Promise.resolve(stub.saved);
    }) as Dialog['showSaveDialog'],
    showMessageBox: ((_window: unknown, options: MessageBoxOptions) => {
      stub.asked.push(options);
      return Promise.resolve({ response: stub.button, checkboxChecked: false });
    }) as Dialog['showMessageBox'],
  } satisfies Partial<Dialog>;
  const ipcMain = {
    handle: (channel, answer) => void stub.ipc.handlers.set(channel, answer),
    removeHandler: (channel) => void stub.ipc.handlers.delete(channel),
    on: ((channel: string, listener: (...values: never[]) => void) => stub.ipc.on(channel, listener as never)) as unknown as IpcMain['on'],
    removeListener: ((channel: string, listener: (...values: never[]) => void) => stub.ipc.off(channel, listener as never)) as unknown as IpcMain['removeListener'],
  } satisfies Partial<IpcMain>;
  const fromPartition = (partition: string): Session => {
    const made: StubSession = { partition, events: new EventEmitter() };
    stub.sessions.push(made);
    const session = {
      protocol: { handle: (_scheme: string, handler: Handler) => (made.handler = handler) } as unknown as Session['protocol'],
      setPermissionRequestHandler: (handler) => void (handler && (made.request = handler)),
      setPermissionCheckHandler: (handler) => void (handler && (made.check = handler)),
      setDevicePermissionHandler: () => undefined,
      setDisplayMediaRequestHandler: () => undefined,
      on: ((name: string, listener: (...values: unknown[]) => void) => made.events.on(name, listener)) as unknown as Session['on'],
    } satisfies Partial<Session>;
    return session as unknown as Session;
  };
  class StubNotification extends EventEmitter {
    static isSupported(): boolean {
      return true;
    }
    readonly options: NotificationConstructorOptions;
    constructor(options: NotificationConstructorOptions) {
      super();
      this.options = options;
    }
    show(): void {
      stub.notifications.push(this.options);
    }
  }
  const powerSaveBlocker = {
    start: (kind) => {
      note(`keeps awake: ${kind}`);
      stub.awake.add(stub.awake.size + 1);
      return stub.awake.size;
    },
    stop: (id) => stub.awake.delete(id),
  } satisfies Partial<PowerSaveBlocker>;
  const module = {
    app: stub.app,
    BrowserWindow: StubWindow,
    clipboard: { writeText: (text) => Promise.resolve(void (stub.copied = text)) } satisfies Partial<Clipboard>,
    dialog,
    ipcMain,
    Menu: { buildFromTemplate: (template: MenuItemConstructorOptions[]) => template, setApplicationMenu: (menu: MenuItemConstructorOptions[]) => (stub.menu = menu) },
    nativeTheme: { shouldUseDarkColors: true },
    Notification: StubNotification,
    powerSaveBlocker,
    protocol: { registerSchemesAsPrivileged: () => note('scheme') },
    screen: { getAllDisplays: () => stub.displays as Display[] } satisfies Partial<Screen>,
    session: { fromPartition },
    shell: {
      openExternal: (address) => Promise.resolve(note(`browser ${address}`)),
      showItemInFolder: (path) => note(`folder shows ${path}`),
    } satisfies Partial<Shell>,
  };
  return { stub, module };
}
