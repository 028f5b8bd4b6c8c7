/**
 * `kill -9` in the middle of an index, of the core (here the command line's own process) and of its inference process: afterwards the rows are those of a
 * run that nobody disturbed, matrices byte for byte, and no process is left. The moments are seeded: SWITCHBACK_KILLS=100 tries that many of each kind (default 3),
 * SWITCHBACK_KILL_SEED=7 others (default 1).
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runForJson, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { readCursor, readIndexRows, readRowsWritten, type IndexRows } from '../support/indexRows.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { allGone, eventually, noProcessList, workerOf } from '../support/processes.ts';
import { dataPath, describeWhere, missingData } from '../support/testData.ts';

const kills = Number(process.env['SWITCHBACK_KILLS'] ?? 3);
const seed = Number(process.env['SWITCHBACK_KILL_SEED'] ?? 1);
const images = 33;
const batch = 4;
const missing = missingData([squeezenet, photographs]);
const reason = noProcessList ?? (missing === null ? null : `${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder)`);

describeWhere('an index that is killed', reason, () => {
  const home = temporaryFolder('resume');
  const folder = join(home, 'images');
  const argsFor = (workspace: string): readonly string[] => ['index', '--workspace', join(home, workspace), '--model', dataPath(squeezenet), '--images', folder, '--batch', String(batch)];
  let expected: IndexRows;

  beforeAll(async () => {
    linkPhotographs(folder, images - 1);
    writeFileSync(join(folder, 'n02000000_broken.JPEG'), 'broken');
    const answer = await runForJson<{ images: number }>(home, ...argsFor('undisturbed'));
    expect(answer.images).toBe(images - 1);
    expected = await readIndexRows(join(home, 'undisturbed'));
    expect([expected.indexes.length, expected.images.length, expected.statistics.length, Object.keys(expected.matrix).length]).toEqual([1, images, 26, 29]);
    expect(expected.hits.length).toBeGreaterThan(20_000);
    await allGone(home);
  }, 180_000);

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const random = seededRandom(seed);
  for (let round = 1; round <= kills; round++) {
    // After some batch but the last two, at any point of the next one: rows of the matrix are written with each batch, the rest every now and then.
    const moment = { rows: batch * (1 + Math.floor(random() * (images / batch - 3))), share: Math.floor(random() * 100) / 100 };
    const when = `once ${moment.rows} images and ${moment.share} of a batch were ranked (${round} of ${kills})`;

    it(`goes on after the core was killed ${when}`, async () => {
      const workspace = join(home, `core ${round}`);
      const started = startCommand(home, argsFor(`core ${round}`));
      await reach(workspace, moment);
      const isRunning = started.process.exitCode === null;
      started.process.kill('SIGKILL');
      expect(isRunning, 'the kill came after the end').toBe(true);
      expect((await started.finished).code).toBe(null);
      await allGone(home);
      expect(await readCursor(workspace)).toBeLessThan(images);
      expect(await runForJson(home, ...argsFor(`core ${round}`))).toMatchObject({ images: images - 1, skipped: [{ image: 'n02000000_broken.JPEG' }] });
      await same(workspace);
    }, 120_000);

    it(`goes on by itself after the inference process was killed ${when}`, async () => {
      const workspace = join(home, `worker ${round}`);
      const started = startCommand(home, argsFor(`worker ${round}`));
      await reach(workspace, moment);
      const { pid } = await workerOf(home);
      process.kill(pid, 'SIGKILL');
      expect(await readCursor(workspace)).toBeLessThan(images);
      const { code, stderr } = await started.finished;
      expect([code, stderr]).toEqual([0, expect.stringMatching(/^skipped n02000000_broken\.JPEG: .*\n$/)]);
      await same(workspace);
    }, 120_000);
  }

  it('is told what happened when the inference process cannot stay alive', async () => {
    const started = startCommand(home, argsFor('hopeless'));
    await reach(join(home, 'hopeless'), { rows: batch, share: 0 });
    const ended = started.finished.then(() => true);
    let killed = 0;
    while (!(await Promise.race([ended, wait(10).then(() => false)]))) {
      const worker = await Promise.race([workerOf(home).catch(() => undefined), ended.then(() => undefined)]);
      if (!worker) break;
      process.kill(worker.pid, 'SIGKILL');
      killed++;
      await Promise.race([ended, wait(150)]);
    }
    const { code, stderr } = await started.finished;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^switchback: No device is left to compute with; what is done is kept\. onnxruntime on cpu: The inference process ended unexpectedly \(signal SIGKILL\)\..*\n$/)]);
    expect(killed).toBeGreaterThanOrEqual(3);
    expect(await runForJson(home, ...argsFor('hopeless'))).toMatchObject({ images: images - 1 });
    await same(join(home, 'hopeless'));
  }, 120_000);

  /** Waits until the index has come that far, and a share of a batch more, as long as its batches have taken until then. */
  async function reach(workspace: string, { rows, share }: { readonly rows: number; readonly share: number }): Promise<void> {
    let first: { readonly rows: number; readonly atMs: number } | undefined;
    const written = await eventually(async () => {
      const now = readRowsWritten(workspace, 64);
      if (now > 0) first ??= { rows: now, atMs: performance.now() };
      return now >= rows ? now : undefined;
    }, `${rows} rows`);
    const batches = (written - first!.rows) / batch;
    if (batches > 0) await wait((share * (performance.now() - first!.atMs)) / batches);
  }

  async function same(workspace: string): Promise<void> {
    await allGone(home);
    const rows = await readIndexRows(workspace);
    expect(rows.indexes).toEqual(expected.indexes);
    expect(rows.images).toEqual(expected.images);
    expect(rows.statistics).toEqual(expected.statistics);
    expect(rows.matrix).toEqual(expected.matrix);
    expect(rows.hits.length).toBe(expected.hits.length);
    expect(rows.hits).toEqual(expected.hits);
  }
});
