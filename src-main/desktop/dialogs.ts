/**
 * Native open dialogs for the renderer. Only the workbench's own page in the workbench's own window may ask, and nothing it sends is used.
 */
import type { BrowserWindow, IpcMainInvokeEvent, OpenDialogOptions } from 'electron';
import { dialog, ipcMain } from 'electron';
import { AppError } from '../../src-shared/errors.ts';
import type { DialogKind } from './ipcChannels.ts';
import { appOrigin, dialogChannels } from './ipcChannels.ts';

const options = {
  chooseModel: {
    title: 'Open a model',
    properties: ['openFile'],
    filters: [
      { name: 'Models', extensions: ['onnx', 'caffemodel', 'prototxt', 'json', 'h5', 'keras'] },
      { name: 'All files', extensions: ['*'] },
    ],
  },
  chooseImageFolder: { title: 'Choose a folder of images', properties: ['openDirectory'] },
  chooseWorkspace: { title: 'Open a workspace', properties: ['openDirectory', 'createDirectory'] },
} satisfies Record<DialogKind, OpenDialogOptions>;

/** Answers the dialogs' channels for one window; returns the function that stops answering. */
export function answerDialogs(window: BrowserWindow): () => void {
  const kinds = Object.keys(dialogChannels) as DialogKind[];
  for (const kind of kinds) {
    ipcMain.handle(dialogChannels[kind], async (event, ...rest: readonly unknown[]) => {
      refuseStrangers(event, window, rest);
      const { canceled, filePaths } = await dialog.showOpenDialog(window, options[kind]);
      return canceled ? null : (filePaths[0] ?? null);
    });
  }
  return () => {
    for (const kind of kinds) ipcMain.removeHandler(dialogChannels[kind]);
  };
}

function refuseStrangers(event: IpcMainInvokeEvent, window: BrowserWindow, rest: readonly unknown[]): void {
  const frame = event.senderFrame;
  const fromWorkbench = event.sender === window.webContents && frame !== null && frame === window.webContents.mainFrame && isWorkbenchAddress(frame.url);
  if (!fromWorkbench) throw new AppError('BAD_REQUEST', `A dialog was asked for by ${frame?.url ?? 'a closed frame'}; only the workbench's own page may ask.`);
  if (rest.length > 0) throw new AppError('BAD_REQUEST', `A dialog was asked for with ${rest.length} arguments; it takes none.`);
}

/** True for addresses of the workbench's own page. */
export function isWorkbenchAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return `${url.protocol}//${url.host}` === appOrigin;
}
