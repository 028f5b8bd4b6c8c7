/**
 * Caffe as one of the formats. A prototxt is told by its layers, a caffemodel by the fields at its top: it has no signature. Either may be opened.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { AppError } from '../../../src-shared/errors.ts';
import type { Graph, Model } from '../../graph/graph.ts';
import type { ImportReport, Match, ModelFormat, OpenOptions, Siblings } from '../format.ts';
import { convertNetwork } from './convert.ts';
import { parseNetwork, type CaffeNetwork } from './network.ts';
import { findNetworkFile, findWeightsFile, maximumPrototxtBytes } from './pairing.ts';
import { preparationOf } from './preparation.ts';
import { TextError } from './textTokens.ts';
import { absentWeights, trainedWeights } from './weightSource.ts';
import { readWeights } from './weights.ts';

export const caffeFormat: ModelFormat = {
  name: 'caffe',
  match: (bytes) => (looksLikeText(bytes) ? matchText(bytes) : matchBinary(bytes)),
  convert: convertCaffe,
};

export interface CaffeTopology {
  readonly graph: Graph;
  readonly imageInput: string;
  readonly report: ImportReport;
}

/**
 * The network that a prototxt describes, with zeros in place of its weights: good for its layers, shapes and receptive fields, never for running it.
 * Throws AppError as opening does.
 */
export function readTopology(bytes: Uint8Array, fileName: string, options: OpenOptions = {}): CaffeTopology {
  return reported(fileName, () => {
    const { graph, input, report } = convertNetwork(parsePrototxt(bytes, fileName), absentWeights(), fileName, options);
    return { graph, imageInput: input.name, report };
  });
}

/** Converts an opened prototxt or caffemodel together with its other file; throws as ModelFormat.convert. */
export function convertCaffe(bytes: Uint8Array, fileName: string, options: OpenOptions, siblings: Siblings): { readonly model: Model; readonly report: ImportReport } {
  const warnings: string[] = [];
  const isText = looksLikeText(bytes);
  const parsed = isText ? reported(fileName, () => parsePrototxt(bytes, fileName)) : undefined;
  const weightsFile = isText ? weightsBeside(fileName, options, siblings, warnings) : fileName;
  if (weightsFile === undefined) return withoutWeights(bytes, fileName, options, warnings);
  const weights = readWeights(isText ? siblings.read(weightsFile) : bytes, weightsFile);
  if (weights.size === 0) throw new AppError('UNREADABLE_FILE', `${weightsFile} holds no trained layer. Download or copy it again.`, { file: weightsFile });
  const networkFile = isText ? fileName : findNetworkFile(fileName, weights, siblings);
  return reported(networkFile, () => {
    const network = parsed ?? parsePrototxt(siblings.read(networkFile), networkFile);
    const { graph, input, report } = convertNetwork(network, trainedWeights(weights, weightsFile, networkFile), networkFile, options);
    const preparation = preparationOf(input, siblings, (sentence) => warnings.push(sentence));
    const model: Model = {
      format: 'caffe',
      graph,
      imageInput: input.name,
      provenance: `Caffe ${network.syntax}${network.name ? `, ${network.name}` : ''}, ${networkFile} with ${weightsFile}`,
      ...(preparation ? { preparation } : {}),
    };
    return { model, report: { ...report, warnings: [...warnings, ...report.warnings] } };
  });
}

/** The .caffemodel of a prototxt; undefined where there is none and the report is wanted all the same. */
function weightsBeside(fileName: string, options: OpenOptions, siblings: Siblings, warnings: string[]): string | undefined {
  try {
    return findWeightsFile(fileName, siblings, (sentence) => warnings.push(sentence));
  } catch (error) {
    if (!options.withoutWeights || !(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
    warnings.push(`${error.message} Until then its layers can be read, but nothing can be indexed.`);
    return undefined;
  }
}

function withoutWeights(bytes: Uint8Array, fileName: string, options: OpenOptions, warnings: readonly string[]): { readonly model: Model; readonly report: ImportReport } {
  const { graph, imageInput, report } = readTopology(bytes, fileName, options);
  return { model: { format: 'caffe', graph, imageInput, provenance: `Caffe, ${fileName} without weights` }, report: { ...report, warnings: [...warnings, ...report.warnings] } };
}

function parsePrototxt(bytes: Uint8Array, fileName: string): CaffeNetwork {
  if (bytes.length > maximumPrototxtBytes) {
    throw new AppError('UNSUPPORTED', `${fileName} has ${bytes.length} bytes of text; network descriptions up to ${maximumPrototxtBytes} are read.`, { file: fileName, sizeBytes: bytes.length });
  }
  const text = new TextDecoder().decode(bytes);
  if (isSolver(text)) {
    throw new AppError('UNSUPPORTED', `${fileName} is a Caffe solver: it says how a network is trained, not what it is. Open the network's own prototxt, or its .caffemodel.`, { file: fileName });
  }
  const network = parseNetwork(text);
  if (network.layers.length === 0) throw new AppError('UNREADABLE_FILE', `${fileName} has no layer in its TEST phase. Open its deploy.prototxt.`, { file: fileName });
  return network;
}

/** Turns what is wrong with a text into an error that names file and line. */
function reported<T>(fileName: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw new AppError('UNREADABLE_FILE', `${fileName}, line ${error.line}: ${error.message}. Correct the prototxt.`, { file: fileName, line: error.line }, error);
  }
}

const yes: Match = { kind: 'yes' };

function looksLikeText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 4096).every((byte) => byte >= 32 || byte === 9 || byte === 10 || byte === 13);
}

function matchText(bytes: Uint8Array): Match {
  const text = Buffer.from(bytes.subarray(0, 2 ** 16)).toString('latin1').replace(/#[^\n]*/g, '');
  if (/^\s*[<[{]/.test(text)) return { kind: 'no', reason: 'it is text of another kind' };
  if (/(^|[\s}])layers?\s*:?\s*\{/.test(text) || isSolver(text)) return yes;
  return { kind: 'no', reason: 'it has no layers as a Caffe prototxt has them' };
}

function isSolver(text: string): boolean {
  return /^\s*(net|train_net)\s*:\s*["']/m.test(text) && /^\s*base_lr\s*:/m.test(text);
}

/** Fields of NetParameter before its first layer: name, inputs, their sizes, and a few settings. */
const blocks = new Set([1, 3, 4, 6, 8]);
const numbers = new Set([4, 5, 7]);

function matchBinary(bytes: Uint8Array): Match {
  const reader = new BinaryReader(bytes);
  try {
    while (reader.pos < bytes.length) {
      const [number, wireType] = reader.tag();
      if ((number === 2 || number === 100) && wireType === WireType.LengthDelimited) {
        reader.uint32();
        const [first, firstType] = reader.tag();
        // A layer begins with one of its texts: name, type, bottom or top; in the oldest files with the layer inside the layer.
        if (first >= 1 && first <= 4 && firstType === WireType.LengthDelimited) return yes;
        break;
      }
      if (blocks.has(number) && wireType === WireType.LengthDelimited) {
        const length = reader.uint32();
        reader.pos += length;
      } else if (numbers.has(number) && wireType === WireType.Varint) reader.int64();
      else break;
    }
  } catch {
    return { kind: 'no', reason: 'its first bytes are no fields of a Caffe network' };
  }
  return { kind: 'no', reason: 'it has no layers as a .caffemodel has them' };
}
