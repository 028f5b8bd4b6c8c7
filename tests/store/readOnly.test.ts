/** A workspace that nobody may write to shows what it holds: from a read-only disk, from a folder without permission, with rows that were never moved into its main file, and of an older layout. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkspaceService } from '../../src-main/services/workspaces.ts';
import { openDatabase } from '../../src-main/store/driver.ts';
import { migrate, migrations } from '../../src-main/store/migrations/migrate.ts';
import { openStore } from '../../src-main/store/open.ts';
import { writeWorkspace } from '../../src-main/store/workspace.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { makeSyntheticIndex } from '../support/syntheticIndex.ts';
import { describeWhereAllowed, repositoryRoot } from '../support/testData.ts';

const root = temporaryFolder('read-only');
chmodSync(root, 0o755);
const at = (name: string) => join(root, name);
const disk = at('disk');
afterAll(() => {
  if (whyNoDisk === null) execFileSync('umount', [disk]);
  for (const name of readdirSync(root)) chmodSync(at(name), 0o755);
  rmSync(root, { recursive: true, force: true });
});
const copies = () => readdirSync(tmpdir()).filter((name) => name.startsWith('switchback-reading-')).length;

/** A disk of our own that can be made read-only: needs root and the right to mount. */
const whyNoDisk = (() => {
  mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'switchback-test', disk], { encoding: 'utf8' });
  return mounted.status === 0 ? null : `no disk can be mounted here: ${(mounted.stderr ?? String(mounted.error)).trim()}`;
})();

/** A workspace whose newest rows are still in the side file, as a killed writer leaves it. */
async function makeUnfinished(folder: string): Promise<void> {
  await makeSyntheticIndex(at('source'));
  const store = await openStore(at('source'), { mode: 'write' });
  await makeCopy(store.path, folder);
  await store.close();
  rmSync(at('source'), { recursive: true });
}

/** With a change that is committed, but not moved into the main file: the connection that would do so is still open. */
async function makeCopy(from: string, to: string): Promise<void> {
  const writer = await openDatabase(join(from, 'workspace.sqlite'), 'write');
  await writer.exec("PRAGMA wal_autocheckpoint = 0; UPDATE workspace SET name = 'renamed'");
  mkdirSync(to, { recursive: true });
  for (const name of ['workspace.sqlite', 'workspace.sqlite-wal']) copyFileSync(join(from, name), join(to, name));
  await writer.close();
}

async function look(folder: string): Promise<{ readonly name: string; readonly images: number; readonly hits: number; readonly layout: string }> {
  const store = await openStore(folder, { mode: 'read' });
  try {
    const [index] = await store.indexes.list();
    return { name: store.workspace.name, images: index?.images ?? 0, hits: index ? (await store.hits.ofLayer(index.id, 1)).length : 0, layout: store.source.immutable ? 'as it lies' : 'as usual' };
  } finally {
    await store.close();
  }
}

describeWhereAllowed('on a read-only disk', whyNoDisk, () => {
  beforeAll(async () => {
    await makeSyntheticIndex(join(disk, 'closed'));
    await makeUnfinished(join(disk, 'unfinished'));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
  });

  it('a workspace that was closed is read as it lies', async () => {
    expect(await look(join(disk, 'closed'))).toEqual({ name: 'synthetic', images: 37, hits: 25, layout: 'as it lies' });
  });
  it('rows in the side file are seen too, from a copy that goes again', async () => {
    const before = copies();
    expect(await look(join(disk, 'unfinished'))).toEqual({ name: 'renamed', images: 37, hits: 25, layout: 'as usual' });
    expect(copies()).toBe(before);
  });
  it('opens for reading, with the reason, where writing was meant', async () => {
    await expect(openStore(join(disk, 'closed'), { mode: 'write' })).rejects.toMatchObject({
      code: 'WORKSPACE',
      message: `The workspace ${join(disk, 'closed')} cannot be changed: its disk is read-only, or you have no permission to write there. Copy it to a place where you may write.`,
      data: { readOnly: true },
    });
    const workspaces = createWorkspaceService({ folders: { config: at('config'), data: at('data'), cache: at('cache') }, runners: () => ({}) });
    expect(await workspaces.open(join(disk, 'closed'))).toMatchObject({ kind: 'folder', readOnly: expect.stringContaining('cannot be changed') as string });
    expect(await workspaces.recent()).toMatchObject([{ path: join(disk, 'closed'), exists: true }]);
    await workspaces.close();
  });
});

const stranger = 65_534;
const asStranger = `
  import { openStore } from '${repositoryRoot}/src-main/store/open.ts';
  for (const mode of ['read', 'write']) {
    await openStore(process.argv[1], { mode }).then(async (store) => {
      console.log(mode, store.workspace.name, (await store.indexes.list())[0].images);
      await store.close();
    }, (error) => console.log(mode, error.data.readOnly === true ? 'refused' : error));
  }`;

describe('in a folder without permission to write', () => {
  /** Root may write anywhere, so the looking is done by somebody else. */
  const lookAsStranger = (folder: string) => {
    const isRoot = process.getuid?.() === 0;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', asStranger, folder], { encoding: 'utf8', ...(isRoot ? { uid: stranger, gid: stranger } : {}) });
    return stdout.trim().split('\n').concat(stderr === '' ? [] : [stderr]);
  };
  it.each([
    ['closed', (folder: string) => makeSyntheticIndex(folder).then(() => undefined), 'synthetic'],
    ['unfinished', makeUnfinished, 'renamed'],
  ] as const)('a workspace that is %s is read', async (name, make, shown) => {
    const folder = at(`forbidden-${name}`);
    await make(folder);
    chmodSync(folder, 0o555);
    for (const file of readdirSync(folder)) if (statSync(join(folder, file)).isFile()) chmodSync(join(folder, file), 0o444);
    expect(lookAsStranger(folder)).toEqual([`read ${shown} 37`, 'write refused']);
  });
});

describe('an older layout', () => {
  async function makeOld(folder: string): Promise<void> {
    mkdirSync(folder);
    const database = await openDatabase(join(folder, 'workspace.sqlite'), 'create');
    await migrate(database, migrations.slice(0, 1));
    await writeWorkspace(database, 'old');
    await database.close();
  }
  it('is brought up to date in place where that is allowed', async () => {
    await makeOld(at('old'));
    expect(await look(at('old'))).toMatchObject({ name: 'old', images: 0 });
    const database = await openDatabase(join(at('old'), 'workspace.sqlite'), 'read');
    expect(await database.get('PRAGMA user_version')).toEqual({ user_version: migrations.at(-1)!.number });
    await database.close();
  });
  it('is read from an up-to-date copy where another process holds the workspace', async () => {
    await makeOld(at('held'));
    const lock = await openDatabase(join(at('held'), 'lock.sqlite'), 'create');
    await lock.exec('BEGIN EXCLUSIVE');
    expect(await look(at('held'))).toMatchObject({ name: 'old', images: 0 });
    await lock.close();
    const database = await openDatabase(join(at('held'), 'workspace.sqlite'), 'read');
    expect(await database.get('PRAGMA user_version')).toEqual({ user_version: 1 });
    await database.close();
    expect(existsSync(at('held'))).toBe(true);
  });
});
