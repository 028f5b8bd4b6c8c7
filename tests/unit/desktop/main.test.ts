/**
 * The order in which the Electron process does things, with `electron` and the child process replaced: the scheme before ready, one instance, the core
 * gone before the app is.
 */
import type { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CoreOptions } from '../../../src-main/desktop/coreProcess.ts';

const stub = vi.hoisted(() => ({
  events: [] as string[],
  first: true,
  app: undefined as unknown,
  becomeReady: () => {},
  coreOptions: undefined as unknown,
  coreGone: () => {},
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class StubWindow extends Emitter {
    readonly webContents = Object.assign(new Emitter(), { mainFrame: {}, setWindowOpenHandler: () => {} });
    loadURL(address: string): Promise<void> {
      stub.events.push(`load ${address}`);
      return Promise.resolve();
    }
    show(): void {}
    isMinimized(): boolean {
      return true;
    }
    restore(): void {
      stub.events.push('restore');
    }
    focus(): void {
      stub.events.push('focus');
    }
  }
  stub.app = Object.assign(new Emitter(), {
    requestSingleInstanceLock: () => stub.first,
    whenReady: () => new Promise<void>((resolve) => (stub.becomeReady = resolve)),
    getAppPath: () => '/app',
    quit: () => stub.events.push('quit'),
    exit: (code: number) => stub.events.push(`exit ${code}`),
  });
  const handle = (scheme: string): unknown => stub.events.push(`handle ${scheme}`);
  return {
    app: stub.app,
    BrowserWindow: StubWindow,
    dialog: { showErrorBox: (_title: string, text: string) => stub.events.push(`error ${text}`) },
    ipcMain: { handle: () => {}, removeHandler: () => {} },
    Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: () => stub.events.push('menu') },
    nativeTheme: { shouldUseDarkColors: false },
    protocol: { registerSchemesAsPrivileged: () => stub.events.push('scheme') },
    session: { defaultSession: { protocol: { handle }, setPermissionRequestHandler: () => {}, setPermissionCheckHandler: () => {} } },
    shell: {},
  };
});

vi.mock('../../../src-main/desktop/coreProcess.ts', () => ({
  startCore(options: CoreOptions) {
    stub.events.push('core starts');
    stub.coreOptions = options;
    return {
      address: () => new Promise(() => {}),
      stop() {
        stub.events.push('core is stopped');
        return new Promise<void>((resolve) => (stub.coreGone = resolve));
      },
    };
  },
}));

beforeEach(() => {
  vi.resetModules();
  // Each test imports the entry anew; what the last one listened to is gone with it.
  (stub.app as EventEmitter | undefined)?.removeAllListeners();
  vi.stubEnv('SWITCHBACK_NODE', process.execPath);
  Reflect.set(process, 'resourcesPath', '/resources');
  stub.events.length = 0;
  stub.first = true;
});

const app = (): EventEmitter => stub.app as EventEmitter;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the Electron process', () => {
  it('registers the scheme before it is ready, then starts the core on the pinned Node and opens the window', async () => {
    await import('../../../src-main/desktop/main.ts');
    expect(stub.events).toEqual(['scheme']);
    stub.becomeReady();
    await settle();
    expect(stub.events).toEqual(['scheme', 'core starts', 'handle app', 'menu', 'load app://workbench/', 'focus']);
    expect(stub.coreOptions).toMatchObject({ node: process.execPath, args: ['/app/out/main/core.js'] });
  });

  it('waits for the core to end before it quits', async () => {
    await import('../../../src-main/desktop/main.ts');
    stub.becomeReady();
    await settle();
    stub.events.length = 0;
    let prevented = 0;
    const event = { preventDefault: () => prevented++ };
    app().emit('will-quit', event);
    await settle();
    expect([prevented, stub.events]).toEqual([1, ['core is stopped']]);
    stub.coreGone();
    await settle();
    expect(stub.events).toEqual(['core is stopped', 'quit']);
    app().emit('will-quit', event);
    expect(prevented).toBe(1);
  });

  it('shows the window that is there when it is started a second time', async () => {
    await import('../../../src-main/desktop/main.ts');
    stub.becomeReady();
    await settle();
    stub.events.length = 0;
    app().emit('second-instance');
    expect(stub.events).toEqual(['restore', 'focus']);
  });

  it('quits at once where another instance runs', async () => {
    stub.first = false;
    await import('../../../src-main/desktop/main.ts');
    expect(stub.events).toEqual(['quit']);
  });

  it('says why and ends where no Node can be found', async () => {
    vi.stubEnv('SWITCHBACK_NODE', '');
    await import('../../../src-main/desktop/main.ts');
    stub.becomeReady();
    await settle();
    expect(stub.events.at(-2)).toMatch(/^error The Node that runs Switchback's core was not found\. Looked at: \/resources\/node\/node/);
    expect(stub.events.at(-1)).toBe('exit 1');
  });
});
