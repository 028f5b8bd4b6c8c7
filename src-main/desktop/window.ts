/**
 * The workbench's window: sandboxed, isolated, shown when its first frame is ready, and unable to go anywhere but app://workbench. Addresses of the
 * outside world open in the person's browser.
 */
import { join } from 'node:path';
import type { Session } from 'electron';
import { BrowserWindow, nativeTheme, shell } from 'electron';
import { isWorkbenchAddress } from './dialogs.ts';
import { appOrigin } from './ipcChannels.ts';

/** Chrome colours before the first paint, so that no white flash is seen: the renderer's own surface colours. */
const background = { dark: '#16171a', light: '#f6f6f4' };

/** Opens the window. `appRoot`: the folder that holds out/ and resources/; `beforeLoading` is called before the page can send anything. */
export async function openWindow(appRoot: string, beforeLoading: (window: BrowserWindow) => void): Promise<BrowserWindow> {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Switchback',
    icon: join(appRoot, 'resources/icons/switchback.png'),
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    webPreferences: {
      preload: join(appRoot, 'out/preload/preload.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  });
  confine(window);
  window.once('ready-to-show', () => window.show());
  beforeLoading(window);
  await window.loadURL(`${appOrigin}/`);
  return window;
}

/** Permissions that the workbench itself needs: copying text. Everything else (camera, location, notifications ...) is refused. */
export function denyPermissions(session: Session): void {
  const allowed = 'clipboard-sanitized-write';
  session.setPermissionRequestHandler((_contents, permission, answer, details) => answer(permission === allowed && isWorkbenchAddress(details.requestingUrl)));
  session.setPermissionCheckHandler((_contents, permission, origin) => permission === allowed && isWorkbenchAddress(origin));
}

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
  window.webContents.on('will-redirect', (event) => {
    if (!isWorkbenchAddress(event.url)) event.preventDefault();
  });
  window.webContents.on('will-attach-webview', (event) => event.preventDefault());
}

function openOutside(address: string): void {
  if (URL.canParse(address) && new URL(address).protocol === 'https:') void shell.openExternal(address);
}
