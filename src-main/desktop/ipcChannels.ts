/** Names of the messages between the preload script and the desktop process. No message from the renderer carries an argument, so none can be forged. */

export const dialogChannels = {
  chooseModel: 'switchback:choose-model',
  chooseImageFolder: 'switchback:choose-image-folder',
  chooseWorkspace: 'switchback:choose-workspace',
  choosePackFile: 'switchback:choose-pack-file',
} as const;

export type DialogKind = keyof typeof dialogChannels;

/** Desktop to renderer: one of desktopCommands, chosen in the menu. */
export const commandChannel = 'switchback:command';

/** Desktop to renderer: a DesktopOpening. */
export const openingChannel = 'switchback:opening';

/** Renderer to desktop: somebody listens to openings now. */
export const listeningChannel = 'switchback:listening';

/** The one page that the window shows; everything else is refused. */
export const appScheme = 'app';
export const appOrigin = `${appScheme}://workbench`;

/** Links from elsewhere: `switchback://workspace/<id>/...`. */
export const linkScheme = 'switchback';
