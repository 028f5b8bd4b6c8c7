/**
 * Runs in the sandbox beside the renderer and offers it DesktopBridge and nothing else: no channel names, no event objects, no Electron.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { DesktopBridge, DesktopCommand } from '../../src-shared/contract/desktopBridge.ts';
import { desktopCommands } from '../../src-shared/contract/desktopBridge.ts';
import type { DialogKind } from './ipcChannels.ts';
import { commandChannel, dialogChannels } from './ipcChannels.ts';

const bridge: DesktopBridge = {
  platform: process.platform === 'win32' || process.platform === 'darwin' ? process.platform : 'linux',
  chooseModel: () => choose('chooseModel'),
  chooseImageFolder: () => choose('chooseImageFolder'),
  chooseWorkspace: () => choose('chooseWorkspace'),
  pathOfDropped,
  onCommand(listener) {
    const receive = (_event: unknown, command: unknown): void => {
      if (isCommand(command)) listener(command);
    };
    ipcRenderer.on(commandChannel, receive);
    return () => {
      ipcRenderer.off(commandChannel, receive);
    };
  },
};

contextBridge.exposeInMainWorld('switchbackDesktop', bridge);

async function choose(kind: DialogKind): Promise<string | null> {
  const answer: unknown = await ipcRenderer.invoke(dialogChannels[kind]);
  return typeof answer === 'string' ? answer : null;
}

/** Electron itself judges what is a file: an object that crossed from the page's world need not be an instance of this world's File. */
function pathOfDropped(file: unknown): string {
  try {
    return webUtils.getPathForFile(file as File);
  } catch {
    return '';
  }
}

function isCommand(value: unknown): value is DesktopCommand {
  return desktopCommands.some((command) => command === value);
}
