/**
 * What a page may ask the machine for: writing text to the clipboard, and, when the person agrees, the camera for the image lab (never the microphone).
 * Everything else is refused, and so is every page but the workbench's own.
 */
import type { MediaAccessPermissionRequest, Session } from 'electron';
import { isWorkbenchAddress } from './dialogs.ts';

/** `askForCamera`: asks the person; their answer holds until the window closes. */
export function limitPermissions(session: Session, askForCamera: () => Promise<boolean>): void {
  let isCameraAllowed = false;
  let asking: Promise<boolean> | undefined;
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    if (!isWorkbenchAddress(details.requestingUrl)) return answer(false);
    if (permission === 'clipboard-sanitized-write') return answer(true);
    if (permission !== 'media' || !isCameraAlone((details as MediaAccessPermissionRequest).mediaTypes)) return answer(false);
    if (isCameraAllowed) return answer(true);
    asking ??= askForCamera().finally(() => (asking = undefined));
    asking.then(
      (allowed) => {
        isCameraAllowed = allowed;
        answer(allowed);
      },
      () => answer(false),
    );
  });
  session.setPermissionCheckHandler((_contents, permission, origin, details) => {
    if (!isWorkbenchAddress(origin)) return false;
    return permission === 'clipboard-sanitized-write' || (permission === 'media' && details.mediaType === 'video');
  });
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  session.on('will-download', (event, item) => {
    // Figures and exports come from the workbench itself; Electron asks where to put them.
    if (!isWorkbenchAddress(item.getURL()) && !item.getURL().startsWith('blob:app://workbench/')) event.preventDefault();
  });
}

function isCameraAlone(types: readonly string[] | undefined): boolean {
  return types?.length === 1 && types[0] === 'video';
}
