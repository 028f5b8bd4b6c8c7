/**
 * What happens to an index after it was made: its folder changes, more layers are wanted, a person pauses it, the drive is pulled, the disk fills. Each time the rows end as those of a
 * fresh index, matrices byte for byte.
 */
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Services } from '../../src-main/services/services.ts';
import type { StartRequest } from '../../src-main/services/startIndex.ts';
import { startCommand, temporaryFolder } from '../support/commandLine.ts';
import { readIndexRows, withoutVersions, type IndexRows } from '../support/indexRows.ts';
import { openServices } from '../support/openServices.ts';
import { photographs, squeezenet } from '../support/photographs.ts';
import { eventually } from '../support/processes.ts';
import { mountProblem, mountSmallDisk } from '../support/smallDisk.ts';
import { dataPath, describeWhereAllowed, describeWithData } from '../support/testData.ts';

const layers = ['squeezenet0_conv3_relu', 'squeezenet0_conv9_relu'];
const later = 'squeezenet0_conv0_relu';

describeWithData('an index that is there', [squeezenet, photographs], () => {
  const home = temporaryFolder('rescan');
  const all = readdirSync(dataPath(photographs)).filter((name) => name.endsWith('.JPEG')).sort();
  let services: Services;
  let folder = '';
  let workspace = '';
  let round = 0;
  let preprocessing: StartRequest['preprocessing'];

  beforeAll(async () => {
    services = await openServices(home, join(home, 'none'));
    preprocessing = (await services.inference.call('inspect', { path: dataPath(squeezenet) })).preprocessing;
    await services.close();
  }, 60_000);
  beforeEach(async () => {
    folder = join(home, `images ${++round}`);
    workspace = join(home, `workspace ${round}`);
    mkdirSync(folder);
    for (const name of all.slice(0, 18)) copyFileSync(dataPath(`${photographs}/${name}`), join(folder, name));
    writeFileSync(join(folder, 'n01600000_broken.JPEG'), 'broken');
    services = await openServices(home, workspace);
  });
  afterEach(() => services.close());
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('takes over what is unchanged and computes what is new: rows and matrix are those of a fresh index', async () => {
    const { index } = await run();
    const versions = new Map((await services.indexing.channels(index, 1)).map(({ channel, version }) => [channel, version]));
    const before = await topImages(index);
    changeFolder();
    const { jobId, ...found } = await services.indexing.rescan(index);
    expect(found).toEqual({ added: 3, changed: 2, removed: 2, unchanged: 15, recomputes: null });
    await done(jobId);
    expect((await services.indexing.list()).map(({ id, state, images, skipped }) => [id, state, images, skipped])).toEqual([[index, 'complete', 20, 2]]);
    const after = await topImages(index);
    for (const { channel, version } of await services.indexing.channels(index, 1)) {
      expect(version === versions.get(channel), `the version of channel ${channel} changes when its hits do`).toBe(after[channel] === before[channel]);
    }
    await sameAsFresh();
    expect(readdirSync(join(workspace, 'activations')), 'the old matrix is gone').toHaveLength(1);
    expect(await services.indexing.rescan(index)).toEqual({ jobId: null, added: 0, changed: 0, removed: 0, unchanged: 20, recomputes: null });
  }, 120_000);

  it.each([0, 150])('shows its old rows after a kill in the middle of a rescan (%i ms on), and goes on from there', async (waitMs) => {
    const { index } = await run();
    const before = await topImages(index);
    await services.close();
    changeFolder();
    for (const name of all.slice(40, 52)) copyFileSync(dataPath(`${photographs}/${name}`), join(folder, name));
    const started = startCommand(home, ['rescan', '--workspace', workspace]);
    await eventually(async () => (readdirSync(join(workspace, 'activations')).length === 2 ? true : undefined), 'a second matrix');
    await wait(waitMs);
    started.process.kill('SIGKILL');
    expect((await started.finished).code, 'it was still running').toBeNull();
    services = await openServices(home, workspace);
    expect(await topImages(index)).toEqual(before);
    const passes = () => services.workspaces.required().store.passes.of(index as IndexId);
    const unfinished = await passes();
    const { jobId } = await services.indexing.rescan(index);
    expect((await passes())?.id, 'the same pass').toBe(unfinished!.id);
    await done(jobId);
    expect((await services.jobs.list()).map(({ id, title, state }) => [id === jobId, title.split(' ')[0], state]), 'the same job').toEqual([[true, 'Rescan', 'done'], [false, 'Index', 'done']]);
    await sameAsFresh();
  }, 120_000);

  it.each(['none', 'float16'] as const)('says that it computes all images anew where the matrix is %s', async (matrix) => {
    const { index } = await run({ matrix });
    rmSync(join(folder, all[4]!));
    const { jobId, recomputes } = await services.indexing.rescan(index);
    expect(recomputes).toMatch(matrix === 'none' ? /^This index keeps no score matrix, so .* computed anew\.$/ : /^The score matrix of this index is rounded to float16, so .* computed anew\.$/);
    await done(jobId);
    await sameAsFresh({ matrix });
  }, 120_000);

  it('adds layers by running only those, to the same index', async () => {
    const { index } = await run();
    const more = await run({ layers: [layers[0]!, later] });
    expect(more.index).toBe(index);
    expect((await services.indexing.layers(index)).map(({ name, number }) => [name, number])).toEqual([[layers[0], 1], [layers[1], 2], [later, 3]]);
    expect((await run({ layers: [later] })).jobId).toBeNull();
    const rows = withoutVersions(await readIndexRows(workspace));
    const alone = withoutVersions(await fresh({ layers: [later] }));
    expect(rows.hits.filter((hit) => 'layer' in hit && hit.layer === 3).map((hit) => ({ ...hit, layer: 1 }))).toEqual(alone.hits);
    expect(rows.statistics[2]!.data).toBe(alone.statistics[0]!.data);
    expect(rows.matrix['0003.npy']).toBe(alone.matrix['0001.npy']);
    expect(rows.images).toEqual(alone.images);
  }, 120_000);

  it('rescans when it is started again on a folder that has changed, and goes on after a restart that met a paused job', async () => {
    const { index } = await run();
    const before = await topImages(index);
    changeFolder();
    const { jobId, index: same } = await services.indexing.start(request({ layers: [...layers, later] }));
    expect(same).toBe(index);
    await services.jobs.pause(jobId!);
    await services.close();
    services = await openServices(home, workspace);
    const [job] = await services.jobs.list();
    expect(job).toMatchObject({ id: jobId, state: 'paused', error: null });
    expect(await topImages(index), 'old rows until the new ones are complete').toEqual(before);
    await services.jobs.resume(jobId!);
    await done(jobId);
    expect((await services.indexing.layers(index)).map(({ name }) => name)).toEqual([...layers, later]);
    const { hits } = withoutVersions(await readIndexRows(workspace));
    expect(hits.filter((hit) => 'layer' in hit && Number(hit.layer) < 3)).toEqual(withoutVersions(await fresh()).hits);
  }, 120_000);

  it('pauses when its images are gone, blames none of them, and goes on when they are back', async () => {
    const { jobId, index } = await services.indexing.start(request({ batch: 1 }));
    await expect.poll(async () => (await services.indexing.get(index)).indexed, { timeout: 60_000, interval: 10 }).toBeGreaterThan(0);
    renameSync(folder, `${folder} away`);
    await services.workspaces.required().queue.ended(jobId!);
    const [job] = await services.jobs.list();
    expect(job).toMatchObject({ state: 'paused', error: { code: 'NOT_FOUND', message: `The image folder ${folder} is gone. Bring it back, then resume; nothing that was done is lost.` } });
    expect(await services.indexing.skipped(index)).toEqual([]);
    renameSync(`${folder} away`, folder);
    await services.jobs.resume(jobId!);
    await done(jobId);
    expect((await services.indexing.skipped(index)).map(({ image }) => image)).toEqual(['n01600000_broken.JPEG']);
  }, 120_000);

  // A file system of a few megabytes can only be mounted by root.
  describeWhereAllowed('on a full disk', mountProblem(home), () => {
    it('pauses with a message, and ends as if there had been room', async () => {
      const small = mountSmallDisk(join(home, 'small disk'), '400k');
      const disk = small.path;
      try {
        await services.close();
        services = await openServices(home, join(disk, 'w'));
        const { jobId, index } = await services.indexing.start(request());
        await services.workspaces.required().queue.ended(jobId!);
        expect((await services.jobs.list())[0]).toMatchObject({ state: 'paused', error: { code: 'WORKSPACE', message: expect.stringContaining('the disk is full; free some space and resume') } });
        small.grow('40m');
        await services.jobs.resume(jobId!);
        await done(jobId);
        expect((await services.indexing.get(index)).state).toBe('complete');
        expect(await readIndexRows(join(disk, 'w'))).toEqual(await fresh());
        await services.close();
      } finally {
        small.remove();
      }
    }, 120_000);
  });

  function request(rest: Partial<StartRequest> = {}): StartRequest {
    return { modelPath: dataPath(squeezenet), imagesPath: folder, preprocessing, layers, top: 3, engine: 'onnxruntime', device: 'cpu', batch: 4, ...rest };
  }

  async function run(rest: Partial<StartRequest> = {}) {
    const started = await services.indexing.start(request(rest));
    if (started.jobId) await done(started.jobId);
    return started;
  }

  async function done(jobId: string | null): Promise<void> {
    expect(await services.workspaces.required().queue.ended(jobId!)).toMatchObject({ state: 'done', error: null });
  }

  /** One added at the front, one in between, a broken one; one with other bytes, one with another time only; one removed from the lists, and the broken one repaired away. */
  function changeFolder(): void {
    copyFileSync(dataPath(`${photographs}/${all[30]!}`), join(folder, 'a first.JPEG'));
    copyFileSync(dataPath(`${photographs}/${all[31]!}`), join(folder, `${all[9]!.slice(0, 9)}_zz.JPEG`));
    writeFileSync(join(folder, 'z broken too.JPEG'), 'broken');
    copyFileSync(dataPath(`${photographs}/${all[32]!}`), join(folder, all[3]!));
    utimesSync(join(folder, all[6]!), 1_700_000_000, 1_700_000_000);
    for (const name of [all[1]!, all[12]!]) rmSync(join(folder, name));
  }

  /** Hits of the first layer's channels by name of image, score and place. */
  async function topImages(index: string): Promise<readonly string[]> {
    return (await services.indexing.hits(index, 1)).map(({ hits }) => JSON.stringify(hits));
  }

  async function fresh(rest: Partial<StartRequest> = {}): Promise<IndexRows> {
    const other = join(home, `fresh ${++round}`);
    const beside = await openServices(home, other);
    try {
      const { jobId } = await beside.indexing.start(request(rest));
      await beside.workspaces.required().queue.ended(jobId!);
    } finally {
      await beside.close();
    }
    return readIndexRows(other);
  }

  async function sameAsFresh(rest: Partial<StartRequest> = {}): Promise<void> {
    expect(withoutVersions(await readIndexRows(workspace))).toEqual(withoutVersions(await fresh(rest)));
  }
});
