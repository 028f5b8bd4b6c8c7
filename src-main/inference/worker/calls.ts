/** What the worker does for each call. */
import { methods } from '../../../src-shared/domain/projection.ts';
import { layersOf } from '../../geometry/layers.ts';
import { elementCount } from '../../graph/graph.ts';
import type { OperatorCount } from '../../importers/format.ts';
import { openModel } from '../../importers/open.ts';
import { preprocessingOf } from '../../importers/preprocessing.ts';
import { rectifiedBy } from '../../rewrite/backward/projectionGraph.ts';
import { ruleOf } from '../../rewrite/backward/rules/rules.ts';
import { drawModel, exportProjection } from './modelGraphs.ts';
import { projectUnits } from './projectUnits.ts';
import type { CallName, Inspection, WorkerCalls } from './protocol.ts';
import { score } from './score.ts';
import { createState } from './state.ts';

export type Calls = { readonly [K in CallName]: (parameters: WorkerCalls[K][0], signal: AbortSignal) => Promise<WorkerCalls[K][1]> };

export function createCalls(): Calls {
  const state = createState();
  return {
    availability: () => state.engines.availability(),
    async inspect({ path, inputSize }) {
      const opened = await openModel(path, { withoutWeights: true, ...(inputSize ? { inputSize } : {}) });
      const { graph, imageInput } = opened.model;
      const layers = layersOf(graph, imageInput);
      const last = layers.at(-1);
      const guess = preprocessingOf(opened.model);
      return {
        modelHash: opened.modelHash,
        path,
        format: opened.model.format,
        provenance: opened.model.provenance,
        sizeBytes: opened.sizeBytes,
        parameters: [...graph.tensors.values()].reduce((sum, tensor) => sum + (tensor.dataType === 'float32' ? elementCount(tensor.shape) : 0), 0),
        inputs: graph.inputs.map(({ name, shape, dataType }) => ({ name, shape, dtype: dataType })),
        outputs: graph.outputs.map((name) => ({ name, shape: graph.values.get(name)?.shape ?? [] })),
        preprocessing: guess.preprocessing,
        preprocessingSource: guess.source,
        layers,
        operators: opened.report.operators.map(operatorRow),
        rectified: last ? methods.map((method) => ({ method, ...rectifiedBy(graph, imageInput, last.name, method) })) : [],
        warnings: opened.report.warnings,
      };
    },
    draw: drawModel,
    export: exportProjection,
    async layers({ model, crop, names }) {
      const { graph, imageInput } = await state.model(model, crop);
      return layersOf(graph, imageInput, names);
    },
    async measureBatch(parameters, signal) {
      const engine = await state.engines.engineAt(parameters.placement);
      const [height, width] = parameters.preprocessing.crop;
      let best = { batchSize: 1, perImageMs: Infinity };
      for (const batchSize of [1, 4, 16]) {
        const pixels = new Uint8Array(batchSize * height * width * 3).map((_, index) => (index * 2654435761) >>> 24);
        await score(state, { ...parameters, batch: batchSize, pixels }, signal);
        const startMs = performance.now();
        await score(state, { ...parameters, batch: batchSize, pixels }, signal);
        const perImageMs = (performance.now() - startMs) / batchSize;
        // A larger batch must pay: it makes looking wait longer.
        if (perImageMs < best.perImageMs * 0.95) best = { batchSize, perImageMs };
        if (perImageMs * batchSize > 1500) break;
      }
      return { batchSize: best.batchSize, description: engine.description };
    },
    score: (parameters, signal) => score(state, parameters, signal),
    project: (parameters, signal) => projectUnits(state, parameters, signal),
  };
}

/** What can be done with an operator: an op without a backward rule runs, but nothing behind it can be projected. */
function operatorRow({ op, count, kinds }: OperatorCount): Inspection['operators'][number] {
  const blocked = kinds.filter((kind) => ruleOf(kind) === null);
  if (blocked.length === 0) return { op, count, status: 'runs and projects', note: kinds.length === 0 ? 'computed when the file is read' : '' };
  return { op, count, status: 'only forward', note: 'layers behind it cannot be projected; those before it can' };
}
