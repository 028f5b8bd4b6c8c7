/** Tags and notes: what a change keeps, counts and finds; that they outlive their index, come with the layout's sixth step and travel in packs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src-main/store/driver.ts';
import { migrate, migrations } from '../../src-main/store/migrations/migrate.ts';
import type { NoteContents, NoteSubject } from '../../src-main/store/notes.ts';
import { openStore } from '../../src-main/store/open.ts';
import { writePack } from '../../src-main/store/packWriting.ts';
import { makeSyntheticIndex } from '../support/syntheticIndex.ts';

const root = mkdtempSync(join(tmpdir(), 'switchback-notes-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const workspace: NoteSubject = { modelHash: '', layer: '', channel: -1, modelName: '', layerTitle: '' };
const channel = (number: number): NoteSubject => ({ modelHash: 'feedbeef', layer: 'value1', channel: number, modelName: 'net', layerTitle: 'conv1' });
const of = (text: string, ...tags: readonly string[]) => (): NoteContents => ({ text, tags });

describe('the table of notes', () => {
  it('keeps text and tags by place, counts revisions, and forgets what is empty', async () => {
    const store = await openStore(join(root, 'table'), { mode: 'write', create: true });
    const first = { subject: channel(3), change: of('fur', 'animal', 'Ω'), changedAt: '2026-01-02T03:04:05Z' };
    expect(await store.notes.change([first, { subject: workspace, change: of('plan') }])).toEqual([
      { ...channel(3), text: 'fur', tags: ['animal', 'Ω'], revision: 1, changedAt: '2026-01-02T03:04:05Z' },
      expect.objectContaining({ ...workspace, text: 'plan', tags: [], revision: 1 }),
    ]);
    const [same] = await store.notes.change([first]);
    expect(same?.revision).toBe(1);
    const [longer] = await store.notes.change([{ subject: channel(3), change: (before) => ({ text: `${before?.text} and eyes`, tags: before?.tags ?? [] }), changedAt: '2020-01-01T00:00:00Z' }]);
    expect([longer?.text, longer?.revision, longer!.changedAt > '2026-01-02']).toEqual(['fur and eyes', 2, true]);
    await store.notes.change([{ subject: channel(1), change: of('', 'animal') }, { subject: channel(-1), change: of('the layer') }]);
    expect((await store.notes.list(channel(0))).map((note) => [note.channel, note.text, note.tags])).toEqual([[-1, 'the layer', []], [1, '', ['animal']], [3, 'fur and eyes', ['animal', 'Ω']]]);
    expect(await store.notes.tags()).toEqual([{ tag: 'animal', count: 2 }, { tag: 'Ω', count: 1 }]);
    expect((await store.notes.find(['EYES', 'fur'], 9)).map((note) => note.channel)).toEqual([3]);
    await store.notes.change([{ subject: channel(4), change: of('\u1112\u1161\u11ab eye\u0301') }]);
    expect((await store.notes.find(['\ud55c', '\u00c9'], 9)).map((note) => note.channel), 'letters written in parts').toEqual([4]);
    expect(await store.notes.change([{ subject: channel(3), change: of('') }])).toEqual([null]);
    expect(await store.notes.get(channel(3))).toBeNull();
    await store.close();
  });

  it('changes all places or none', async () => {
    const store = await openStore(join(root, 'all-or-none'), { mode: 'write', create: true });
    const refuse = () => {
      throw new Error('too long');
    };
    await expect(store.notes.change([{ subject: channel(0), change: of('kept?') }, { subject: channel(1), change: refuse }])).rejects.toThrow('too long');
    expect(await store.notes.list()).toEqual([]);
    await store.close();
  });

  it('outlives its index', async () => {
    const folder = join(root, 'outlives');
    const { id } = await makeSyntheticIndex(folder);
    const store = await openStore(folder, { mode: 'write' });
    await store.notes.change([{ subject: channel(2), change: of('stays', 'kept') }]);
    await store.indexes.delete(id);
    expect((await store.notes.list()).map(({ text }) => text)).toEqual(['stays']);
    await store.close();
  });

  it('travels in a pack; of chosen indexes, only what is said of their models', async () => {
    const folder = join(root, 'packed');
    const { id } = await makeSyntheticIndex(folder);
    const store = await openStore(folder, { mode: 'write' });
    await store.notes.change([{ subject: workspace, change: of('plan') }, { subject: channel(2), change: of('mine', 'a') }, { subject: { ...channel(2), modelHash: 'another' }, change: of('of another model') }]);
    for (const [indexes, texts] of [[undefined, ['plan', 'of another model', 'mine']], [[id], ['plan', 'mine']]] as const) {
      const file = join(root, `${texts.length}.switchback`);
      await writePack(store, file, { parts: [], ...(indexes ? { indexes } : {}) });
      const pack = await openStore(file, { mode: 'read' });
      expect((await pack.notes.list()).map(({ text }) => text)).toEqual(texts);
      await expect(pack.notes.change([{ subject: channel(0), change: of('x') }])).rejects.toThrow('open for reading only');
      await pack.close();
    }
    await store.close();
  });

  it('comes with step 6 to a workspace of layout 5', async () => {
    const database = await openDatabase(join(root, 'old.sqlite'), 'create');
    await migrate(database, migrations.slice(0, 5));
    expect(await migrate(database, migrations.slice(0, 6))).toEqual([6]);
    expect(await database.all('SELECT * FROM notes')).toEqual([]);
    await database.close();
  });
});
