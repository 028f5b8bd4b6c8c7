/**
 * Updates are wired but off: no feed is configured, and without one nothing is asked of anybody. A builder who runs a feed puts its description
 * (`app-update.yml`, as electron-builder writes it for a `publish` setting) into the resources folder; then the menu offers to look for updates, and only
 * a person's click does.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { app, dialog } from 'electron';
import type { Words } from './words.ts';

/** The action of the menu, or undefined where no feed is configured. */
export function updateCheck(resourcesPath: string, words: () => Words, log: (line: string) => void): (() => void) | undefined {
  if (!app.isPackaged || !existsSync(join(resourcesPath, 'app-update.yml'))) return undefined;
  return () => {
    look(words(), log).catch((error: unknown) => {
      log(`updates: ${String(error)}`);
      dialog.showErrorBox('Switchback', error instanceof Error ? error.message : String(error));
    });
  };
}

async function look(words: Words, log: (line: string) => void): Promise<void> {
  // Loaded only now: it is CommonJS, large, and most people never ask.
  const { default: updater } = await import('electron-updater');
  const { autoUpdater } = updater;
  autoUpdater.autoDownload = false;
  autoUpdater.autoInstallOnAppQuit = true;
  autoUpdater.logger = { info: log, warn: log, error: log };
  const found = await autoUpdater.checkForUpdates();
  if (found?.isUpdateAvailable !== true) {
    await dialog.showMessageBox({ title: 'Switchback', message: words.newest, detail: app.getVersion() });
    return;
  }
  const { response } = await dialog.showMessageBox({ title: 'Switchback', message: `${app.getVersion()} → ${found.updateInfo.version}`, buttons: [words.download, words.cancel], cancelId: 1 });
  if (response === 0) await autoUpdater.downloadUpdate();
}
