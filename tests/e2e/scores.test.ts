/** The score matrix of a real index: squeezenet1.1 over forty photographs, its rows against plain forwarding, its lists against the stored hits, and the commands that ask it. */
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRouter } from '../../src-main/core/router.ts';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { createServices, type Services } from '../../src-main/services/services.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { readNpy } from '../support/npy.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { dataPath, describeWithData, repositoryRoot } from '../support/testData.ts';

const layers = ['squeezenet0_conv0_relu', 'squeezenet0_conv25_relu'] as const;
const labels = 'photos/imagenet-samples-labels.tsv';
const batch = 8;

interface Listed {
  readonly layer: string;
  readonly channels: readonly { readonly channel: number; readonly dead: boolean; readonly hits: readonly { readonly rank: number; readonly image: string; readonly score: number; readonly y: number | null; readonly x: number | null; readonly box: readonly number[] | null }[] }[];
}

describeWithData('the score matrix of squeezenet1.1', [squeezenet, photographs, labels], () => {
  const home = temporaryFolder('scores');
  const at = (name: string) => join(home, name);
  const json = <T>(...args: readonly string[]): Promise<T> => runForJson<T>(home, ...args);
  const top = (...args: readonly string[]) => json<Listed>('top', '--workspace', at('w'), '--layer', layers[1], '--channel', '3', ...args);
  let names: readonly string[];
  let index: string;
  let matrix: string;

  /** Closed afterwards: commands that write need the workspace for themselves. */
  async function withServices<T>(work: (services: Services) => Promise<T>): Promise<T> {
    const services = createServices({ version: 'test', workerEntry: join(repositoryRoot, 'src-main/inference/worker/main.ts'), folders: { config: at('config'), data: at('data') } });
    try {
      await services.workspaces.open(at('w'));
      return await work(services);
    } finally {
      await services.close();
    }
  }

  beforeAll(async () => {
    names = linkPhotographs(at('photos'), 40);
    ({ index } = await json<{ index: string }>('index', '--workspace', at('w'), '--model', dataPath(squeezenet), '--images', at('photos'), '--layers', layers.join(','), '--batch', String(batch), '--labels', dataPath(labels)));
    matrix = join(at('w'), 'activations', index);
  }, 120_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('has a row for each photograph, equal to what forwarding it alone gives', async () => {
    expect(JSON.parse(readFileSync(join(matrix, 'images.json'), 'utf8'))).toEqual(names);
    const files = (JSON.parse(readFileSync(join(matrix, 'layers.json'), 'utf8')) as { name: string; file: string }[]).map(({ name, file }) => [name, file] as const);
    expect(files.map(([name]) => name)).toEqual(layers);
    await withServices(async ({ inference, workspaces }) => {
      const record = await workspaces.required().store.indexes.get(index as IndexId);
      for (const [layer, [, file]] of files.entries()) {
        const { shape, data } = await readNpy(join(matrix, file));
        expect(shape).toEqual([40, [64, 1000][layer]]);
        for (const row of [0, 13, 39]) {
          const { pixels: picture } = await decodeImage(join(at('photos'), names[row]!), record.preprocessing);
          const pixels = new Uint8Array(batch * picture.length);
          pixels.set(picture);
          const forwarded = await inference.call('score', { model: { path: record.modelPath, hash: record.modelHash }, layers, preprocessing: record.preprocessing, placement: { engine: 'onnxruntime', device: 'cpu' }, batch, pixels });
          expect(data.subarray(row * shape[1]!, (row + 1) * shape[1]!)).toEqual(forwarded.layers[layer]!.score.subarray(0, shape[1]));
        }
      }
    });
  }, 120_000);

  it('gives the stored hits for k up to nine, for every channel', async () => {
    await withServices(async ({ indexing, scores }) => {
      for (const layer of await indexing.layers(index)) {
        const stored = await indexing.hits(index, layer.number);
        for (const k of [1, 9]) {
          const asked = await scores.topOfLayer({ index, layer: layer.number, k, lowest: false, positions: false });
          expect(asked.map(({ channel, dead, hits }) => ({ channel, dead, hits: hits.map(({ imageNumber: _number, className: _class, ...hit }) => hit) }))).toEqual(stored.map((each) => ({ ...each, hits: each.hits.slice(0, k) })));
        }
      }
    });
  }, 60_000);

  it('is asked for positions while another process has the workspace open, and says that they are not kept', async () => {
    await withServices(async () => {
      const { code, stdout, stderr } = await runCommand(home, 'top', '--workspace', at('w'), '--layer', layers[1], '--channel', '3', '--k', '12', '--positions', '--json');
      expect([code, stderr]).toEqual([0, `Process ${process.pid} has the workspace open, so it is only read, and what is computed now is not kept.\n`]);
      expect((JSON.parse(stdout) as Listed).channels[0]!.hits.filter(({ y }) => y === null)).toEqual([]);
    });
    expect((await top('--k', '12')).channels[0]!.hits.filter(({ y }) => y === null)).toHaveLength(3);
  }, 60_000);

  it('goes beyond them, with positions that are forwarded once and kept, and null for a photograph that is gone', async () => {
    const [listed] = (await top('--k', '1000')).channels;
    const { data } = await readNpy(join(matrix, '0002.npy'));
    const column = names.map((image, row) => ({ image, score: data[row * 1000 + 3]! }));
    expect(listed!.hits.map(({ rank, image, score }) => ({ rank, image, score }))).toEqual(column.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score).map((each, i) => ({ rank: i + 1, ...each })));
    expect(listed!.hits.map(({ y }) => y === null)).toEqual(listed!.hits.map(({ rank }) => rank > 9));
    const away = listed!.hits[10]!.image;
    renameSync(join(at('photos'), away), at('away'));
    const [forwarded] = (await top('--k', '12', '--positions')).channels;
    renameSync(at('away'), join(at('photos'), away));
    expect(forwarded!.hits.slice(0, 9)).toEqual(listed!.hits.slice(0, 9));
    expect(forwarded!.hits.map(({ y, x, box }) => y === null && x === null && box === null)).toEqual(Array.from({ length: 12 }, (_, i) => i === 10));
    expect((await top('--k', '12')).channels).toEqual([forwarded]);
    await withServices(async ({ inference, workspaces }) => {
      const record = await workspaces.required().store.indexes.get(index as IndexId);
      const { pixels: picture } = await decodeImage(join(at('photos'), forwarded!.hits[9]!.image), record.preprocessing);
      const pixels = new Uint8Array(batch * picture.length);
      pixels.set(picture);
      const { layers: [scores] } = await inference.call('score', { model: { path: record.modelPath, hash: record.modelHash }, layers: [layers[1]], preprocessing: record.preprocessing, placement: { engine: 'onnxruntime', device: 'cpu' }, batch, pixels });
      expect(forwarded!.hits[9]!.y! * 13 + forwarded!.hits[9]!.x!).toBe(scores!.position[3]);
    });
  }, 120_000);

  it('answers by class and from below', async () => {
    expect((await top('--class', '3')).channels[0]!.hits.map(({ image }) => image)).toEqual(['n01491361_tiger_shark.JPEG']);
    const lowest = (await top('--lowest', '--k', '2')).channels[0]!.hits;
    const scores = (await readNpy(join(matrix, '0002.npy'))).data.filter((_, i) => i % 1000 === 3);
    expect(lowest.map(({ score }) => score)).toEqual([...scores.toSorted().subarray(0, 2)]);
    const { code, stderr } = await runCommand(home, 'top', '--workspace', at('w'), '--layer', layers[1], '--class', 'n01491362');
    expect([code, stderr]).toEqual([1, expect.stringContaining(`switchback: The index ${index} has no class "n01491362" among its 40. The nearest: 3 n01491361;`)]);
  }, 60_000);

  it('answers its other questions on the command line and over the contract', async () => {
    const ask = <T>(question: string, ...args: readonly string[]) => json<T>('scores', question, '--workspace', at('w'), ...args);
    const channel = ['--layer', layers[1], '--channel', '3'];
    expect(await ask('kept')).toMatchObject({ precision: 'float32', rows: 40 });
    expect((await ask<{ classes: object[] }>('classes')).classes).toHaveLength(40);
    expect((await ask<{ classes: { class: object; hits: object[] }[] }>('per-class', ...channel, '--limit', '2')).classes.map((each) => [each.class, each.hits.length])).toEqual([[{ index: 3, wnid: 'n01491361', name: 'n01491361' }, 1], [expect.anything(), 1]]);
    expect((await ask<{ counts: number[] }>('histogram', ...channel, '--bins', '4')).counts.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect((await ask<{ classes: { class: { index: number }; auc: number }[] }>('selectivity', ...channel, '--limit', '1')).classes).toMatchObject([{ class: { index: 3, wnid: 'n01491361' }, auc: 1 }]);
    expect((await ask<{ channels: { channel: number }[] }>('excited', '--layer', layers[1], '--image', 'n01491361_tiger_shark.JPEG', '--limit', '400')).channels.map((each) => each.channel)).toContain(3);
    await ask('correlation', '--layer', layers[0], '--out', at('c.npy'));
    const { shape, data } = await readNpy(at('c.npy'));
    expect(shape).toEqual([64, 64]);
    expect(data[9 * 64 + 5]).toBe(data[5 * 64 + 9]);
    await withServices(async (opened) => {
      const client = createRouterClient(createRouter(opened));
      const { similar } = await client.scores.similar({ index, layer: 2, channel: 3, limit: 2 });
      expect(similar.length).toBe(2);
      expect((await client.scores.top({ index, layer: 2, channel: 3, class: '3' })).class).toEqual({ index: 3, wnid: 'n01491361', name: 'n01491361' });
      expect((await client.scores.topPerClass({ index, layer: 2, channel: 3, classes: 1 })).map((each) => each.class.index)).toEqual([3]);
    });
  }, 120_000);

  it('may be left out; then the hits are all there is, and the command says so', async () => {
    linkPhotographs(at('few'), 3);
    const without = await json<{ index: string }>('index', '--workspace', at('without'), '--model', dataPath(squeezenet), '--images', at('few'), '--layers', layers[0], '--batch', String(batch), '--matrix', 'none');
    const args = ['top', '--workspace', at('without'), '--layer', layers[0], '--channel', '0'];
    expect((await json<Listed>(...args, '--k', '2')).channels[0]!.hits).toHaveLength(2);
    const { code, stderr } = await runCommand(home, ...args, '--k', '10');
    expect([code, stderr]).toEqual([1, `switchback: The index ${without.index} keeps no scores: only its 9 hits per channel are known. Index the folder again with the score matrix (--matrix float32) to ask for more.\n`]);
  }, 120_000);
});
