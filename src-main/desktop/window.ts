/**
 * The workbench's window: sandboxed, isolated, shown when its first frame is ready, and unable to go anywhere but app://workbench. Addresses of the
 * outside world open in the person's browser. A page that crashes or hangs is loaded again; its place is in its address, so nothing is lost.
 */
import { join } from 'node:path';
import type { BrowserWindowConstructorOptions, RenderProcessGoneDetails, Session } from 'electron';
import { BrowserWindow, dialog, nativeTheme, shell } from 'electron';
import { createBackOff, growingPause } from './backOff.ts';
import { isWorkbenchAddress } from './dialogs.ts';
import { appOrigin } from './ipcChannels.ts';
import type { WindowPlace } from './windowPlaces.ts';
import { smallestWindow } from './windowPlaces.ts';
import type { Words } from './words.ts';

/** Chrome colours before the first paint, so that no white flash is seen: the renderer's own surface colours. */
const background = { dark: '#16171a', light: '#f6f6f4' };

export interface WindowOptions {
  /** Folder that holds package.json, out/ and resources/. */
  readonly appRoot: string;
  readonly session: Session;
  readonly place: WindowPlace;
  readonly words: Words;
  readonly log: (line: string) => void;
}

/** Makes the window; nothing is loaded yet. */
export function createWindow({ appRoot, session, place, words, log }: WindowOptions): BrowserWindow {
  const { isMaximized, ...bounds } = place;
  const window = new BrowserWindow({
    ...bounds,
    minWidth: smallestWindow.width,
    minHeight: smallestWindow.height,
    show: false,
    title: 'Switchback',
    icon: join(appRoot, 'resources/icons/switchback.png'),
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    webPreferences: { ...confinedPage, session, preload: join(appRoot, 'out/preload/preload.cjs') },
  });
  if (isMaximized) window.maximize();
  confine(window);
  window.once('ready-to-show', () => window.show());
  recover(window, words, log);
  return window;
}

const confinedPage: NonNullable<BrowserWindowConstructorOptions['webPreferences']> = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  navigateOnDragDrop: false,
  webviewTag: false,
  spellcheck: false,
};

function confine(window: BrowserWindow): void {
  window.webContents.setWindowOpenHandler(({ url }) => {
    openOutside(url);
    return { action: 'deny' };
  });
  window.webContents.on('will-navigate', (event) => {
    if (isWorkbenchAddress(event.url)) return;
    event.preventDefault();
    openOutside(event.url);
  });
  window.webContents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isWorkbenchAddress(event.url)) event.preventDefault();
  });
  window.webContents.on('will-redirect', (event) => {
    if (!isWorkbenchAddress(event.url)) event.preventDefault();
  });
  window.webContents.on('will-attach-webview', (event) => event.preventDefault());
}

function openOutside(address: string): void {
  if (URL.canParse(address) && new URL(address).protocol === 'https:') void shell.openExternal(address);
}

/** A page that died is loaded again at its address, after growing pauses; one that keeps dying, or hangs, is put before the person. */
function recover(window: BrowserWindow, words: Words, log: (line: string) => void): void {
  const { webContents } = window;
  const backOff = createBackOff({ attempts: 4, pauseMs: growingPause, steadyMs: 60_000 });
  webContents.on('render-process-gone', (_event, details: RenderProcessGoneDetails) => {
    if (details.reason === 'clean-exit' || window.isDestroyed()) return;
    log(`page: ${details.reason}, code ${details.exitCode}`);
    const pauseMs = backOff.next();
    if (pauseMs !== undefined) {
      setTimeout(() => reload(window), pauseMs);
      return;
    }
    void ask(window, words.pageGone, `${details.reason} (${details.exitCode})`, [words.reload, words.close]).then((choice) => {
      backOff.forget();
      if (choice === 0) reload(window);
      else window.destroy();
    });
  });
  window.on('unresponsive', () => {
    log('page: does not respond');
    void ask(window, words.pageHangs, '', [words.wait, words.reload]).then((choice) => {
      if (choice === 1) reload(window);
    });
  });
  webContents.on('did-fail-load', (_event, code, description, address, isMainFrame) => {
    if (isMainFrame) log(`page: ${address} did not load: ${description} (${code})`);
  });
}

function reload(window: BrowserWindow): void {
  if (window.isDestroyed()) return;
  if (isWorkbenchAddress(window.webContents.getURL())) window.webContents.reload();
  else void window.loadURL(`${appOrigin}/`);
}

async function ask(window: BrowserWindow, message: string, detail: string, buttons: readonly string[]): Promise<number> {
  if (window.isDestroyed()) return -1;
  const { response } = await dialog.showMessageBox(window, { type: 'warning', title: 'Switchback', message, detail, buttons: [...buttons], defaultId: 0, noLink: true });
  return response;
}
