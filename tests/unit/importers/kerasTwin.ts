/**
 * TensorFlow.js' own layers as the twin of the Keras and TensorFlow.js importers: networks are made and run there, saved, read by the importer, and
 * run again by one of Switchback's engines.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { AppError } from '../../../src-shared/errors.ts';
import type { Model } from '../../../src-main/graph/graph.ts';
import { verify } from '../../../src-main/graph/verify.ts';
import type { ConvertedModel, Siblings } from '../../../src-main/importers/format.ts';
import { tensorflowjsFormat } from '../../../src-main/importers/tensorflowjs/format.ts';
import type { Data } from '../../../src-main/inference/engine.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { normalFloats, relativeDifference, seededRandom } from '../../support/graphs.ts';

export { layers, tf };

/** Every weight filled with seeded normal numbers; variances and deviations kept positive. */
export function fillWeights(model: layers.LayersModel, seed: number): layers.LayersModel {
  const random = seededRandom(seed);
  for (const layer of model.layers) {
    const names = layer.weights.map((weight) => weight.name);
    layer.setWeights(
      layer.getWeights().map((weight, index) => {
        const values = normalFloats(random, weight.size, 0.4);
        return tf.tensor(/variance/.test(names[index]!) ? values.map((value) => 0.5 + Math.abs(value)) : values, weight.shape);
      }),
    );
  }
  return model;
}

export interface Saved {
  /** The parsed model.json. */
  readonly json: { modelTopology: object; weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[] };
  readonly shard: Uint8Array;
}

/** What `model.save` writes: model.json and one shard. */
export async function saveModel(model: layers.LayersModel): Promise<Saved> {
  let saved: Saved | undefined;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      const data = artifacts.weightData as ArrayBuffer;
      const weights = artifacts.weightSpecs as unknown as Saved['json']['weightsManifest'][number]['weights'];
      const { modelTopology } = artifacts;
      saved = { json: { modelTopology: modelTopology as never, weightsManifest: [{ paths: ['shard.bin'], weights }] }, shard: new Uint8Array(data) };
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  // Through text, as on disk.
  return { json: JSON.parse(JSON.stringify(saved!.json)) as Saved['json'], shard: saved!.shard };
}

/** Files beside a model that exist only in memory. */
export function filesBeside(files: Readonly<Record<string, Uint8Array>>): Siblings {
  const read = (name: string): Uint8Array => {
    const bytes = files[name];
    if (!bytes) throw new AppError('NOT_FOUND', `model.json needs the file ${JSON.stringify(name)} beside it, which is not there. Put it into the same folder.`);
    return bytes;
  };
  return { list: () => Object.keys(files), read, peek: (name, maximumBytes) => read(name).subarray(0, maximumBytes) };
}

export async function importJson(json: unknown, files: Readonly<Record<string, Uint8Array>>): Promise<ConvertedModel> {
  return tensorflowjsFormat.convert(new TextEncoder().encode(JSON.stringify(json)), 'model.json', {}, filesBeside(files));
}

/** All outputs of the imported network on pictures `[N, C, H, W]`, by the reference engine. */
export async function runImported({ graph, imageInput }: Model, pictures: Data): Promise<readonly Data[]> {
  verify(graph);
  const session = await createReferenceEngine().compile(graph);
  const results = await session.run(new Map([[imageInput, pictures]]), graph.outputs);
  return graph.outputs.map((name) => results.get(name)!);
}

/** Seeded pictures `[N, C, H, W]`. */
export function pictures(shape: readonly [number, number, number, number], seed = 5): Data {
  return { shape, data: normalFloats(seededRandom(seed), shape.reduce((a, b) => a * b)) };
}

/** `[N, C, H, W]` as the twin takes it. */
export function channelsLast({ shape, data }: Data): tf.Tensor4D {
  return tf.transpose(tf.tensor(data as Float32Array, [...shape] as [number, number, number, number]), [0, 2, 3, 1]);
}

/** A result of the twin `[N, H, W, C]` as `[N, C, H, W]`, or as it is. */
export function channelsFirst(tensor: tf.Tensor): Data {
  const turned = tensor.rank === 4 ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor;
  return { shape: turned.shape, data: turned.dataSync() as Float32Array };
}

/** Largest relative difference between the imported network and the twin, over all outputs. `format`: how the twin's pictures lie. */
export async function differenceFromTwin(model: layers.LayersModel, imported: Model, given: Data): Promise<number> {
  const predicted = model.predict(channelsLast(given));
  const expected = (Array.isArray(predicted) ? predicted : [predicted]).map(channelsFirst);
  const actual = await runImported(imported, given);
  return Math.max(...expected.map((each, index) => relativeDifference(actual[index]!, each)));
}
