/** Files that cannot be opened: each has its own clear sentence, word for word. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { zipSync } from 'fflate';
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

  const zip = (...names: string[]): Uint8Array => zipSync(Object.fromEntries(names.map((name) => [name, Uint8Array.of(1)])), { level: 0 });
  const told = async (name: string, content: string | Uint8Array): Promise<string> => {
    const { code, message } = await refusalOf(name, content);
    expect(code).toBe('UNREADABLE_FILE');
    return message;
  };

  it('tells a PyTorch file, new and old, and the line that exports it', async () => {
    const sentence = 'is a PyTorch file: it holds weights, but not the network in a form others can run. Load it in Python and export it with: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx")';
    expect(await told('resnet.pth', zip('resnet/data.pkl', 'resnet/byteorder', 'resnet/data/0', 'resnet/version'))).toBe(`resnet.pth ${sentence}`);
    expect(await told('half.pth', zip('archive/data.pkl', 'archive/data/0').subarray(0, 60))).toBe(`half.pth ${sentence}`);
    const pickle = Buffer.from('8002 8a0a 6cfc9c46f9206aa85019 2e'.replaceAll(' ', ''), 'hex');
    expect(await told('old.pt', pickle)).toBe(`old.pt ${sentence}`);
  });

  it('tells TorchScript, an exported program and a plain pickle', async () => {
    expect(await told('net.pt', zip('net/data.pkl', 'net/code/__torch__/net.py', 'net/constants.pkl', 'net/version'))).toBe(
      'net.pt is a TorchScript program: it holds its network as PyTorch code, which Switchback does not run. Load it in Python and export it with: torch.onnx.export(torch.jit.load("net.pt").eval(), torch.zeros(1, 3, 224, 224), "model.onnx", dynamo=False)',
    );
    expect(await told('net.pt2', zip('net/archive_format', 'net/models/model.json', 'net/data/weights/weight_0'))).toBe(
      'net.pt2 is an exported PyTorch program (torch.export). Load it in Python and export it with: torch.onnx.export(torch.export.load("net.pt2"), (), "model.onnx", dynamo=True)',
    );
    expect(await told('learner.pkl', Buffer.from('80049563000000000000008c', 'hex'))).toBe(
      'learner.pkl is a Python pickle: opening it would run code from the file, which Switchback does not. Load it in Python, and if it holds a PyTorch network export it with: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx")',
    );
  });

  it('tells safetensors, TensorFlow Lite, the ORT format and GGUF', async () => {
    const header = '{"conv1.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    expect(await told('model.safetensors', Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]))).toBe(
      'model.safetensors is a safetensors file: it holds weights only, not the network. Build the network in Python, load the weights and export it with: model.load_state_dict(safetensors.torch.load_file("model.safetensors")); torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx")',
    );
    expect(await told('net.tflite', Buffer.from('\u001c\0\0\0TFL3', 'latin1'))).toBe('net.tflite is a TensorFlow Lite model. Make an ONNX of it with: python -m tf2onnx.convert --tflite net.tflite --output model.onnx');
    expect(await told('net.ort', Buffer.from('\u001c\0\0\0ORTM', 'latin1'))).toBe(
      'net.ort is in the ORT format of onnxruntime, which is made from an ONNX file and cannot be turned back. Open the .onnx file that it was made from.',
    );
    expect(await told('llama.gguf', Buffer.from('GGUF\u0003\0\0\0', 'latin1'))).toBe('llama.gguf is a GGUF file: the weights of a language model, which has no spatial channels to look at. Open a convolutional network.');
  });

  it('tells TensorFlow graphs and Core ML models', async () => {
    const block = (field: number, content: Uint8Array): Buffer => Buffer.concat([new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(content).finish()]);
    const text = (field: number, content: string): Buffer => block(field, Buffer.from(content));
    const version = Buffer.from([0x08, 0x01]);
    expect(await told('saved_model.pb', Buffer.concat([version, block(2, block(1, text(2, 'serve')))]))).toBe(
      'saved_model.pb is a TensorFlow SavedModel. Make an ONNX of its folder with: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx',
    );
    const node = (name: string, operation: string): Buffer => block(1, Buffer.concat([text(1, name), text(2, operation)]));
    expect(await told('frozen.pb', Buffer.concat([node('input', 'Placeholder'), node('conv1/weights', 'Const')]))).toBe(
      'frozen.pb is a frozen TensorFlow graph. Make an ONNX of it with: python -m tf2onnx.convert --graphdef frozen.pb --inputs INPUT:0 --outputs OUTPUT:0 --output model.onnx',
    );
    expect(await told('net.mlmodel', Buffer.concat([version, text(2, 'x'), block(500, text(1, 'layer'))]))).toBe(
      'net.mlmodel is a Core ML model. Open the network that it was converted from, or, for one saved as a neural network, make an ONNX of it in Python: onnxmltools.convert_coreml(coremltools.utils.load_spec("net.mlmodel"))',
    );
    mkdirSync(join(folder, 'saved'));
    writeFileSync(join(folder, 'saved', 'saved_model.pb'), version);
    expect((await refusal(join(folder, 'saved'))).message).toBe(
      `${join(folder, 'saved')} is a TensorFlow SavedModel. Make an ONNX of it with: python -m tf2onnx.convert --saved-model ${join(folder, 'saved')} --output model.onnx`,
    );
  });

  it('tells an archive, a picture and a text for what they are', async () => {
    expect(await told('models.zip', zip('readme.md'))).toBe('models.zip is a zip archive, not a model. Unpack it and open the model inside.');
    expect(await told('cat.onnx', Buffer.from('ffd8ffe000104a464946', 'hex'))).toBe('cat.onnx is a JPEG picture, not a model. Open an ONNX, Caffe, Keras or TensorFlow.js model.');
    expect(await told('notes.onnx', 'Dear diary,\ntoday')).toBe('notes.onnx is a text file that begins with "Dear diary,", not a model. Open an ONNX, Caffe, Keras or TensorFlow.js model.');
  });

  it('says why bytes are not ONNX', async () => {
    expect(await told('noise.onnx', Buffer.from('ff00aa5513', 'hex'))).toMatch(
      /^noise\.onnx is no model that Switchback knows: not onnx, as its first bytes are no ONNX fields \(illegal tag: field no 15 wire type 7\); not .*\. Open an ONNX, Caffe, Keras or TensorFlow\.js model\.$/,
    );
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

  it('tells weights in another file that is missing, too short or out of reach', async () => {
    const nodes = [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'] }];
    const net = (location: string, ...more: object[]): Uint8Array => {
      const outside = { name: 'w', dims: [1, 1, 2, 2], dataType: 1, dataLocation: 1, externalData: [{ key: 'location', value: location }, ...more] };
      return onnx({ nodes, initializers: [outside], inputs: [value('x', 1, 1, 8, 8)], outputs: [value('y')] });
    };
    expect(await refusalOf('net.onnx', net('net.onnx.data'))).toEqual({
      code: 'NOT_FOUND',
      message: 'net.onnx keeps its weights ("w" among them) in the file net.onnx.data, which is not beside it. Put net.onnx.data into the same folder, or save the model as one file: onnx.save(onnx.load("net.onnx"), "one-file.onnx")',
    });
    writeFileSync(join(folder, 'net.onnx.data'), Buffer.alloc(20));
    expect(await refusalOf('net.onnx', net('net.onnx.data', { key: 'offset', value: '8' }, { key: 'length', value: '16' }))).toEqual({
      code: 'UNREADABLE_FILE',
      message: 'The weights "w" should stand in net.onnx.data from byte 8 to 24, but that file has 20 bytes. Copy it again, or export the model again.',
    });
    for (const place of ['../secret.bin', '/etc/hostname']) expect((await refusalOf('net.onnx', net(place))).message).toContain(place);
    writeFileSync(join(folder, 'net.onnx'), net('net.onnx.data', { key: 'offset', value: '4' }, { key: 'length', value: '16' }));
    writeFileSync(join(folder, 'net.onnx.data'), new Uint8Array(Float32Array.of(9, 1, 2, 3, 4).buffer));
    const opened = await openModel(join(folder, 'net.onnx'));
    expect(opened.model.graph.tensors.get('w')?.data).toEqual(Float32Array.of(1, 2, 3, 4));
    const hash = opened.modelHash;
    writeFileSync(join(folder, 'net.onnx.data'), new Uint8Array(Float32Array.of(9, 1, 2, 3, 5).buffer));
    expect((await openModel(join(folder, 'net.onnx'))).modelHash).not.toBe(hash);
  });

  it('tells a quantized network and a transformer', async () => {
    const quantized = onnx({ nodes: [{ opType: 'QuantizeLinear', name: 'q0', inputs: ['x', 's', 'z'], outputs: ['y'] }], initializers: [], inputs: [value('x', 1, 3, 8, 8)], outputs: [value('y')] });
    expect(await refusalOf('int8.onnx', quantized)).toEqual({
      code: 'UNSUPPORTED',
      message: 'int8.onnx is quantized to whole numbers (QuantizeLinear in node "q0"): its values are rounded, and nothing can be carried back through them. Open the float32 model that it was made from, the input of quantize_static, or export the network again without quantization.',
    });
    const nodes = [
      { opType: 'Conv', inputs: ['x', 'patch'], outputs: ['tokens'] },
      { opType: 'Transpose', inputs: ['tokens'], outputs: ['keys'] },
      { opType: 'MatMul', name: '/blocks.0/attn/MatMul', inputs: ['tokens', 'keys'], outputs: ['y'] },
    ];
    expect(await refusalOf('vit.onnx', onnx({ nodes, initializers: [], inputs: [value('x', 1, 3, 32, 32)], outputs: [value('y')] }))).toEqual({
      code: 'UNSUPPORTED',
      message: 'The network in vit.onnx is a transformer: MatMul in node "/blocks.0/attn/MatMul" multiplies two values that are both computed from its input (attention). It has no spatial channels to look at. Open a convolutional network.',
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
    expect(await refused(value('x', 1, 3, 8, 8), value('mask', 1, 1, 8, 8))).toBe('The network in odd.onnx has 2 inputs ("x", "mask"); Switchback feeds one picture. Export it with the picture as its only input.');
  });
});
