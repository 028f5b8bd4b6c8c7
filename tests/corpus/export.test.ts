/** The exported projection, run by plain onnxruntime without Switchback, against the reference arrays (1e-3 of absmax) and against the workbench's own numbers. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, expect, it } from 'vitest';
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { normalizePixels } from '../../src-main/dataset/normalize.ts';
import { changePreprocessing } from '../../src-main/dataset/preprocessing.ts';
import { valueOf, withBatch } from '../../src-main/graph/graph.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { exportProjection } from '../../src-main/inference/worker/modelGraphs.ts';
import { uncut } from '../../src-main/projection/measure.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { runOnce } from '../parity/allEngines.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { readNpy } from '../support/npy.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

interface Expected {
  readonly file: string;
  readonly layer: string;
  readonly channel: number;
  readonly image: string;
  readonly y: number;
  readonly x: number;
  readonly method: Method;
  readonly box: Box;
  readonly absmax: number;
}

interface Reference {
  readonly preprocess: { readonly order: string; readonly scale: number; readonly mean: string; readonly std: string };
  readonly projections: readonly Expected[];
}

/** The same unit by the graph that the workbench runs, seeded from outside. */
async function insideSwitchback(path: string, { layer, method, channel, y, x }: Expected, image: Float32Array): Promise<Float32Array> {
  const { model } = await openModel(path);
  const down = projectionGraph(model.graph, model.imageInput, layer, method);
  const seedShape = withBatch(down.graph.values.get(down.seed)!.shape, 1);
  const [, channels, rows, columns] = seedShape as [number, number, number, number];
  const seed = new Float32Array(channels * rows * columns);
  seed[(channel * rows + y) * columns + x] = 1;
  const engine = await createOnnxruntimeEngine({ device: 'cpu' });
  const feeds = { [down.image]: { shape: withBatch(valueOf(down.graph, down.image).shape, 1), data: image }, [down.seed]: { shape: seedShape, data: seed } };
  const results = await runOnce(engine, down.graph, feeds, [down.projection]);
  await engine.close();
  return results.get(down.projection)!.data as Float32Array;
}

const scalar = (value: number) => new Tensor('int64', BigInt64Array.of(BigInt(value)), []);

for (const [name, images] of [['squeezenet1.1', 'images-224'], ['alexnet-conv1-pool5', 'images-227']] as const) {
  describeWithData(`${name}, exported`, [`models/${name}.onnx`, `reference/${name}/reference.json`], () => {
    it('gives the numbers of the reference in plain onnxruntime', async () => {
      const reference = JSON.parse(await readFile(dataPath(`reference/${name}/reference.json`), 'utf8')) as Reference;
      const { order, scale, mean, std } = reference.preprocess;
      const numbers = (text: string) => text.split(',').map(Number);
      const path = dataPath(`models/${name}.onnx`);
      // The first unit of each layer and method: shallow and deep, and all rules.
      const chosen = reference.projections.filter((one, at, all) => all.findIndex((other) => other.layer === one.layer && other.method === one.method) === at);
      const differences: number[] = [];
      const flipped: string[] = [];
      for (const one of chosen) {
        const { bytes, shape, preprocessing } = await exportProjection({ path, layer: one.layer, method: one.method });
        const settings = changePreprocessing(preprocessing, { order, scale, mean: numbers(mean), std: numbers(std), resize: 'none' });
        const { pixels } = await decodeImage(dataPath(`reference/${images}/${one.image}`), settings);
        const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
        expect([...session.inputNames].sort()).toEqual(['channel', 'column', 'image', 'row']);
        expect(session.outputNames).toEqual(['projection']);
        const { projection } = await session.run({ image: new Tensor('float32', normalizePixels(pixels, settings, 1), shape), channel: scalar(one.channel), row: scalar(one.y), column: scalar(one.x) });
        await session.release();
        expect(projection!.dims).toEqual(shape);
        const { data } = await readNpy(dataPath(`reference/${name}/${one.file}`));
        const whole = uncut(data, one.box, shape[1]!, shape[2]!, shape[3]!);
        const actual = projection!.data as Float32Array;
        const farthest = (expected: Float32Array) => expected.reduce((worst, value, at) => Math.max(worst, Math.abs(value - actual[at]!)), 0) / one.absmax;
        differences.push(farthest(whole));
        if (differences.at(-1)! <= 1e-3) continue;
        // A near-tie fell the other way (method.md section 3). It falls the same way in the workbench on this engine, which reference.test.ts holds against others.
        flipped.push(one.file);
        expect(farthest(await insideSwitchback(path, one, normalizePixels(pixels, settings, 1))), one.file).toBeLessThanOrEqual(1e-5);
      }
      console.log(`${name}: ${chosen.map((one, at) => `${one.layer} ${one.method} ${differences[at]!.toExponential(1)}`).join(', ')}`);
      expect(chosen.length).toBeGreaterThanOrEqual(6);
      expect(flipped.length, 'near-ties are few').toBeLessThanOrEqual(4);
    });
  });
}

describeWithData('switchback export', ['models/alexnet-conv1-pool5.onnx'], () => {
  const folder = temporaryFolder('export');
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const model = dataPath('models/alexnet-conv1-pool5.onnx');

  it('writes the file and says what it is', async () => {
    const out = join(folder, 'conv2.onnx');
    expect(await runForJson(folder, 'export', '--model', model, '--layer', 'conv2', '--out', out)).toMatchObject({ out, layer: 'relu2', method: 'deconvnet', seed: 'one', channels: 256, height: 27, width: 27, image: [1, 3, 227, 227], rectified: { handled: 2, total: 2 } });
    const session = await InferenceSession.create(await readFile(out), { logSeverityLevel: 3 });
    const image = new Tensor('float32', Float32Array.from({ length: 3 * 227 * 227 }, (_, at) => Math.sin(at)), [1, 3, 227, 227]);
    const { projection: nowhere } = await session.run({ image, channel: scalar(256), row: scalar(0), column: scalar(0) });
    expect((nowhere!.data as Float32Array).every((value) => value === 0), 'no such unit').toBe(true);
    await session.release();
  });

  it.each([
    [['--layer', 'conv9', '--out', 'x.onnx'], 'switchback: The network has no layer named "conv9". "switchback import" lists its layers.'],
    [['--layer', 'conv2', '--out', 'x.pt'], 'switchback: --out x.pt: the file must end in .onnx.'],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await runCommand(folder, 'export', '--model', model, ...flags);
    expect([code, stderr.trim()]).toEqual([1, message]);
  });
});
