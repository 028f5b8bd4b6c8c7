/** A series of checkpoints from its files to the figure: which image excites a channel at each epoch, when it changes, how far the weights went; paused, completed, extended, refused. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { writeOnnx } from '../../src-main/importers/onnx/write.ts';
import type { Series, StartEvolution } from '../../src-main/services/evolution.ts';
import type { EvolutionCell } from '../../src-main/services/evolutionRows.ts';
import type { Services } from '../../src-main/services/services.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { floatTensor, windowOf } from '../support/graphs.ts';
import { openServices } from '../support/openServices.ts';

const root = temporaryFolder('evolution');
const at = (...names: readonly string[]) => join(root, ...names);
const preprocessing: Preprocessing = { order: 'rgb', crop: [8, 8], resize: { kind: 'exact' }, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
const edge = 8;

/** One 1 x 1 convolution and a ReLU; a filter is its weights for red, green and blue. */
function writeCheckpoint(path: string, filters: readonly (readonly number[])[]): void {
  const builder = createGraphBuilder('colours');
  builder.input('image', 'float32', ['batch', 3, edge, edge]);
  const weights = builder.tensor(floatTensor('weights', [filters.length, 3, 1, 1], filters.flat()));
  builder.add('Conv', ['image', weights, ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['convolved'] });
  builder.add('Relu', ['convolved'], {}, { outputs: ['colour'] });
  writeFileSync(path, writeOnnx(builder.finish(['colour'])));
}

let services: Services;

beforeAll(async () => {
  mkdirSync(at('images'));
  mkdirSync(at('run'));
  for (const [name, rgb] of [['red', [255, 0, 0]], ['green', [0, 255, 0]], ['blue', [0, 0, 255]]] as const) {
    writeFileSync(at('images', `${name}.png`), await encodePng(Uint8Array.from({ length: edge * edge * 3 }, (_, i) => rgb[i % 3]!), edge, edge, 3));
  }
  writeCheckpoint(at('run', 'epoch-001.onnx'), [[1, 0, 0], [0, 1, 0]]);
  writeCheckpoint(at('run', 'epoch-002.onnx'), [[1, 0, 0.5], [0, 0, 1]]);
  writeCheckpoint(at('run', 'epoch-010.onnx'), [[0, 0, 1], [-1, -1, -1]]);
  writeFileSync(at('run', 'best.onnx'), 'not part of it');
  services = await openServices(at('home'), at('workspace'));
});
afterAll(async () => {
  await services.close();
  rmSync(root, { recursive: true, force: true });
});

const request = (changes: Partial<StartEvolution> = {}): StartEvolution => ({ source: { kind: 'folder', path: at('run') }, imagesPath: at('images'), preprocessing, engine: 'onnxruntime', device: 'cpu', batch: 2, matrix: 'float32', ...changes });

async function finished(jobId: string | null): Promise<void> {
  const ended = await services.workspaces.required().queue.ended(jobId!);
  expect([ended.state, ended.error]).toEqual(['done', null]);
}

const rounded = (values: readonly (number | null)[] | undefined) => values?.map((value) => value && Number(value.toFixed(5)));
const cellWords = (cell: EvolutionCell) => (cell.kind === 'hit' ? `${cell.image} ${cell.score} ${cell.change}` : cell.kind === 'dead' ? 'dead' : cell.reason);

describe('a series of checkpoints', () => {
  let series = '';
  const words = async () => (await services.evolution.rows({ series, layer: 'colour', channels: [0, 1] })).map(({ cells }) => cells.map(cellWords));

  it('is found by the numbers in the names, in their order', async () => {
    const report = await services.evolution.inspect({ kind: 'folder', path: at('run') });
    expect(report.checkpoints.map(({ epoch, name }) => [epoch, name])).toEqual([[1, 'epoch-001.onnx'], [2, 'epoch-002.onnx'], [10, 'epoch-010.onnx']]);
    expect(report.layers.map(({ name, title, channels }) => [name, title, channels])).toEqual([['colour', 'conv1', 2]]);
    expect([report.parameters, report.left]).toEqual([6, [{ name: 'best.onnx', reason: 'its name does not end in a number' }]]);
  });

  it('is one job that a person can pause; started again it goes on, and makes one index for each checkpoint', async () => {
    const started = await services.evolution.start(request({ epochs: [1, 2] }));
    series = started.series;
    await services.jobs.pause(started.jobId!);
    const paused = await services.evolution.get(series);
    expect([paused.jobId, paused.lastJobId]).toEqual([null, started.jobId]);
    expect(await services.evolution.resume(series)).toEqual({ jobId: started.jobId });
    const again = await services.evolution.start(request({ epochs: [1, 2] }));
    expect(again).toEqual(started);
    const watched: Series[] = [];
    for await (const record of services.evolution.watch(series)) watched.push(record);
    expect([watched[0]!.jobId, watched.at(-1)!.jobId]).toEqual([started.jobId, null]);
    await finished(started.jobId);
    const { epochs, complete, checkpoints, layers } = await services.evolution.get(series);
    expect([epochs, complete, layers.map(({ name }) => name)]).toEqual([[1, 2], 2, ['colour']]);
    expect(checkpoints.map(({ state, indexed, running, layerNumbers }) => [state, indexed, running, layerNumbers])).toEqual([['complete', 3, false, [1]], ['complete', 3, false, [1]]]);
    expect(new Set((await services.indexing.list()).map(({ id }) => id)), 'ordinary indexes').toEqual(new Set(checkpoints.map(({ index }) => index)));
  });

  it('takes more checkpoints later, and does only what is missing: not what a person has indexed, in whatever order the preprocessing was written', async () => {
    const before = await services.evolution.get(series);
    const { std, mean, scale, resize, crop, order } = preprocessing;
    const own = await services.indexing.start({ modelPath: at('run', 'epoch-010.onnx'), imagesPath: at('images'), preprocessing: { std, mean, scale, resize, crop, order }, top: 9, engine: 'onnxruntime', device: 'cpu', batch: 2, matrix: 'float32' });
    await finished(own.jobId);
    const started = await services.evolution.start(request());
    expect(started.series).toBe(series);
    await finished(started.jobId);
    const after = await services.evolution.get(series);
    expect(after.checkpoints.slice(0, 2)).toEqual(before.checkpoints);
    expect([after.epochs, after.complete, after.checkpoints[2]!.index]).toEqual([[1, 2, 10], 3, own.index]);
    expect(await services.evolution.start(request()), 'nothing is missing').toEqual({ series, jobId: null });
    expect((await services.evolution.series()).map(({ id, name }) => [id, name])).toEqual([[series, 'run']]);
  });

  it('shows for each channel the strongest image of every epoch, and how it changed', async () => {
    expect(await words()).toEqual([
      ['red.png 1 first', 'red.png 1 same', 'blue.png 1 other'],
      ['green.png 1 first', 'blue.png 1 sudden', 'dead'],
    ]);
    const [row] = await services.evolution.rows({ series, layer: 'conv1', channels: [0] });
    const [cell] = row!.cells;
    expect(cell).toMatchObject({ kind: 'hit', epoch: 1, layer: 1, imageNumber: 2, className: null, y: 0, x: 0, box: [0, 0, 1, 1] });
    if (cell?.kind !== 'hit') throw new Error('no hit');
    const png = await services.pictures.projection({ ...cell, channel: 0, image: cell.imageNumber, size: 32, area: 'patch', method: 'deconvnet', seed: 'one', scale: 'quantile' });
    expect(Buffer.from(png.subarray(1, 4)).toString()).toBe('PNG');
    const { projections } = await services.atlas.kept(cell.index);
    expect(projections.map(({ layer, method, kept }) => [layer, method, kept]), 'the strongest of both channels, ahead of being looked at').toEqual([[1, 'deconvnet', 2]]);
  });

  it('says how far the weights went', async () => {
    const { movement } = await services.evolution.get(series);
    const [row, ...others] = movement!;
    expect([row!.layer, row!.title, row!.parameters, others]).toEqual(['colour', 'conv1', 6, []]);
    // |w1| is sqrt 2, |w2| 1.5, |w10| 2; the differences are 1.5, sqrt 8 and sqrt 7.25.
    expect(rounded(row!.fromFirst)).toEqual([0, 1.06066, 2]);
    expect(rounded(row!.fromLast)).toEqual([1.41421, 1.34629, 0]);
    expect(rounded(row!.fromPrevious)).toEqual([null, 1.06066, 1.79505]);
  });

  it('is a figure: channels by epochs, sudden changes marked', async () => {
    const figure = await services.evolutionFigures.make({ series, layer: 'colour', channels: [0, 1], epochs: [1, 2, 10], patches: true, method: 'deconvnet', seed: 'one', scale: 'shared', format: 'svg' });
    const svg = Buffer.from(services.figures.made(figure.media.split('/').at(-1)!).bytes).toString();
    expect(svg.match(/<image /g)?.length, 'five hits, projection and patch').toBe(10);
    const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(texts.filter((text) => /^(epoch \d+|conv1 \d|dead|•)$/.test(text!))).toEqual(['epoch 1', 'epoch 2', 'epoch 10', 'conv1 0', 'conv1 1', '•', 'dead']);
    expect(figure.fileName).toBe('run-conv1-0-1-evolution-deconvnet.svg');
    expect(figure.caption).toContain('Evolution of channels 0-1 of conv1 (colour) of run over the epochs 1, 2, 10: each cell shows the image that excites the channel most at that epoch, projected to pixels by deconvnet');
  });

  it('says what is not there: epochs, layers, channels, an index that was deleted', async () => {
    await expect(services.evolution.start(request({ epochs: [1, 3] }))).rejects.toThrow(`${at('run')} has no checkpoint of epoch 3; it has 1, 2, 10.`);
    await expect(services.evolution.rows({ series, layer: 'conv9', channels: [0] })).rejects.toThrow('This series has no layer named "conv9"; it has colour.');
    await expect(services.evolution.rows({ series, layer: 'colour', channels: [2] })).rejects.toThrow('The layer "colour" has 2 channels, counted from 0; there is no channel 2.');
    await expect(services.evolution.get('nosuchseries')).rejects.toThrow('There is no series of checkpoints "nosuchseries" in this workspace.');
    const { checkpoints } = await services.evolution.get(series);
    await services.indexing.delete(checkpoints[1]!.index!);
    expect(await words()).toEqual([['red.png 1 first', 'gone', 'blue.png 1 sudden'], ['green.png 1 first', 'gone', 'dead']]);
    const { jobId } = await services.evolution.start(request());
    await finished(jobId);
    expect((await words())[1]).toEqual(['green.png 1 first', 'blue.png 1 sudden', 'dead']);
  });

  it('is refused where a file is another network, naming the first difference', async () => {
    mkdirSync(at('mixed'));
    writeCheckpoint(at('mixed', 'a-1.onnx'), [[1, 0, 0]]);
    await expect(services.evolution.inspect({ kind: 'folder', path: at('mixed') })).rejects.toThrow(`${at('mixed')} holds one network whose name ends in a number; a series needs at least two, such as epoch-001.onnx and epoch-002.onnx.`);
    writeCheckpoint(at('mixed', 'a-2.onnx'), [[1, 0, 0], [0, 1, 0]]);
    await expect(services.evolution.inspect({ kind: 'folder', path: at('mixed') })).rejects.toThrow(
      'a-2.onnx is not of the same architecture as a-1.onnx: Conv Conv_1 has weights 1 x 3 x 1 x 1 float32 there, 2 x 3 x 1 x 1 float32 here. Only checkpoints of one network make a series; choose their files alone.',
    );
    writeCheckpoint(at('mixed', 'b-2.onnx'), [[0, 1, 0]]);
    await expect(services.evolution.inspect({ kind: 'folder', path: at('mixed') })).rejects.toThrow(`a-2.onnx and b-2.onnx in ${at('mixed')} both end in 2: they may be two series. Choose the files of one.`);
    const chosen = await services.evolution.inspect({ kind: 'files', paths: [at('mixed', 'b-2.onnx'), at('mixed', 'a-1.onnx')] });
    expect(chosen.checkpoints.map(({ epoch, name }) => [epoch, name])).toEqual([[1, 'a-1.onnx'], [2, 'b-2.onnx']]);
    await expect(services.evolution.inspect({ kind: 'folder', path: at('nowhere') })).rejects.toThrow(`${at('nowhere')} is not there. Choose the folder of a training, or one with checkpoints.`);
  });

  it('can be forgotten; its indexes stay', async () => {
    await services.evolution.forget(series);
    expect([await services.evolution.series(), (await services.indexing.list()).length]).toEqual([[], 3]);
  });
});

describe('switchback evolution', () => {
  it('does the whole of it, and once more only what is missing', async () => {
    const command = ['evolution', '--workspace', at('commanded'), '--run', at('run'), '--images', at('images'), '--resize', 'exact', '--mean', '0,0,0', '--std', '1,1,1', '--engine', 'onnxruntime', '--device', 'cpu', '--batch', '2', '--layer', 'conv1', '--channels', '1', '--out', at('figure.png')];
    const answer = await runForJson<{ rows: { channel: number; cells: EvolutionCell[] }[]; movement: unknown[]; figure: { caption: string } }>(root, ...command);
    expect(answer.rows.map(({ channel, cells }) => [channel, cells.map((cell) => cellWords(cell).split(' ')[0])])).toEqual([[1, ['green.png', 'blue.png', 'dead']]]);
    expect([answer.movement.length, answer.figure.caption.slice(0, 32)]).toEqual([1, 'Evolution of channel 1 of conv1 ']);
    expect(readFileSync(at('figure.png')).subarray(1, 4).toString()).toBe('PNG');
    const { code, stdout } = await runCommand(root, ...command);
    expect(code).toBe(0);
    expect(stdout).toMatch(/channel +1 +2 +10\n +1 +green\.png +blue\.png ! +dead\n/);
  });
  it('wants checkpoints from one place', async () => {
    expect(await runCommand(root, 'evolution', '--workspace', at('commanded'), '--images', at('images'))).toMatchObject({ code: 1, stderr: 'switchback: Name the checkpoints with --run, a folder, or with --models, their files; one of the two.\n' });
  });
});
