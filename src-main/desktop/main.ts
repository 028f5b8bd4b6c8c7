/**
 * Entry of the Electron process, kept thin: it starts a core on the pinned Node for each window, shows its pages under app://workbench and adds what only a
 * desktop has. One instance at a time; whichever way it ends, no core outlives it.
 */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { app, BrowserWindow, clipboard, dialog, shell } from 'electron';
import type { DesktopOpening } from '../../src-shared/contract/desktopBridge.ts';
import { isAbort } from '../../src-shared/errors.ts';
import { registerAppScheme } from './appProtocol.ts';
import { coreClient, type CoreClient } from './coreClient.ts';
import { diagnosticsText } from './diagnostics.ts';
import { answerDialogs } from './dialogs.ts';
import { linkScheme } from './ipcChannels.ts';
import { openLogFile, type LogFile } from './logFile.ts';
import { setMenu } from './menu.ts';
import { openingOfLink, openingOfPath, openingsOf, workspaceIdOf, type FileFacts } from './openings.ts';
import { coreEntry, coreNodeOptions, findNode } from './pinnedNode.ts';
import { updateCheck } from './updates.ts';
import { openWindowPlaces, type WindowPlaces } from './windowPlaces.ts';
import { WorkbenchWindow } from './workbenchWindow.ts';
import { wordsFor } from './words.ts';

const loggedLines = 150;
const coreAnswerMs = 5000;
const files: FileFacts = { exists: existsSync, isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false };

const open = new Set<WorkbenchWindow>();
/** What was asked for before the app was ready. */
const early: DesktopOpening[] = [];
let log: LogFile | undefined;
let places: WindowPlaces | undefined;
let language = 'en';

if (app.requestSingleInstanceLock()) {
  registerAppScheme();
  app.enableSandbox();
  app.on('second-instance', (_event, argv, folder) => openAll(openingsOf(argv, folder, files)));
  app.on('open-file', (event, path) => {
    event.preventDefault();
    const opening = openingOfPath(path, files);
    openAll(opening === undefined ? [] : [opening]);
  });
  app.on('open-url', (event, link) => {
    event.preventDefault();
    const opening = openingOfLink(link);
    openAll(opening === undefined ? [] : [opening]);
  });
  app.on('activate', () => {
    if (open.size === 0) newWindow();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('will-quit', stopCoresFirst);
  app.on('child-process-gone', (_event, { type, reason, exitCode }) => log?.write(`${type}: ${reason}, code ${exitCode}`));
  app.on('web-contents-created', (_event, contents) => contents.setWindowOpenHandler(() => ({ action: 'deny' })));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quitNow);
  process.on('uncaughtException', reportAndQuit);
  // A call to a core that just died: whoever supervises it starts it again.
  process.on('unhandledRejection', (error) => log?.write(`shell: ${String(error)}`));
  app.whenReady().then(begin).catch(reportAndQuit);
} else {
  app.quit();
}

function begin(): void {
  log = openLogFile(app.getPath('logs'));
  log.write(`Switchback ${app.getVersion()} begins`);
  places = openWindowPlaces(join(app.getPath('userData'), 'windows.json'));
  language = app.getPreferredSystemLanguages()[0] ?? app.getLocale();
  if (process.platform === 'win32') app.setAppUserModelId('org.switchback.workbench');
  if (app.isPackaged) app.setAsDefaultProtocolClient(linkScheme);
  answerDialogs(() => [...open]);
  showMenu();
  newWindow();
  openAll([...early.splice(0), ...openingsOf(process.argv, process.cwd(), files)]);
}

/** `workspacePath`: what will be opened in it, whose place it takes. */
function newWindow(workspacePath = ''): WorkbenchWindow {
  const appRoot = app.getAppPath();
  const node = findNode({ environment: process.env, appRoot, resourcesPath: process.resourcesPath, platform: process.platform, arch: process.arch, exists: existsSync });
  const taken = new Set([...open].map(({ slot }) => slot));
  const made: WorkbenchWindow = new WorkbenchWindow({
    appRoot,
    slot: [...Array(taken.size + 1).keys()].find((slot) => !taken.has(slot)) ?? taken.size,
    core: { node, args: [...coreNodeOptions, coreEntry(appRoot)] },
    words: () => wordsFor(language),
    place: places!.find(workspacePath),
    places: places!,
    others: () => [...open].map(({ window }) => window),
    log: (line) => log?.write(line),
    copyDiagnostics: () => void copyDiagnostics(),
    settingsChanged: (core) => void adoptLanguage(core),
    ended: () => open.delete(made),
  });
  open.add(made);
  made.load().catch((error: unknown) => log?.write(`page: ${String(error)}`));
  return made;
}

/** Each goes to the window that has its workspace open, else to one that has none, else to a new one; models and images to the window in front. */
function openAll(openings: readonly DesktopOpening[]): void {
  if (places === undefined) {
    early.push(...openings);
    return;
  }
  for (const opening of openings) {
    const window = windowFor(opening);
    window.open(opening);
    window.show();
  }
  if (openings.length === 0) (front() ?? newWindow()).show();
}

function windowFor(opening: DesktopOpening): WorkbenchWindow {
  const windows = [...open];
  if (opening.kind === 'model' || opening.kind === 'images') return front() ?? newWindow();
  const isItsOwn = ({ workspace }: WorkbenchWindow): boolean => (opening.kind === 'place' ? workspace?.id === workspaceIdOf(opening.address) : workspace?.path === opening.path);
  return windows.find(isItsOwn) ?? windows.find(({ workspace }) => workspace === null) ?? newWindow(opening.kind === 'workspace' ? opening.path : '');
}

function front(): WorkbenchWindow | undefined {
  const focused = BrowserWindow.getFocusedWindow();
  return [...open].find(({ window }) => window === focused) ?? [...open].at(-1);
}

function showMenu(): void {
  const checkForUpdates = updateCheck(process.resourcesPath, () => wordsFor(language), (line) => log?.write(line));
  setMenu({
    send: (command) => front()?.send(command),
    words: wordsFor(language),
    platform: process.platform,
    actions: {
      newWindow: () => newWindow(),
      showWorkspaceInFolder: () => {
        const path = front()?.workspacePath;
        if (path) shell.showItemInFolder(path);
      },
      copyDiagnostics: () => void copyDiagnostics(),
      showLog: () => {
        if (log) shell.showItemInFolder(log.path);
      },
      ...(checkForUpdates === undefined ? {} : { checkForUpdates }),
    },
  });
}

/** The language that is set in the workbench, else the system's. */
async function adoptLanguage(core: CoreClient): Promise<void> {
  const { language: chosen } = await core.settings.get();
  const wanted = chosen === 'system' ? (app.getPreferredSystemLanguages()[0] ?? app.getLocale()) : chosen;
  if (wanted === language) return;
  language = wanted;
  showMenu();
}

async function copyDiagnostics(): Promise<void> {
  const asked = front()?.core.address().then((address) => coreClient(address).about.diagnostics());
  const late = new Promise<undefined>((settle) => setTimeout(() => settle(undefined), coreAnswerMs));
  const ofCore = await Promise.race([asked, late]).catch(() => undefined);
  await clipboard.writeText(
    diagnosticsText({
      version: app.getVersion(),
      versions: process.versions,
      platform: `${process.platform} ${process.arch} ${process.getSystemVersion()}`,
      isPackaged: app.isPackaged,
      gpu: JSON.stringify(app.getGPUFeatureStatus()),
      home: homedir(),
      cores: [...open].map(({ core }) => core.state),
      ofCore: ofCore?.text ?? '',
      log: log?.tail(loggedLines) ?? [],
    }),
  );
}

function stopCoresFirst(event: { preventDefault(): void }): void {
  if (open.size === 0) return;
  event.preventDefault();
  void Promise.all([...open].map(({ core }) => core.stop())).finally(() => {
    open.clear();
    app.quit();
  });
}

function quitNow(): void {
  for (const { window } of open) window.destroy();
  app.quit();
}

function reportAndQuit(error: unknown): void {
  log?.write(`shell: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  if (!isAbort(error)) dialog.showErrorBox('Switchback', error instanceof Error ? error.message : String(error));
  void Promise.all([...open].map(({ core }) => core.stop())).finally(() => app.exit(1));
}
