/**
 * The core's HTTP side as a stranger, a browser and the typed client meet it: who is let in, which addresses exist, what a wrong one is told, and the
 * calls and streams of the contract on a small real index.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDefinedError, safe } from '@orpc/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type RunningServer } from '../../src-main/core/server.ts';
import { createServices, type Services } from '../../src-main/services/services.ts';
import { inputImageUrl, patchSheetUrl, patchUrl, projectionSheetUrl, projectionUrl } from '../../src-shared/contract/media.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { rawRequest, type RawAnswer, type RawRequest } from '../support/rawRequest.ts';
import { clientOf, type CoreClient } from '../support/servedWorkbench.ts';
import { dataPath, describeWithData, repositoryRoot } from '../support/testData.ts';

const token = 'b1946ac92492d2347c6235b4d2611184';
const folder = temporaryFolder('server');
let services: Services;
let server: RunningServer;
let client: CoreClient;

const raw = (request: RawRequest): Promise<RawAnswer> => rawRequest(server.port, request);
const bearer = { authorization: `Bearer ${token}` };
const rpc = (path: string, json: unknown, headers: Record<string, string> = bearer): Promise<RawAnswer> =>
  raw({ path: `/rpc/${path}`, method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ json }) });

beforeAll(async () => {
  mkdirSync(join(folder, 'interface/assets'), { recursive: true });
  writeFileSync(join(folder, 'interface/index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'interface/assets/main-1.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'the secret');
  services = createServices({
    version: 'test',
    workerEntry: join(repositoryRoot, 'src-main/inference/worker/main.ts'),
    folders: { config: join(folder, 'config'), data: join(folder, 'data') },
  });
  server = await startServer({ services, token, interfaceFolder: join(folder, 'interface'), port: 0 });
  client = clientOf(`http://127.0.0.1:${server.port}`, token);
});

afterAll(async () => {
  await server.close();
  await services.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('who is let in', () => {
  it('refuses everyone without the token, wherever they knock', async () => {
    for (const path of ['/', '/assets/main-1.js', '/rpc/settings/get', '/media/image/abcdefgh/0', '/nothing', `/?token=${token}x`, '/?token=', `/?token=${token.slice(1)}`]) {
      const { status, text, headers } = await raw({ path });
      expect([path, status]).toEqual([path, 401]);
      expect(text).toBe('Open the address that Switchback printed when it started: it carries the key to this workbench.');
      expect(headers['set-cookie']).toBeUndefined();
    }
    expect((await raw({ path: '/', headers: { authorization: 'Bearer ' } })).status).toBe(401);
    expect((await raw({ path: '/', headers: { cookie: `switchback-${server.port}=` } })).status).toBe(401);
  });

  it('takes the token once in the address and keeps it as a cookie that no script and no other site gets', async () => {
    const first = await raw({ path: `/?token=${token}` });
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']).toEqual([`switchback-${server.port}=${token}; Path=/; HttpOnly; SameSite=Strict`]);
    const again = await raw({ path: '/', headers: { cookie: `other=1; switchback-${server.port}=${token}` } });
    expect([again.status, again.headers['set-cookie']]).toEqual([200, undefined]);
  });

  it('does not take the token of an address for anything but a GET', async () => {
    expect((await raw({ path: `/rpc/settings/get?token=${token}`, method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status).toBe(401);
  });

  it('does not answer for another host, whatever the token (DNS rebinding)', async () => {
    for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1', `127.0.0.1:${server.port + 1}`, `0.0.0.0:${server.port}`]) {
      const { status, text } = await raw({ path: '/', headers: { ...bearer, host } });
      expect([host, status]).toEqual([host, 421]);
      expect(text).toBe(`This server does not answer for the host ${JSON.stringify(host)}.`);
    }
    expect((await raw({ path: '/', headers: { ...bearer, host: `localhost:${server.port}` } })).status).toBe(200);
  });

  it('refuses other pages of the same browser, which would send the cookie along', async () => {
    const cookie = `switchback-${server.port}=${token}`;
    for (const origin of ['http://evil.example', 'null', `https://127.0.0.1:${server.port}`, `http://127.0.0.1:${server.port + 1}`]) {
      const { status, text } = await rpc('settings/get', {}, { cookie, origin });
      expect([origin, status, text]).toEqual([origin, 403, 'Requests from other pages are refused.']);
    }
    expect((await rpc('settings/get', {}, { cookie, origin: `http://127.0.0.1:${server.port}` })).status).toBe(200);
  });
});

describe('the interface', () => {
  it('comes with its policy, and the same page at every address of the workbench', async () => {
    for (const path of ['/', '/w/some/i/index/l/3/c/17?hit=2', '/settings']) {
      const { status, headers, text } = await raw({ path, headers: bearer });
      expect([status, headers['content-type'], headers['cache-control'], headers['x-content-type-options']]).toEqual([200, 'text/html; charset=utf-8', 'no-cache', 'nosniff']);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect([headers['referrer-policy'], headers['cross-origin-opener-policy']]).toEqual(['no-referrer', 'same-origin']);
      expect(text).toBe('<!doctype html><title>page</title>');
    }
    const script = await raw({ path: '/assets/main-1.js', headers: bearer });
    expect([script.status, script.headers['content-type'], script.headers['cache-control']]).toEqual([200, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable']);
    expect((await raw({ path: '/assets/main-2.js', headers: bearer })).status).toBe(404);
  });

  it('gives no file outside of its folder', async () => {
    const ways = ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/assets/../../secret.txt', '/assets/..%2f..%2fsecret.txt', '/..\\secret.txt', '//secret.txt', '/%00/../secret.txt', `/${encodeURIComponent(join(folder, 'secret.txt'))}`, join(folder, 'secret.txt')];
    for (const path of ways) {
      const { status, text } = await raw({ path, headers: bearer });
      expect([path, [400, 404].includes(status), text.includes('the secret')], `status ${status}`).toEqual([path, true, false]);
    }
  });
});

describe('calls', () => {
  it('refuses an oversized body, announced or not', async () => {
    const body = JSON.stringify({ json: { path: 'x'.repeat(1_000_001) } });
    const headers = { ...bearer, 'content-type': 'application/json' };
    expect((await raw({ path: '/rpc/models/inspect', method: 'POST', headers: { ...headers, 'content-length': String(body.length) }, body })).status).toBe(413);
    expect((await raw({ path: '/rpc/models/inspect', method: 'POST', headers: { ...headers, 'transfer-encoding': 'chunked' }, body })).status).toBe(413);
  });

  it('refuses what the contract does not allow, and calls that it does not have', async () => {
    expect((await rpc('models/inspect', { path: '' })).status).toBe(400);
    expect((await rpc('models/inspect', { path: 'x'.repeat(4097) })).status).toBe(400);
    expect((await rpc('indexing/layers', { index: '../../etc' })).status).toBe(400);
    expect((await rpc('settings/set', { theme: 'pink' })).status).toBe(400);
    expect((await raw({ path: '/rpc/settings/get', method: 'POST', headers: { ...bearer, 'content-type': 'application/json' }, body: '{"json":' })).status).toBe(400);
    for (const path of ['nothing', 'settings', '__proto__/toString', 'settings/constructor']) expect([path, (await rpc(path, {})).status]).toEqual([path, 404]);
  });

  it('carries code, message and facts of an error, and no stack', async () => {
    const path = join(folder, 'none.onnx');
    const { status, text } = await rpc('models/inspect', { path });
    expect(status).toBe(422);
    expect(JSON.parse(text)).toMatchObject({ json: { defined: true, code: 'APP', status: 422, message: `There is no file ${path}. Check the path.`, data: { code: 'NOT_FOUND' } } });
    expect(text).not.toContain('src-main');
    const [error] = await safe(client.indexing.list());
    expect(error && isDefinedError(error) ? [error.code, error.message, error.data] : error).toEqual(['APP', 'No workspace is open. Open one, or make a new one, first.', { code: 'WORKSPACE', data: {} }]);
  });

  it('remembers settings, and lists folders without hidden entries', async () => {
    const untouched = { theme: 'system', language: 'system', engine: 'auto', device: 'auto', memoryBudgetBytes: null };
    expect(await client.settings.get()).toEqual(untouched);
    expect(await client.settings.set({ theme: 'dark' })).toEqual({ ...untouched, theme: 'dark' });
    expect((await client.settings.get()).theme).toBe('dark');
    writeFileSync(join(folder, '.hidden'), '');
    const listing = await client.files.list({ path: folder });
    expect([listing.path, listing.truncated, listing.entries.map((entry) => [entry.name, entry.kind])]).toEqual([folder, false, [['config', 'folder'], ['interface', 'folder'], ['secret.txt', 'other']]]);
    const [error] = await safe(client.files.list({ path: join(folder, 'gone') }));
    expect(error?.message).toBe(`The folder ${join(folder, 'gone')} cannot be opened: it is not there.`);
  });

  it('takes the cookie in place of the bearer, as a browser sends it', async () => {
    const answer = await rpc('workspaces/current', undefined, { cookie: `switchback-${server.port}=${token}` });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { json: null }]);
  });
});

describeWithData('an index behind the contract', [squeezenet, photographs], () => {
  let index = '';
  const images = join(folder, 'photographs');
  const model = dataPath(squeezenet);

  beforeAll(() => void linkPhotographs(images, 24));

  it('says beforehand what an index would need, also while no workspace is open', async () => {
    const { preprocessing } = await client.models.inspect({ path: model });
    const needed = await client.indexing.estimate({ modelPath: model, imagesPath: images, preprocessing });
    expect(needed).toMatchObject({ images: 24, layers: 26, channels: 3944 });
    expect(needed.matrixBytes.float32 / (24 * 3944 * 4)).toBeCloseTo(1, 1);
    expect(needed.freeBytes).toBeGreaterThan(0);
  });

  it('scans, previews and starts, and the streams tell how it goes and end with it', async () => {
    const workspace = await client.workspaces.create({ path: join(folder, 'workspace') });
    expect(workspace).toMatchObject({ name: 'workspace', path: join(folder, 'workspace') });
    expect(await client.datasets.scan({ path: images })).toMatchObject({ path: images, images: 24, ignored: 0, classes: 0 });
    const { preprocessing } = await client.models.inspect({ path: model });
    const preview = await client.models.preview({ imagesPath: images, preprocessing });
    expect(preview).toMatchObject({ image: 'n01440764_tench.JPEG', width: 224, height: 224 });
    expect((await raw({ path: preview.media, headers: bearer })).headers).toMatchObject({ 'content-type': 'image/png', 'cache-control': 'private, no-cache' });

    const started = await client.indexing.start({ modelPath: model, imagesPath: images, preprocessing, batch: 4, layers: ['squeezenet0_conv2_relu', 'squeezenet0_conv25_relu'] });
    index = started.index;
    const lists = await client.jobs.watch();
    const seen: { indexed: number; state: string; running: boolean }[] = [];
    for await (const progress of await client.indexing.watch({ index })) seen.push(progress);
    expect(seen[0]!.running).toBe(true);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.map((progress) => progress.indexed)).toEqual(seen.map((progress) => progress.indexed).sort((a, b) => a - b));
    expect(seen.at(-1)).toEqual({ indexed: 24, images: 24, skipped: 0, state: 'complete', running: false });
    let last: readonly { id: string; state: string; done: number }[] = [];
    for await (const list of lists) {
      last = list;
      if (list.every((job) => job.state === 'done')) break;
    }
    expect(last).toMatchObject([{ id: started.jobId, kind: 'index', index, state: 'done', done: 24, total: 24, error: null }]);
    expect(await client.indexing.start({ modelPath: model, imagesPath: images, preprocessing, batch: 4, layers: ['squeezenet0_conv2_relu', 'squeezenet0_conv25_relu'] })).toEqual({ index, jobId: null });
  });

  it('yields the finished state once and ends where nothing runs, and a stream of an unknown index fails with its reason', async () => {
    const seen: unknown[] = [];
    for await (const progress of await client.indexing.watch({ index })) seen.push(progress);
    expect(seen).toEqual([{ indexed: 24, images: 24, skipped: 0, state: 'complete', running: false }]);
    const [error] = await safe((async () => {
      for await (const _ of await client.indexing.watch({ index: 'none0000' }));
    })());
    expect(error?.message).toBe('There is no index "none0000" in this workspace: list the indexes to see what it holds.');
  });

  it('ends a stream that its reader has left', async () => {
    const controller = new AbortController();
    const lists = await client.jobs.watch(undefined, { signal: controller.signal });
    expect((await lists.next()).done).toBe(false);
    controller.abort();
    const [error] = await safe(lists.next());
    expect(error?.name).toBe('AbortError');
  });

  it('answers layers, channels, a channel and a projection', async () => {
    const layers = await client.indexing.layers({ index });
    expect(layers.map((layer) => [layer.number, layer.name, layer.channels, layer.images])).toEqual([[1, 'squeezenet0_conv2_relu', 64, 24], [2, 'squeezenet0_conv25_relu', 1000, 24]]);
    const channels = await client.indexing.channels({ index, layer: 2 });
    expect(channels).toHaveLength(1000);
    const { hits, statistics, version } = await client.indexing.channel({ index, layer: 2, channel: 17 });
    expect([hits.length, statistics.count, statistics.histogram.counts.reduce((sum, count) => sum + count, 0)]).toEqual([9, 24, 24]);
    expect(channels[17]).toMatchObject({ channel: 17, hits: 9, topScore: hits[0]!.score, version });
    const [hit] = hits;
    const record = await client.projections.get({ index, layer: 2, channel: 17, imageNumber: hit!.imageNumber, y: hit!.y, x: hit!.x, method: 'guided' });
    expect(record).toMatchObject({ layer: 'squeezenet0_conv25_relu', channel: 17, image: hit!.image, method: 'guided', seed: 'one', box: hit!.box, rectified: { handled: 26, total: 26 } });
    const [error] = await safe(client.indexing.channel({ index, layer: 2, channel: 1000 }));
    expect(error?.message).toBe('The layer "squeezenet0_conv25_relu" has channels 0 to 999; there is no channel 1000.');
  });

  it('serves every kind of picture as PNG, those with a version for ever', async () => {
    const { hits, version } = await client.indexing.channel({ index, layer: 1, channel: 5 });
    const { imageNumber: image, y, x } = hits[0]!;
    const { numbering } = await client.indexing.get({ index });
    const unit = { index, numbering, layer: 1, image, y, x, size: 64 };
    const show = { method: 'deconvnet', seed: 'one', scale: 'quantile' } as const;
    const pictures: readonly (readonly [string, number, number])[] = [
      [patchSheetUrl({ index, layer: 1, channel: 5, version, size: 64 }), 194, 194],
      [projectionSheetUrl({ index, layer: 1, channel: 5, version, size: 64, ...show }), 194, 194],
      [patchUrl(unit), 64, 64],
      [projectionUrl({ ...unit, channel: 5, ...show, area: 'patch' }), 64, 64],
      [projectionUrl({ ...unit, channel: 5, ...show, area: 'input', size: 224 }), 224, 224],
      [inputImageUrl({ index, numbering, image }), 224, 224],
    ];
    for (const [path, width, height] of pictures) {
      const { status, headers, text } = await raw({ path, headers: bearer });
      expect([path, status, headers['content-type'], headers['cache-control']]).toEqual([path, 200, 'image/png', 'private, max-age=31536000, immutable']);
      const bytes = Buffer.from(text, 'latin1');
      expect([path, bytes.toString('latin1', 1, 4), bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([path, 'PNG', width, height]);
    }
    const unversioned = await raw({ path: inputImageUrl({ index, numbering, image }).replace(/[?&]v=\d+/, ''), headers: bearer });
    expect([unversioned.status, unversioned.headers['cache-control']], 'the next rescan may give the number to another image').toEqual([200, 'private, no-cache']);
  });

  it('tells a wrong picture address what is wrong with it, and never reads a path', async () => {
    const problem = async (path: string): Promise<readonly [number, string, string]> => {
      const { status, text, headers } = await raw({ path: `/media/${path}`, headers: bearer });
      expect([path, headers['cache-control']]).toEqual([path, 'no-store']);
      const { code, message } = JSON.parse(text) as { code: string; message: string };
      return [status, code, message];
    };
    expect(await problem(`patches/${index}/1/5?v=1`)).toEqual([422, 'BAD_REQUEST', expect.stringMatching(/^The picture address is wrong at "size": /)]);
    expect(await problem(`patches/${index}/1/5?v=1&size=100000`)).toEqual([422, 'BAD_REQUEST', expect.stringMatching(/^The picture address is wrong at "size": /)]);
    expect(await problem(`projections/${index}/1/5?v=1&size=64&method=magic&seed=one&scale=quantile`)).toEqual([422, 'BAD_REQUEST', expect.stringMatching(/^The picture address is wrong at "method": /)]);
    expect(await problem(`patches/${index}/one/5?v=1&size=64`)).toEqual([422, 'BAD_REQUEST', expect.stringMatching(/^The picture address is wrong at "layer": /)]);
    expect(await problem(`patches/${index}/9/5?v=1&size=64`)).toEqual([404, 'NOT_FOUND', `Index ${index} has layers 1 to 2; there is no layer 9.`]);
    expect(await problem(`patches/none0000/1/5?v=1&size=64`)).toEqual([404, 'NOT_FOUND', 'There is no index "none0000" in this workspace: list the indexes to see what it holds.']);
    expect(await problem(`image/${index}/24`)).toEqual([404, 'NOT_FOUND', expect.stringContaining('24')]);
    expect(await problem(`image/${index}/-1`)).toEqual([422, 'BAD_REQUEST', expect.stringMatching(/^The picture address is wrong at "image": /)]);
    expect(await problem(`patch/${index}/1/0/9999/0?size=64`)).toEqual([404, 'NOT_FOUND', expect.stringContaining('row 9999')]);
    expect(await problem(`image/..%2f..%2fetc/0`)).toEqual([422, 'BAD_REQUEST', expect.stringMatching(/^The picture address is wrong at "index": /)]);
    expect((await raw({ path: '/media/preview/../../secret.txt', headers: bearer })).status).toBe(404);
  });

  it('refuses to leave a workspace whose job runs, cancels it, and goes on', async () => {
    const { preprocessing } = await client.models.inspect({ path: model });
    const { index: second, jobId } = await client.indexing.start({ modelPath: model, imagesPath: images, preprocessing, batch: 2 });
    const [error] = await safe(client.workspaces.create({ path: join(folder, 'other') }));
    expect(error?.message).toMatch(/^"Index photographs with squeezenet1\.1" is still running in .*workspace\. Cancel it, or wait until it is done, before opening another workspace\.$/);
    await client.jobs.cancel({ id: jobId! });
    expect((await client.jobs.list()).find((job) => job.id === jobId)?.state).toBe('cancelled');
    await client.indexing.delete({ index: second });
    expect((await client.indexing.list()).map((record) => record.id)).toEqual([index]);
  });
});
