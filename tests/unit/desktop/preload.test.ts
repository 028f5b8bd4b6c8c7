/** What the preload script offers the page, with `electron` replaced: only the bridge, and only known commands pass. */
import type { IpcRendererEvent } from 'electron';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { DesktopBridge } from '../../../src-shared/contract/desktopBridge.ts';

type Receive = (event: IpcRendererEvent, ...values: unknown[]) => void;

const stub = vi.hoisted(() => ({ exposed: new Map<string, unknown>(), listeners: new Set<unknown>(), told: [] as unknown[][], invoked: [] as unknown[][], answer: null as unknown }));
vi.mock('electron', () => ({
  contextBridge: { exposeInMainWorld: (name: string, value: unknown) => stub.exposed.set(name, value) },
  webUtils: {
    getPathForFile(file: unknown) {
      if (!(file instanceof File)) throw new TypeError('not a File');
      return `/dropped/${file.name}`;
    },
  },
  ipcRenderer: {
    on: (_channel: string, listener: unknown) => stub.listeners.add(listener),
    off: (_channel: string, listener: unknown) => stub.listeners.delete(listener),
    send: (...sent: unknown[]) => stub.told.push(sent),
    invoke: (...sent: unknown[]) => {
      stub.invoked.push(sent);
      return Promise.resolve(stub.answer);
    },
  },
}));

let bridge: DesktopBridge;
beforeAll(async () => {
  await import('../../../src-main/desktop/preload.ts');
  bridge = stub.exposed.get('switchbackDesktop') as DesktopBridge;
});

describe('the preload script', () => {
  it('offers one object and on it functions and the platform alone', () => {
    expect([...stub.exposed.keys()]).toEqual(['switchbackDesktop']);
    expect(Object.keys(bridge).toSorted()).toEqual(['chooseImageFolder', 'chooseModel', 'choosePackFile', 'chooseWorkspace', 'onCommand', 'onOpening', 'pathOfDropped', 'platform']);
  });

  it('asks for dialogs without arguments and takes nothing but a path or null for an answer', async () => {
    stub.answer = '/models/net.onnx';
    expect(await bridge.chooseModel()).toBe('/models/net.onnx');
    stub.answer = { path: '/x' };
    expect(await bridge.chooseImageFolder()).toBe(null);
    expect(stub.invoked).toEqual([['switchback:choose-model'], ['switchback:choose-image-folder']]);
  });

  it('passes known commands on, without the event, until the listener stops', () => {
    const heard: unknown[][] = [];
    const stop = bridge.onCommand((...values) => heard.push(values));
    const [receive] = [...stub.listeners] as Receive[];
    receive?.({} as IpcRendererEvent, 'open-model');
    receive?.({} as IpcRendererEvent, 'format-disk');
    receive?.({} as IpcRendererEvent, { toString: () => 'open-model' });
    expect(heard).toEqual([['open-model']]);
    stop();
    expect(stub.listeners.size).toBe(0);
  });

  it('passes openings on that have the right shape, and says when somebody listens', () => {
    const heard: unknown[] = [];
    const stop = bridge.onOpening((opening) => heard.push(opening));
    expect(stub.told).toEqual([['switchback:listening']]);
    const [receive] = [...stub.listeners] as Receive[];
    for (const sent of [{ kind: 'model', path: '/m.onnx', more: 1 }, { kind: 'place', address: '/w/a' }, { kind: 'program', path: '/bin/sh' }, { kind: 'model', path: 3 }, null, 'model']) receive?.({} as IpcRendererEvent, sent);
    expect(heard).toEqual([{ kind: 'model', path: '/m.onnx' }, { kind: 'place', address: '/w/a' }]);
    stop();
    expect(stub.listeners.size).toBe(0);
  });

  it('knows the path of a dropped file, and of nothing else', () => {
    expect(bridge.pathOfDropped(new File([], 'a.jpg'))).toBe('/dropped/a.jpg');
    expect(bridge.pathOfDropped({ name: 'a.jpg' })).toBe('');
  });
});
