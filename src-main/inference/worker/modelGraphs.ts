/** What is done with a model's graph alone, without running it: drawing it with its way down, and writing the way down as a file. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Layer } from '../../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';
import type { Rectified } from '../../../src-shared/domain/projection.ts';
import { layersOf } from '../../geometry/layers.ts';
import { valueOf, withBatch, type Model } from '../../graph/graph.ts';
import { drawNetwork, type DrawnRow } from '../../graph/print.ts';
import { writeProjection } from '../../importers/onnx/writeProjection.ts';
import { openModel } from '../../importers/open.ts';
import { preprocessingOf } from '../../importers/preprocessing.ts';
import { describeWalk } from '../../rewrite/backward/describeWalk.ts';
import { projectionGraph } from '../../rewrite/backward/projectionGraph.ts';
import { openReferenced } from './state.ts';
import type { DrawnNetwork, ExportedProjection, LayerOfFile, WorkerCalls } from './protocol.ts';

export async function drawModel({ path, inputSize, layer: wish, method }: WorkerCalls['draw'][0]): Promise<DrawnNetwork> {
  const { model } = await openModel(path, inputSize ? { inputSize } : {});
  const layer = wish === undefined ? layersOf(model.graph, model.imageInput).at(-1) : layerCalled(model, wish);
  if (!layer) return { layer: null, method, reason: 'The network has no layers to project from.', rows: drawNetwork(model.graph) };
  try {
    const projection = projectionGraph(model.graph, model.imageInput, layer.name, method);
    return { layer: layer.name, method, reason: '', rows: drawNetwork(model.graph, describeWalk(model.graph, projection)) };
  } catch (error) {
    // Without a way down there is still a network to draw.
    if (!(error instanceof AppError)) throw error;
    return { layer: null, method, reason: error.message, rows: drawNetwork(model.graph) };
  }
}

export async function drawSpine({ model: reference, crop, ends }: WorkerCalls['spine'][0]): Promise<readonly DrawnRow[]> {
  const { graph } = await openReferenced(reference, { inputSize: crop, withoutWeights: true });
  return drawNetwork(graph, undefined, new Set(ends));
}

export async function exportProjection({ path, inputSize, layer: wish, method }: LayerOfFile): Promise<ExportedProjection> {
  const { model } = await openModel(path, inputSize ? { inputSize } : {});
  const layer = layerCalled(model, wish);
  const projection = projectionGraph(model.graph, model.imageInput, layer.name, method, { passesUpperBound: true });
  const { preprocessing } = preprocessingOf(model);
  return {
    bytes: writeProjection(projection, description(model, layer, method, projection.rectified, preprocessing)),
    layer,
    rectified: projection.rectified,
    shape: withBatch(valueOf(model.graph, model.imageInput).shape, 1),
    preprocessing,
  };
}

/** By its name, else by its title, else any value with channels. */
function layerCalled({ graph, imageInput }: Model, wish: string): Layer {
  const layers = layersOf(graph, imageInput);
  return layers.find(({ name }) => name === wish) ?? layers.find(({ title }) => title === wish) ?? layersOf(graph, imageInput, [wish])[0]!;
}

/** What a person who finds the file must know; becomes its doc string. */
function description({ graph, provenance }: Model, layer: Layer, method: string, { handled, total }: Rectified, { order, scale, mean, std }: Preprocessing): string {
  return [
    `Projection of one unit of layer ${layer.name} of ${graph.name} (${provenance}) back to the pixels by ${method}; ${handled} of ${total} nonlinearities rectified. Made by Switchback.`,
    `image: ${order} channels, each (x * ${scale} - mean) / std with x from 0 to 255, mean ${mean.join(', ')}, std ${std.join(', ')}, as the model's record has it.`,
    `channel 0..${layer.channels - 1}, row 0..${layer.height - 1}, column 0..${layer.width - 1}: the unit, seeded with 1.0; other numbers give zeros.`,
    'projection: signed, in the space of image.',
  ].join('\n');
}
