/** The lab over the core's own interface, as the window uses it: given pictures, what is answered at once, studies that are watched, kept, found again, stopped and exported. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, sizeOfPicture } from '../../src-main/dataset/picture.ts';
import { activationMapUrl, activationSheetUrl, labInputUrl, labPictureOfImage, labProjectionUrl, labUploadUrl, uploadedPicture } from '../../src-shared/contract/lab.ts';
import { runForJson, temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { smallClassifierPreprocessing, writeSmallClassifier } from '../support/labNetwork.ts';
import { eventually } from '../support/processes.ts';
import { serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';

const home = temporaryFolder('lab-server');
const random = seededRandom(6);
const noise = (edge: number) => encodePng(Uint8Array.from({ length: edge * edge * 3 }, () => Math.floor(256 * random())), edge, edge, 3);
let bench: ServedWorkbench;
let index: string;

beforeAll(async () => {
  writeSmallClassifier(join(home, 'net.onnx'));
  mkdirSync(join(home, 'images'));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(home, 'images', `${name}.png`), await noise(12));
  writeFileSync(join(home, 'names.json'), '["ant", "bee", "cat", "dog", "elk"]');
  const { order, scale, mean, std } = smallClassifierPreprocessing;
  await runForJson(home, 'index', '--workspace', join(home, 'work'), '--model', join(home, 'net.onnx'), '--images', join(home, 'images'), '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '4', '--order', order, '--scale', String(scale), '--mean', mean.join(','), '--std', std.join(','), '--resize', 'exact');
  bench = await serveWorkbench(home, '--workspace', join(home, 'work'));
  index = (await bench.client.indexing.list())[0]!.id;
}, 180_000);
afterAll(async () => {
  await bench?.stop();
  rmSync(home, { recursive: true, force: true });
});

const send = (path: string, init: RequestInit = {}) => fetch(`${bench.origin}${path}`, { ...init, headers: { authorization: `Bearer ${bench.token}` } });
const picture = labPictureOfImage(1);

async function finished(id: string) {
  let last;
  for await (const result of await bench.client.lab.watch({ id })) last = result;
  return last!;
}

describe('what is answered at once', () => {
  it('names layers and classes', async () => {
    const { layers, classes, named } = await bench.client.lab.layers({ index });
    expect(layers.map(({ name, index: number }) => [name, number])).toEqual([['first', 1], ['second', 2], ['logits', 3]]);
    expect([classes, named]).toEqual([5, false]);
    expect(await bench.client.lab.nameClasses({ index, path: join(home, 'names.json') })).toEqual({ named: 5, classes: 5 });
    expect(await bench.client.lab.classes({ index, search: 'E' })).toEqual([{ index: 1, name: 'bee', wnid: null }, { index: 4, name: 'elk', wnid: null }]);
    const { predictions } = await bench.client.lab.predict({ index, picture, top: 5 });
    expect(predictions.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(predictions[0]!.name).toMatch(/ant|bee|cat|dog|elk/);
  }, 60_000);

  it('draws maps and projections of any unit', async () => {
    const { channels, layer } = await bench.client.lab.activations({ index, picture, layer: 'second', order: 'strength' });
    expect(channels.map(({ max }) => max)).toEqual(channels.map(({ max }) => max).toSorted((a, b) => b - a));
    const [strongest] = channels;
    const at = { index, picture, layer: layer.name };
    const sheet = await send(activationSheetUrl({ ...at, scale: 'shared', order: 'strength', size: 20, columns: 3 }));
    expect(await sizeOfPicture(new Uint8Array(await sheet.arrayBuffer()))).toEqual({ width: 62, height: 41 });
    expect((await send(activationMapUrl({ ...at, channel: 2, scale: 'own' }))).status).toBe(200);
    const unit = { ...at, channel: strongest!.channel, y: strongest!.y, x: strongest!.x, method: 'deconvnet' as const };
    const record = await bench.client.lab.project(unit);
    expect(record.activation).toBeCloseTo(strongest!.max, 5);
    const { index: number } = layer;
    const other = await bench.client.projections.get({ index, layer: number!, channel: unit.channel, imageNumber: 1, y: unit.y, x: unit.x, method: 'deconvnet' });
    expect(record.absmax).toBeCloseTo(other.absmax, 5);
    expect((await send(labProjectionUrl({ ...unit, seed: 'one', scale: 'quantile', area: 'input' }))).headers.get('content-type')).toBe('image/png');
    await expect(bench.client.lab.project({ ...unit, channel: 99 })).rejects.toThrow('there is no unit at channel 99');
  }, 60_000);
});

describe('given pictures', () => {
  it('are kept by content, and asked about like those of the index', async () => {
    const answer = await send(labUploadUrl({ name: 'Foto ä.png' }), { method: 'POST', body: new Uint8Array(await noise(700)) });
    const given = uploadedPicture.parse(await answer.json());
    expect(given).toMatchObject({ name: 'Foto ä.png', width: 700, height: 700, kept: true });
    expect(given.sizeBytes, 'more than any other message may have').toBeGreaterThan(1_000_000);
    expect(await sizeOfPicture(new Uint8Array(await (await send(labInputUrl({ index, picture: given.picture }))).arrayBuffer()))).toEqual({ width: 12, height: 12 });
    expect((await bench.client.lab.predict({ index, picture: given.picture })).name).toBe('Foto ä.png');
  }, 60_000);
  it('are refused where they are none, or unknown', async () => {
    const answer = await send(labUploadUrl({ name: 'x.png' }), { method: 'POST', body: 'no picture' });
    expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([422, expect.stringMatching(/^x\.png: /)]);
    await expect(bench.client.lab.predict({ index, picture: `given-${'0'.repeat(32)}` })).rejects.toThrow('This picture is kept no more. Give it again.');
    expect((await fetch(`${bench.origin}${labUploadUrl({ name: 'x.png' })}`, { method: 'POST', body: 'x' })).status).toBe(401);
  }, 60_000);
});

describe('studies', () => {
  it('are watched to their end, kept, and found again', async () => {
    const { id } = await bench.client.lab.start({ index, picture, study: { kind: 'occlusion', size: 5, stride: 4 } });
    const result = await finished(id);
    expect([result.state, result.error, result.done, result.total]).toEqual(['done', null, 16, 16]);
    expect(result.pictures.map(({ name }) => name)).toEqual(['input', 'total', 'projection', 'probability', 'label']);
    for (const { media } of result.pictures) expect((await send(media)).headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    expect(result.numbers).toMatchObject({ kind: 'occlusion', layer: 'second', layerInIndex: 2, rows: [0, 4, 8, 12], unit: { activation: expect.any(Number) as number } });
    expect(result.caption).toContain('Occlusion of b.png by a square of 5 pixels');
    expect(await bench.client.lab.start({ index, picture, study: { kind: 'occlusion', size: 5, stride: 4 } })).toEqual({ id });
    expect(await bench.client.lab.start({ index, picture, study: { kind: 'occlusion', size: 5, stride: 4 }, afresh: true })).not.toEqual({ id });
    const listed = await bench.client.lab.list({ index, picture });
    expect(listed.map(({ kind, pictureName }) => [kind, pictureName])).toEqual([['occlusion', 'b.png'], ['occlusion', 'b.png']]);
    expect(await bench.client.lab.list({ index, picture: labPictureOfImage(0) })).toEqual([]);
    const figure = await bench.client.lab.figure({ id, format: 'svg' });
    expect(await (await send(figure.media)).text()).toContain('Occlusion of b.png');
  }, 120_000);

  it('bring exact values as files', async () => {
    const result = await finished((await bench.client.lab.start({ index, picture, study: { kind: 'saliency', rows: ['gradient', 'smooth'], smoothSamples: 3 } })).id);
    expect(result.files.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([['gradient.npy', 128 + 4 * 432], ['smooth.npy', 128 + 4 * 432]]);
    const file = await send(result.files[0]!.media);
    expect([file.headers.get('content-disposition'), (await file.arrayBuffer()).byteLength]).toEqual(['attachment; filename="gradient.npy"', 128 + 4 * 432]);
    expect((await send(`/media/lab/result/${result.id}/nothing.png`)).status).toBe(404);
  }, 60_000);

  it('fail with a reason, and are deleted', async () => {
    const failed = await finished((await bench.client.lab.start({ index, picture, study: { kind: 'adversarial', target: 9 } })).id);
    expect([failed.state, failed.error?.message]).toEqual(['failed', 'The network has 5 classes, 0 to 4; there is no class 9.']);
    await bench.client.lab.delete({ id: failed.id });
    await expect(bench.client.lab.get({ id: failed.id })).rejects.toThrow(`There is no study "${failed.id}" in this workspace. It may have been deleted.`);
  }, 60_000);

  it('are stopped, and show how far they were', async () => {
    const { id } = await bench.client.lab.start({ index, study: { kind: 'ascend', target: { kind: 'channel', layer: 'first', channel: 1 }, steps: 5000, keepEvery: 1000, regularisers: { jitter: { pixels: 3 } } } });
    await eventually(async () => ((await bench.client.lab.get({ id })).done > 3 ? true : undefined), 'a few steps');
    await bench.client.lab.cancel({ id });
    const result = await finished(id);
    expect(result.state).toBe('cancelled');
    expect(result.numbers).toMatchObject({ kind: 'ascend' });
    expect(result.pictures.map(({ name }) => name)).toContain('frame-0');
    expect((await send(result.pictures[0]!.media)).status).toBe(200);
  }, 60_000);

  it('are there after a restart', async () => {
    const before = await bench.client.lab.list({ index });
    await bench.stop();
    bench = await serveWorkbench(home, '--workspace', join(home, 'work'));
    const after = await bench.client.lab.list({ index });
    expect(after).toEqual(before);
    const done = await bench.client.lab.get({ id: after.find(({ kind }) => kind === 'occlusion')!.id });
    expect((await send(done.pictures[1]!.media)).status).toBe(200);
  }, 120_000);
});
