/**
 * The atlas of a real network: all hits projected ahead, stopped and gone on with, looked at without computing, decoding or the image files; its exact values as files; and figures of it.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startServer, type RunningServer } from '../../src-main/core/server.ts';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { decodeCrop } from '../../src-main/dataset/picture.ts';
import { atlasLevels } from '../../src-main/projection/atlasPicture.ts';
import { displayLimits, levelsOf } from '../../src-main/projection/display.ts';
import { uncut } from '../../src-main/projection/measure.ts';
import { createServices, type Services } from '../../src-main/services/services.ts';
import type { UnitRequest } from '../../src-main/services/projectionUnits.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { projectionSheetUrl } from '../../src-shared/contract/media.ts';
import { scales } from '../../src-shared/domain/projection.ts';
import { runCommand, runForJson, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { readNpy } from '../support/npy.ts';
import { linkPhotographs, photographs } from '../support/photographs.ts';
import { eventually } from '../support/processes.ts';
import { rawRequest } from '../support/rawRequest.ts';
import { clientOf, type CoreClient } from '../support/servedWorkbench.ts';
import { dataPath, describeWithData, repositoryRoot } from '../support/testData.ts';

const alexnet = 'models/alexnet-conv1-pool5.onnx';
const token = 'd41d8cd98f00b204e9800998ecf8427e';
const [first, last] = [1, 2];

describeWithData('the atlas of alexnet-conv1-pool5', [alexnet, photographs], () => {
  const home = temporaryFolder('atlas');
  const images = join(home, 'photographs');
  const workspace = join(home, 'workspace');
  let services: Services;
  let server: RunningServer;
  let client: CoreClient;
  let index = '';

  const open = async () => {
    services = createServices({ version: '0.0.0-test', workerEntry: join(repositoryRoot, 'src-main/inference/worker/main.ts'), folders: { config: join(home, 'config'), data: join(home, 'data') } });
    server = await startServer({ services, token, interfaceFolder: join(home, 'none'), port: 0 });
    client = clientOf(`http://127.0.0.1:${server.port}`, token);
    await client.workspaces.create({ path: workspace });
  };
  const close = async () => {
    await server.close();
    await services.close();
  };
  const ended = (jobId: string | null) => services.workspaces.required().queue.ended(jobId!);
  const show = { method: 'deconvnet', seed: 'one', control: 'none', scale: 'quantile' } as const;
  const sheet = (layer: number, channel: number, signal?: AbortSignal) => services.pictures.projectionSheet({ index, layer, channel, size: 64, ...show }, signal);
  /** Units that were sent to the inference process since the spy was set. */
  const countProjected = () => {
    const spy = vi.spyOn(services.inference, 'call');
    return () => spy.mock.calls.filter(([name]) => name === 'project').reduce((sum, [, parameters]) => sum + (parameters as { units: readonly unknown[] }).units.length, 0);
  };
  const unitsOf = async (layer: number): Promise<readonly UnitRequest[]> => {
    const hits = await services.workspaces.required().store.hits.ofLayer(index as IndexId, layer);
    return hits.map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x }));
  };

  beforeAll(async () => {
    linkPhotographs(images, 20);
    await open();
    const { preprocessing } = await client.models.inspect({ path: dataPath(alexnet) });
    const started = await client.indexing.start({ modelPath: dataPath(alexnet), imagesPath: images, preprocessing, layers: ['relu1', 'relu5'], batch: 4 });
    index = started.index;
    expect((await ended(started.jobId)).state).toBe('done');
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await close();
    rmSync(home, { recursive: true, force: true });
  });

  it('keeps the crops while nobody asks for anything', async () => {
    await expect.poll(async () => (await client.projections.kept({ index })).crops.kept, { timeout: 60_000 }).toBeGreaterThan(15);
    await expect.poll(async () => {
      const { crops } = await client.projections.kept({ index });
      return crops.images - crops.kept;
    }, { timeout: 60_000 }).toBe(0);
    const { crops, projections } = await client.projections.kept({ index });
    expect(projections).toEqual([]);
    expect(crops.bytes / crops.kept).toBeLessThan(227 * 227 * 3);
    const { store } = services.workspaces.required();
    const { preprocessing } = await store.indexes.get(index as IndexId);
    const [unit] = await unitsOf(last);
    const image = await store.images.get(index as IndexId, unit!.imageNumber);
    const kept = await decodeCrop((await store.crops.get(index as IndexId, image.contentHash!))!);
    expect(Buffer.compare(kept, (await decodeImage(join(images, image.file), preprocessing)).pixels), 'without loss').toBe(0);
  });

  it('computes a sheet once for two who ask at the same time, and not at all for those who have left', async () => {
    const projected = countProjected();
    const [one, two] = await Promise.all([sheet(first, 5), sheet(first, 5)]);
    expect([Buffer.compare(one, two), projected()]).toEqual([0, 9]);
    const controllers = Array.from({ length: 60 }, () => new AbortController());
    const address = (channel: number) => `http://127.0.0.1:${server.port}${projectionSheetUrl({ index, layer: last, channel, version: '1', size: 64, ...show })}`;
    const ends = Promise.allSettled(controllers.map(({ signal }, at) => fetch(address(100 + at), { signal, headers: { authorization: `Bearer ${token}` } })));
    await wait(50);
    for (const controller of controllers) controller.abort();
    await ends;
    await sheet(last, 7);
    expect(projected(), 'a few calls may have begun, of sixty sheets').toBeLessThan(9 + 9 + 6 * 9 + 1);
    vi.restoreAllMocks();
  });

  it('projects every hit by the methods asked for, and finds nothing to do then', async () => {
    const { jobId } = await client.projections.atlas({ index, layers: [first], methods: ['deconvnet', 'guided'] });
    expect(await client.projections.atlas({ index, layers: [first] }), 'the job that runs').toEqual({ jobId });
    expect((await client.indexing.get({ index })).jobId, 'it fills no index').toBeNull();
    const job = await ended(jobId);
    const hits = (await unitsOf(first)).length;
    expect([job.kind, job.state, job.done, job.total]).toEqual(['atlas', 'done', 2 * hits, 2 * hits]);
    const { projections } = await client.projections.kept({ index });
    expect(projections.filter(({ layer }) => layer === first)).toMatchObject([{ layer: 1, method: 'deconvnet', hits, kept: hits }, { layer: 1, method: 'guided', hits, kept: hits }]);
    expect(await client.projections.atlas({ index, layers: [first], methods: ['guided', 'deconvnet'] })).toEqual({ jobId: null });
  });

  it('is drawn from what is kept, under every scale as from the exact values, and nothing is computed for it', async () => {
    const { store } = services.workspaces.required();
    const stored = await store.indexes.get(index as IndexId);
    for (const layer of [first, last]) {
      const units = (await unitsOf(layer)).filter(({ channel }) => channel === (layer === first ? 5 : 7));
      const exact = await services.projections.many(stored, layer, units, 'deconvnet', 'one');
      const projected = countProjected();
      const kept = await services.projections.pictures({ store, index: stored, layer, units }, { method: 'deconvnet', seed: 'one' }, { areHits: true });
      expect([kept.length, kept.map(({ record }) => record)]).toEqual([9, exact.map(({ record }) => record)]);
      for (const scale of scales) {
        const limits = displayLimits(exact.map(({ record }) => record), scale);
        kept.forEach(({ record, picture }, at) => {
          const [y0, x0, y1, x1] = record.support!;
          const drawn = uncut(Float32Array.from(atlasLevels(picture, record.support, limits[at]!).levels), record.support!, 3, 227, 227);
          const wanted = levelsOf(exact[at]!.values, [0, 0, 227, 227], limits[at]!).levels;
          let worst = 0;
          for (let place = 0; place < wanted.length; place++) {
            const [y, x] = [Math.floor(place / 227) % 227, place % 227];
            if (y >= y0 && y < y1 && x >= x0 && x < x1) worst = Math.max(worst, Math.abs(wanted[place]! - drawn[place]!));
          }
          expect([layer, scale, at, worst <= 1]).toEqual([layer, scale, at, true]);
        });
        await services.pictures.projectionSheet({ index, layer, channel: layer === first ? 5 : 7, size: 64, ...show, scale });
      }
      expect(projected()).toBe(0);
      vi.restoreAllMocks();
    }
  });

  it('stops within a second, and goes on from there, beginning where somebody looks', async () => {
    const { jobId } = await client.projections.atlas({ index, layers: [last] });
    const kept = async () => (await services.atlas.kept(index)).projections.find(({ layer }) => layer === last)?.kept ?? 0;
    const before = await kept();
    await eventually(async () => ((await kept()) > before ? true : undefined), 'a first portion');
    const startMs = performance.now();
    await client.jobs.cancel({ id: jobId! });
    expect(performance.now() - startMs).toBeLessThan(1000);
    const stopped = await kept();
    expect((await ended(jobId)).state).toBe('cancelled');
    await sheet(last, 200);
    await client.jobs.resume({ id: jobId! });
    const { store } = services.workspaces.required();
    const stored = await store.indexes.get(index as IndexId);
    const units = (await unitsOf(last)).filter(({ channel }) => channel >= 201 && channel <= 205);
    const keys = await services.projections.keys({ store, index: stored, layer: last, units }, { method: 'deconvnet', seed: 'one' });
    await eventually(async () => ((await store.keptProjections.has(keys)).size === keys.length ? true : undefined), 'the channels after the one that was looked at');
    expect(await kept()).toBeLessThan(stopped + 9 + 60 * 9);
    await client.jobs.cancel({ id: jobId! });
  });

  it('loses nothing that was stored when it is killed', async () => {
    await close();
    const atlas = ['atlas', '--workspace', workspace, '--layers', 'relu5', '--methods', 'guided'];
    const command = startCommand(home, atlas);
    // A reader of its own: the writer is the one that will be killed.
    const reader = createServices({ version: 'reader', workerEntry: '', folders: { config: join(home, 'config'), data: join(home, 'data') }, mode: 'read' });
    await reader.workspaces.open(workspace);
    const { store } = reader.workspaces.required();
    const stored = await store.indexes.get(index as IndexId);
    const units = (await store.hits.ofLayer(stored.id, last)).map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x }));
    const keys = await reader.projections.keys({ store, index: stored, layer: last, units }, { method: 'guided', seed: 'one' });
    await eventually(async () => ((await store.keptProjections.has(keys)).size >= 30 ? true : undefined), 'some kept projections');
    command.process.kill('SIGKILL');
    await command.finished;
    const before = await store.keptProjections.get(keys);
    expect(before.size).toBeGreaterThanOrEqual(30);
    const { code, stderr } = await startAndStop(atlas, async () => ((await store.keptProjections.has(keys)).size > before.size + 20 ? true : undefined));
    expect([code, stderr]).toEqual([130, expect.stringMatching(/^switchback: Stopped after \d+ of \d+ projections\. The same command goes on from there\.\n$/)]);
    const after = await store.keptProjections.get([...before.keys()]);
    expect(after).toEqual(before);
    await reader.close();
    await open();

    async function startAndStop(args: readonly string[], until: () => Promise<true | undefined>) {
      const started = startCommand(home, args);
      await eventually(until, 'more kept projections');
      started.process.kill('SIGINT');
      return started.finished;
    }
  });

  it('is looked at, and even projected anew, without the image files', async () => {
    await close();
    renameSync(images, `${images} moved`);
    await open();
    const place = { index, layer: first, channel: 7, size: 64 };
    expect(Buffer.from(await services.pictures.patchSheet(place)).toString('latin1', 1, 4)).toBe('PNG');
    expect(Buffer.from(await sheet(first, 7)).toString('latin1', 1, 4)).toBe('PNG');
    const { hits } = await client.indexing.channel({ index, layer: last, channel: 3 });
    await client.projections.get({ index, layer: last, channel: 3, imageNumber: hits[0]!.imageNumber, y: hits[0]!.y, x: hits[0]!.x, method: 'gradient' });
    renameSync(`${images} moved`, images);
  });

  it('gives all exact values as files, and goes on where it was stopped', async () => {
    const out = join(home, 'hits');
    const project = ['project', '--workspace', workspace, '--all-hits', '--layer', 'relu1', '--out', out];
    const units = await unitsOf(first);
    const done = await runForJson<{ hits: number; written: number }>(home, ...project);
    expect(done).toMatchObject({ hits: units.length, written: units.length });
    const list = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')) as { method: string; input: number[]; projections: { file: string; channel: number; rank: number; image: string; y: number; x: number; support: [number, number, number, number]; absmax: number }[] };
    expect([list.method, list.input, list.projections.length]).toEqual(['deconvnet', [3, 227, 227], units.length]);
    const stored = await services.workspaces.required().store.indexes.get(index as IndexId);
    const { hits } = await client.indexing.channel({ index, layer: first, channel: 12 });
    for (const hit of hits) {
      const entry = list.projections.find(({ channel, rank }) => channel === 12 && rank === hit.rank)!;
      expect(entry).toMatchObject({ image: hit.image, y: hit.y, x: hit.x, box: hit.box });
      const { shape, data } = await readNpy(join(out, entry.file));
      const [y0, x0, y1, x1] = entry.support;
      expect(shape).toEqual([3, y1 - y0, x1 - x0]);
      const [exact] = await services.projections.many(stored, first, [{ channel: 12, imageNumber: hit.imageNumber, y: hit.y, x: hit.x }], 'deconvnet', 'one');
      const whole = uncut(data, entry.support, 3, 227, 227);
      expect(exact!.values.every((value, at) => Math.abs(value - whole[at]!) <= 1e-5 * entry.absmax)).toBe(true);
    }
    const [gone, kept] = [join(out, list.projections[3]!.file), join(out, list.projections[4]!.file)];
    rmSync(gone);
    const modified = statSync(kept).mtimeMs;
    expect(await runForJson(home, ...project)).toMatchObject({ hits: units.length, written: 1 });
    expect([existsSync(gone), statSync(kept).mtimeMs]).toEqual([true, modified]);
    const other = await runCommand(home, ...project, '--method', 'guided');
    expect(other.stderr).toBe(`switchback: ${out} holds projections with method "deconvnet", not "guided". Choose another folder.\n`);
    expect((await runCommand(home, ...project, '--channel', '1')).stderr).toBe('switchback: --all-hits takes whole layers; leave out --channel.\n');
  });

  it('makes figures to download, captioned so that they can be made again', async () => {
    const figure = await client.figures.make({ index, layer: last, channels: [7, 8, 9, 12], columns: 2 });
    expect(figure).toMatchObject({ format: 'svg', fileName: 'alexnet-conv1-pool5-conv5-7-9-12-deconvnet.svg', width: 826, notes: [] });
    for (const part of ['channels 7-9, 12 of', '(relu5) of alexnet-conv1-pool5', 'by deconvnet, seed one (1 at the unit), 5 of 5 nonlinearities rectified', '99.5 % quantile', 'Raw values from -', 'photographs, 20 of 20 readable', `Model ${(await client.indexing.get({ index })).modelHash.slice(0, 16)}.`, 'shorter side 259', `Index ${index}`, 'batch 4', 'Switchback 0.0.0-test']) {
      expect(figure.caption).toContain(part);
    }
    const { status, headers, text } = await rawRequest(server.port, { path: figure.media, headers: { authorization: `Bearer ${token}` } });
    expect([status, headers['content-type'], headers['content-disposition']]).toEqual([200, 'image/svg+xml', `attachment; filename="${figure.fileName}"`]);
    expect([text.length > figure.sizeBytes / 2, text.match(/<image /g)?.length]).toEqual([true, 8]);
    expect((await rawRequest(server.port, { path: '/media/figure/none', headers: { authorization: `Bearer ${token}` } })).status).toBe(404);
  });

  it('writes the same figures as PNG and PDF from the command line', async () => {
    const figure = (out: string, ...rest: readonly string[]) => ['figure', '--workspace', workspace, '--layer', 'relu1', '--channels', '0-2,7', '--out', join(home, out), ...rest];
    for (const out of ['f.png', 'f.pdf']) {
      const { caption, width, height } = await runForJson<{ caption: string; width: number; height: number }>(home, ...figure(out, '--scale', 'shared', '--method', 'guided'));
      expect(caption).toContain('projected to pixels by guided');
      const bytes = readFileSync(join(home, out));
      expect(bytes.toString('latin1', 0, 5)).toBe(out === 'f.pdf' ? '%PDF-' : '\u0089PNG\r');
      if (out === 'f.pdf') continue;
      expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([2 * width, 2 * height]);
      expect(bytes.includes('Strongest hits of channels 0-2, 7'), 'the caption in the file').toBe(true);
    }
    expect((await runCommand(home, ...figure('f.jpg'))).stderr).toBe(`switchback: --out ${join(home, 'f.jpg')}: the file must end in .svg, .png or .pdf.\n`);
    expect((await runCommand(home, 'figure', '--workspace', workspace, '--layer', 'relu1', '--channels', '9-2', '--out', 'f.svg')).stderr).toContain('It must be channels and ranges of them, such as 0-15 or 3,17,40-43.');
    expect((await runCommand(home, 'figure', '--workspace', workspace, '--layer', 'relu1', '--channels', '96', '--out', 'f.svg')).stderr).toContain('has 96 channels');
  });

  it('goes with its index', async () => {
    const { store } = services.workspaces.required();
    await client.indexing.delete({ index });
    expect([await store.keptProjections.sizes(index as IndexId), await store.crops.size(index as IndexId)]).toEqual([[], { images: 0, kept: 0, bytes: 0 }]);
  });
});

describe('a command about no atlas', () => {
  it('names methods and layers that there are not', async () => {
    const home = temporaryFolder('no-atlas');
    const { code, stderr } = await runCommand(home, 'atlas', '--workspace', join(home, 'none'), '--methods', 'deconvnet,magic');
    expect([code, stderr]).toEqual([1, 'switchback: There is no method "magic". The methods: deconvnet, guided, gradient, gradientInput, desalinet.\n']);
    rmSync(home, { recursive: true, force: true });
  });
});
