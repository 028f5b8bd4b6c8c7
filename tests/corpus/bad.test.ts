/** Files that cannot be opened: each has its own clear sentence, word for word. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxSchema } from '../../src-main/importers/onnx/messages.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { writeMessage } from '../../src-main/importers/protobuf/writeMessage.ts';
import { AppError } from '../../src-shared/errors.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

async function refusal(path: string): Promise<{ code: string; message: string }> {
  try {
    await openModel(path);
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${path} was opened`);
}

describeWithData('models/bad', ['models/bad'], () => {
  it('tells a git LFS pointer and how to fetch the model', async () => {
    expect(await refusal(dataPath('models/bad/lfs-pointer/squeezenet1.1-7.onnx'))).toEqual({
      code: 'UNREADABLE_FILE',
      message: 'squeezenet1.1-7.onnx is a git LFS pointer, not the model itself. It stands for a file of 4956208 bytes. Fetch it inside its repository with: git lfs pull --include "*squeezenet1.1-7.onnx"',
    });
    expect((await refusal(dataPath('models/bad/lfs-pointer/Yolo.onnx'))).message).toBe(
      'Yolo.onnx is a git LFS pointer, not the model itself. It stands for a file of 257533020 bytes. Fetch it inside its repository with: git lfs pull --include "*Yolo.onnx"',
    );
  });

  it('tells a web page', async () => {
    expect(await refusal(dataPath('models/bad/html-saved-as-caffemodel/age_net.caffemodel'))).toEqual({
      code: 'UNREADABLE_FILE',
      message: 'age_net.caffemodel is a web page (HTML) saved under a model\'s name. Download the model file itself, for example with the page\'s "raw" or "download" link.',
    });
  });

  it('names an unknown operator, its domain and its node', async () => {
    expect(await refusal(dataPath('models/bad/unknown-op/noisy_relu.onnx'))).toEqual({
      code: 'UNSUPPORTED',
      message: 'noisy_relu.onnx uses the operator NoisyRelu (domain MyNoisyReluDomain) in the node that makes "Y", which Switchback cannot run. Export the network without it, or cut it off before that node.',
    });
  });
});

describeWithData('a truncated ONNX file', ['models/squeezenet1.1.onnx'], () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchback-truncated-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is told at any length, with the place', async () => {
    const whole = readFileSync(dataPath('models/squeezenet1.1.onnx'));
    const path = join(folder, 'half.onnx');
    writeFileSync(path, whole.subarray(0, 2_000_000));
    const { code, message } = await refusal(path);
    expect(code).toBe('UNREADABLE_FILE');
    expect(message).toBe('half.onnx is cut off: field 7 of Model announces 4951421 bytes at byte 170, but only 1999830 are left. Download or export it again.');
    for (const length of [4, 20, 100, 168, 172, 500, whole.length - 1, whole.length - 5, whole.length - 10]) {
      writeFileSync(path, whole.subarray(0, length));
      expect((await refusal(path)).code, `${length} bytes`).toBe('UNREADABLE_FILE');
    }
  });
});

describe('files made here', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchback-bad-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const refusalOf = (name: string, content: string | Uint8Array): Promise<{ code: string; message: string }> => {
    writeFileSync(join(folder, name), content);
    return refusal(join(folder, name));
  };

  it('tells a missing file', async () => {
    expect(await refusal(join(folder, 'none.onnx'))).toEqual({ code: 'NOT_FOUND', message: `There is no file ${join(folder, 'none.onnx')}. Check the path.` });
  });

  it('tells a folder', async () => {
    mkdirSync(join(folder, 'net'));
    expect(await refusal(join(folder, 'net'))).toEqual({ code: 'UNREADABLE_FILE', message: `${join(folder, 'net')} is a folder. Choose the model file in it, for example model.onnx.` });
  });

  it('tells an empty file', async () => {
    expect(await refusalOf('empty.onnx', '')).toEqual({ code: 'UNREADABLE_FILE', message: 'empty.onnx is empty (0 bytes). Download or export it again.' });
  });

  it('tells a PyTorch file, new and old, and the line that exports it', async () => {
    const sentence = 'is a PyTorch file: it holds weights, but not the network in a form others can run. Load it in Python and export it with: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx")';
    const archive = Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(26), Buffer.from('archive/data.pkl')]);
    expect(await refusalOf('resnet.pth', archive)).toEqual({ code: 'UNREADABLE_FILE', message: `resnet.pth ${sentence}` });
    const pickle = Buffer.from('8002 8a0a 6cfc9c46f9206aa85019 2e'.replaceAll(' ', ''), 'hex');
    expect(await refusalOf('old.pt', pickle)).toEqual({ code: 'UNREADABLE_FILE', message: `old.pt ${sentence}` });
  });

  it('tells an archive, a picture and a text for what they are', async () => {
    const archive = Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(26), Buffer.from('readme.md')]);
    expect((await refusalOf('models.zip', archive)).message).toBe('models.zip is a zip archive, not a model. Unpack it and open the ONNX file (.onnx) inside.');
    expect((await refusalOf('cat.onnx', Buffer.from('ffd8ffe000104a464946', 'hex'))).message).toBe('cat.onnx is a JPEG picture, not a model. Open an ONNX file (.onnx).');
    expect((await refusalOf('notes.onnx', 'name: "LeNet"\nlayer {\n')).message).toBe('notes.onnx is a text file that begins with "name: \\"LeNet\\"", not a model. Open an ONNX file (.onnx).');
  });

  it('says why bytes are not ONNX', async () => {
    expect(await refusalOf('noise.onnx', Buffer.from('ff00aa5513', 'hex'))).toEqual({
      code: 'UNREADABLE_FILE',
      message: 'noise.onnx is no model that Switchback knows: not onnx, as its first bytes are no ONNX fields (illegal tag: field no 15 wire type 7). Open an ONNX file (.onnx).',
    });
  });

  const matrix = { name: 'w', dims: [4, 2], dataType: 1, floatData: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
  const value = (name: string, ...sizes: (number | string)[]): object => ({
    name,
    type: { tensorType: { elementType: 1, shape: { dimensions: sizes.map((size) => (typeof size === 'string' ? { parameter: size } : { value: size })) } } },
  });
  const onnx = (graph: object): Uint8Array => writeMessage(onnxSchema, 'Model', { irVersion: 8, opsetImports: [{ version: 17 }], graph });

  it('tells a network without feature maps', async () => {
    const nodes = [
      { opType: 'Flatten', inputs: ['x'], outputs: ['flat'] },
      { opType: 'MatMul', inputs: ['flat', 'w'], outputs: ['y'] },
    ];
    const bytes = onnx({ nodes, initializers: [matrix], inputs: [value('x', 1, 1, 2, 2)], outputs: [value('y', 1, 2)] });
    expect(await refusalOf('dense.onnx', bytes)).toEqual({
      code: 'UNSUPPORTED',
      message: 'The network in dense.onnx has no convolution, so no channels with positions to look at. Open a convolutional network.',
    });
  });

  it('tells weights kept in another file', async () => {
    const outside = { name: 'w', dims: [4, 2], dataType: 1, dataLocation: 1, externalData: [{ key: 'location', value: 'net.onnx.data' }] };
    const nodes = [
      { opType: 'Flatten', inputs: ['x'], outputs: ['flat'] },
      { opType: 'MatMul', inputs: ['flat', 'w'], outputs: ['y'] },
    ];
    const bytes = onnx({ nodes, initializers: [outside], inputs: [value('x', 1, 1, 2, 2)], outputs: [value('y', 1, 2)] });
    expect(await refusalOf('net.onnx', bytes)).toEqual({
      code: 'UNSUPPORTED',
      message: 'The weights "w" are kept outside the model, in net.onnx.data. Save the model as one file: onnx.save(onnx.load("model.onnx"), "one-file.onnx")',
    });
  });

  it('asks for the size where the file leaves it open', async () => {
    const bytes = onnx({ nodes: [{ opType: 'Relu', inputs: ['x'], outputs: ['y'] }], initializers: [], inputs: [value('x', 'N', 3, 'H', 'W')], outputs: [value('y')] });
    expect(await refusalOf('open.onnx', bytes)).toEqual({
      code: 'BAD_REQUEST',
      message: 'The input "x" of open.onnx leaves its height and width open (shape [N, 3, H, W]). Say which size to use, for example --crop 224.',
    });
  });

  it('tells inputs that are no picture', async () => {
    const relu = [{ opType: 'Relu', inputs: ['x'], outputs: ['y'] }];
    const refused = async (...inputs: object[]): Promise<string> => (await refusalOf('odd.onnx', onnx({ nodes: relu, initializers: [], inputs, outputs: [value('y')] }))).message;
    expect(await refused(value('x', 1, 16))).toBe('The input "x" of odd.onnx has shape [1, 16]; a picture has four axes: images, channels, height, width. Open a network that takes pictures.');
    expect(await refused(value('x', 1, 32, 32, 3))).toBe('The input "x" of odd.onnx has shape [1, 32, 32, 3], channels last. Export it with channels first, for example with tf2onnx and --inputs-as-nchw x');
    expect(await refused(value('x', 1, 3, 8, 8), value('mask', 1, 1, 8, 8))).toBe('The network in odd.onnx has 2 inputs ("x", "mask"); Switchback feeds one picture. Export it with the picture as its only input.');
  });
});
