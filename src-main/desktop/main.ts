/**
 * Entry of the Electron process, kept thin: it starts the core on the pinned Node, shows its pages under app://workbench and adds what only a desktop
 * has. One instance at a time; closing the last window ends the core.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserWindow } from 'electron';
import { app, dialog, session } from 'electron';
import { isAbort } from '../../src-shared/errors.ts';
import { registerAppScheme, serveApp } from './appProtocol.ts';
import type { CoreProcess } from './coreProcess.ts';
import { startCore } from './coreProcess.ts';
import { answerDialogs } from './dialogs.ts';
import { setMenu } from './menu.ts';
import { findNode } from './pinnedNode.ts';
import { denyPermissions, openWindow } from './window.ts';

let core: CoreProcess | undefined;
let shown: BrowserWindow | null = null;

if (app.requestSingleInstanceLock()) {
  registerAppScheme();
  app.on('second-instance', showAgain);
  app.on('activate', () => void show());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('will-quit', stopCoreFirst);
  app.whenReady().then(begin).catch(reportAndQuit);
} else {
  app.quit();
}

async function begin(): Promise<void> {
  const node = findNode({ environment: process.env, appRoot: app.getAppPath(), resourcesPath: process.resourcesPath, platform: process.platform, arch: process.arch, exists: existsSync });
  core = startCore({
    node,
    args: [join(app.getAppPath(), 'out/main/core.js'), ...workspaceArguments(process.argv)],
    onLog: (line) => process.stderr.write(`core: ${line}\n`),
    onGaveUp: (error) => dialog.showErrorBox('Switchback', error.message),
  });
  serveApp(session.defaultSession, core.address.bind(core));
  denyPermissions(session.defaultSession);
  setMenu(() => shown);
  await show();
}

/** `--workspace W` of the command line goes on to the core. */
function workspaceArguments(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--workspace');
  const folder = at < 0 ? undefined : argv[at + 1];
  return folder === undefined ? [] : ['--workspace', folder];
}

async function show(): Promise<void> {
  if (shown !== null || core === undefined) return;
  const window = await openWindow(app.getAppPath(), (opened) => {
    shown = opened;
    const stopAnswering = answerDialogs(opened);
    opened.on('closed', () => {
      shown = null;
      stopAnswering();
    });
  });
  window.focus();
}

function showAgain(): void {
  if (shown === null) return;
  if (shown.isMinimized()) shown.restore();
  shown.focus();
}

function stopCoreFirst(event: { preventDefault(): void }): void {
  const running = core;
  if (running === undefined) return;
  event.preventDefault();
  core = undefined;
  running.stop().then(() => app.quit(), reportAndQuit);
}

function reportAndQuit(error: unknown): void {
  if (!isAbort(error)) dialog.showErrorBox('Switchback', error instanceof Error ? error.message : String(error));
  app.exit(1);
}
