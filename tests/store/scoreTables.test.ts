/** Classes of a manifest and kept positions, and the step of the layout that brought them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src-main/store/driver.ts';
import { migrate, migrations } from '../../src-main/store/migrations/migrate.ts';
import { openStore } from '../../src-main/store/open.ts';
import { sampleImages, sampleIndex } from './sampleBatch.ts';

const root = mkdtempSync(join(tmpdir(), 'switchback-score-tables-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('classes', () => {
  it('are those of the manifest in all their words, by index, else by name, with images that were not skipped', async () => {
    const store = await openStore(join(root, 'classes'), { mode: 'write', create: true });
    const labelled = sampleImages(6).map((image, i) => (i === 5 ? { ...image, className: null } : { ...image, className: ['b', 'a'][i % 2]!, classIndex: [7, 30][i % 2]!, classWnid: ['n00000007', null][i % 2]! }));
    const byLabel = await store.indexes.create(sampleIndex, labelled);
    await store.hits.commitBatch({ indexId: byLabel.id, cursor: 2, hashes: [], skipped: [[1, 'it is broken.']], channels: [], statistics: [] });
    expect(await store.classes.list(byLabel.id)).toEqual([{ index: 7, wnid: 'n00000007', name: 'b', images: 3 }, { index: 30, wnid: null, name: 'a', images: 1 }]);
    expect([...(await store.classes.ofImages(byLabel.id, 6))]).toEqual([0, 1, 0, 1, 0, -1]);
    const byFolder = await store.indexes.create({ ...sampleIndex, key: 'folders' }, sampleImages(5));
    expect(await store.classes.list(byFolder.id)).toEqual(['class0', 'class1', 'class2'].map((name, i) => ({ index: null, wnid: null, name, images: [2, 2, 1][i] })));
    expect([...(await store.classes.ofImages(byFolder.id, 5))]).toEqual([0, 1, 2, 0, 1]);
    await store.close();
  });
});

describe('positions', () => {
  it('belong to content, layer and index, and go with the index', async () => {
    const store = await openStore(join(root, 'positions'), { mode: 'write', create: true });
    const { id } = await store.indexes.create(sampleIndex, sampleImages(3));
    await store.positions.put(id, 1, [{ contentHash: 'aa', positions: Int32Array.of(1, 2, 70_000) }, { contentHash: 'bb', positions: Int32Array.of(3) }]);
    await store.positions.put(id, 1, [{ contentHash: 'aa', positions: Int32Array.of(1, 2, 70_000) }]);
    expect(await store.positions.of(id, 1, ['aa', 'cc'])).toEqual(new Map([['aa', Int32Array.of(1, 2, 70_000)]]));
    expect((await store.positions.of(id, 2, ['aa'])).size).toBe(0);
    await store.indexes.delete(id);
    expect((await store.positions.of(id, 1, ['aa'])).size).toBe(0);
    await store.close();
  });
});

describe('layout 3', () => {
  it('keeps the classes of an older manifest as names', async () => {
    const database = await openDatabase(join(root, 'old.sqlite'), 'create');
    await migrate(database, migrations.filter(({ number }) => number < 3));
    await database.exec(`
      INSERT INTO indexes (id, key, model_path, model_name, model_hash, images_path, preprocessing, engine, device, engine_description, batch_size, top, layers, computation_version, images, created_at)
        VALUES ('aaaaaaaa', 'k', 'm', 'm', 'h', 'i', '{}', 'e', 'd', 'x', 1, 9, '[]', 1, 1, 'now');
      INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, class_name) VALUES ('aaaaaaaa', 0, 'cat/a.png', 'cat/a.png', 1, 1, 'cat');`);
    expect(await migrate(database, migrations.filter(({ number }) => number <= 3))).toEqual([3]);
    expect(await database.all('SELECT class_name, class_index, class_wnid FROM images')).toEqual([{ class_name: 'cat', class_index: null, class_wnid: null }]);
    expect(await database.all('SELECT * FROM positions')).toEqual([]);
    await database.close();
  });
});
