/**
 * The native menu. Most entries only tell the renderer what was chosen: its own shortcuts and buttons do the same, so a browser lacks nothing. The rest is what
 * only a desktop has: windows, the file manager, the log.
 */
import type { MenuItemConstructorOptions } from 'electron';
import { Menu } from 'electron';
import type { DesktopCommand } from '../../src-shared/contract/desktopBridge.ts';
import type { Words } from './words.ts';

/** What the menu does by the shell itself. */
export interface ShellActions {
  newWindow(): void;
  showWorkspaceInFolder(): void;
  copyDiagnostics(): void;
  showLog(): void;
  /** Absent while no feed of updates is configured. */
  readonly checkForUpdates?: () => void;
}

export interface MenuOptions {
  readonly send: (command: DesktopCommand) => void;
  readonly actions: ShellActions;
  readonly words: Words;
  readonly platform: NodeJS.Platform;
}

/** Sets the application menu. */
export function setMenu(options: MenuOptions): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(options)));
}

type Item = MenuItemConstructorOptions;
const line: Item = { type: 'separator' };

/** The menu as data, in each platform's order: macOS has its application menu, the others quit from the file menu. */
export function menuTemplate({ send, actions, words, platform }: MenuOptions): Item[] {
  const isMac = platform === 'darwin';
  const command = (label: string, name: DesktopCommand, accelerator?: string): Item => entry(label, () => send(name), accelerator);
  const about = command(words.about, 'show-about');
  const settings = command(words.settings, 'show-settings', 'CmdOrCtrl+,');
  const updates = actions.checkForUpdates === undefined ? [] : [entry(words.checkForUpdates, actions.checkForUpdates)];
  const application: Item = {
    label: 'Switchback',
    submenu: [about, ...updates, line, settings, line, { role: 'services' }, line, { role: 'hide' }, { role: 'hideOthers' }, { role: 'unhide' }, line, { role: 'quit' }],
  };
  return [
    ...(isMac ? [application] : []),
    {
      label: words.file,
      submenu: [
        entry(words.newWindow, actions.newWindow, 'CmdOrCtrl+N'),
        line,
        command(words.openModel, 'open-model', 'CmdOrCtrl+O'),
        command(words.addImages, 'open-images', 'CmdOrCtrl+Shift+O'),
        command(words.openWorkspace, 'open-workspace', 'CmdOrCtrl+Alt+O'),
        ...(isMac ? [{ role: 'recentDocuments', submenu: [{ role: 'clearRecentDocuments' }] } satisfies Item] : []),
        entry(words.showInFolder, actions.showWorkspaceInFolder, isMac ? 'Cmd+Alt+R' : 'Ctrl+Alt+R'),
        line,
        ...(isMac ? [] : [settings, line]),
        { role: 'close' },
        ...(isMac ? [] : [{ role: 'quit' } satisfies Item]),
      ],
    },
    { role: 'editMenu' },
    {
      label: words.view,
      submenu: [command(words.jobs, 'show-jobs', 'CmdOrCtrl+J'), line, { role: 'resetZoom' }, { role: 'zoomIn' }, { role: 'zoomOut' }, { role: 'togglefullscreen' }, line, { role: 'reload' }, { role: 'toggleDevTools' }],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        command(words.shortcuts, 'show-shortcuts'),
        line,
        entry(words.copyDiagnostics, actions.copyDiagnostics),
        entry(words.showLog, actions.showLog),
        ...(isMac ? [] : [line, ...updates, about]),
      ],
    },
  ];
}

function entry(label: string, click: () => void, accelerator?: string): Item {
  return { label, click: () => click(), ...(accelerator === undefined ? {} : { accelerator }) };
}
