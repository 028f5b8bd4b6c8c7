/**
 * ONNX files whose messages are whole but whose content is wrong: numbers, types, names and inputs exchanged at random. Damaged bytes rarely get past
 * the reader; these reach the converters. Nothing but an AppError may come out. SWITCHBACK_FUZZ and SWITCHBACK_FUZZ_SEED as in fuzz.test.ts.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { verify } from '../../src-main/graph/verify.ts';
import { convertOnnx } from '../../src-main/importers/onnx/convert.ts';
import { fedInputs } from '../../src-main/importers/onnx/imageInput.ts';
import { onnxSchema, type OnnxTensor } from '../../src-main/importers/onnx/messages.ts';
import { converters } from '../../src-main/importers/onnx/operators/table.ts';
import { readOnnx, type ReadableOnnxModel } from '../../src-main/importers/onnx/read.ts';
import { readMessage } from '../../src-main/importers/protobuf/readMessage.ts';
import { AppError } from '../../src-shared/errors.ts';
import { seededRandom, type Random } from '../support/graphs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

const mutations = Number(process.env['SWITCHBACK_FUZZ'] ?? 300) * 5;
const seed = Number(process.env['SWITCHBACK_FUZZ_SEED'] ?? 1);

describeWithData('ONNX files with wrong content', ['onnx-node', 'onnx-light'], () => {
  it(`${mutations} changes give typed errors only`, { timeout: 60_000 + mutations * 100 }, () => {
    const files = [...singleOperators(), ...['squeezenet', 'shufflenet', 'inception_v2'].map((net) => readOnnx(readFileSync(dataPath(`onnx-light/light_${net}.onnx`)), net))];
    const random = seededRandom(seed);
    const failures: string[] = [];
    let [converted, slowestMs] = [0, 0];
    for (let run = 0; run < mutations && failures.length < 20; run++) {
      const file = files[Math.floor(random() * files.length)]!;
      const changed = changedModel(file, random);
      const start = performance.now();
      try {
        verify(convertOnnx(changed, 'net.onnx', { keepShapes: random() < 0.5, inputSize: [32, 32] }).model.graph);
        converted++;
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'INTERNAL') failures.push(`run ${run} of seed ${seed}, ${file.graph.name}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      slowestMs = Math.max(slowestMs, performance.now() - start);
    }
    console.log(`fuzz of ONNX content: ${converted} of ${mutations} converted, slowest ${Math.round(slowestMs)} ms`);
    expect(failures).toEqual([]);
    expect(converted).toBeGreaterThan(mutations / 20);
    expect(slowestMs).toBeLessThan(5000);
  });
});

/** The node tests of the ONNX project, their inputs but the first as constants. */
function singleOperators(): ReadableOnnxModel[] {
  return ['v1.17.0', 'pytorch-converted'].flatMap((group) =>
    readdirSync(dataPath(`onnx-node/${group}`)).flatMap((name) => {
      const folder = dataPath(`onnx-node/${group}/${name}`);
      if (!statSync(folder).isDirectory()) return [];
      const file = readOnnx(readFileSync(join(folder, 'model.onnx')), name);
      const constants = fedInputs(file.graph).slice(1).map((input, index): OnnxTensor => ({ ...readMessage<OnnxTensor>(onnxSchema, 'Tensor', readFileSync(join(folder, `test_data_set_0/input_${index + 1}.pb`))), name: input.name ?? '' }));
      return [{ ...file, graph: { ...file.graph, name, initializers: [...file.graph.initializers, ...constants] } }];
    }),
  );
}

/** One to four changes of a copy; keys are left alone, values become others of their type. */
function changedModel(file: ReadableOnnxModel, random: Random): ReadableOnnxModel {
  const graph = copied(file.graph);
  const copy = { ...file, opsetImports: [{ domain: '', version: random() < 0.2 ? 1 + Math.floor(random() * 23) : (file.opsetImports[0]?.version ?? 9) }], graph } as ReadableOnnxModel;
  const places: Place[] = [];
  collect(graph as unknown as Holder, places);
  for (let count = 1 + Math.floor(random() * 4); count > 0 && places.length > 0; count--) change(places[Math.floor(random() * places.length)]!, random);
  return copy;
}

type Holder = Record<string, unknown>;
interface Place {
  readonly holder: Holder;
  readonly key: string;
}

const strangeNumbers = [0, 1, 2, 3, -1, -2, 7, 1000, 65536, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, NaN];
const operatorTypes = Object.keys(converters);

function copied<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copied) as T;
  if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copied(each)])) as T;
  return value;
}

function collect(holder: Holder, places: Place[]): void {
  for (const [key, value] of Object.entries(holder)) {
    if (ArrayBuffer.isView(value) && value.byteLength > 64) continue;
    places.push({ holder, key });
    if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) collect(value as Holder, places);
  }
}

function change({ holder, key }: Place, random: Random): void {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const value = holder[key];
  if (key === 'opType') holder[key] = pick(operatorTypes);
  else if (typeof value === 'number') holder[key] = pick(strangeNumbers.filter((number) => !Number.isNaN(number) || key === 'f'));
  else if (typeof value === 'bigint') holder[key] = BigInt(pick([0, 1, -1, 3, 2 ** 40]));
  else if (typeof value === 'string') holder[key] = pick(['', 'x', 'ghost', value + value]);
  else if (Array.isArray(value)) {
    const at = Math.floor(random() * (value.length + 1));
    if (random() < 0.5) value.splice(at, 1);
    else if (value.length > 0) value.splice(at, 0, value[Math.floor(random() * value.length)]);
  } else if (value instanceof BigInt64Array || value instanceof Float32Array || value instanceof Uint8Array) holder[key] = value.slice(0, Math.floor(random() * (value.length + 1)));
  else if (value !== undefined && !Array.isArray(holder)) holder[key] = undefined;
}
