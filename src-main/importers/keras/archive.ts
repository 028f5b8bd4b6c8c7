/**
 * Keras 3's `.keras` archives: a zip with the network in config.json, versions in metadata.json and weights in model.weights.h5, where each layer's
 * variables are numbered. Sizes in the zip's directory are checked before anything is unpacked.
 */
import { unzipSync, type UnzipFileInfo } from 'fflate';
import { AppError } from '../../../src-shared/errors.ts';
import type { ConvertedModel, OpenOptions } from '../format.ts';
import { convertNetwork } from './convertNetwork.ts';
import { isObject } from './fields.ts';
import { readHdf5, type Hdf5File } from './hdf5.ts';
import { parseNetwork } from './legacyFile.ts';
import type { WeightSource } from './weights.ts';

export const weightsEntry = 'model.weights.h5';

const largestJsonBytes = 2 ** 28;
const largestWeightsBytes = 2 ** 31 - 1;
/** Deflate cannot expand more than this (RFC 1951: 258 bytes from two bits). */
const largestExpansion = 1032;

/** Throws AppError UNREADABLE_FILE, UNSUPPORTED, and all that convertNetwork throws. */
export async function convertArchive(bytes: Uint8Array, fileName: string, options: OpenOptions): Promise<ConvertedModel> {
  const entries = unpack(bytes, fileName);
  const [config, metadata, weights] = ['config.json', 'metadata.json', weightsEntry].map((name) => entries[name]);
  if (!config || !weights) {
    throw new AppError('UNREADABLE_FILE', `${fileName} is a .keras archive without ${config ? weightsEntry : 'config.json'}. Save the network again with model.save().`, { file: fileName });
  }
  const facts = metadata ? parseNetwork(new TextDecoder().decode(metadata), fileName) : null;
  const version = isObject(facts) && typeof facts['keras_version'] === 'string' ? facts['keras_version'] : '';
  const network = parseNetwork(new TextDecoder().decode(config), fileName);
  return readHdf5(weights, fileName, (file) =>
    convertNetwork({ format: 'keras', fileName, provenance: `Keras ${version || '3'} archive`, network, kerasVersion: Number.parseInt(version, 10) || 3, weights: weightsOf(file) }, options),
  );
}

function unpack(bytes: Uint8Array, fileName: string): Readonly<Record<string, Uint8Array>> {
  const filter = ({ name, size, originalSize }: UnzipFileInfo): boolean => {
    if (name !== weightsEntry && name !== 'config.json' && name !== 'metadata.json') return false;
    const limit = Math.min(name === weightsEntry ? largestWeightsBytes : largestJsonBytes, size * largestExpansion + 1024);
    if (originalSize <= limit && size <= bytes.length) return true;
    throw new AppError('UNREADABLE_FILE', `${fileName} is broken: its entry ${name} claims ${originalSize} bytes from ${size} packed ones. Download or save it again.`, { file: fileName });
  };
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('UNREADABLE_FILE', `${fileName} is a broken or cut off .keras archive (${error instanceof Error ? error.message : String(error)}). Download or save it again.`, { file: fileName }, error);
  }
}

/** `layers/conv2d_1/vars/0`: the variables in the order of the layer's own, trained ones first. TensorFlow's Keras 2.12 to 2.15 wrote another first word. */
function weightsOf(file: Hdf5File): WeightSource {
  return {
    find({ checkpoint }, _role, position) {
      return file.array(`${checkpoint}/vars/${position}`) ?? file.array(`${checkpoint.replaceAll(/(^|\/)layers\//g, '$1_layer_checkpoint_dependencies/')}/vars/${position}`);
    },
  };
}
