/** The score matrix: what lies on the disk at every moment, growing, cutting back, starting over, and reading in pieces. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeFloats, encodeFloats, npyBytes, npyHeader, parseNpyHeader } from '../../src-main/store/npy.ts';
import { keptLayers, openScoreMatrix, removeScoreMatrix, scoreMatrixBytes } from '../../src-main/store/scoreMatrix.ts';
import { readScoreMatrix } from '../../src-main/store/scoreMatrixReader.ts';
import { readNpy } from '../support/npy.ts';
import { describeWhereAllowed, repositoryRoot } from '../support/testData.ts';
import { imageOfRow, matrixLayers, matrixRows, pathOfRow, scoreAt, scoresOfRows } from './sampleMatrix.ts';

const root = mkdtempSync(join(tmpdir(), 'switchback-matrix-'));
let folders = 0;
const newFolder = () => join(root, `matrix${++folders}`);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const paths = (folder: string) => JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8')) as string[];
const bytesOf = (folder: string) => Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name)).toString('latin1')]));

async function filled(folder: string, rows: number, precision: 'float32' | 'float16' = 'float32'): Promise<void> {
  const matrix = await openScoreMatrix(folder, { layers: matrixLayers, precision, rows: 0 });
  if (rows > 0) await matrix.append(scoresOfRows(0, rows));
  await matrix.flush();
  await matrix.confirm();
  await matrix.close();
}

describe('a score matrix', () => {
  it('lies on the disk as NumPy files of [images, channels], with names and paths beside them', async () => {
    const folder = newFolder();
    await filled(folder, 5);
    const { shape, data } = await readNpy(join(folder, '0012.npy'));
    expect(shape).toEqual([5, 64]);
    expect([...data.subarray(64, 67)]).toEqual([scoreAt(12, 1, 0), scoreAt(12, 1, 1), scoreAt(12, 1, 2)]);
    expect(readFileSync(join(folder, '0012.npy')).length).toBe(128 + 5 * 64 * 4);
    expect(paths(folder)).toEqual([0, 1, 2, 3, 4].map(pathOfRow));
    expect(JSON.parse(readFileSync(join(folder, 'layers.json'), 'utf8'))).toEqual([
      { number: 1, file: '0001.npy', name: 'relu1', title: 'conv1', channels: 7 },
      { number: 12, file: '0012.npy', name: 'relu12', title: 'relu12', channels: 64 },
    ]);
    expect(await keptLayers(folder)).toEqual([1, 12]);
    expect(readdirSync(folder).sort()).toEqual(['0001.npy', '0012.npy', 'images.json', 'images.npy', 'layers.json']);
  });

  it('takes the bytes that were said beforehand', async () => {
    const folder = newFolder();
    await filled(folder, 40, 'float16');
    const bytes = ['0001.npy', '0012.npy', 'images.npy'].reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
    expect(scoreMatrixBytes(matrixLayers, 40, 'float16')).toBe(bytes);
    expect(bytes).toBe(3 * 128 + 40 * (7 * 2 + 64 * 2 + 4));
  });

  it('says no more rows than were confirmed, and is whole NumPy and JSON after every step', async () => {
    const folder = newFolder();
    const matrix = await openScoreMatrix(folder, { layers: matrixLayers, precision: 'float32', rows: 0 });
    const state = () => [...['0001.npy', 'images.npy'].map((name) => parseNpyHeader(readFileSync(join(folder, name)), name).shape[0]), paths(folder).length];
    expect(state()).toEqual([0, 0, 0]);
    await matrix.append(scoresOfRows(0, 3));
    expect([...state(), matrix.rows]).toEqual([0, 0, 3, 3]);
    await matrix.flush();
    await matrix.append(scoresOfRows(3, 2));
    await matrix.confirm();
    expect([...state(), matrix.rows]).toEqual([3, 3, 5, 5]);
    await matrix.flush();
    await matrix.confirm();
    expect(state()).toEqual([5, 5, 5]);
    await matrix.close();
  });

  it('is cut back to what the store knows, and goes on to the same bytes', async () => {
    const whole = newFolder();
    await filled(whole, 30);
    const folder = newFolder();
    await filled(folder, 20);
    // A kill in the middle of writing: half a row, half a line.
    appendFileSync(join(folder, '0001.npy'), 'half a row');
    const list = join(folder, 'images.json');
    truncateSync(list, readFileSync(list).length - 3);
    appendFileSync(list, ',\n"half a li');
    const matrix = await openScoreMatrix(folder, { layers: matrixLayers, precision: 'float32', rows: 18 });
    expect(matrix.rows).toBe(18);
    expect(paths(folder)).toEqual(Array.from({ length: 18 }, (_, row) => pathOfRow(row)));
    await matrix.append(scoresOfRows(18, 12));
    await matrix.flush();
    await matrix.confirm();
    await matrix.close();
    expect(bytesOf(folder)).toEqual(bytesOf(whole));
  });

  it('refuses files that hold less than the store knows, naming them', async () => {
    const folder = newFolder();
    await filled(folder, 10);
    const again = (rows: number) => openScoreMatrix(folder, { layers: matrixLayers, precision: 'float32', rows });
    await expect(again(11)).rejects.toThrow(`${join(folder, 'images.npy')} holds 10 rows where the index has 11: the file was cut off or replaced, and its layer must start over.`);
    truncateSync(join(folder, '0012.npy'), 128 + 9 * 64 * 4 + 17);
    await expect(again(10)).rejects.toMatchObject({ code: 'UNREADABLE_FILE', data: { path: join(folder, '0012.npy'), rows: 10, held: 9 } });
    writeFileSync(join(folder, 'images.json'), '[\n"one"\n]\n');
    await expect(again(9)).rejects.toThrow(`${join(folder, 'images.json')} holds 1 rows where the index has 9`);
    writeFileSync(join(folder, 'images.json'), `[\n${'1,\n'.repeat(8)}1\n]\n`);
    await expect(again(9)).rejects.toThrow('does not hold one path per line: it was changed by another program. Index the folder again.');
    await expect(openScoreMatrix(folder, { layers: matrixLayers, precision: 'float16', rows: 9, images: 0 })).rejects.toThrow(`${join(folder, '0001.npy')} holds float32 of 7 per image, not float16 of 7: this layer must start over.`);
    const matrix = await again(0);
    expect(matrix.rows).toBe(0);
    await matrix.close();
    expect(paths(folder)).toEqual([]);
  });

  it('takes more layers later, for the same images only', async () => {
    const folder = newFolder();
    await filled(folder, 6);
    const added = { number: 3, name: 'relu3', channels: 2 };
    const matrix = await openScoreMatrix(folder, { layers: [added], precision: 'float32', rows: 0, images: 6 });
    const batch = (from: number, count: number) => ({ images: scoresOfRows(from, count).images, layers: [{ number: 3, scores: Float32Array.from({ length: count * 2 }, (_, i) => from * 2 + i) }] });
    await matrix.append(batch(0, 4));
    await expect(matrix.append({ ...batch(4, 2), images: batch(5, 2).images })).rejects.toThrow('belongs to image 6, not 7: the images of this index have changed');
    await matrix.append(batch(4, 2));
    await matrix.flush();
    await matrix.confirm();
    await matrix.close();
    expect((await readNpy(join(folder, '0003.npy'))).data).toEqual(Float32Array.from({ length: 12 }, (_, i) => i));
    expect((await readNpy(join(folder, '0012.npy'))).shape).toEqual([6, 64]);
    expect(paths(folder)).toHaveLength(6);
    expect(await keptLayers(folder)).toEqual([1, 3, 12]);
    await removeScoreMatrix(folder);
    expect(await keptLayers(folder)).toEqual([]);
  });

  it('refuses a batch without a layer or with too few scores as a bug', async () => {
    const matrix = await openScoreMatrix(newFolder(), { layers: matrixLayers, precision: 'float32', rows: 0 });
    const { images, layers } = scoresOfRows(0, 2);
    await expect(matrix.append({ images, layers: layers.slice(0, 1) })).rejects.toThrow('append: layer 12 has no scores for 2 images of 64 channels.');
    await expect(matrix.append({ images, layers: [{ number: 1, scores: new Float32Array(13) }, layers[1]!] })).rejects.toThrow('append: layer 1 has 13 scores for 2 images of 7 channels.');
    await matrix.close();
  });

  it('ends with the same bytes after kills at any moment', async () => {
    const folder = newFolder();
    let committed = 0;
    let kills = 0;
    for (const afterMs of [40, 15, 70, 5, 120, null]) {
      const { rows, killed } = await runLoop(folder, committed, { afterMs });
      committed = Math.max(committed, rows);
      kills += Number(killed);
      const { shape, data } = readNpyFloat16(join(folder, '0001.npy'));
      expect(shape[0]).toBeLessThanOrEqual(committed);
      expect(data.length).toBe(shape[0]! * 7);
    }
    expect(committed).toBe(matrixRows);
    expect(kills).toBeGreaterThan(0);
    expect(bytesOf(folder)).toEqual(bytesOf(await uninterrupted()));
  }, 60_000);

  // A limit on the size of files stands for a full disk: a write ends half-way and the next one fails.
  it('says what is wrong where it cannot grow, stays readable, and goes on to the same bytes', async () => {
    const folder = newFolder();
    const { rows, output } = await runLoop(folder, 0, { limitKilobytes: 1000 });
    expect(output).toContain(`The scores in ${folder} cannot be written: the file has reached the largest size that the disk or your account allows.`);
    expect(readFileSync(join(folder, '0012.npy')).length).toBe(1000 * 1024);
    expect(rows).toBe(Math.floor((1000 * 1024 - 128) / 128 / 50) * 50);
    expect(readNpyFloat16(join(folder, '0012.npy')).shape).toEqual([rows, 64]);
    expect(paths(folder).length).toBeGreaterThanOrEqual(rows);
    expect((await runLoop(folder, rows, {})).rows).toBe(matrixRows);
    expect(bytesOf(folder)).toEqual(bytesOf(await uninterrupted()));
  }, 60_000);
});

describe('reading a score matrix', () => {
  it('gives rows in pieces, and which images they belong to', async () => {
    const folder = newFolder();
    await filled(folder, 11);
    const reader = await readScoreMatrix(folder, 1);
    expect([reader.rows, reader.channels, reader.precision]).toEqual([11, 7, 'float32']);
    expect(await reader.images()).toEqual(Int32Array.from({ length: 11 }, (_, row) => imageOfRow(row)));
    expect(await reader.read(9, 5)).toEqual(Float32Array.from({ length: 14 }, (_, i) => scoreAt(1, 9 + Math.floor(i / 7), i % 7)));
    expect(await reader.read(11, 5)).toEqual(new Float32Array(0));
    await reader.close();
  });

  it('believes the store where a kill left the header behind', async () => {
    const folder = newFolder();
    const matrix = await openScoreMatrix(folder, { layers: matrixLayers, precision: 'float32', rows: 0 });
    await matrix.append(scoresOfRows(0, 4));
    await matrix.flush();
    await matrix.close();
    const counted = await readScoreMatrix(folder, 1);
    expect(counted.rows).toBe(0);
    await counted.close();
    const reader = await readScoreMatrix(folder, 1, { rows: 4 });
    expect((await reader.read(0, 100)).length).toBe(28);
    expect((await reader.images()).length).toBe(4);
    await reader.close();
    await expect(readScoreMatrix(folder, 1, { rows: 5 })).rejects.toThrow(`${join(folder, '0001.npy')} holds 4 rows where the index has 5`);
  });

  it('says which file is missing or broken', async () => {
    const folder = newFolder();
    await expect(readScoreMatrix(folder, 1)).rejects.toMatchObject({ code: 'NOT_FOUND', message: `No scores are kept for layer 1: ${join(folder, '0001.npy')} is not there. Index the folder again with --matrix float32 to keep them.` });
    await filled(folder, 2);
    const broken = (bytes: Uint8Array | string) => {
      writeFileSync(join(folder, '0001.npy'), typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      return expect(readScoreMatrix(folder, 1)).rejects;
    };
    await broken('no matrix at all').toThrow(`${join(folder, '0001.npy')} cannot be read: it does not begin as a NumPy file of version 1.`);
    await broken(npyHeader('float32', [2, 7]).subarray(0, 60)).toThrow('cannot be read: its header is cut off.');
    await broken(npyHeader('float32', [2, 7]).toString('latin1').replace('<f4', '<f8')).toThrow('cannot be read: its element type is "<f8", not float32, float16, int32 or uint8.');
    await broken(npyHeader('float32', [2, 7]).toString('latin1').replace('False', 'True ')).toThrow('cannot be read: its elements are not in C order.');
    await broken(npyHeader('float32', [2, 7, 3])).toThrow('is not a score matrix: its shape is 2 x 7 x 3, float32.');
  });
});

describe('the NumPy format', () => {
  it('writes a header of 128 bytes that ends in a line feed', () => {
    const bytes = npyBytes(Float32Array.of(1, 2), [2]);
    expect(Buffer.from(bytes).toString('latin1', 0, 10)).toBe('\x93NUMPY\x01\x00\x76\x00');
    expect(Buffer.from(bytes).toString('latin1', 10, 128).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }");
    expect(bytes[127]).toBe(10);
    expect(parseNpyHeader(bytes, 'x')).toEqual({ type: 'float32', shape: [2], dataOffset: 128 });
    expect(() => npyHeader('float32', Array.from({ length: 9 }, () => 1_000_000_000))).toThrow('does not fit into 128 bytes');
  });

  it('rounds to float16 to the nearest, ties to even, and keeps infinities and NaN', () => {
    const cases: [number, number][] = [
      [0, 0], [1, 1], [-2.5, -2.5],
      [1 + 2 ** -11, 1], // half-way between 1 and 1 + 2^-10: the even one
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
      [65504, 65504], [65519, 65504], [65520, Infinity], [-1e30, -Infinity],
      [2 ** -24, 2 ** -24], [2 ** -25, 0], [3 * 2 ** -26, 2 ** -24],
      [Infinity, Infinity], [-Infinity, -Infinity], [NaN, NaN],
    ];
    const rounded = decodeFloats(encodeFloats(Float32Array.from(cases, ([value]) => value), 'float16'), 'float16');
    expect([...rounded]).toEqual(cases.map(([, expected]) => expected));
  });

  it('gives every float16 back as it was', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const back = new Uint16Array(encodeFloats(decodeFloats(new Uint8Array(bits.buffer), 'float16'), 'float16').buffer);
    const isNaN16 = (bit: number) => (bit & 0x7c00) === 0x7c00 && (bit & 0x3ff) !== 0;
    expect([...bits].filter((bit, i) => (isNaN16(bit) ? !isNaN16(back[i]!) : back[i] !== bit))).toEqual([]);
  });
});

const python = spawnSync('/usr/bin/python3', ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0;
// NumPy is not among what the set-up installs; the strict reader above covers the format wherever it is missing.
describeWhereAllowed('NumPy', python ? null : '/usr/bin/python3 has no numpy', () => {
  it('reads both precisions while they grow', async () => {
    const script = 'import json, sys, numpy as n\nfor f in sys.argv[1:]:\n  a = n.load(f); m = n.load(f, mmap_mode="r"); print(json.dumps([list(a.shape), str(a.dtype), float(a.astype("f8").sum()), bool((a == m).all())]))';
    for (const precision of ['float32', 'float16'] as const) {
      const folder = newFolder();
      const matrix = await openScoreMatrix(folder, { layers: matrixLayers, precision, rows: 0 });
      for (const rows of [0, 4]) {
        await matrix.append(scoresOfRows(rows, 4));
        const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', script, join(folder, '0001.npy'), join(folder, 'images.npy')], { encoding: 'utf8' });
        expect(stderr).toBe('');
        const [layer, images] = stdout.trim().split('\n').map((line) => JSON.parse(line) as [number[], string, number, boolean]);
        const sum = decodeFloats(encodeFloats(scoresOfRows(0, rows).layers[0]!.scores, precision), precision).reduce((total, score) => total + score, 0);
        expect([layer![0], layer![1], layer![3]]).toEqual([[rows, 7], precision, true]);
        expect(layer![2]).toBeCloseTo(sum, 9);
        expect(images!.slice(0, 3)).toEqual([[rows], 'int32', Array.from({ length: rows }, (_, row) => imageOfRow(row)).reduce((total, image) => total + image, 0)]);
        await matrix.flush();
        await matrix.confirm();
      }
      await matrix.close();
    }
  });
});

let whole: Promise<string> | undefined;

/** The folder of a matrix of all rows that was written in one go. */
function uninterrupted(): Promise<string> {
  return (whole ??= (async () => {
    const folder = newFolder();
    const matrix = await openScoreMatrix(folder, { layers: matrixLayers, precision: 'float16', rows: 0 });
    for (let from = 0; from < matrixRows; from += 1000) await matrix.append(scoresOfRows(from, 1000));
    await matrix.flush();
    await matrix.confirm();
    await matrix.close();
    return folder;
  })());
}

/** Fills from `start` in a process of its own; `afterMs` kills it some time after its first commit, `limitKilobytes` is the largest size of a file. */
async function runLoop(folder: string, start: number, { afterMs = null, limitKilobytes }: { readonly afterMs?: number | null; readonly limitKilobytes?: number }): Promise<{ readonly rows: number; readonly killed: boolean; readonly output: string }> {
  const command = [process.execPath, join(repositoryRoot, 'tests/store/matrixLoop.ts'), folder, String(start)];
  // The shell ignores the signal that the limit sends, so that the write fails instead.
  const [program, ...args] = limitKilobytes === undefined ? command : ['bash', '-c', `trap '' XFSZ; ulimit -f ${limitKilobytes}; exec "$@"`, 'bash', ...command];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let committed = '';
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (committed === '' && afterMs !== null) setTimeout(() => child.kill('SIGKILL'), afterMs);
    committed += text;
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_code, by) => resolve(by)));
  return { rows: Number(committed.trim().split('\n').at(-1)), killed: signal === 'SIGKILL', output };
}

function readNpyFloat16(file: string): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const bytes = readFileSync(file);
  const { shape, dataOffset } = parseNpyHeader(bytes, file);
  const length = shape.reduce((product, size) => product * size, 2);
  return { shape, data: decodeFloats(Uint8Array.from(bytes.subarray(dataOffset, dataOffset + length)), 'float16') };
}
