/**
 * TensorFlow.js as one of the formats: a model.json that holds a topology, with its weights in shards beside it. Layers models are Keras networks;
 * graph models are TensorFlow's own graphs.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { ConvertedModel, Match, ModelFormat, OpenOptions, Siblings } from '../format.ts';
import { isList, isObject, type Json, type JsonObject } from '../keras/fields.ts';
import { convertNetwork } from '../keras/convertNetwork.ts';
import { indexWeights } from '../keras/weights.ts';
import { convertGraphModel } from './graph/convertGraph.ts';
import { readWeights } from './weights.ts';

export const tensorflowjsFormat: ModelFormat = { name: 'tensorflowjs', match: matchModelJson, convert: convertModelJson };

/** JSON longer than this is no description of a network. */
const longestJsonBytes = 2 ** 28;

function matchModelJson(bytes: Uint8Array): Match {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
  if (!start.startsWith('{')) return { kind: 'no', reason: 'it is no JSON' };
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('"modelTopology"') ? { kind: 'yes' } : { kind: 'no', reason: 'it is JSON without a modelTopology' };
}

function convertModelJson(bytes: Uint8Array, fileName: string, options: OpenOptions, siblings: Siblings): ConvertedModel {
  const file = parse(bytes, fileName);
  const topology = file['modelTopology'];
  if (!isObject(topology)) throw new AppError('UNREADABLE_FILE', `${fileName} has a modelTopology that is no object. Download or convert the model again.`, { file: fileName });
  const weights = readWeights(file['weightsManifest'], fileName, siblings);
  const origin = [text(file['generatedBy']), text(file['convertedBy'])].filter(Boolean).join(', ');
  if (isList(topology['node'])) {
    const signature = [file['signature'], file['userDefinedMetadata'], topology['signature']].map((each) => (isObject(each) && isObject(each['signature']) ? each['signature'] : each)).find(isObject);
    return convertGraphModel({ nodes: topology['node'], signature, weights, fileName, provenance: `TensorFlow.js graph model${origin && `, ${origin}`}` }, options);
  }
  const named = indexWeights([...weights.values()]);
  return convertNetwork(
    {
      format: 'tensorflowjs',
      fileName,
      provenance: `TensorFlow.js layers model${origin && `, ${origin}`}`,
      network: topology['model_config'] ?? topology,
      kerasVersion: Number.parseInt(text(topology['keras_version']), 10) || 2,
      weights: { find: ({ path }, role) => named(path, role)?.read() },
    },
    options,
  );
}

function parse(bytes: Uint8Array, fileName: string): JsonObject {
  if (bytes.length > longestJsonBytes) throw new AppError('UNSUPPORTED', `${fileName} has ${bytes.length} bytes of JSON; descriptions of networks up to ${longestJsonBytes} bytes can be read.`, { file: fileName });
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes)) as Json;
    if (isObject(json)) return json;
  } catch (error) {
    throw new AppError('UNREADABLE_FILE', `${fileName} is broken JSON (${error instanceof Error ? error.message : String(error)}). Download or convert the model again.`, { file: fileName }, error);
  }
  throw new AppError('UNREADABLE_FILE', `${fileName} holds no JSON object. Download or convert the model again.`, { file: fileName });
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
