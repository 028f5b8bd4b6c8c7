/** Which two files belong together, what is no Caffe network, and that a broken file is only ever told, never a crash. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../../src-main/graph/verify.ts';
import { caffeFormat, convertCaffe, readTopology } from '../../../src-main/importers/caffe/format.ts';
import { caffeSchema } from '../../../src-main/importers/caffe/weights.ts';
import { openModel } from '../../../src-main/importers/open.ts';
import { writeMessage } from '../../../src-main/importers/protobuf/writeMessage.ts';
import { siblingsOf } from '../../../src-main/importers/siblings.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { caffemodel, filesBeside, inputText } from '../../support/caffeFiles.ts';
import { seededRandom } from '../../support/graphs.ts';

const deploy = `name: "net" ${inputText(1, 3, 4, 4)}layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 1 kernel_size: 1 } }
  layer { name: "r" type: "ReLU" bottom: "c" top: "c" }`;
const other = deploy.replace('name: "c" type', 'name: "elsewhere" type');
const training = deploy.replace(inputText(1, 3, 4, 4), 'layer { name: "d" type: "Data" top: "data" top: "label" transform_param { crop_size: 4 } }');
const weights = caffemodel({ c: [{ shape: [1, 3, 1, 1], data: [1, 2, 3] }, { shape: [1], data: [0] }] });
const solver = 'net: "train_val.prototxt"\nbase_lr: 0.01\n';

/** The pair of files that was chosen, or the error's code and message. */
function chosen(opened: string, files: Readonly<Record<string, Uint8Array | string>>): string {
  const { [opened]: main, ...rest } = files;
  try {
    const { model, report } = convertCaffe(typeof main === 'string' ? new TextEncoder().encode(main) : main!, opened, {}, filesBeside(rest));
    return [model.provenance, ...report.warnings].join(' | ');
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.message}`;
    throw error;
  }
}

describe('a prototxt finds its weights', () => {
  it.each([
    ['of the same name', { 'net.prototxt': deploy, 'net.caffemodel': weights, 'a.caffemodel': weights }, 'Caffe V2, net, net.prototxt with net.caffemodel'],
    ['the only ones', { 'net.prototxt': deploy, 'a.caffemodel': weights }, 'Caffe V2, net, net.prototxt with a.caffemodel'],
    [
      'the last snapshot of those named like it',
      { 'net.prototxt': deploy, 'net_iter_900.caffemodel': weights, 'net_iter_10000.caffemodel': weights, 'a.caffemodel': weights },
      'Caffe V2, net, net.prototxt with net_iter_10000.caffemodel | 2 snapshots of this network are beside net.prototxt; the last one, net_iter_10000.caffemodel, was taken. Open another .caffemodel itself to see it.',
    ],
    [
      'or says that there are several',
      { 'net.prototxt': deploy, 'a.caffemodel': weights, 'b.caffemodel': weights },
      'BAD_REQUEST net.prototxt has no weights of its own name beside it, but 2 other files: a.caffemodel, b.caffemodel. Open the .caffemodel that belongs to it.',
    ],
    [
      'or that there are none',
      { 'net.prototxt': deploy },
      'NOT_FOUND net.prototxt describes a Caffe network, but its weights are missing: there is no .caffemodel beside it. Put the .caffemodel into the same folder.',
    ],
  ])('%s', (_, files, expected) => {
    expect(chosen('net.prototxt', files)).toBe(expected);
  });
});

describe('weights find their prototxt', () => {
  it.each([
    ['whose layers they hold', { 'a.prototxt': other, 'b.prototxt': deploy }, 'Caffe V2, net, b.prototxt with net.caffemodel'],
    ['made for deployment', { 'net.prototxt': training, 'z.prototxt': deploy, 'solver.prototxt': solver }, 'Caffe V2, net, z.prototxt with net.caffemodel'],
    ['named like them', { 'a_deploy.prototxt': deploy, 'net_deploy.prototxt': deploy }, 'Caffe V2, net, net_deploy.prototxt with net.caffemodel'],
    ['the training one where there is no other', { 'train_val.prototxt': training, 'broken.prototxt': 'layer {' }, 'Caffe V2, net, train_val.prototxt with net.caffemodel'],
    [
      'or say that none belongs to them',
      { 'a.prototxt': other },
      'NOT_FOUND None of the 1 prototxt file(s) beside net.caffemodel belongs to it: a.prototxt has layers whose weights it does not hold. Put its own prototxt (deploy.prototxt) into the same folder.',
    ],
    [
      'or that there is none',
      { 'solver.prototxt': solver },
      'NOT_FOUND net.caffemodel holds the weights of a Caffe network, but its description is missing: there is no prototxt beside it. Put its prototxt (deploy.prototxt) into the same folder.',
    ],
  ])('%s', (_, files, expected) => {
    expect(chosen('net.caffemodel', { ...files, 'net.caffemodel': weights })).toBe(expected);
  });
});

describe('broken files', () => {
  it.each<[string, string, Readonly<Record<string, Uint8Array | string>>, string]>([
    ['a solver', 'solver.prototxt', { 'solver.prototxt': solver }, 'UNSUPPORTED solver.prototxt is a Caffe solver: it says how a network is trained, not what it is. Open the network\'s own prototxt, or its .caffemodel.'],
    ['a prototxt with a slip', 'net.prototxt', { 'net.prototxt': `${deploy}\nlayer { name: }`, 'net.caffemodel': weights }, 'UNREADABLE_FILE net.prototxt, line 4: name is followed by } where a value is expected. Correct the prototxt.'],
    ['a wrong value', 'net.prototxt', { 'net.prototxt': deploy.replace('kernel_size: 1', 'kernel_size: 0'), 'net.caffemodel': weights }, 'UNREADABLE_FILE net.prototxt, line 2: kernel_size is 0, not a whole number from 1 to 65535. Correct the prototxt.'],
    ['weights cut off', 'net.caffemodel', { 'net.prototxt': deploy, 'net.caffemodel': weights.subarray(0, 30) }, 'UNREADABLE_FILE net.caffemodel is cut off: field 100 of Net announces 41 bytes at byte 8, but only 22 are left. Download or copy it again.'],
    ['a network without trained layers', 'net.caffemodel', { 'net.caffemodel': caffemodel({ c: [] }) }, 'UNREADABLE_FILE net.caffemodel holds no trained layer. Download or copy it again.'],
    [
      'a blob with fewer values than its shape says', 'net.caffemodel',
      { 'net.caffemodel': caffemodel({ c: [{ shape: [2 ** 30, 8], data: [1] }] }) },
      'UNREADABLE_FILE net.caffemodel is broken: blob 1 of layer "c" has the shape [1073741824, 8], but 1 values. Download or copy it again.',
    ],
    [
      'a broken mean file', 'net.prototxt',
      { 'net.prototxt': deploy, 'net.caffemodel': weights, 'mean.binaryproto': writeMessage(caffeSchema, 'Blob', { channels: 3, num: 1, height: 2, width: 2, data: [1] }) },
      'UNREADABLE_FILE mean.binaryproto is broken: its blob has the shape [1, 3, 2, 2], but 1 values. Download or copy it again.',
    ],
  ])('%s', (_, opened, files, expected) => {
    if (opened.endsWith('.caffemodel') || opened === 'solver.prototxt') expect(caffeFormat.match(typeof files[opened] === 'string' ? new TextEncoder().encode(files[opened]) : files[opened]!)).toEqual({ kind: 'yes' });
    expect(chosen(opened, files)).toBe(expected);
  });

  it('a layer that would need more memory than there is', () => {
    const text = deploy.replace('num_output: 1', 'num_output: 2000000000');
    expect(() => readTopology(new TextEncoder().encode(text), 'net.prototxt')).toThrow('Layer "c" (Convolution, line 2): its weights would have 6000000000 values ([2000000000, 3, 1, 1]); 536870912 are the limit.');
  });

  it.each(['{"layers": [1]}', '<html><body>layer {</body>', 'just some words', 'a,b\n1,2\n'])('is no prototxt: %s', (text) => {
    expect(caffeFormat.match(new TextEncoder().encode(text)).kind).toBe('no');
  });

  it('three hundred seeded mutations give a network or a typed error', () => {
    const random = seededRandom(8);
    const pick = (count: number) => Math.floor(random() * count);
    const outcomes = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const files: Record<string, Uint8Array> = { 'net.prototxt': new TextEncoder().encode(deploy), 'net.caffemodel': weights.slice() };
      const name = round % 2 === 0 ? 'net.prototxt' : 'net.caffemodel';
      for (let edit = 0; edit <= pick(3); edit++) {
        const bytes = files[name]!;
        const at = pick(bytes.length);
        if (random() < 0.2) files[name] = bytes.slice(0, at);
        else bytes[at] = name === 'net.prototxt' ? '0123456789{}":.-# aN\n'.charCodeAt(pick(21)) : pick(256);
      }
      const opened = round % 4 < 2 ? 'net.prototxt' : 'net.caffemodel';
      const { [opened]: main, ...rest } = files;
      try {
        verify(convertCaffe(main!, opened, {}, filesBeside(rest)).model.graph);
        outcomes.add('opened');
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        outcomes.add(error.code);
      }
    }
    expect([...outcomes].sort()).toEqual(['NOT_FOUND', 'UNREADABLE_FILE', 'UNSUPPORTED', 'opened']);
  });
});

describe('files beside a model', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchback-siblings-'));
    mkdirSync(join(folder, 'model/parts'), { recursive: true });
    writeFileSync(join(folder, 'secret'), 'outside');
    writeFileSync(join(folder, 'model/net.prototxt'), deploy);
    writeFileSync(join(folder, 'model/net.caffemodel'), weights);
    writeFileSync(join(folder, 'model/parts/one'), 'inside');
    symlinkSync(join(folder, 'secret'), join(folder, 'model/link'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lists, reads and peeks; only what is read is a part', () => {
    const siblings = siblingsOf(join(folder, 'model/net.prototxt'));
    expect(siblings.list()).toEqual(['link', 'net.caffemodel']);
    expect(new TextDecoder().decode(siblings.peek('parts/one', 2))).toBe('in');
    expect(siblings.parts.size).toBe(0);
    expect(new TextDecoder().decode(siblings.read('parts/one'))).toBe('inside');
    expect([...siblings.parts.keys()]).toEqual(['parts/one']);
  });

  it.each(['../secret', 'link', 'parts/../../secret', '..'])('never leaves the folder: %s', (name) => {
    expect(() => siblingsOf(join(folder, 'model/net.prototxt')).read(name)).toThrow(`net.prototxt names the file ${JSON.stringify(name)}, which is outside its own folder; such files are not read. Put it beside net.prototxt and correct the name.`);
  });

  it('says what is missing', () => {
    expect(() => siblingsOf(join(folder, 'model/net.prototxt')).read('shard2')).toThrow('net.prototxt needs the file "shard2" beside it, which is not there. Put it into the same folder.');
    expect(() => siblingsOf(join(folder, 'model/net.prototxt')).read('parts')).toThrow('net.prototxt needs the file "parts" beside it, which is not there. Put it into the same folder.');
  });

  it('gives a model of two files one hash and one size', async () => {
    const opened = await Promise.all(['net.prototxt', 'net.caffemodel'].map((name) => openModel(join(folder, 'model', name))));
    expect(opened[0]!.modelHash).toBe(opened[1]!.modelHash);
    expect(opened.map(({ sizeBytes }) => sizeBytes)).toEqual(new Array(2).fill(deploy.length + weights.length));
  });
});
