/** A pack is one file that shows what its workspace showed, holds nothing of its machine, and opens nothing that a stranger hid in it. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src-main/store/driver.ts';
import { openStore } from '../../src-main/store/open.ts';
import { isPackFile } from '../../src-main/store/pack.ts';
import { writePack } from '../../src-main/store/packWriting.ts';
import { readScoreMatrix } from '../../src-main/store/scoreMatrixReader.ts';
import { scoreMatrixFolder } from '../../src-main/store/scoreMatrix.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { makeSyntheticIndex } from '../support/syntheticIndex.ts';

const root = temporaryFolder('pack');
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);
const unpackedFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('switchback-pack-')).length;

async function pack(name: string, options: Parameters<typeof writePack>[2]) {
  const store = await openStore(at('workspace'), { mode: 'write' });
  try {
    return await writePack(store, at(name), options);
  } finally {
    await store.close();
  }
}

beforeAll(async () => {
  await makeSyntheticIndex(at('workspace'));
  await makeSyntheticIndex(at('workspace'), { change: { modelHash: 'cafe', modelPath: 'C:\\models\\other.onnx', labelsPath: '/secret/labels.tsv' } });
  await pack('plain.switchback', { parts: [] });
  await pack('full.switchback', { parts: ['matrices'] });
});

describe('a pack', () => {
  it('shows the hits, statistics and pictures of its workspace', async () => {
    const [packed, original] = [await openStore(at('plain.switchback'), { mode: 'write' }), await openStore(at('workspace'), { mode: 'read' })];
    expect([packed.kind, packed.mode, packed.path, packed.workspace.name]).toEqual(['pack', 'read', at('plain.switchback'), 'synthetic']);
    const indexes = await original.indexes.list();
    expect((await packed.indexes.list()).map(({ id }) => id)).toEqual(indexes.map(({ id }) => id));
    for (const { id } of indexes) {
      expect(await packed.hits.ofLayer(id, 1)).toEqual(await original.hits.ofLayer(id, 1));
      expect(await packed.statistics.read(id, 2)).toEqual(await original.statistics.read(id, 2));
      const { contentHash } = await original.images.get(id, (await original.hits.ofLayer(id, 1))[0]!.image);
      expect(Buffer.from((await packed.crops.get(id, contentHash!))!).toString()).toBe(`picture ${contentHash}`);
    }
    await expect(packed.indexes.delete(indexes[0]!.id)).rejects.toThrow(`The workspace ${at('plain.switchback')} is open for reading only.`);
    await packed.close();
    await original.close();
  });

  it('brings pictures that the workspace has not kept, which stays as it is', async () => {
    const workspace = await openStore(at('workspace'), { mode: 'read' });
    const { id } = (await workspace.indexes.list())[0]!;
    const before = await workspace.crops.size(id);
    const numbers = await writePack(workspace, at('completed.switchback'), {
      parts: [],
      async complete({ crops }) {
        expect(await crops.missing(id)).toEqual([]);
        await crops.put(id, [{ contentHash: 'another', picture: Buffer.from('added') }]);
      },
    });
    const [packed, plain] = [await openStore(at('completed.switchback'), { mode: 'read' }), await workspace.crops.size(id)];
    expect([Buffer.from((await packed.crops.get(id, 'another'))!).toString(), (await packed.crops.size(id)).kept, plain]).toEqual(['added', before.kept + 1, before]);
    expect(numbers.pictures.packed).toBeGreaterThan(before.kept);
    await packed.close();
    await workspace.close();
  });

  it('is one file that tells nothing of where things lay', async () => {
    const packed = await openStore(at('plain.switchback'), { mode: 'read' });
    expect((await packed.indexes.list()).map(({ modelPath, imagesPath, labelsPath }) => [modelPath, imagesPath, labelsPath])).toEqual([['other.onnx', 'images', 'labels.tsv'], ['net.onnx', 'images', null]]);
    await packed.close();
    expect(readFileSync(at('plain.switchback')).includes('/secret')).toBe(false);
    expect(readdirSync(root).filter((name) => name.startsWith('plain'))).toEqual(['plain.switchback']);
    expect(await isPackFile(at('plain.switchback'))).toBe(true);
  });

  it('brings score matrices on request, unpacked while it is open', async () => {
    const before = unpackedFolders();
    const [packed, original] = [await openStore(at('full.switchback'), { mode: 'read' }), await openStore(at('workspace'), { mode: 'read' })];
    for (const { matrixFolder } of await original.indexes.list()) {
      for (const name of readdirSync(scoreMatrixFolder(original.folder, matrixFolder))) {
        expect(readFileSync(join(scoreMatrixFolder(packed.folder, matrixFolder), name))).toEqual(readFileSync(join(scoreMatrixFolder(original.folder, matrixFolder), name)));
      }
      const reader = await readScoreMatrix(scoreMatrixFolder(packed.folder, matrixFolder), 1);
      expect([reader.rows, reader.channels]).toEqual([32, 5]);
      await reader.close();
    }
    await packed.close();
    await original.close();
    expect(unpackedFolders()).toBe(before);
  });

  it('holds the chosen indexes only, and says what it holds', async () => {
    const store = await openStore(at('workspace'), { mode: 'read' });
    const [newest] = await store.indexes.list();
    await store.close();
    expect(await pack('one.switchback', { parts: [], indexes: [newest!.id] })).toEqual({ sizeBytes: statSync(at('one.switchback')).size, indexes: 1, pictures: { wanted: 20, packed: 20 }, projections: 0, maps: 0, experiments: 0 });
    const packed = await openStore(at('one.switchback'), { mode: 'read' });
    expect((await packed.indexes.list()).map(({ modelHash }) => modelHash)).toEqual(['cafe']);
    await packed.close();
  });

  it('is there whole or not at all', async () => {
    await expect(pack('nowhere/file.switchback', { parts: [] })).rejects.toThrow();
    expect(existsSync(at('nowhere'))).toBe(false);
    mkdirSync(at('folder.switchback'));
    await expect(pack('folder.switchback', { parts: [] })).rejects.toThrow('cannot be written');
    expect(readdirSync(root).filter((name) => name.includes('.part'))).toEqual([]);
  });
});

describe('a pack from a stranger', () => {
  /** A copy of the full pack, changed by hand. */
  async function changed(name: string, sql: string): Promise<string> {
    copyFileSync(at('full.switchback'), at(name));
    const database = await openDatabase(at(name), 'write');
    await database.exec(sql);
    await database.close();
    return at(name);
  }
  const refused = async (file: string) => openStore(file, { mode: 'read' }).then((store) => store.close().then(() => 'opened'), (error: unknown) => (error as Error).message.replaceAll(root, ''));

  it.each([
    ['a view in the place of a table', "ALTER TABLE images RENAME TO hidden; CREATE VIEW images AS SELECT * FROM hidden", 'holds the table "hidden", which no pack of Switchback has'],
    ['a trigger', "CREATE TRIGGER spy AFTER UPDATE ON images BEGIN DELETE FROM hits; END", 'holds the trigger "spy", which no pack of Switchback has'],
    ['a virtual table', 'CREATE VIRTUAL TABLE searched USING fts5(text)', '"searched", which no pack of Switchback has'],
    ['a computed column', "ALTER TABLE crops ADD COLUMN extra TEXT AS (hex(zeroblob(10)))", 'holds the table "crops", which no pack of Switchback has'],
    ['a file outside its folder', "INSERT INTO packed_files VALUES ('../../evil.npy', 0, x'00')", 'it holds the file "../../evil.npy" (1 bytes), which no pack of Switchback has.'],
    ['a file of another kind', "INSERT INTO packed_files SELECT matrix_folder || '/run.sh', 0, x'00' FROM indexes LIMIT 1", '/run.sh" (1 bytes), which no pack of Switchback has.'],
    ['more scores than its records say', "INSERT INTO packed_files SELECT matrix_folder || '/0009.npy', 0, zeroblob(3000000) FROM indexes LIMIT 1", '/0009.npy" (3000000 bytes), which no pack of Switchback has.'],
    ['a missing piece', "UPDATE packed_files SET piece = 1 WHERE path LIKE '%0001.npy'", 'is damaged: a piece of '],
    ['a folder that leads elsewhere', "UPDATE indexes SET matrix_folder = '../../../etc'", 'is none that Switchback writes.'],
    ['a layer that is no number', `UPDATE indexes SET layers = '[{"number":"../x","channels":1,"height":1,"width":1}]'`, 'is none that Switchback writes.'],
    ['a gigantic input', `UPDATE indexes SET preprocessing = '{"crop":[100000,100000]}'`, 'is none that Switchback writes.'],
    ['another program\'s mark', 'PRAGMA application_id = 7', 'is not a Switchback workspace: its workspace.sqlite was made by another program.'],
    ['a newer layout', 'PRAGMA user_version = 999', 'was made by a newer Switchback (layout 999'],
  ])('with %s is not opened', async (what, sql, message) => {
    const before = unpackedFolders();
    expect(await refused(await changed(`${what.replaceAll(/\W+/g, '-')}.switchback`, sql))).toContain(message);
    expect(unpackedFolders()).toBe(before);
  });

  it('that is no database, cut off, or empty is refused in words', async () => {
    writeFileSync(at('page.switchback'), '<html>not found</html>');
    expect(await refused(at('page.switchback'))).toBe('/page.switchback is not a pack of Switchback (a *.switchback file): choose a pack, or a workspace folder.');
    writeFileSync(at('empty.switchback'), '');
    expect(await refused(at('empty.switchback'))).toContain('is not a pack of Switchback');
    writeFileSync(at('cut.switchback'), readFileSync(at('full.switchback')).subarray(0, 30_000));
    expect(await refused(at('cut.switchback'))).toMatch(/is damaged|is not a database/);
  });

  it('may be a link: what it leads to is checked the same', async () => {
    symlinkSync(at('page.switchback'), at('link.switchback'));
    expect(await refused(at('link.switchback'))).toContain('is not a pack of Switchback');
  });
});
