/**
 * Single-operator models of the ONNX project (data/INDEX.md, onnx-node), those that onnxruntime itself passes. Each is imported twice: with the
 * shapes of the file, and, where its input is a picture, with the batch left free as for any network. A case passes or is refused with a reason;
 * a wrong number or another error fails. The counts may only grow.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Model } from '../../src-main/graph/graph.ts';
import { verify } from '../../src-main/graph/verify.ts';
import { constantOf, type Constant } from '../../src-main/importers/onnx/constants.ts';
import { convertOnnx } from '../../src-main/importers/onnx/convert.ts';
import { fedInputs } from '../../src-main/importers/onnx/imageInput.ts';
import { onnxSchema, type OnnxTensor } from '../../src-main/importers/onnx/messages.ts';
import { readOnnx, type ReadableOnnxModel } from '../../src-main/importers/onnx/read.ts';
import { readMessage } from '../../src-main/importers/protobuf/readMessage.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { AppError } from '../../src-shared/errors.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

/** What passed when this was written. */
const leastPassed = { fileShapes: 200, freeBatch: 80 };

type Outcome = { readonly kind: 'passed' } | { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'failed'; readonly reason: string };

describeWithData('onnx-node', ['onnx-node/onnxruntime-1.30-verdicts.tsv'], () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createOnnxruntimeEngine({ device: 'cpu', threads: 1 });
  });
  afterAll(() => engine.close());

  for (const mode of ['fileShapes', 'freeBatch'] as const) {
    it(`passes or refuses every case, ${mode === 'fileShapes' ? 'shapes as in the file' : 'batch free'}`, async () => {
      const outcomes = new Map<string, Outcome>();
      for (const name of casesThatOnnxruntimePasses()) outcomes.set(name, await tryCase(engine, dataPath(`onnx-node/${name}`), mode));
      const lines = (kind: Outcome['kind']): string[] => [...outcomes].flatMap(([name, outcome]) => (outcome.kind === kind ? [`${name}: ${'reason' in outcome ? outcome.reason : ''}`] : []));
      if (process.env['SWITCHBACK_TEST_DETAILS']) console.log(lines('refused').join('\n'));
      console.log(`onnx-node, ${mode}: ${lines('passed').length} passed, ${lines('refused').length} refused`);
      expect(lines('failed')).toEqual([]);
      expect(lines('passed').length).toBeGreaterThanOrEqual(leastPassed[mode]);
    });
  }
});

function casesThatOnnxruntimePasses(): string[] {
  const [, ...rows] = readFileSync(dataPath('onnx-node/onnxruntime-1.30-verdicts.tsv'), 'utf8').trim().split('\n');
  return rows.map((row) => row.split('\t')).flatMap(([name, , , , verdict]) => (verdict === 'ok' ? [name!] : []));
}

async function tryCase(engine: Engine, folder: string, mode: 'fileShapes' | 'freeBatch'): Promise<Outcome> {
  let model: Model;
  let feeds: Map<string, Data>;
  try {
    ({ model, feeds } = importCase(folder, mode));
  } catch (error) {
    if (error instanceof AppError && (error.code === 'UNSUPPORTED' || error.code === 'BAD_REQUEST')) return { kind: 'refused', reason: error.message };
    return { kind: 'failed', reason: String(error) };
  }
  try {
    verify(model.graph);
    const session = await engine.compile(model.graph);
    const results = await session.run(feeds, model.graph.outputs);
    await session.close();
    for (const [index, name] of model.graph.outputs.entries()) {
      const path = join(folder, 'test_data_set_0', `output_${index}.pb`);
      if (!existsSync(path)) continue;
      const difference = compare(results.get(name)!, readTensor(path).constant);
      if (difference) return { kind: 'failed', reason: `${name}: ${difference}` };
    }
    return { kind: 'passed' };
  } catch (error) {
    return { kind: 'failed', reason: String(error) };
  }
}

/** The first input stays open, the others become constants: in networks they are weights, shapes and bounds. */
function importCase(folder: string, mode: 'fileShapes' | 'freeBatch'): { model: Model; feeds: Map<string, Data> } {
  const path = join(folder, 'model.onnx');
  const file = readOnnx(readFileSync(path), 'model.onnx');
  const inputs = fedInputs(file.graph).map(({ name = '' }) => name);
  const data = join(folder, 'test_data_set_0');
  const given = readdirSync(data).filter((entry) => entry.startsWith('input_')).map((_, index) => readTensor(join(data, `input_${index}.pb`)));
  const weights: OnnxTensor[] = inputs.slice(1).map((name, index) => ({ ...given[index + 1]!.tensor, name }));
  const settled: ReadableOnnxModel = { ...file, graph: { ...file.graph, initializers: [...file.graph.initializers, ...weights] } };
  const { model } = convertOnnx(settled, 'model.onnx', { keepShapes: mode === 'fileShapes' });
  const feeds = new Map<string, Data>();
  for (const { name } of model.graph.inputs) {
    const { shape, data: values } = given[inputs.indexOf(name)]!.constant;
    feeds.set(name, { shape, data: values as Data['data'] });
  }
  return { model, feeds };
}

function readTensor(path: string): { tensor: OnnxTensor; constant: Constant } {
  const tensor = readMessage<OnnxTensor>(onnxSchema, 'Tensor', readFileSync(path));
  return { tensor, constant: constantOf(tensor) };
}

/** The tolerance of the ONNX project's own runner; undefined when equal. */
function compare(actual: Data, expected: Constant): string | undefined {
  if (actual.shape.join() !== expected.shape.join()) return `shape ${actual.shape.join(' x ')} instead of ${expected.shape.join(' x ')}`;
  for (let index = 0; index < expected.data.length; index++) {
    const [got, wanted] = [Number(actual.data[index]), Number(expected.data[index])];
    if (Math.abs(got - wanted) > 1e-6 + 1e-3 * Math.abs(wanted) || Number.isNaN(got) !== Number.isNaN(wanted)) return `value ${index} is ${got} instead of ${wanted}`;
  }
  return undefined;
}
