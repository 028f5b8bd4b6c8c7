/** NumPy's .npy format, version 1.0: magic, version, header length, a Python dict padded to 64 bytes, then little-endian data. */
export function npyBytes(values: Float32Array, shape: readonly number[]): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const prefixLength = 10;
  const headerLength = Math.ceil((prefixLength + dictionary.length + 1) / 64) * 64 - prefixLength;
  const header = Buffer.alloc(prefixLength + headerLength, ' ');
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(headerLength, 8);
  header.write(dictionary, prefixLength, 'latin1');
  header.write('\n', header.length - 1, 'latin1');
  return Buffer.concat([header, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]);
}
