/** Scores as the worker computes them on the processor: from profiles, and from the maps where those leave a place open, to the very numbers that a search through the maps gives. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { writeOnnx } from '../../../src-main/importers/onnx/write.ts';
import { openModel } from '../../../src-main/importers/open.ts';
import { normalizePixels } from '../../../src-main/dataset/normalize.ts';
import { createOnnxruntimeEngine } from '../../../src-main/inference/onnxruntime/engine.ts';
import { score } from '../../../src-main/inference/worker/score.ts';
import { createState } from '../../../src-main/inference/worker/state.ts';
import { rankingGraph } from '../../../src-main/rewrite/probe/rankingGraph.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { floatTensor, seededRandom, windowOf } from '../../support/graphs.ts';
import { smallModelLayers, smallModelPreprocessing, writeSmallModel } from '../../support/smallModel.ts';

const pictureBytes = 16 * 16 * 3;
const batch = 4;

/** Noise, one colour, stripes of two colours, and noise again: ties of every kind beside none. */
function pictures(): Uint8Array {
  const random = seededRandom(11);
  const pixels = Uint8Array.from({ length: batch * pictureBytes }, () => Math.floor(256 * random()));
  pixels.fill(200, pictureBytes, 2 * pictureBytes);
  for (let at = 0; at < pictureBytes; at++) pixels[2 * pictureBytes + at] = at % 12 < 6 ? 30 : 220;
  return pixels;
}

it.each([false, true])('are those of a search through the maps (beside another process: %s)', async (beside) => {
  const path = join(temporaryFolder('score'), 'small.onnx');
  writeSmallModel(path);
  const { model, modelHash } = await openModel(path);
  const engine = await createOnnxruntimeEngine({ device: 'cpu' });
  const compiled: string[][] = [];
  const state = createState({ engineAt: () => Promise.resolve({ ...engine, compile: (graph, options) => (compiled.push([...graph.outputs]), engine.compile(graph, options)) }) });
  const pixels = pictures();
  const layers = [...smallModelLayers];
  const { layers: found } = await score(state, { model: { path, hash: modelHash }, layers, preprocessing: smallModelPreprocessing, placement: { engine: 'onnxruntime', device: 'cpu' }, batch, pixels, beside }, new AbortController().signal);

  const { graph, heads } = rankingGraph(model.graph, layers);
  const session = await engine.compile(graph);
  const expected = await session.run(new Map([[model.imageInput, { shape: [batch, 3, 16, 16], data: normalizePixels(pixels, smallModelPreprocessing, batch) }]]), graph.outputs);
  heads.forEach((head, at) => {
    expect([...found[at]!.score], layers[at]).toEqual([...(expected.get(head.score)!.data as Float32Array)]);
    expect([...found[at]!.position], layers[at]).toEqual([...expected.get(head.position)!.data].map(Number));
  });
  // Both ways were needed.
  expect(compiled).toEqual([['first:rows', 'first:columns', 'second:rows', 'second:columns'], ['first:score', 'first:position', 'second:score', 'second:position']]);
  await engine.close();
});

it('are NaN for a channel that holds one, and for no other', async () => {
  const path = join(temporaryFolder('score'), 'broken.onnx');
  const builder = createGraphBuilder('broken');
  builder.input('image', 'float32', ['batch', 3, 2, 2]);
  builder.add('Conv', ['image', builder.tensor(floatTensor('weights', [2, 3, 1, 1], [NaN, 0, 0, 1, 0, 0])), ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['y'] });
  writeFileSync(path, writeOnnx(builder.finish(['y'])));
  const { modelHash } = await openModel(path);
  const engine = await createOnnxruntimeEngine({ device: 'cpu' });
  const state = createState({ engineAt: () => Promise.resolve(engine) });
  const preprocessing = { order: 'rgb', crop: [2, 2], resize: { kind: 'none' }, scale: 1, mean: [0], std: [1] } as const;
  const pixels = Uint8Array.of(1, 0, 0, 5, 0, 0, 9, 0, 0, 3, 0, 0);
  const { layers: [found] } = await score(state, { model: { path, hash: modelHash }, layers: ['y'], preprocessing, placement: { engine: 'onnxruntime', device: 'cpu' }, batch: 1, pixels }, new AbortController().signal);
  expect([...found!.score]).toEqual([NaN, 9]);
  expect(found!.position[1]).toBe(2);
  await engine.close();
});
