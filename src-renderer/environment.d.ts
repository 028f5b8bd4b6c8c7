/** What the renderer finds on `window` beyond the browser's own: the preload bridge, in an Electron window only. */
import type { DesktopBridge } from '../src-shared/contract/desktopBridge.ts';

declare global {
  interface Window {
    readonly switchbackDesktop?: DesktopBridge;
  }
}
