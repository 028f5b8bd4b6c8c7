/** What only a desktop has, as the preload script offers it on `window.switchbackDesktop`; in a browser it is absent and paths are typed or picked from files.list. */
export interface DesktopBridge {
  readonly platform: 'linux' | 'win32' | 'darwin';
  /** Native dialogs; null when the person cancels. */
  chooseModel(): Promise<string | null>;
  chooseImageFolder(): Promise<string | null>;
  chooseWorkspace(): Promise<string | null>;
  /** Path of a file dropped on the window. */
  pathOfDropped(file: unknown): string;
  /** Menu commands for the renderer, e.g. `open-model`. Returns the function that stops listening. */
  onCommand(listener: (command: DesktopCommand) => void): () => void;
}

export const desktopCommands = ['open-model', 'open-images', 'open-workspace', 'show-jobs', 'show-settings', 'show-shortcuts'] as const;
export type DesktopCommand = (typeof desktopCommands)[number];
