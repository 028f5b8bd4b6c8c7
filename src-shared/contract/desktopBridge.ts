/**
 * What only a desktop has, as the preload script offers it on `window.switchbackDesktop`; in a browser it is absent and paths are typed or picked from
 * files.list. No call carries an argument, so a page that was taken over can ask the shell for nothing that a person does not choose.
 */
export interface DesktopBridge {
  readonly platform: 'linux' | 'win32' | 'darwin';
  /** Native dialogs; null when the person cancels. */
  chooseModel(): Promise<string | null>;
  chooseImageFolder(): Promise<string | null>;
  chooseWorkspace(): Promise<string | null>;
  /** Where a pack of the open workspace is to be written. */
  choosePackFile(): Promise<string | null>;
  /** Path of a file dropped on the window. */
  pathOfDropped(file: unknown): string;
  /** Menu commands for the renderer, e.g. `open-model`. Returns the function that stops listening. */
  onCommand(listener: (command: DesktopCommand) => void): () => void;
  /** What the system asks to open: files that were double-clicked, links, recent documents. What came before the first listener waits for it. Returns the function that stops listening. */
  onOpening(listener: (opening: DesktopOpening) => void): () => void;
}

export const desktopCommands = ['open-model', 'open-images', 'open-workspace', 'show-jobs', 'show-settings', 'show-about', 'show-shortcuts'] as const;
export type DesktopCommand = (typeof desktopCommands)[number];

export type DesktopOpening =
  | { readonly kind: 'model' | 'images' | 'workspace'; readonly path: string }
  /** `address`: a place of the workbench's own router, e.g. `/w/<workspace>/i/<index>/l/3`. */
  | { readonly kind: 'place'; readonly address: string };
