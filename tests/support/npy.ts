/** Reads NumPy files of float32, as the reference data holds them. */
import { readFile } from 'node:fs/promises';

export async function readNpy(file: string): Promise<{ readonly shape: readonly number[]; readonly data: Float32Array }> {
  const bytes = await readFile(file);
  const headerLength = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + headerLength);
  if (!header.includes("'<f4'") || !header.includes("'fortran_order': False")) throw new Error(`${file}: not little-endian float32 in C order: ${header}`);
  const shape = /'shape': \(([^)]*)\)/.exec(header)![1]!.split(',').filter((part) => part.trim() !== '').map(Number);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 10 + headerLength, bytes.byteOffset + bytes.length));
  return { shape, data };
}
