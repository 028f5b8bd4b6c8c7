/** From the command line, with a real network: shards and their merge, job files, duplicates, and a pack that a colleague looks at without model and images. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patchSheetUrl, projectionSheetUrl } from '../../src-shared/contract/media.ts';
import { sharp } from '../../src-main/dataset/imageLibrary.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { readIndexRows, withoutVersions } from '../support/indexRows.ts';
import { serveWorkbench } from '../support/servedWorkbench.ts';
import { writeSmallModel } from '../support/smallModel.ts';

const home = temporaryFolder('shards');
const at = (name: string) => join(home, name);
const source = ['--model', at('net.onnx'), '--images', at('images'), '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '4'];

beforeAll(async () => {
  writeSmallModel(at('net.onnx'));
  await mkdir(at('images'));
  const random = seededRandom(21);
  for (let number = 0; number < 14; number++) {
    // Blotches of a few colours: noise would look alike to a hash of large cells.
    const pixels = Uint8Array.from({ length: 5 * 4 * 3 }, () => Math.floor(random() * 256));
    const picture = sharp(pixels, { raw: { width: 5, height: 4, channels: 3 } }).resize(80, 64, { fit: 'fill', kernel: 'cubic' });
    await picture.png().toFile(at(`images/${String(number).padStart(2, '0')}.png`));
  }
  await sharp(at('images/05.png')).resize(60, 48).jpeg({ quality: 80 }).toFile(at('images/05-copy.jpg'));
  writeFileSync(at('images/07-broken.png'), 'broken');
  await runForJson(home, 'index', '--workspace', at('alone'), ...source);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('shards', () => {
  it('merged in any order are the index of one run, which the same command then finds complete', async () => {
    for (const number of [1, 2, 3]) expect((await runCommand(home, 'index', '--workspace', at(`shard-${number}`), '--shard', `${number}/3`, ...source)).code).toBe(0);
    const report = await runForJson<{ index: string; images: number; skipped: number }>(home, 'merge', ...[3, 1, 2].map((number) => at(`shard-${number}`)), '--into', at('merged'));
    expect([report.images, report.skipped]).toEqual([16, 1]);
    expect(await readIndexRows(at('merged'))).toEqual(await readIndexRows(at('alone')));
    expect(await runForJson(home, 'index', '--workspace', at('merged'), ...source)).toMatchObject({ index: report.index, images: 15, imagesPerSecond: 0 });
  });
  it('that were not all merged are completed by the plain index command', async () => {
    expect((await runCommand(home, 'merge', at('shard-2'), '--into', at('partial'))).stderr).toContain('11 of 16 images are in none of them (numbers 1 to 5, 11 to 16 of the listing)');
    const { index } = await runForJson<{ index: string }>(home, 'merge', at('shard-2'), '--into', at('partial'), '--allow-missing');
    expect(await runForJson(home, 'index', '--workspace', at('partial'), ...source)).toMatchObject({ index, images: 15 });
    expect(withoutVersions(await readIndexRows(at('partial')))).toEqual(withoutVersions(await readIndexRows(at('alone'))));
  });
  it('never measure their batch size, and refuse to be more than the images', async () => {
    await runForJson(home, 'index', '--workspace', at('default'), '--shard', '1/2', '--model', at('net.onnx'), '--images', at('images'));
    expect((await readIndexRows(at('default'))).indexes).toMatchObject([{ batch_size: 16, engine: 'onnxruntime', device: 'cpu', part: expect.stringMatching(/^\{"images":16,"listing":"[0-9a-f]{32}","ranges":\[\[0,8\]\]\}$/) as string }]);
    expect((await runCommand(home, 'index', '--workspace', at('empty'), '--shard', '1/99', ...source)).stderr).toContain('Shard 1 of 99 is empty');
    expect((await runCommand(home, 'index', '--workspace', at('wrong'), '--shard', '4/3', ...source)).code).toBe(1);
  });
  it('are ordered by job files that say everything', async () => {
    const args = ['index', '--workspace', at('result'), ...source, '--emit'];
    const { code, stdout } = await runCommand(home, ...args, 'slurm', '--shards', '5', '--features', 'second:flat', '--features', 'logits');
    expect([code, stdout.split('\n')[0]]).toEqual([0, '#!/bin/bash']);
    expect(stdout).toContain(`--shard "$number/5" --model=${at('net.onnx')} --images=${at('images')} --top=9 --engine=onnxruntime --device=cpu --batch=4 --matrix=float32 `);
    expect(stdout).toContain(' --features=second:flat --features=logits:mean\n');
    expect((await runCommand(home, ...args, 'kubernetes', '--shards', '5')).stdout).toContain(`mountPath: "${home}"`);
    expect((await runCommand(home, ...args, 'slurm')).stderr).toBe('switchback: --emit needs --shards: into how many parts the folder of images is cut.\n');
  });
});

describe('duplicates', () => {
  const hitsOf = async (...options: readonly string[]) =>
    (await runForJson<{ channels: { hits: { image: string; rank: number }[] }[] }>(home, 'top', '--workspace', at('alone'), '--layer', 'second', ...options)).channels.map(({ hits }) => hits.map(({ image }) => image));
  it('are hidden on request, and the next images take their places', async () => {
    const both = (images: readonly string[]) => images.includes('05.png') && images.includes('05-copy.jpg');
    const [plain, unique] = [await hitsOf(), await hitsOf('--unique')];
    expect(plain.some(both)).toBe(true);
    expect(unique.some(both)).toBe(false);
    plain.forEach((images, channel) => {
      if (!both(images)) expect(unique[channel]).toEqual(images);
    });
    expect((await runCommand(home, 'top', '--workspace', at('alone'), '--layer', 'second', '--unique', '--lowest')).stderr).toContain('--unique hides duplicates in the list of the 9 strongest images');
  });
  it('are hidden in the served pictures and lists too', async () => {
    const served = await serveWorkbench(home, '--workspace', at('alone'));
    try {
      const [index] = await served.client.indexing.list();
      const [, layer] = await served.client.indexing.layers({ index: index!.id });
      const details = await Promise.all(Array.from({ length: layer!.channels }, (_, channel) => served.client.indexing.channel({ index: index!.id, layer: layer!.number, channel })));
      const shown = details.find(({ hits }) => hits.some(({ duplicateOf }) => duplicateOf !== null))!;
      const place = { index: index!.id, layer: layer!.number, channel: shown.channel, version: shown.version, size: 32 };
      const unique = await served.client.indexing.channel({ ...place, unique: true });
      expect(unique.hits).toHaveLength(9);
      expect(unique.unique).toEqual({ hidden: 1, shorter: null });
      const sheets = await Promise.all([patchSheetUrl(place), patchSheetUrl({ ...place, unique: true })].map(async (url) => {
        const response = await fetch(`${served.origin}${url}`, { headers: { authorization: `Bearer ${served.token}` } });
        expect(response.status).toBe(200);
        return Buffer.from(await response.arrayBuffer());
      }));
      expect(sheets[0]!.equals(sheets[1]!)).toBe(false);
    } finally {
      await served.stop();
    }
  });
});

describe('a pack', () => {
  it('shows patches and projections where neither model nor images are, and says what it cannot', async () => {
    expect((await runCommand(home, 'atlas', '--workspace', at('alone'), '--layers', 'second')).code).toBe(0);
    const { path } = await runForJson<{ path: string }>(home, 'pack', '--workspace', at('alone'), '--out', at('for you.switchback'), '--matrices');
    for (const name of ['net.onnx', 'images', 'alone']) renameSync(at(name), at(`${name} away`));
    const served = await serveWorkbench(home, '--workspace', path);
    try {
      expect(await served.client.workspaces.current()).toMatchObject({ kind: 'pack', path, name: 'alone', readOnly: 'This is a pack: it shows what was packed, and nothing can be changed or computed anew.' });
      const [index] = await served.client.indexing.list();
      expect(index).toMatchObject({ state: 'complete', imagesPath: 'images' });
      const place = { index: index!.id, layer: 2, channel: 0, version: '1', size: 32, seed: 'one', scale: 'quantile' } as const;
      const get = async (url: string) => {
        const response = await fetch(`${served.origin}${url}`, { headers: { authorization: `Bearer ${served.token}` } });
        return { status: response.status, type: response.headers.get('content-type'), text: response.status === 200 ? '' : ((await response.json()) as { message: string }).message };
      };
      expect(await get(patchSheetUrl(place))).toEqual({ status: 200, type: 'image/png', text: '' });
      expect(await get(projectionSheetUrl({ ...place, method: 'deconvnet' }))).toEqual({ status: 200, type: 'image/png', text: '' });
      expect((await get(projectionSheetUrl({ ...place, method: 'guided' }))).text).toBe(
        'What is asked for is not in this pack and cannot be computed: the model file is not on this machine: "net.onnx". Ask for a pack made after "switchback atlas" with this method.',
      );
      expect((await served.client.scores.top({ index: index!.id, layer: 2, channel: 0, k: 12 })).hits).toHaveLength(12);
      await expect(served.client.indexing.delete({ index: index!.id })).rejects.toThrow('is open for reading only');
    } finally {
      await served.stop();
      for (const name of ['net.onnx', 'images', 'alone']) renameSync(at(`${name} away`), at(name));
    }
  });
});
