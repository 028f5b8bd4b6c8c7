/**
 * Runs in the sandbox beside the renderer and offers it DesktopBridge and nothing else: no channel names, no event objects, no Electron.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { DesktopBridge, DesktopCommand, DesktopOpening } from '../../src-shared/contract/desktopBridge.ts';
import { desktopCommands } from '../../src-shared/contract/desktopBridge.ts';
import type { DialogKind } from './ipcChannels.ts';
import { commandChannel, dialogChannels, listeningChannel, openingChannel } from './ipcChannels.ts';

const bridge: DesktopBridge = {
  platform: process.platform === 'win32' || process.platform === 'darwin' ? process.platform : 'linux',
  chooseModel: () => choose('chooseModel'),
  chooseImageFolder: () => choose('chooseImageFolder'),
  chooseWorkspace: () => choose('chooseWorkspace'),
  choosePackFile: () => choose('choosePackFile'),
  pathOfDropped,
  onCommand: (listener) =>
    listen(commandChannel, (command) => {
      if (isCommand(command)) listener(command);
    }),
  onOpening(listener) {
    const stop = listen(openingChannel, (opening) => {
      const known = openingFrom(opening);
      if (known !== undefined) listener(known);
    });
    ipcRenderer.send(listeningChannel);
    return stop;
  },
};

contextBridge.exposeInMainWorld('switchbackDesktop', bridge);

function listen(channel: string, receive: (message: unknown) => void): () => void {
  const withoutEvent = (_event: unknown, message: unknown): void => receive(message);
  ipcRenderer.on(channel, withoutEvent);
  return () => {
    ipcRenderer.off(channel, withoutEvent);
  };
}

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

function openingFrom(value: unknown): DesktopOpening | undefined {
  const { kind, path, address } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if ((kind === 'model' || kind === 'images' || kind === 'workspace') && typeof path === 'string') return { kind, path };
  return kind === 'place' && typeof address === 'string' ? { kind, address } : undefined;
}
