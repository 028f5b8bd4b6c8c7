/**
 * The native menu. Its entries only tell the renderer what was chosen: the renderer's own shortcuts and buttons do the same, so a browser lacks nothing.
 */
import type { BrowserWindow, MenuItemConstructorOptions } from 'electron';
import { Menu } from 'electron';
import type { DesktopCommand } from '../../src-shared/contract/desktopBridge.ts';
import { commandChannel } from './ipcChannels.ts';

/** Sets the application menu; `window` is asked at each click, because on macOS the menu outlives a window. */
export function setMenu(window: () => BrowserWindow | null, platform: NodeJS.Platform = process.platform): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate((command) => window()?.webContents.send(commandChannel, command), platform)));
}

/** The menu as data. */
export function menuTemplate(send: (command: DesktopCommand) => void, platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  const entry = (label: string, command: DesktopCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => send(command),
    ...(accelerator === undefined ? {} : { accelerator }),
  });
  const isMac = platform === 'darwin';
  return [
    ...(isMac ? [{ role: 'appMenu' } satisfies MenuItemConstructorOptions] : []),
    {
      label: '&File',
      submenu: [
        entry('Open a Model…', 'open-model', 'CmdOrCtrl+O'),
        entry('Add Images…', 'open-images', 'CmdOrCtrl+Shift+O'),
        entry('Open a Workspace…', 'open-workspace', 'CmdOrCtrl+Alt+O'),
        { type: 'separator' },
        entry('Settings', 'show-settings', 'CmdOrCtrl+,'),
        { type: 'separator' },
        { role: isMac ? 'close' : 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        entry('Jobs', 'show-jobs', 'CmdOrCtrl+J'),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        { type: 'separator' },
        { role: 'reload' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [entry('Keyboard Shortcuts', 'show-shortcuts')] },
  ];
}
