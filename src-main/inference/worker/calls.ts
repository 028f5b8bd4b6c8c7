/** What the worker does for each call. */
import { methods } from '../../../src-shared/domain/projection.ts';
import { layersOf } from '../../geometry/layers.ts';
import { feedingChannels } from '../../graph/feedingChannels.ts';
import { elementCount } from '../../graph/graph.ts';
import type { OperatorCount } from '../../importers/format.ts';
import { openModel } from '../../importers/open.ts';
import { preprocessingOf } from '../../importers/preprocessing.ts';
import { rectifiedBy } from '../../rewrite/backward/projectionGraph.ts';
import { ruleOf } from '../../rewrite/backward/rules/rules.ts';
import { cutOut } from './cutOut.ts';
import { features } from './features.ts';
import { describeForLab, gradients, look, maps } from './labCalls.ts';
import { drawModel, drawSpine, exportProjection } from './modelGraphs.ts';
import { projectUnits } from './projectUnits.ts';
import type { Engines } from './engines.ts';
import { measureBatch } from './measureBatch.ts';
import { collectGarbage } from './memory.ts';
import type { CallName, Inspection, NextWork, WorkerCalls } from './protocol.ts';
import { readWeights } from './readWeights.ts';
import { score } from './score.ts';
import { createState } from './state.ts';
import { createTrainer } from './trainSteps.ts';

export type Calls = { readonly [K in CallName]: (parameters: WorkerCalls[K][0], signal: AbortSignal) => Promise<WorkerCalls[K][1]> };

/** `alive` is called before and after each piece of work on an engine. */
export function createCalls(engines: Engines, alive: (next: NextWork) => void): Calls {
  const state = createState(engines, alive);
  const calls: Calls = {
    probe: ({ placement, ...options }, signal) => engines.probe(placement, options, signal),
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
    spine: drawSpine,
    async feeding({ model: reference, crop, limit, ...wish }) {
      return feedingChannels(await state.model(reference, crop), wish, limit);
    },
    export: exportProjection,
    weights: readWeights,
    async layers({ model, crop, names }) {
      const { graph, imageInput } = await state.model(model, crop);
      return layersOf(graph, imageInput, names);
    },
    measureBatch: (parameters, signal) => measureBatch(state, parameters, signal),
    score: (parameters, signal) => score(state, parameters, signal),
    train: createTrainer(state.engines.engineAt),
    project: (parameters, signal) => projectUnits(state, parameters, signal),
    describeLab: (parameters) => describeForLab(state, parameters),
    look: (parameters, signal) => look(state, parameters, signal),
    maps: (parameters, signal) => maps(state, parameters, signal),
    gradients: (parameters, signal) => gradients(state, parameters, signal),
    features: (parameters, signal) => features(state, parameters, signal),
    cutOut,
  };
  return followed(calls, (name) => {
    state.settle();
    if (readingCalls.has(name)) collectGarbage();
  });
}

/** They read a whole model file and keep nothing of it. */
const readingCalls: ReadonlySet<CallName> = new Set(['inspect', 'draw', 'spine', 'export', 'weights'] satisfies CallName[]);

/** The same calls, each followed by `after`. */
function followed(calls: Calls, after: (name: CallName) => void): Calls {
  const follow = <K extends CallName>(name: K): Calls[K] => (async (parameters: never, signal: AbortSignal) => {
    try {
      return await calls[name](parameters, signal);
    } finally {
      after(name);
    }
  }) as Calls[K];
  return Object.fromEntries((Object.keys(calls) as CallName[]).map((name) => [name, follow(name)])) as Calls;
}

/** What can be done with an operator: an op without a backward rule runs, but nothing behind it can be projected. */
function operatorRow({ op, count, kinds }: OperatorCount): Inspection['operators'][number] {
  const blocked = kinds.filter((kind) => ruleOf(kind) === null);
  if (blocked.length === 0) return { op, count, status: 'runs and projects', note: kinds.length === 0 ? 'computed when the file is read' : '' };
  return { op, count, status: 'only forward', note: 'layers behind it cannot be projected; those before it can' };
}
