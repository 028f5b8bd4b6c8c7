/**
 * One window of the workbench with all that is its own: a core (which holds one workspace), a session whose app:// leads to that core, and what the system shows
 * of its jobs. Its core is gone before the window counts as ended.
 */
import { join } from 'node:path';
import type { BrowserWindow, Session } from 'electron';
import { app, dialog, Notification, powerSaveBlocker, screen, session as sessions } from 'electron';
import type { DesktopCommand, DesktopOpening } from '../../src-shared/contract/desktopBridge.ts';
import { serveApp } from './appProtocol.ts';
import { coreClient, type CoreClient } from './coreClient.ts';
import type { CoreOptions, CoreProcess } from './coreProcess.ts';
import { startCore } from './coreProcess.ts';
import type { AskingWindow } from './dialogs.ts';
import { appOrigin, commandChannel, openingChannel } from './ipcChannels.ts';
import { endedBetween, keepsAwake, progressOf, type SeenJob } from './jobSigns.ts';
import { limitPermissions } from './permissions.ts';
import { createWindow } from './window.ts';
import { placeOnScreens, type WindowPlace, type WindowPlaces } from './windowPlaces.ts';
import type { Words } from './words.ts';

export interface OpenedWorkspace {
  readonly id: string;
  readonly path: string;
}

export interface WorkbenchWindowOptions {
  readonly appRoot: string;
  /** Number of the window, from 0: the same number means the same stored page settings. */
  readonly slot: number;
  readonly core: Pick<CoreOptions, 'node' | 'args'>;
  readonly words: () => Words;
  /** Where it stood last time. */
  readonly place: WindowPlace | undefined;
  readonly places: WindowPlaces;
  /** Windows that are open already. */
  readonly others: () => readonly BrowserWindow[];
  readonly log: (line: string) => void;
  readonly copyDiagnostics: () => void;
  /** A setting was changed in this window; the words may be another language's now. */
  readonly settingsChanged: (core: CoreClient) => void;
  /** The window is closed and its core is gone. */
  readonly ended: () => void;
}

const corePauseMs = 1000;

export class WorkbenchWindow implements AskingWindow {
  readonly window: BrowserWindow;
  readonly core: CoreProcess;
  readonly slot: number;
  /** Resolves when the window is closed and its core is gone. */
  readonly gone: Promise<void>;
  readonly #options: WorkbenchWindowOptions;
  readonly #closed = new AbortController();
  #workspace: OpenedWorkspace | null = null;
  #waiting: DesktopOpening[] = [];
  #isListening = false;
  #jobs: readonly SeenJob[] = [];
  #awake: number | undefined;
  /** The person said that it may close although a job runs, or the system ends. */
  #mayClose = false;

  constructor(options: WorkbenchWindowOptions) {
    this.#options = options;
    this.slot = options.slot;
    const ownSession = sessions.fromPartition(`persist:window-${options.slot}`);
    this.core = startCore({
      ...options.core,
      onLog: (line) => options.log(`core ${options.slot}: ${line}`),
      onState: (state) => options.log(`core ${options.slot} is ${state}`),
      prepare: (address, isRestart) => this.#reopen(coreClient(address), isRestart),
      onGaveUp: (error) => void this.#offerAnotherTry(error.message),
    });
    this.#serve(ownSession);
    const place = placeOnScreens(options.place, screen.getAllDisplays().map(({ workArea }) => workArea), options.others().map((other) => other.getBounds()));
    this.window = createWindow({ appRoot: options.appRoot, session: ownSession, place, words: options.words(), log: options.log });
    this.window.on('close', (event) => this.#closing(event));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.window.on('closed', () => {
      this.#closed.abort();
      this.#stayAwake(false);
      void this.core.stop().finally(() => {
        options.ended();
        resolve();
      });
    });
    this.window.webContents.on('did-start-loading', () => (this.#isListening = false));
    void this.#followJobs();
  }

  get words(): Words {
    return this.#options.words();
  }

  get workspace(): OpenedWorkspace | null {
    return this.#workspace;
  }

  get workspacePath(): string | null {
    return this.#workspace?.path ?? null;
  }

  load(): Promise<void> {
    return this.window.loadURL(`${appOrigin}/`);
  }

  send(command: DesktopCommand): void {
    this.window.webContents.send(commandChannel, command);
  }

  /** Hands something to the page, at once or when it listens. */
  open(opening: DesktopOpening): void {
    if (this.#isListening) this.window.webContents.send(openingChannel, opening);
    else this.#waiting.push(opening);
  }

  listens(): void {
    this.#isListening = true;
    for (const opening of this.#waiting.splice(0)) this.window.webContents.send(openingChannel, opening);
  }

  show(): void {
    if (this.window.isMinimized()) this.window.restore();
    this.window.show();
    this.window.focus();
  }

  /** Closes without a question, e.g. because the system ends. */
  closeNow(): void {
    this.#mayClose = true;
    this.window.close();
  }

  #serve(ownSession: Session): void {
    limitPermissions(ownSession, () => this.#askForCamera());
    serveApp(ownSession, () => this.core.address(), (path) => {
      if (path === '/rpc/workspaces/open' || path === '/rpc/workspaces/create') void this.#noteWorkspace();
      if (path === '/rpc/settings/set') void this.core.address().then((address) => this.#options.settingsChanged(coreClient(address)));
    });
  }

  /** A core that died had a workspace open: the page goes on as if nothing had been. */
  async #reopen(client: CoreClient, isRestart: boolean): Promise<void> {
    if (isRestart && this.#workspace !== null) await client.workspaces.open({ path: this.#workspace.path });
    if (!isRestart) this.#options.settingsChanged(client);
  }

  async #noteWorkspace(): Promise<void> {
    const current = await coreClient(await this.core.address()).workspaces.current();
    if (current === null || this.window.isDestroyed()) return;
    this.#workspace = { id: current.id, path: current.path };
    app.addRecentDocument(current.path);
    this.window.setRepresentedFilename(current.path);
  }

  async #offerAnotherTry(reason: string): Promise<void> {
    const { words } = this;
    this.#options.log(`core ${this.slot}: ${reason}`);
    if (this.window.isDestroyed()) return;
    const { response } = await dialog.showMessageBox(this.window, { type: 'error', title: 'Switchback', message: words.coreGone, detail: reason, buttons: [words.startAgain, words.copyDiagnostics, words.close], cancelId: 2, noLink: true });
    if (response === 2) return this.closeNow();
    if (response === 1) this.#options.copyDiagnostics();
    this.core.startAgain();
  }

  async #askForCamera(): Promise<boolean> {
    const { words } = this;
    const { response } = await dialog.showMessageBox(this.window, { type: 'question', title: 'Switchback', message: words.camera, detail: words.cameraDetail, buttons: [words.allow, words.refuse], defaultId: 1, cancelId: 1, noLink: true });
    return response === 0;
  }

  #closing(event: { preventDefault(): void }): void {
    this.#options.places.keep(this.#workspace?.path ?? '', { ...this.window.getNormalBounds(), isMaximized: this.window.isMaximized() });
    if (this.#mayClose || !keepsAwake(this.#jobs)) return;
    event.preventDefault();
    const { words } = this;
    void dialog
      .showMessageBox(this.window, { type: 'question', title: 'Switchback', message: words.stillRunning, detail: words.stillRunningDetail, buttons: [words.closeAnyway, words.cancel], defaultId: 0, cancelId: 1, noLink: true })
      .then(({ response }) => {
        if (response === 0) this.closeNow();
      });
  }

  async #followJobs(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const client = coreClient(await this.core.address());
        for await (const list of await client.jobs.watch(undefined, { signal })) this.#showJobs(list);
      } catch {
        // The core is away; whoever supervises it has logged why.
      }
      if (!signal.aborted) await new Promise((wake) => setTimeout(wake, corePauseMs));
    }
  }

  #showJobs(now: readonly SeenJob[]): void {
    if (this.window.isDestroyed()) return;
    const progress = progressOf(now);
    this.window.setProgressBar(progress === null ? -1 : progress === 'unknown' ? 2 : progress);
    this.#stayAwake(keepsAwake(now));
    for (const { title, outcome, reason } of endedBetween(this.#jobs, now, Date.now())) {
      if (this.window.isFocused() || !Notification.isSupported()) continue;
      const notification = new Notification({ title: `${this.words[outcome]}: ${title}`, body: reason, icon: join(this.#options.appRoot, 'resources/icons/switchback.png') });
      notification.on('click', () => this.show());
      notification.show();
      this.window.flashFrame(true);
    }
    this.#jobs = now;
  }

  #stayAwake(isNeeded: boolean): void {
    if (isNeeded) this.#awake ??= powerSaveBlocker.start('prevent-app-suspension');
    else if (this.#awake !== undefined) {
      powerSaveBlocker.stop(this.#awake);
      this.#awake = undefined;
    }
  }
}
