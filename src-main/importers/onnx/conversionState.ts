/**
 * What is known while an ONNX file is converted: the graph so far, the constants (decoded when first read), who reads what, and what each
 * operator became. The converters see it as `Conversion`, convert.ts drives it.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { GraphBuilder } from '../../graph/build.ts';
import type { Shape, Tensor } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { ImportReport } from '../format.ts';
import { constantOf, type Constant } from './constants.ts';
import { refuse, type Conversion, type Operator } from './conversion.ts';
import type { OnnxGraph } from './messages.ts';

/** Elements of all constants made at import: 1 GiB of float32. The largest net of the ONNX zoo has 143 million. */
const mostMade = 2 ** 28;

export interface ConversionState {
  readonly conversion: Conversion;
  begin(operator: Operator): void;
  isKnown(name: string): boolean;
  isAbsorbed(operator: Operator): boolean;
  know(name: string, constant: Constant): void;
  /** The output of the network as a value or tensor of the graph. */
  fetchable(name: string, fileName: string): string;
  counts(): ImportReport['operators'];
}

export function createConversionState(builder: GraphBuilder, graph: OnnxGraph, operators: readonly Operator[], opset: number, fileBatch: number): ConversionState {
  const initializers = new Map(graph.initializers.map((tensor) => [tensor.name ?? '', tensor]));
  const constants = new Map<string, Constant>();
  const reserved = new Set(operators.flatMap((operator) => [...operator.inputs, ...operator.outputs]));
  const readers = new Map<string, Operator[]>();
  for (const operator of operators) for (const input of new Set(operator.inputs)) readers.set(input, [...(readers.get(input) ?? []), operator]);
  const networkOutputs = new Set(graph.outputs.map(({ name }) => name));
  const absorbed = new Set<Operator>();
  const made = new Map<string, { count: number; kinds: Set<OpKind> }>();
  let current: Operator | undefined;
  let spent = 0;

  const constant = (name: string): Constant | undefined => {
    const known = constants.get(name);
    if (known || name === '') return known;
    const tensor = initializers.get(name);
    if (!tensor) return undefined;
    const decoded = constantOf(tensor);
    constants.set(name, decoded);
    return decoded;
  };
  /** Tensors come into the graph when a node reads them, so that weights that were only folded into others do not stay. */
  const operand = (name: string | undefined): string => {
    if (name === undefined) return refuse(current!, 'lacks an input');
    if (name === '' || builder.has(name)) return name;
    const known = constant(name);
    if (!known) throw new Error(`${name} is neither a value nor a constant`);
    if (Array.isArray(known.data)) return refuse(current!, 'computes with the batch size, which is only chosen at run time');
    return builder.tensor({ name, dataType: known.dataType, shape: known.shape, data: known.data as Tensor['data'] });
  };
  const free = (wish: string): string => {
    let name = wish;
    for (let count = 2; builder.has(name) || reserved.has(name); count++) name = `${wish}_${count}`;
    reserved.add(name);
    return name;
  };
  const count = (operator: Operator): { count: number; kinds: Set<OpKind> } => {
    const entry = made.get(operator.type) ?? { count: 0, kinds: new Set() };
    made.set(operator.type, entry);
    return entry;
  };

  const conversion: Conversion = {
    opset,
    fileBatch,
    constant,
    shapeOf: (name): Shape => (builder.has(name) ? builder.valueOf(name).shape : (constant(name)?.shape ?? [])),
    tensor: (wish, tensor) => builder.tensor({ ...tensor, name: free(wish) }),
    know(wish, value) {
      const name = free(wish);
      constants.set(name, value);
      return name;
    },
    spend(operator, elements) {
      spent += elements;
      if (!(elements >= 0 && spent <= mostMade)) refuse(operator, `makes constants of ${elements} values, more than any network needs (${mostMade} in all)`);
    },
    intermediate: free,
    add(kind, inputs, attributes, outputs) {
      const operator = current!;
      if (outputs.length > (kind === 'MaxPool' ? 2 : 1)) refuse(operator, `names ${outputs.length} results; it has fewer`);
      count(operator).kinds.add(kind);
      builder.add(kind, inputs.map(operand), attributes, { outputs, ...(operator.name ? { name: operator.name } : {}) });
    },
    step(kind, inputs, attributes, suffix) {
      const output = free(`${current!.outputs[0]!}/${suffix}`);
      conversion.add(kind, inputs, attributes, [output]);
      return output;
    },
    number: (value) => conversion.tensor(`${current!.outputs[0]!}/${value}`, { dataType: 'float32', shape: [], data: Float32Array.of(value) }),
    isUsed: (name) => networkOutputs.has(name) || readers.has(name),
    onlyReader: (name) => (networkOutputs.has(name) || readers.get(name)?.length !== 1 ? undefined : readers.get(name)![0]),
    absorb(operator, kind) {
      absorbed.add(operator);
      const entry = count(operator);
      entry.count++;
      entry.kinds.add(kind);
    },
  };
  return {
    conversion,
    begin(operator) {
      current = operator;
      count(operator).count++;
    },
    isKnown: (name) => name === '' || builder.has(name) || constants.has(name) || initializers.has(name),
    isAbsorbed: (operator) => absorbed.has(operator),
    know: (name, value) => constants.set(name, value),
    fetchable(name, fileName) {
      if (!builder.has(name) && !constant(name)) throw new AppError('UNREADABLE_FILE', `The output ${JSON.stringify(name)} of ${fileName} is made by no operator. Export the network again.`, { file: fileName });
      return operand(name);
    },
    counts: () => [...made].map(([op, entry]) => ({ op, count: entry.count, kinds: [...entry.kinds] })),
  };
}
