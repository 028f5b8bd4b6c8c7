/**
 * ONNX messages -> a graph. Operators are taken in file order: what is known already is computed (fold.ts), everything else goes through the
 * table of converters. Names of values stay as in the file. Operators nobody knows are refused before anything else is looked at.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { createGraphBuilder, type GraphBuilder } from '../../graph/build.ts';
import type { Model } from '../../graph/graph.ts';
import type { ImportReport, OpenOptions } from '../format.ts';
import { dataTypeName, graphDataType } from './constants.ts';
import { attributesOf, refuse, type Conversion, type Operator } from './conversion.ts';
import { createConversionState } from './conversionState.ts';
import { foldOperator, folds } from './fold.ts';
import { fedInputs, imageInputOf, type ImageInput } from './imageInput.ts';
import { createLayout } from './layout.ts';
import { statedPreparation } from './pixelMetadata.ts';
import type { OnnxGraph, OnnxNode } from './messages.ts';
import { converters } from './operators/table.ts';
import { refuseOtherNetworks } from './otherNetworks.ts';
import type { ReadableOnnxModel } from './read.ts';

export interface ConvertOptions extends OpenOptions {
  /** Keep the file's own sizes, batch included, and take any inputs: for files that hold single operators, not networks. */
  readonly keepShapes?: boolean;
}

/** Operator sets below this were not tried; they differ in attributes that are mostly, not always, understood. */
const oldestOpset = 6;

/** Throws AppError UNSUPPORTED, UNREADABLE_FILE or BAD_REQUEST; each message names the node, tensor or input. */
export function convertOnnx(file: ReadableOnnxModel, fileName: string, options: ConvertOptions = {}): { readonly model: Model; readonly report: ImportReport } {
  const { graph } = file;
  const warnings: string[] = [];
  const opset = file.opsetImports.find(({ domain }) => isStandard(domain))?.version ?? 1;
  const operators = graph.nodes.map(operatorOf);
  refuseOtherNetworks(graph, fileName);
  refuseUnknown(graph.nodes, operators, fileName);
  if (graph.sparseInitializers.length > 0) {
    throw new AppError('UNSUPPORTED', `${fileName} holds ${graph.sparseInitializers.length} sparse tensor(s). Export the network with dense weights.`, { file: fileName });
  }
  if (opset < oldestOpset) warnings.push(`The file uses operator set ${opset}; sets older than ${oldestOpset} were not tried. Compare a few outputs before relying on it.`);

  const builder = createGraphBuilder(graph.name || fileName);
  const imageInput = declareInputs(builder, graph, fileName, options);
  const state = createConversionState(builder, graph, operators, opset, imageInput.fileBatch);
  const layout = createLayout(state.conversion);
  if (imageInput.channelsLast) layout.see(imageInput.name, imageInput.name);
  const fromFile: Conversion = { ...state.conversion, shapeOf: layout.shapeOf };
  for (const operator of operators) {
    if (state.isAbsorbed(operator)) continue;
    state.begin(operator);
    checkOrder(operator, (name) => state.isKnown(name) || layout.isKnown(name), fileName);
    const value = foldOperator(operator, fromFile);
    if (value) state.know(operator.outputs[0]!, value);
    else layout.arrange(operator, (arranged) => (converters[operator.type] ?? refuseDynamic)(arranged, state.conversion));
  }
  const outputs = [...new Set(graph.outputs.map(({ name = '' }) => state.fetchable(layout.sourceOf(name), fileName)))];
  if (imageInput.channelsLast) warnings.push(channelsLastWarning(imageInput.name, layout.absorbed()));
  const preparation = statedPreparation(file);
  return {
    model: { format: 'onnx', graph: builder.finish(outputs), imageInput: imageInput.name, provenance: provenanceOf(file, opset), ...(preparation ? { preparation } : {}) },
    report: { operators: state.counts(), warnings },
  };
}

function declareInputs(builder: GraphBuilder, graph: OnnxGraph, fileName: string, options: ConvertOptions): ImageInput {
  if (!options.keepShapes) {
    const input = imageInputOf(graph, fileName, options);
    builder.input(input.name, 'float32', input.shape);
    return input;
  }
  const inputs = fedInputs(graph);
  for (const { name = '', type } of inputs) {
    const dataType = graphDataType(type?.tensorType?.elementType);
    if (!dataType) throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} holds ${dataTypeName(type?.tensorType?.elementType)} values, which no node of the graph takes.`);
    if (name === '') throw new AppError('UNREADABLE_FILE', `An input of ${fileName} has no name. Export the network again.`, { file: fileName });
    builder.input(name, dataType, (type?.tensorType?.shape?.dimensions ?? []).map(({ value = 0 }) => value));
  }
  return { name: inputs[0]?.name ?? '', shape: [], fileBatch: 0, channelsLast: false };
}

function operatorOf(node: OnnxNode): Operator {
  const type = node.opType ?? '';
  const name = node.name ?? '';
  const title = name ? `${JSON.stringify(name)} (${type})` : `${type} that makes ${JSON.stringify(node.outputs[0] ?? '')}`;
  return { type, title, name, inputs: node.inputs, outputs: node.outputs, attributes: attributesOf(node.attributes) };
}

function isStandard(domain: string | undefined): boolean {
  return domain === undefined || domain === '' || domain === 'ai.onnx';
}

function isKnownType(type: string): boolean {
  return Object.hasOwn(converters, type) || Object.hasOwn(folds, type) || type === 'Shape';
}

/** Names the first operator that Switchback does not know, and the others by type. */
function refuseUnknown(nodes: readonly OnnxNode[], operators: readonly Operator[], fileName: string): void {
  const unknown = operators.filter((operator, index) => !isStandard(nodes[index]!.domain) || !isKnownType(operator.type));
  const [first] = unknown;
  if (!first) return;
  const domain = nodes[operators.indexOf(first)]!.domain || 'ai.onnx';
  const others = [...new Set(unknown.map(({ type }) => type))].filter((type) => type !== first.type);
  const also = others.length > 0 ? ` Also unknown: ${others.join(', ')}.` : '';
  throw new AppError(
    'UNSUPPORTED',
    `${fileName} uses the operator ${first.type} (domain ${domain}) in ${first.name ? `node ${JSON.stringify(first.name)}` : `the node that makes ${JSON.stringify(first.outputs[0] ?? '')}`}, which Switchback cannot run.${also} Export the network without it, or cut it off before that node.`,
    { file: fileName, op: first.type, domain, node: first.name },
  );
}

function channelsLastWarning(input: string, absorbed: number): string {
  const gone = absorbed === 1 ? 'its one Transpose is' : `its ${absorbed} Transposes are`;
  return `The file has its pictures ${JSON.stringify(input)} channels last; the graph has them channels first, and ${gone} not needed.`;
}

function checkOrder(operator: Operator, isKnown: (name: string) => boolean, fileName: string): void {
  const missing = operator.inputs.find((input) => !isKnown(input));
  if (missing === undefined) return;
  throw new AppError('UNREADABLE_FILE', `Node ${operator.title} of ${fileName} reads ${JSON.stringify(missing)}, which nothing before it makes. Export the network again.`, { file: fileName, node: operator.name });
}

/** Operators that are only computed at import, but read a value of run time. */
function refuseDynamic(operator: Operator): never {
  return refuse(operator, 'reads a value that is only known at run time; Switchback can only compute it from constants');
}

function provenanceOf(file: ReadableOnnxModel, opset: number): string {
  const producer = [file.producerName, file.producerVersion].filter(Boolean).join(' ');
  return `IR ${file.irVersion ?? '?'}, opset ${opset}${producer ? `, producer ${producer}` : ''}`;
}
