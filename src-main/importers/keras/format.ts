/** Keras as one of the formats: HDF5 files (`.h5`) by their signature, `.keras` archives by the entry names in a zip's directory. */
import type { Match, ModelFormat } from '../format.ts';
import { convertArchive, weightsEntry } from './archive.ts';
import { readHdf5 } from './hdf5.ts';
import { convertLegacyFile } from './legacyFile.ts';

export const kerasFormat: ModelFormat = {
  name: 'keras',
  match: matchKeras,
  convert: (bytes, fileName, options) =>
    isHdf5(bytes) ? readHdf5(bytes, fileName, (file) => convertLegacyFile(file, fileName, options)) : convertArchive(bytes, fileName, options),
};

function matchKeras(bytes: Uint8Array): Match {
  if (isHdf5(bytes)) return { kind: 'yes' };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString('latin1', 0, 4) !== 'PK\u0003\u0004') return { kind: 'no', reason: 'it is neither an HDF5 file nor a zip archive' };
  return buffer.includes(weightsEntry) ? { kind: 'yes' } : { kind: 'no', reason: `it is a zip archive without ${weightsEntry}` };
}

function isHdf5(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.length)).toString('latin1') === '\u0089HDF\r\n\u001a\n';
}
