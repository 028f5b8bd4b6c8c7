/**
 * Native dialogs for the renderer. Only the workbench's own page in the workbench's own window may ask, and nothing it sends is used. A window asks for
 * itself: each dialog belongs to the window whose page asked.
 */
import { basename, dirname, join } from 'node:path';
import type { BrowserWindow, FileFilter, IpcMainEvent, IpcMainInvokeEvent, OpenDialogOptions } from 'electron';
import { dialog, ipcMain } from 'electron';
import { AppError } from '../../src-shared/errors.ts';
import type { DialogKind } from './ipcChannels.ts';
import { appOrigin, dialogChannels, listeningChannel } from './ipcChannels.ts';
import type { Words } from './words.ts';

/** What a dialog needs to know of the window whose page asks. */
export interface AskingWindow {
  readonly window: BrowserWindow;
  readonly words: Words;
  /** Path of the open workspace, where one is. */
  readonly workspacePath: string | null;
  /** Its page listens to openings now. */
  listens(): void;
}

type OpenKind = Exclude<DialogKind, 'choosePackFile'>;

const modelEndings = ['onnx', 'caffemodel', 'prototxt', 'json', 'h5', 'keras'];

const openOptions = {
  chooseModel: (words) => ({ title: words.chooseModel, properties: ['openFile'], filters: [{ name: words.models, extensions: modelEndings }, everything(words)] }),
  chooseImageFolder: (words) => ({ title: words.chooseImages, properties: ['openDirectory'] }),
  chooseWorkspace: (words) => ({ title: words.chooseWorkspace, properties: ['openDirectory', 'createDirectory'] }),
} satisfies Record<OpenKind, (words: Words) => OpenDialogOptions>;

/** Answers the dialogs' channels for all windows; `windows` is asked at each call. Returns the function that stops answering. */
export function answerDialogs(windows: () => readonly AskingWindow[]): () => void {
  const kinds = Object.keys(dialogChannels) as DialogKind[];
  for (const kind of kinds) {
    ipcMain.handle(dialogChannels[kind], async (event, ...rest: readonly unknown[]) => {
      const asking = whoAsks(event, windows());
      if (rest.length > 0) throw new AppError('BAD_REQUEST', `A dialog was asked for with ${rest.length} arguments; it takes none.`);
      return kind === 'choosePackFile' ? savePath(asking) : openPath(asking, kind);
    });
  }
  const listens = (event: IpcMainEvent): void => whoAsks(event, windows()).listens();
  ipcMain.on(listeningChannel, listens);
  return () => {
    for (const kind of kinds) ipcMain.removeHandler(dialogChannels[kind]);
    ipcMain.removeListener(listeningChannel, listens);
  };
}

async function openPath({ window, words }: AskingWindow, kind: OpenKind): Promise<string | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, openOptions[kind](words));
  return canceled ? null : (filePaths[0] ?? null);
}

async function savePath({ window, words, workspacePath }: AskingWindow): Promise<string | null> {
  const name = workspacePath === null ? 'workspace' : basename(workspacePath);
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    title: words.choosePack,
    defaultPath: join(workspacePath === null ? '' : dirname(workspacePath), `${name}.switchback`),
    filters: [{ name: words.packs, extensions: ['switchback'] }],
  });
  return canceled || filePath === '' ? null : filePath;
}

function everything(words: Words): FileFilter {
  return { name: words.allFiles, extensions: ['*'] };
}

/** The window whose own page sent this; AppError BAD_REQUEST for any other frame, page or window. */
function whoAsks(event: IpcMainInvokeEvent | IpcMainEvent, windows: readonly AskingWindow[]): AskingWindow {
  const frame = event.senderFrame;
  const asking = windows.find(({ window }) => !window.isDestroyed() && window.webContents === event.sender);
  const isOwn = asking !== undefined && frame !== null && frame === asking.window.webContents.mainFrame && isWorkbenchAddress(frame.url);
  if (!isOwn) throw new AppError('BAD_REQUEST', `The shell was asked by ${frame?.url ?? 'a closed frame'}; only the workbench's own page may ask.`);
  return asking;
}

/** True for addresses of the workbench's own page. */
export function isWorkbenchAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return `${url.protocol}//${url.host}` === appOrigin;
}
