/** What electron-builder reads; src-main/setup/packaging.mjs says what and why. SWITCHBACK_ELECTRON_DIST names a folder with an Electron runtime that is used instead of a fetched one. */
import { builderConfig } from './src-main/setup/packaging.mjs';
import { keyOf, targets } from './src-main/setup/targets.mjs';

const target = targets[keyOf({ platform: process.platform, arch: process.arch })];
if (target === undefined) throw new Error(`Switchback is packed on ${Object.keys(targets).join(', ')}, each for itself: native files are there only where they were installed.`);
const { SWITCHBACK_ELECTRON_DIST: electronDist, SWITCHBACK_PACK_OUTPUT: output } = process.env;

export default builderConfig(target, { ...(electronDist ? { electronDist } : {}), ...(output ? { output } : {}) });
