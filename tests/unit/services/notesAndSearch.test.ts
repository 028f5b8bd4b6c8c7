/** Notes, search, compare and storage over indexes that exist on disk, without any network: what a request writes, merges, finds, refuses. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notesDocument } from '../../../src-shared/contract/notes.ts';
import type { Services } from '../../../src-main/services/services.ts';
import { excerptOf } from '../../../src-main/services/search.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { openServices } from '../../support/openServices.ts';
import { makeSyntheticIndex } from '../../support/syntheticIndex.ts';

const home = temporaryFolder('notes-services');
const folder = join(home, 'workspace');
let services: Services;
let index: string;
let other: string;
let bare: string;

beforeAll(async () => {
  bare = (await makeSyntheticIndex(folder, { change: { matrix: 'none', modelName: 'bare', modelHash: 'bare' } })).id;
  other = (await makeSyntheticIndex(folder, { images: 30, change: { modelHash: 'another', modelName: 'net two' } })).id;
  index = (await makeSyntheticIndex(folder)).id;
  services = await openServices(home, folder);
});
afterAll(async () => {
  await services?.close();
  rmSync(home, { recursive: true, force: true });
});

const at = (channel: number) => ({ kind: 'channel', index, layer: 1, channel }) as const;

describe('notes', () => {
  it('write what is given and leave the rest; a tag counts once whatever its capitals', async () => {
    const { notes } = services;
    expect(await notes.get(at(0))).toEqual({ text: '', tags: [], revision: 0, changedAt: null });
    expect(await notes.set({ place: at(0), tags: ['Fur', 'fur', ' eyes '] })).toMatchObject({ text: '', tags: ['Fur', 'eyes'], revision: 1 });
    expect(await notes.set({ place: at(0), text: 'looks for **fur**\r\n  \n', revision: 1 })).toMatchObject({ text: 'looks for **fur**', tags: ['Fur', 'eyes'], revision: 2 });
    expect(await notes.ofLayer(index, 1)).toEqual([{ channel: 0, tags: ['Fur', 'eyes'], noted: true }]);
    expect(await notes.tags()).toEqual([{ tag: 'Fur', count: 1 }, { tag: 'eyes', count: 1 }]);
  });

  it('refuse what was written on another revision, a channel and an index that are not there', async () => {
    const { notes } = services;
    await expect(notes.set({ place: at(0), text: 'mine', revision: 1 })).rejects.toMatchObject({ code: 'CONFLICT', message: 'This note was changed elsewhere meanwhile, in another window perhaps. Take over what is there now, or write yours over it.', data: { revision: 2 } });
    await expect(notes.set({ place: at(5), text: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'The layer "value1" has 5 channels, counted from 0; there is no channel 5.' });
    await expect(notes.get({ kind: 'layer', index: 'nothere1', layer: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('merge without loss: tags are united, of two texts both are kept, the same again changes nothing', async () => {
    const { notes } = services;
    const document = await notes.export();
    expect(notesDocument.parse(document)).toEqual(document);
    expect(document.entries).toMatchObject([{ model: { hash: 'feedbeef', name: 'net' }, layer: { name: 'value1', title: 'conv1' }, channel: 0, text: 'looks for **fur**', tags: ['Fur', 'eyes'] }]);
    expect(await notes.import(document)).toEqual({ added: 0, merged: 0, unchanged: 1, conflicts: 0 });
    const [entry] = document.entries;
    const theirs = { ...document, entries: [{ ...entry!, text: 'I say cats', tags: ['FUR', 'cat'] }, { ...entry!, channel: 4, text: 'new', tags: [], changedAt: '2025-05-05T05:05:05Z' }, { ...entry!, model: null, layer: null, channel: null, text: '', tags: ['plan'] }] };
    expect(await notes.import(theirs)).toEqual({ added: 2, merged: 1, unchanged: 0, conflicts: 1 });
    expect(await notes.get(at(0))).toMatchObject({ text: 'looks for **fur**\n\n---\n\nI say cats', tags: ['Fur', 'eyes', 'cat'] });
    expect(await notes.get(at(4))).toMatchObject({ text: 'new', changedAt: '2025-05-05T05:05:05Z' });
    expect(await notes.import(theirs)).toEqual({ added: 0, merged: 0, unchanged: 3, conflicts: 0 });
    const long = { ...document, entries: [{ ...entry!, channel: 1, text: 'kept?', tags: [] }, { ...entry!, text: 'x'.repeat(99_990), tags: [] }] };
    await expect(notes.import(long)).rejects.toMatchObject({ code: 'UNSUPPORTED', data: { place: 'net, conv1, channel 0' } });
    expect(await notes.get(at(1))).toMatchObject({ revision: 0 });
  });

  it('refuse a document that names a channel without a layer, or a tag with a comma', () => {
    const entry = { model: null, layer: null, channel: null, text: '', tags: [], changedAt: '2025-05-05T05:05:05Z' };
    const parse = (change: object) => notesDocument.safeParse({ format: 'switchback notes', version: 1, workspace: 'w', entries: [{ ...entry, ...change }] }).success;
    expect([parse({}), parse({ channel: 3 }), parse({ tags: ['a,b'] }), parse({ tags: ['a\nb'] }), parse({ changedAt: 'yesterday' }), parse({ model: { hash: 'x', name: 'x' } })]).toEqual([true, false, false, false, false, false]);
  });
});

describe('search', () => {
  const find = (query: string, limit = 6) => services.search.find({ query, index, limit });

  it('finds layers, channels, tags, notes, classes and files, each in its group', async () => {
    expect((await find('CONV1')).layers.items.map(({ index: of, layer, modelName }) => [of, layer, modelName])).toEqual([[index, 1, 'net'], [other, 1, 'net two'], [bare, 1, 'bare']]);
    expect((await find('conv2 two')).layers.items.map(({ index: of, layer }) => [of, layer])).toEqual([[other, 2]]);
    expect((await find('conv2 2')).channels.items.map(({ index: of, layer, channel, title }) => [of, layer, channel, title])).toContainEqual([index, 2, 2, 'conv2']);
    expect((await find('conv2 3')).channels.items).toEqual([]);
    expect((await find('fur')).tags.items).toEqual([{ tag: 'Fur', count: 1, places: [{ modelName: 'net', layerTitle: 'conv1', index, layer: 1, channel: 0 }] }]);
    expect((await find('CATS say')).notes.items).toEqual([{ modelName: 'net', layerTitle: 'conv1', index, layer: 1, channel: 0, excerpt: 'looks for **fur** --- I say cats', tags: ['Fur', 'eyes', 'cat'] }]);
    expect((await find('plan')).tags.items[0]!.places).toEqual([{ modelName: null, layerTitle: null, index: null, layer: null, channel: null }]);
    expect((await find('class1')).classes.items.map(({ className }) => className)).toEqual(['class1']);
    expect((await find('0012.PNG')).images.items).toEqual([{ index, modelName: 'net', image: 'class1/0012.png', imageNumber: 12, className: 'class1' }]);
  });

  it('cuts each group at the limit and says that there is more; signs are letters like others', async () => {
    const { images } = await find('class0', 4);
    expect([images.items.length, images.more, images.items[0]!.image]).toEqual([4, true, 'class0/0000.png']);
    expect((await find('100%_')).images.items).toEqual([]);
    await expect(services.search.find({ query: 'class0', limit: 4 }, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('shows the line around the words', () => {
    expect(excerptOf('short\nnote', ['note'])).toBe('short note');
    const cut = excerptOf(`${'a'.repeat(200)} needle ${'b'.repeat(200)}`, ['needle']);
    expect([cut.startsWith('…a'), cut.includes(' needle '), cut.endsWith('b…'), cut.length]).toEqual([true, true, true, 162]);
  });
});

describe('compare', () => {
  const side = (of: string, layer: number) => ({ index: of, layer });

  it('is over the images that both have, and the same from both sides', async () => {
    const there = await services.compare.channels({ left: side(index, 1), right: side(other, 2) });
    const back = await services.compare.channels({ left: side(other, 2), right: side(index, 1) });
    if (there.kind !== 'compared' || back.kind !== 'compared') throw new Error('not compared');
    expect([there.left.length, there.right.length]).toEqual([5, 3]);
    expect([there.left, there.right, there.images]).toEqual([back.right, back.left, back.images]);
    const best = there.left[1]!;
    const partners = await services.compare.partners({ left: side(index, 1), right: side(other, 2), side: 'left', channel: 1, limit: 9 });
    expect(partners.similar[0] ?? { channel: null, correlation: null }).toEqual(partners.similar.length > 0 ? { channel: best.partner, correlation: best.correlation } : { channel: null, correlation: null });
    expect(partners.similar.length + partners.opposite.length).toBe(3);
  });

  it('finds every channel of a layer in itself', async () => {
    const found = await services.compare.channels({ left: side(index, 1), right: side(index, 1) });
    if (found.kind !== 'compared') throw new Error('not compared');
    expect(found.left.map(({ partner, correlation, mutual }) => [partner, Math.round((correlation ?? 0) * 1e6) / 1e6, mutual])).toEqual([0, 1, 2, 3, 4].map((channel) => [channel, 1, true]));
    const { leftMore, rightMore, correlation } = await services.compare.differences({ left: { ...side(index, 1), channel: 2 }, right: { ...side(index, 1), channel: 2 }, limit: 5 });
    expect([leftMore, rightMore, Math.round(correlation! * 1e9) / 1e9]).toEqual([[], [], 1]);
  });

  it('says why where it cannot', async () => {
    expect(await services.compare.channels({ left: side(bare, 1), right: side(index, 1) })).toEqual({
      kind: 'impossible', reason: 'noScores', side: 'left',
      message: `The index of bare (${bare}) keeps no scores: only its 5 hits per channel are known. Index the folder again with the score matrix to compare.`,
    });
    await expect(services.compare.partners({ left: side(index, 1), right: side(bare, 1), side: 'left', channel: 0, limit: 3 })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { reason: 'noScores' } });
    await expect(services.compare.differences({ left: { ...side(index, 1), channel: 9 }, right: { ...side(index, 1), channel: 0 }, limit: 3 })).rejects.toThrow('there is no channel 9');
  });
});

describe('storage', () => {
  it('names what is kept with its size, and refuses to clear pictures whose folder has gone', async () => {
    const { caches, matrixBytes } = await services.storage.list();
    expect(matrixBytes).toBeGreaterThan(1000);
    const crops = caches.find(({ kind }) => kind === 'crops')!;
    expect(crops).toMatchObject({ obstacle: 'The image folder /images is not there, so that these pictures could not be made again. Bring the folder back first.' });
    expect(crops.entries).toBeGreaterThan(10);
    await expect(services.storage.clear('crops')).rejects.toMatchObject({ code: 'CONFLICT', message: crops.obstacle });
  });

  it('clears what can be made again', async () => {
    const { store } = services.workspaces.required();
    await store.projections.put('key', { record: { a: 1 }, picture: Buffer.from('picture') });
    expect((await services.storage.list()).caches.find(({ kind }) => kind === 'projections')).toEqual({ kind: 'projections', bytes: 14, entries: 1, obstacle: null });
    expect(await services.storage.clear('projections')).toEqual({ kind: 'projections', bytes: 0, entries: 0, obstacle: null });
    expect(await services.storage.clear('devices')).toEqual({ kind: 'devices', bytes: 0, entries: 0, obstacle: null });
  });
});
