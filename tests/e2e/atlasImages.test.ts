/** Images that are copies of each other, and images that are gone, under the atlas, `project --all-hits` and looking. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src-main/dataset/picture.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { openServices } from '../support/openServices.ts';
import { seededRandom } from '../support/graphs.ts';
import { smallModelPreprocessing, writeSmallModel } from '../support/smallModel.ts';

const home = temporaryFolder('atlas-images');
const images = join(home, 'images');
const model = join(home, 'small.onnx');
const workspace = join(home, 'workspace');
const random = seededRandom(5);

beforeAll(async () => {
  mkdirSync(images);
  writeSmallModel(model);
  for (let at = 0; at < 6; at++) writeFileSync(join(images, `${at}.png`), await encodePng(Uint8Array.from({ length: 16 * 16 * 3 }, () => 256 * random()), 16, 16, 3));
  copyFileSync(join(images, '0.png'), join(images, 'copy of 0.png'));
  const services = await openServices(home, workspace);
  const { jobId } = await services.indexing.start({ modelPath: model, imagesPath: images, preprocessing: smallModelPreprocessing, top: 9, engine: 'onnxruntime', device: 'cpu', batch: 4 });
  expect((await services.workspaces.required().queue.ended(jobId!)).state).toBe('done');
  await services.close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const project = ['project', '--workspace', workspace, '--all-hits', '--out', join(home, 'hits')];
const listed = () => (JSON.parse(readFileSync(join(home, 'hits', 'index.json'), 'utf8')) as { projections: { file: string; image: string; channel: number; rank: number }[] }).projections;

describe('copies of an image', () => {
  it('are each named in their own projection, though both are one', async () => {
    const services = await openServices(home, workspace);
    const { store } = services.workspaces.required();
    const [record] = await services.indexing.list();
    const index = await store.indexes.get(record!.id as IndexId);
    const hits = (await store.hits.ofLayer(index.id, 1)).filter(({ channel, path }) => channel === 0 && path.endsWith('0.png'));
    const units = hits.map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x }));
    const of = { store, index, layer: 1, units };
    const way = { method: 'deconvnet', seed: 'one' } as const;
    expect(new Set(await services.projections.keys(of, way)).size, 'kept once').toBe(1);
    for (const found of [await services.projections.exact(of, way), await services.projections.pictures(of, way, { areHits: true }), await services.projections.pictures(of, way, {})]) {
      expect(found.map(({ record: { image } }) => image).sort()).toEqual(['0.png', 'copy of 0.png']);
    }
    // Fewer pictures are kept than there are hits, and still nothing is missing.
    const { jobId } = await services.atlas.start({ index: index.id, methods: ['deconvnet'] });
    expect((await services.workspaces.required().queue.ended(jobId!)).state).toBe('done');
    expect(await services.atlas.start({ index: index.id, methods: ['deconvnet'] })).toEqual({ jobId: null });
    await services.close();
  });

  it('are written once each', async () => {
    const { hits, written } = await runForJson<{ hits: number; written: number }>(home, ...project);
    expect([written, hits > 50]).toEqual([hits, true]);
    expect(listed().filter(({ image }) => image === '0.png').length).toBe(listed().filter(({ image }) => image === 'copy of 0.png').length);
    expect(await runForJson(home, ...project)).toMatchObject({ hits, written: 0 });
  });
});

describe('an image that is gone', () => {
  it('is missed by name, and the others are written', async () => {
    const bare = join(home, 'bare');
    const services = await openServices(home, bare);
    const { jobId } = await services.indexing.start({ modelPath: model, imagesPath: images, preprocessing: smallModelPreprocessing, top: 9, engine: 'onnxruntime', device: 'cpu', batch: 4 });
    await services.workspaces.required().queue.ended(jobId!);
    const { store } = services.workspaces.required();
    const [index] = await store.indexes.list();
    expect((await store.crops.size(index!.id)).kept, 'nothing was looked at yet').toBe(0);
    await services.close();
    rmSync(join(images, '3.png'));
    const { code, stderr } = await runCommand(home, 'project', '--workspace', bare, '--all-hits', '--layer', 'first', '--out', join(home, 'rest'));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^switchback: .*rest holds \d+ of \d+ projections, \d+ of them written now; the others cannot be made\. 3\.png in .* cannot be shown: .* Put the file back, or index the folder again\.\n$/)]);
    const written = (JSON.parse(readFileSync(join(home, 'rest', 'index.json'), 'utf8')) as { projections: { image: string }[] }).projections;
    expect([...new Set(written.map(({ image }) => image))].sort()).toEqual(['0.png', '1.png', '2.png', '4.png', '5.png', 'copy of 0.png']);
  });

  it('is no list of Switchback where index.json holds something else', async () => {
    writeFileSync(join(home, 'rest', 'index.json'), '[1, 2]');
    const { stderr } = await runCommand(home, 'project', '--workspace', workspace, '--all-hits', '--layer', 'first', '--out', join(home, 'rest'));
    expect(stderr).toBe(`switchback: ${join(home, 'rest', 'index.json')} was not written by Switchback. Choose another folder.\n`);
  });
});
