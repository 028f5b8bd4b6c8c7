/** Job files on a real Slurm of one node (`npm run cluster`): the shards and their merge give the rows of one run, also where a job was cancelled and the script run again. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { readIndexRows } from '../support/indexRows.ts';
import { linkPhotographs, squeezenet } from '../support/photographs.ts';
import { startSlurm, whyNoSlurm, type Slurm } from '../support/slurm.ts';
import { dataPath, describeWhereAllowed } from '../support/testData.ts';

const reason = process.env['SWITCHBACK_CLUSTER'] ? whyNoSlurm() : 'it takes minutes and starts Slurm: npm run cluster';

describeWhereAllowed('an index on a real Slurm', reason, () => {
  const home = temporaryFolder('cluster');
  const images = join(home, 'images');
  const index = ['--model', dataPath(squeezenet), '--images', images, '--layers', 'squeezenet0_conv24_relu,squeezenet0_conv25_relu', '--batch', '4'];
  let slurm: Slurm;
  beforeAll(async () => {
    linkPhotographs(images, 20);
    slurm = await startSlurm(join(home, 'slurm'));
  });
  afterAll(async () => {
    await slurm.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('gives the rows of one run, and goes on after a cancelled job', async () => {
    const script = join(home, 'index.sh');
    const workspace = join(home, 'the workspace');
    expect(await runCommand(home, 'index', '--emit', 'slurm', '--shards', '3', '--workspace', workspace, '--out', script, ...index)).toMatchObject({ code: 0, stderr: '' });

    const first = slurm.run('bash', script);
    expect(first.stderr).toBe('');
    const array = /shards: job (\d+)/.exec(first.stdout)![1]!;
    slurm.run('scancel', `${array}_2`);
    await slurm.idle(300_000);
    expect(readdirSync(`${workspace}.shards`).filter((name) => !name.endsWith('.log')).sort()).not.toContain('shard-2');
    expect(readdirSync(home)).not.toContain('the workspace');

    expect(slurm.run('bash', script).stderr).toBe('');
    await slurm.idle(300_000);
    await runForJson(home, 'index', '--workspace', join(home, 'alone'), '--engine', 'onnxruntime', '--device', 'cpu', ...index);
    const [merged, alone] = [await readIndexRows(workspace), await readIndexRows(join(home, 'alone'))];
    expect(merged.images).toHaveLength(20);
    expect(merged).toEqual(alone);
  }, 900_000);
});
