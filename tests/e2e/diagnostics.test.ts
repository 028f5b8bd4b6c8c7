/** Diagnostics of two networks whose filters are known: what is read of the file, what of an index, the pictures under their addresses, and the command. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaRoutes } from '../../src-main/core/media.ts';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { writeOnnx } from '../../src-main/importers/onnx/write.ts';
import type { DiagnosticReport } from '../../src-main/services/diagnostics.ts';
import type { Services } from '../../src-main/services/services.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { floatTensor, seededRandom, windowOf } from '../support/graphs.ts';
import { openServices } from '../support/openServices.ts';

const root = temporaryFolder('diagnostics');
const at = (...names: readonly string[]) => join(root, ...names);
const edge = 32;
const preprocessing: Preprocessing = { order: 'rgb', crop: [edge, edge], resize: { kind: 'exact' }, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };

/** A filter's weight by row, column and input channel. */
type Weight = (y: number, x: number, input: number) => number;

function filters(size: number, inputs: number, weights: readonly Weight[]): readonly number[] {
  return weights.flatMap((weight) => Array.from({ length: inputs * size * size }, (_, i) => weight(Math.floor(i / size) % size, i % size, Math.floor(i / size ** 2))));
}

/** Two convolutions with ReLUs, `first` and `second`; the second is a sum over all that the first one gives. */
function writeNetwork(path: string, size: number, stride: number, weights: readonly Weight[], bias: readonly number[]): void {
  const builder = createGraphBuilder('two layers');
  builder.input('image', 'float32', ['batch', 3, edge, edge]);
  const first = builder.tensor(floatTensor('first weights', [weights.length, 3, size, size], filters(size, 3, weights)));
  const biases = builder.tensor(floatTensor('first bias', [bias.length], bias));
  builder.add('Conv', ['image', first, biases], { ...windowOf([size, size], { strides: [stride, stride] }), group: 1 }, { outputs: ['first convolved'] });
  builder.add('Relu', ['first convolved'], {}, { outputs: ['first'] });
  const second = builder.tensor(floatTensor('second weights', [2, weights.length, 3, 3], new Array<number>(2 * weights.length * 9).fill(1)));
  builder.add('Conv', ['first', second, ''], { ...windowOf([3, 3]), group: 1 }, { outputs: ['second convolved'] });
  builder.add('Relu', ['second convolved'], {}, { outputs: ['second'] });
  writeFileSync(path, writeOnnx(builder.finish(['second'])));
}

const constant: Weight = () => 0.1;
const wave: Weight = (_, x) => 0.1 * Math.cos((2 * Math.PI * 3 * x) / 8);
const redOnly: Weight = (_, __, input) => (input === 0 ? 0.8 : 0);

let services: Services;
let index = '';

beforeAll(async () => {
  writeNetwork(at('even.onnx'), 8, 4, [constant, wave], [0, 0]);
  // 3 x 3 at stride 2; one filter eight times as strong in the end, one that nothing excites.
  writeNetwork(at('uneven.onnx'), 3, 2, [constant, constant, constant, redOnly], [0, -100, 0, 0]);
  mkdirSync(at('images'));
  const random = seededRandom(3);
  for (let image = 0; image < 6; image++) writeFileSync(at('images', `${image}.png`), await encodePng(Uint8Array.from({ length: edge * edge * 3 }, () => 100 + 100 * random()), edge, edge, 3));
  services = await openServices(at('home'), at('workspace'));
  const started = await services.indexing.start({ modelPath: at('uneven.onnx'), imagesPath: at('images'), preprocessing, top: 9, engine: 'onnxruntime', device: 'cpu', batch: 2 });
  await services.workspaces.required().queue.ended(started.jobId!);
  index = started.index;
});
afterAll(async () => {
  await services?.close();
  rmSync(root, { recursive: true, force: true });
});

const file = (name: string) => ({ kind: 'file', path: at(name) }) as const;
const measureOf = <K extends DiagnosticReport['measures'][number]['kind']>({ measures }: DiagnosticReport, kind: K) => measures.find((measure): measure is Extract<typeof measure, { kind: K }> => measure.kind === kind)!;
const isPng = (media: string) => Buffer.from(services.diagnostics.picture(media.split('/').at(-1)!).subarray(1, 4)).toString() === 'PNG';

describe('a model file alone', () => {
  it('is measured by its first filters', async () => {
    const report = await services.diagnostics.model(file('even.onnx'));
    expect(report.model).toMatchObject({ name: 'even', index: null });
    expect(report.filters).toMatchObject({ layer: 'first', title: 'conv1', filters: 2, inputs: 3, kernel: [8, 8], stride: [4, 4], kind: 'colour', groups: 1 });
    const { dc, low, high, media } = measureOf(report, 'frequency');
    expect([dc, low, high].map((share) => share.toFixed(5))).toEqual(['0.50000', '0.00000', '0.50000']);
    expect(isPng(media!)).toBe(true);
    expect(measureOf(report, 'strength')).toMatchObject({ channel: 0, sentence: { key: 'strengthEven' } });
    // Every place of the period gets four of the constant's 64 weights; the wave is stronger in some columns than in others.
    const checkerboard = measureOf(report, 'checkerboard');
    expect([checkerboard.basis, checkerboard.phases.length, checkerboard.stride]).toEqual(['filters', 16, 4]);
    expect(new Set(checkerboard.phases.map((phase, place) => `${place % 4} ${phase.toFixed(5)}`)).size, 'rows are alike').toBe(4);
    expect([measureOf(report, 'dead').sentence.key, measureOf(report, 'usage').sentence.key]).toEqual(['needsIndex', 'needsIndex']);
  });
  it('gives filters of any convolution, by title, one input or all, in parts', async () => {
    const rows = await services.diagnostics.filters({ model: file('even.onnx'), layer: 'conv2', input: 'all', scale: 'own', from: 1, count: 5 });
    expect(rows).toMatchObject({ kind: 'rows', layer: 'second', filters: 2, from: 1, count: 1, inputs: 2, columns: 2, kernel: [3, 3], limits: [1], rms: [1] });
    const grey = await services.diagnostics.filters({ model: file('uneven.onnx'), input: 1, scale: 'shared', from: 0, count: 96 });
    expect([grey.kind, grey.limits.map((limit) => limit.toFixed(3))], 'the strongest weight of the layer').toEqual(['grey', ['0.800', '0.800', '0.800', '0.800']]);
    expect(grey.media, 'the address follows from the picture').toBe((await services.diagnostics.filters({ model: file('uneven.onnx'), input: 1, scale: 'shared', from: 0, count: 4 })).media);
    await expect(services.diagnostics.filters({ model: file('even.onnx'), layer: 'conv9', input: 'all', scale: 'own', from: 0, count: 1 })).rejects.toThrow('The network has no convolution called "conv9"; it has conv1, conv2.');
    await expect(services.diagnostics.filters({ model: file('even.onnx'), input: 3, scale: 'own', from: 0, count: 1 })).rejects.toThrow('A filter of conv1 reads 3 input channels, counted from 0; there is no input 3.');
    await expect(services.diagnostics.filters({ model: file('even.onnx'), input: 'all', scale: 'own', from: 2, count: 1 })).rejects.toThrow('conv1 has 2 filters, counted from 0; there is no filter 2.');
    expect(() => services.diagnostics.picture('0'.repeat(32))).toThrow('This picture is held no more; ask for the filters or the diagnostics again.');
  });
});

describe('a picture of it', () => {
  it('has an address that may be cached for ever, and an error that says what to do when it is held no more', async () => {
    const { media } = await services.diagnostics.filters({ model: file('even.onnx'), input: 'all', scale: 'own', from: 0, count: 1 });
    expect(media).toMatch(/^\/media\/diagnostic\/[0-9a-f]{32}$/);
    const routes = mediaRoutes(services);
    const found = await routes.request(media.replace('/media', ''));
    expect([found.status, found.headers.get('content-type'), found.headers.get('cache-control')]).toEqual([200, 'image/png', 'private, max-age=31536000, immutable']);
    const lost = await routes.request(`/diagnostic/${'0'.repeat(32)}`);
    expect([lost.status, await lost.json()]).toEqual([404, { code: 'NOT_FOUND', message: 'This picture is held no more; ask for the filters or the diagnostics again.', data: {} }]);
  });
});

describe('a model with its index', () => {
  it('is measured by what its channels did, too', async () => {
    const report = await services.diagnostics.model({ kind: 'index', index });
    expect(report.model).toMatchObject({ name: 'uneven', index });
    const dead = measureOf(report, 'dead');
    expect(dead.layers.map(({ title, channels, dead: which }) => [title, channels, which])).toEqual([['conv1', 4, [1]], ['conv2', 2, []]]);
    expect([dead.value, dead.images, dead.sentence]).toEqual([1 / 6, 6, { key: 'deadMany', values: { dead: 1, channels: 6, share: 1 / 6, layer: 'conv1', layerShare: 0.25 } }]);
    const [first, second] = measureOf(report, 'usage').layers;
    expect([first!.strongest[0]!.channel, first!.evenness < 1, second!.evenness.toFixed(6), second!.effectiveChannels.toFixed(6)]).toEqual([3, true, '1.000000', '2.000000']);
    // Ones all the way down at 3 x 3 and stride 2: the middle of the projections has the overlaps 4, 2, 2, 1.
    const checkerboard = measureOf(report, 'checkerboard');
    expect([checkerboard.basis, checkerboard.layer, checkerboard.channels]).toEqual(['projections', 'conv2', [0, 1]]);
    expect(checkerboard.value).toBeGreaterThan(0.05);
    expect(checkerboard.sentence).toMatchObject({ key: 'checkerboardStrong', values: { stride: 2, kernel: 3, channels: 2 } });
  });
  it('is compared with another, with filters on one scale', async () => {
    const { left, right, shared, differences } = await services.diagnostics.compare({ left: { kind: 'index', index }, right: file('even.onnx') });
    expect([left.filters.limits.map((limit) => limit.toFixed(2)), right.filters.limits.map((limit) => limit.toFixed(2))]).toEqual([['0.10', '0.10', '0.10', '0.80'], ['0.10', '0.10']]);
    expect([...shared.left.limits, ...shared.right.limits].map((limit) => limit.toFixed(2))).toEqual(['0.80', '0.80', '0.80', '0.80', '0.80', '0.80']);
    expect(differences.map(({ kind, sentence }) => [kind, sentence.key])).toEqual([['frequency', 'compareHigher'], ['strength', 'compareLower'], ['aliasing', 'compareHigher'], ['checkerboard', 'compareLower'], ['dead', 'compareUnknown'], ['usage', 'compareUnknown']]);
    expect([left, right].map((report) => measureOf(report, 'checkerboard').basis), 'one basis for both').toEqual(['filters', 'filters']);
    expect([shared.left, shared.right].every(({ media }) => isPng(media))).toBe(true);
  });
});

describe('switchback diagnose', () => {
  it('says each measure in a sentence, and writes the pictures', async () => {
    const { code, stdout } = await runCommand(root, 'diagnose', '--model', at('uneven.onnx'), '--out', at('pictures'));
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 6)).toEqual([
      'uneven: 4 first filters of 3 x 3 x 3, stride 2 x 2',
      'frequency: Filters of 3 x 3 are too small to tell low from high frequencies: 100 % of their energy is in their mean, 0.0 % is high.',
      'strength: Filter 3 drowns the others: it is 4.62 times as strong as the median and holds 88 % of the energy of 4 filters.',
      'aliasing: 15 % of the first filters\' energy is finer than a stride of 2 can carry, and comes back as false coarse patterns.',
      'checkerboard: Layer 2 shows a grid of 2 pixels: 19 % of the energy lies at the period of the first stride (by the filters alone).',
      'dead: This needs an index of the model: name a workspace that has one.',
    ]);
    expect(['filters', 'frequency', 'strength', 'checkerboard'].map((name) => existsSync(at('pictures', `${name}.png`)))).toEqual([true, true, true, true]);
  });
  it('finds the index of the file in a workspace, and compares two', async () => {
    const answer = await runForJson<{ left: DiagnosticReport; right: DiagnosticReport }>(root, 'diagnose', '--workspace', at('workspace'), '--model', at('uneven.onnx'), '--against', at('even.onnx'));
    expect([answer.left.model.index, answer.right.model.index]).toEqual([index, null]);
  });
  it('asks for a model', async () => {
    expect(await runCommand(root, 'diagnose')).toMatchObject({ code: 1, stderr: 'switchback: Name the model with --model, or its index with --workspace and --index.\n' });
  });
});
