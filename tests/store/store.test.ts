/** The store: tables, transactions, the writer's lock, and that a kill -9 loses nothing. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexId, JobId } from '../../src-shared/domain/ids.ts';
import { openDatabase } from '../../src-main/store/driver.ts';
import type { StoredJob } from '../../src-main/store/jobs.ts';
import { migrate, migrations, newestLayout } from '../../src-main/store/migrations/migrate.ts';
import { createWorkspace, isWorkspace, openStore, type Store } from '../../src-main/store/open.ts';
import { projectionsTable } from '../../src-main/store/projections.ts';
import { repositoryRoot } from '../support/testData.ts';
import { batchAt, sampleImages, sampleIndex } from './sampleBatch.ts';

let root: string;
let folder: string;
const opened: Store[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchback-store-'));
  folder = join(root, 'my workspace');
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(root, { recursive: true, force: true });
});

async function open(mode: 'write' | 'read' = 'write', create = mode === 'write'): Promise<Store> {
  const store = await openStore(folder, { mode, create });
  opened.push(store);
  return store;
}

describe('workspace', () => {
  it('is made complete, with nothing temporary left, and opens again', async () => {
    await createWorkspace(folder);
    expect(readdirSync(folder)).toEqual(['workspace.sqlite']);
    const store = await open('write', false);
    expect(store.workspace).toMatchObject({ name: 'my workspace', format: 1 });
    await expect(createWorkspace(folder)).rejects.toMatchObject({ code: 'WORKSPACE', message: `${folder} is a workspace already: open it, or choose another folder.` });
  });

  it('names who holds it, lets readers in, and is free after closing', async () => {
    const writer = await open();
    await expect(openStore(folder, { mode: 'write' })).rejects.toMatchObject({
      code: 'WORKSPACE',
      message: expect.stringMatching(new RegExp(`is open in process ${process.pid} on .+ since \\d{4}-.+Close it there, or use another workspace\\.$`)),
      data: { pid: process.pid },
    });
    const index = await writer.indexes.create(sampleIndex, sampleImages(3));
    const reader = await open('read');
    expect((await reader.indexes.list()).map(({ id }) => id)).toEqual([index.id]);
    await expect(reader.indexes.delete(index.id)).rejects.toMatchObject({ code: 'WORKSPACE', message: `The workspace ${folder} is open for reading only.` });
    await writer.close();
    await open('write', false);
  });

  it('refuses folders that are none, files that are no database, other programs and newer layouts', async () => {
    mkdirSync(folder);
    await expect(openStore(folder, { mode: 'write' })).rejects.toMatchObject({ code: 'WORKSPACE', message: expect.stringContaining('is not a Switchback workspace: it holds no workspace.sqlite') });
    expect(await isWorkspace(folder)).toBe(false);
    writeFileSync(join(folder, 'workspace.sqlite'), 'this is text, and long enough to be looked at as a header of a database file'.repeat(20));
    await expect(openStore(folder, { mode: 'read' })).rejects.toMatchObject({ code: 'WORKSPACE', message: expect.stringContaining('is not a database') });
    rmSync(folder, { recursive: true });
    await createWorkspace(folder);
    const database = await openDatabase(join(folder, 'workspace.sqlite'), 'write');
    await database.exec(`PRAGMA user_version = ${newestLayout + 1}`);
    for (const mode of ['read', 'write'] as const) {
      await expect(openStore(folder, { mode })).rejects.toMatchObject({
        code: 'WORKSPACE',
        message: `The workspace ${folder} was made by a newer Switchback (layout ${newestLayout + 1}; this program knows ${newestLayout}). Update Switchback to open it.`,
      });
    }
    await database.exec('PRAGMA user_version = 1; PRAGMA application_id = 7;');
    await database.close();
    await expect(openStore(folder, { mode: 'write' })).rejects.toMatchObject({ message: expect.stringContaining('was made by another program') });
  });
});

describe('migrations', () => {
  it('make strict tables, once', async () => {
    const database = await openDatabase(join(root, 'new.sqlite'), 'create');
    expect(await migrate(database)).toEqual(migrations.map(({ number }) => number));
    expect(await migrate(database)).toEqual([]);
    const tables = await database.all<{ name: string; strict: number }>("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%' ORDER BY name");
    expect(tables.filter(({ strict }) => strict !== 1)).toEqual([]);
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['hits', 'images', 'indexes', 'jobs', 'layer_statistics', 'projections', 'workspace']));
    await database.close();
  });

  it('leave nothing of a step that fails', async () => {
    const database = await openDatabase(join(root, 'new.sqlite'), 'create');
    const broken = { number: newestLayout + 1, name: 'broken', sql: 'CREATE TABLE half (a INTEGER) STRICT; CREATE TABLE nonsense (;' };
    await expect(migrate(database, [...migrations, broken])).rejects.toThrow('syntax error');
    expect(await database.get("SELECT name FROM sqlite_schema WHERE name = 'half'")).toBeUndefined();
    expect(await database.get('PRAGMA user_version')).toEqual({ user_version: newestLayout });
    await database.close();
  });
});

describe('driver', () => {
  it('keeps other statements out of an open transaction, and rolls back what fails', async () => {
    const database = await openDatabase(join(root, 'new.sqlite'), 'create');
    await database.exec('CREATE TABLE t (a INTEGER) STRICT');
    const failing = database.transaction(async (statements) => {
      await statements.run('INSERT INTO t VALUES (1)');
      await new Promise((resolve) => setTimeout(resolve, 30));
      throw new Error('stop');
    });
    const beside = database.run('INSERT INTO t VALUES (2)');
    await expect(failing).rejects.toThrow('stop');
    await beside;
    expect(await database.all('SELECT a FROM t')).toEqual([{ a: 2 }]);
    await expect(database.run('INSERT INTO nowhere VALUES (1)')).rejects.toThrow('no such table: nowhere in: INSERT INTO nowhere');
    await database.close();
    await expect(database.get('SELECT 1')).rejects.toMatchObject({ code: 'WORKSPACE', message: expect.stringContaining('is closed') });
  });
});

describe('indexes and images', () => {
  it('round-trip, in manifest order, found by key and path', async () => {
    const store = await open();
    const first = await store.indexes.create(sampleIndex, sampleImages(12_345));
    const second = await store.indexes.create({ ...sampleIndex, key: 'other' }, []);
    expect(first).toEqual({ ...sampleIndex, id: expect.stringMatching(/^[a-z0-9]{8}$/), images: 12_345, cursor: 0, skipped: 0, createdAt: expect.stringMatching(/^\d{4}-.*Z$/), matrixFolder: first.id, placementChanges: [], versionBase: 0, stagedFor: null, stagedKind: null });
    expect((await store.indexes.list()).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(await store.indexes.findByKey('sample')).toEqual(first);
    expect(await store.indexes.findByKey('nothing')).toBeNull();
    expect(await store.images.page(first.id, 10_001, 2)).toEqual([10_001, 10_002].map((number) => ({ ...sampleImages(12_345)[number], number, contentHash: null, skipped: null, source: null, perceptualHash: null })));
    expect((await store.images.findByPath(first.id, 'class1/000001.png'))?.number).toBe(1);
    await expect(store.indexes.create(sampleIndex, [])).rejects.toMatchObject({ code: 'CONFLICT', data: { index: first.id } });
    await expect(store.images.get(first.id, 99_999)).rejects.toMatchObject({ code: 'NOT_FOUND', message: `There is no image 99999 in index ${first.id}.` });
    await expect(store.indexes.get('zzzzzzzz' as IndexId)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'There is no index "zzzzzzzz" in this workspace: list the indexes to see what it holds.' });
  });

  it('go with all their rows, and leave the others alone', async () => {
    const store = await open();
    const [gone, stays] = [await store.indexes.create(sampleIndex, sampleImages(20)), await store.indexes.create({ ...sampleIndex, key: 'other' }, sampleImages(20))];
    for (const { id } of [gone, stays]) await store.hits.commitBatch(batchAt(id, 1));
    await store.indexes.delete(gone.id);
    const count = async (table: string): Promise<unknown> => {
      const database = await openDatabase(join(folder, 'workspace.sqlite'), 'read');
      const rows = await database.all(`SELECT DISTINCT index_id AS id FROM ${table}`);
      await database.close();
      return rows;
    };
    for (const table of ['images', 'hits', 'layer_statistics']) expect(await count(table)).toEqual([{ id: stays.id }]);
    expect(await store.indexes.findByKey('sample')).toBeNull();
    await expect(store.indexes.delete(gone.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.hits.commitBatch(batchAt(gone.id, 2))).rejects.toMatchObject({ code: 'NOT_FOUND', message: `Index ${gone.id} is gone: it was deleted while it was being filled.` });
  });
});

describe('hits', () => {
  it('bring back float32 scores bit for bit', async () => {
    const store = await open();
    const { id } = await store.indexes.create(sampleIndex, sampleImages(5));
    let state = 12345;
    const bits = Uint32Array.from({ length: 5000 }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0));
    const extreme = [Infinity, 3.4028234663852886e38, 1, 0.1, 1e-45, 0, -1e-45, -3.5, -Infinity].map(Math.fround);
    const scores = [...extreme, ...new Float32Array(bits.buffer)].filter((score) => !Number.isNaN(score));
    const channels = scores.map((score, channel) => ({ layer: 1, channel, hits: [{ image: channel % 5, score, y: 1, x: 2 }] }));
    await store.hits.commitBatch({ indexId: id, cursor: 1, hashes: [], skipped: [], channels, statistics: [] });
    expect((await store.hits.ofLayer(id, 1)).map((hit) => hit.score)).toEqual(scores.map((score) => (score === 0 ? 0 : score)));
    const broken = [{ layer: 1, channel: 0, hits: [{ image: 0, score: Number.NaN, y: 0, x: 0 }] }];
    await expect(store.hits.commitBatch({ indexId: id, cursor: 2, hashes: [], skipped: [], channels: broken, statistics: [] })).rejects.toThrow('the score of layer 1, channel 0 is NaN');
    expect((await store.indexes.get(id)).cursor).toBe(1);
  });

  it('replace whole lists, keep the others, and move the cursor with hashes, reasons and statistics', async () => {
    const store = await open();
    const { id } = await store.indexes.create(sampleIndex, sampleImages(4));
    const hit = (image: number, score: number) => ({ image, score, y: image, x: 7 });
    const nothing = { indexId: id, hashes: [], skipped: [], channels: [], statistics: [] };
    await store.hits.commitBatch({
      ...nothing, cursor: 2, hashes: [[0, 'h0']], skipped: [[1, 'The file is empty.']],
      channels: [{ layer: 1, channel: 3, hits: [hit(0, 2), hit(2, 1)] }, { layer: 2, channel: 0, hits: [hit(0, 5)] }],
      statistics: [{ layer: 1, data: Uint8Array.of(1, 2) }],
    });
    await store.hits.commitBatch({ ...nothing, cursor: 4, channels: [{ layer: 1, channel: 3, hits: [hit(3, 9)] }, { layer: 1, channel: 4, hits: [] }], statistics: [{ layer: 1, data: Uint8Array.of(3) }] });
    expect(await store.hits.ofChannel(id, 1, 3)).toEqual([{ channel: 3, rank: 1, image: 3, score: 9, y: 3, x: 7, path: 'class0/000003.png', className: 'class0' }]);
    expect((await store.hits.ofLayer(id, 2)).map(({ score }) => score)).toEqual([5]);
    expect(await store.hits.summaries(id, 1)).toEqual([{ channel: 3, hits: 1, topScore: 9, changedAt: 4 }]);
    expect(await store.hits.summaries(id, 2)).toEqual([{ channel: 0, hits: 1, topScore: 5, changedAt: 2 }]);
    expect(await store.hits.channelsWithHits(id)).toEqual(new Map([[1, 1], [2, 1]]));
    expect([...(await store.statistics.read(id, 1))!]).toEqual([3]);
    expect(await store.statistics.read(id, 2)).toBeNull();
    expect(await store.images.skipped(id)).toEqual([{ image: 'class1/000001.png', reason: 'The file is empty.' }]);
    expect((await store.images.get(id, 0)).contentHash).toBe('h0');
    expect(await store.indexes.get(id)).toMatchObject({ cursor: 4, images: 4, skipped: 1 });
    await expect(store.hits.commitBatch({ ...nothing, cursor: 3 })).rejects.toMatchObject({ code: 'CONFLICT', message: `Index ${id} has 4 images done and cannot go back to 3.` });
  });

  it('of a large batch are written in seconds, not minutes, however many are there and however long the manifest is', async () => {
    const store = await open();
    const { id } = await store.indexes.create(sampleIndex, sampleImages(50_000));
    const started = performance.now();
    for (let cursor = 1; cursor <= 4; cursor++) await store.hits.commitBatch(batchAt(id, cursor));
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await store.hits.ofLayer(id, 4)).length).toBe(4500);
  });
});

describe('jobs', () => {
  const job: StoredJob = {
    id: 'job00001' as JobId, kind: 'index', indexId: null, title: 'net on images', state: 'running', done: 0, total: 10,
    request: { modelPath: 'm', layers: ['a'] }, error: null, startedAt: '2026-01-01T00:00:00.000Z', endedAt: null,
  };

  it('are kept, changed, and found interrupted after a restart', async () => {
    const store = await open();
    await store.jobs.create(job);
    await store.jobs.create({ ...job, id: 'job00002' as JobId, state: 'done' });
    await store.jobs.update(job.id, { done: 4, error: { code: 'INTERNAL', message: 'x', data: { a: 1 } } });
    expect(await store.jobs.get(job.id)).toEqual({ ...job, done: 4, error: { code: 'INTERNAL', message: 'x', data: { a: 1 } } });
    await store.close();
    const again = await open('write', false);
    expect((await again.jobs.list()).map(({ id, state }) => [id, state])).toEqual([['job00002', 'done'], ['job00001', 'interrupted']]);
    await expect(again.jobs.update('nope' as JobId, { done: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'There is no job "nope" in this workspace.' });
  });
});

describe('projections', () => {
  it('come back unchanged, and the longest unused go first beyond the limit', async () => {
    await createWorkspace(folder);
    const database = await openDatabase(join(folder, 'workspace.sqlite'), 'write');
    let clock = 1_000_000;
    const table = projectionsTable({ reader: database, canWrite: true, writer: () => database }, 1100, () => clock);
    const picture = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
    for (const key of ['a', 'b', 'c']) await table.put(key, { record: { key }, picture });
    const kept = await table.get<{ key: string }>('a');
    expect([kept!.record, [...kept!.picture]]).toEqual([{ key: 'a' }, [...picture]]);
    clock += 120_000;
    await table.get('a'); // marks it as used
    await table.put('d', { record: {}, picture });
    const present = [];
    for (const key of ['a', 'b', 'c', 'd']) if (await table.get(key)) present.push(key);
    expect(present).toEqual(['a', 'c', 'd']);
    await table.put('huge', { record: {}, picture: new Uint8Array(5000) });
    expect(await table.get('a')).toBeNull();
    expect(await table.size()).toBe(5002);
    await database.close();
  });
});

describe('kill -9', () => {
  it('in the middle of a commit loses nothing and frees the lock', async () => {
    const store = await open();
    const { id } = await store.indexes.create(sampleIndex, sampleImages(5000));
    await store.close();
    let reported = 0;
    // Different moments after the first commit, so that kills fall into different parts of a commit.
    for (const delayMs of [0, 15, 40, 77, 130]) {
      reported = await killAfter(id, delayMs);
      const again = await openStore(folder, { mode: 'write' });
      const { cursor } = await again.indexes.get(id);
      expect(cursor).toBeGreaterThanOrEqual(reported);
      const expected = batchAt(id, cursor);
      for (const layer of [1, 4]) {
        const rows = await again.hits.ofLayer(id, layer);
        expect(rows.length).toBe(4500);
        expect(rows.every((row) => row.x === cursor && row.score === Math.fround(cursor + (10 - row.rank) / 10))).toBe(true);
        expect([...(await again.statistics.read(id, layer))!]).toEqual([...expected.statistics[layer - 1]!.data]);
      }
      expect((await again.images.get(id, cursor - 1)).contentHash).toBe(`hash${cursor}`);
      expect((await again.images.get(id, cursor)).contentHash).toBeNull();
      await again.close();
    }
    const database = await openDatabase(join(folder, 'workspace.sqlite'), 'write');
    expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    await database.close();
    expect(reported).toBeGreaterThan(4);
  });

  /** Starts the committing process, kills it some time after its first commit, and returns the last cursor that it reported. */
  async function killAfter(index: IndexId, delayMs: number): Promise<number> {
    const child = spawn(process.execPath, [join(repositoryRoot, 'tests/store/commitLoop.ts'), folder, index], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    let armed = false;
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      if (armed) return;
      armed = true;
      setTimeout(() => child.kill('SIGKILL'), delayMs);
    });
    const signal = await new Promise((resolve) => child.on('close', (_, given) => resolve(given)));
    expect([signal, errors]).toEqual(['SIGKILL', '']);
    return Number(output.trim().split('\n').at(-1));
  }
});
