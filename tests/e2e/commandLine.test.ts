/**
 * Every command of the command line on real models and photographs, as a shell runs it: exit codes, the one line of an error, and JSON key by key.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, runForJson, startCommand, temporaryFolder, type Finished } from '../support/commandLine.ts';
import { readNpy } from '../support/npy.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { eventually, processesOf } from '../support/processes.ts';
import { serveWorkbench } from '../support/servedWorkbench.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

interface LayerRow {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly number: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly receptiveField: { readonly size: readonly number[]; readonly stride: readonly number[]; readonly offset: readonly number[] };
  readonly dead: number | null;
  readonly images: number;
}

interface Top {
  readonly layer: string;
  readonly channels: readonly { readonly channel: number; readonly dead: boolean; readonly hits: readonly { readonly rank: number; readonly image: string; readonly score: number; readonly y: number; readonly x: number; readonly box: readonly number[] }[] }[];
}

interface IndexAnswer {
  readonly index: string;
  readonly images: number;
  readonly skipped: readonly { readonly image: string; readonly reason: string }[];
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

const home = temporaryFolder('command-line');
const at = (...parts: readonly string[]): string => join(home, ...parts);
const run = (...args: readonly string[]): Promise<Finished> => runCommand(home, ...args);
const json = <T>(...args: readonly string[]): Promise<T> => runForJson<T>(home, ...args);

/** The one line of a command that must fail with exit code 1 and print nothing else. */
async function refusal(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout], `${args.join(' ')}: ${stderr}`).toEqual([1, '']);
  const lines = stderr.split('\n');
  expect(lines, stderr).toHaveLength(2);
  expect(lines[1]).toBe('');
  expect(lines[0]).toMatch(/^switchback: /);
  return lines[0]!.slice('switchback: '.length);
}

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('a command that cannot be understood', () => {
  it('is refused in one line that names the word, and the way to help', async () => {
    expect(await Promise.all([
      refusal('imprt', 'model.onnx'),
      refusal('import'),
      refusal('import', '--bogus', 'model.onnx'),
      refusal('layers'),
      refusal('index', '--workspace', 'w', '--model', 'm', '--images', 'i', '--top', '0'),
      refusal('index', '--workspace', 'w', '--model', 'm', '--images', 'i', '--batch', '2.5'),
      refusal('index', '--workspace', 'w', '--model', 'm', '--images', 'i', '--engine', 'torch'),
      refusal('index', '--workspace', 'w', '--model', 'm', '--images', 'i', '--order', 'gbr'),
      refusal('index', '--workspace', 'w', '--model', 'm', '--images', 'i', '--mean', '1,two,3'),
      refusal('index', '--workspace', 'w', '--model', 'm', '--images', 'i', '--layers', ','),
      refusal('project', '--workspace', 'w', '--layer', 'l', '--channel', '0', '--hit', '0', '--out', 'a.npy'),
      refusal('serve', '--port', '70000'),
    ])).toEqual([
      "unknown command 'imprt' (Did you mean import?) (--help tells more)",
      "missing required argument 'model' (--help tells more)",
      "unknown option '--bogus' (--help tells more)",
      "required option '--workspace <folder>' not specified (--help tells more)",
      "option '--top <n>' argument '0' is invalid. It must be a whole number from 1 to 100. (--help tells more)",
      "option '--batch <n>' argument '2.5' is invalid. It must be a whole number from 1 to 1024. (--help tells more)",
      "option '--engine <engine>' argument 'torch' is invalid. Allowed choices are auto, onnxruntime, tensorflow. (--help tells more)",
      "option '--order <order>' argument 'gbr' is invalid. Allowed choices are rgb, bgr, grey. (--help tells more)",
      "option '--mean <a,b,c>' argument '1,two,3' is invalid. It must be numbers separated by commas, such as 0.485,0.456,0.406. (--help tells more)",
      "option '--layers <a,b>' argument ',' is invalid. It must be names separated by commas. (--help tells more)",
      "option '--hit <n>' argument '0' is invalid. It must be a whole number from 1 to 100. (--help tells more)",
      "option '--port <n>' argument '70000' is invalid. It must be a whole number from 0 to 65535. (--help tells more)",
    ]);
  });

  it('tells more with --verbose', async () => {
    const { code, stderr } = await run('import', at('none.onnx'), '--verbose');
    expect(code).toBe(1);
    const [first, ...rest] = stderr.split('\n');
    expect(first).toBe(`switchback: There is no file ${at('none.onnx')}. Check the path.`);
    expect(rest.join('\n')).toContain('    at ');
  });

  it('says that a folder is no workspace, and that an index is not there', async () => {
    mkdirSync(at('plain'));
    expect(await refusal('layers', '--workspace', at('plain'))).toBe(`${at('plain')} is not a Switchback workspace: it holds no workspace.sqlite. Choose a workspace folder, or make a new one.`);
    expect(await refusal('top', '--workspace', at('nowhere'), '--layer', 'x')).toContain(`${at('nowhere')} is not a Switchback workspace`);
    expect(existsSync(at('nowhere'))).toBe(false);
  });
});

describe('doctor', () => {
  it('lists engines and devices, each missing one with its reason', async () => {
    const report = await json<{ node: string; engines: readonly { engine: string; device: string; available: boolean; reason: string }[] }>('doctor');
    expect(report.node).toBe(process.version);
    expect(report.engines.find((row) => row.engine === 'onnxruntime' && row.device === 'cpu')).toMatchObject({ available: true, reason: '' });
    expect(report.engines.some((row) => row.engine === 'tensorflow' && row.available)).toBe(true);
    for (const row of report.engines) expect([row.engine, row.device, row.reason === ''], row.reason).toEqual([row.engine, row.device, row.available]);
  });

  it('tests what it lists, and times it on request', async () => {
    const { engines } = await json<{ engines: readonly { engine: string; device: string; available: boolean; selfTest: { passed: boolean; worst: number } | null; imagesPerSecond: number | null; software: boolean }[] }>('doctor', '--benchmark');
    const processor = engines.find((row) => row.engine === 'onnxruntime' && row.device === 'cpu')!;
    expect(processor.selfTest).toMatchObject({ passed: true });
    expect(processor.selfTest!.worst).toBeLessThan(1e-5);
    for (const row of engines) expect(row.imagesPerSecond !== null, `${row.engine} on ${row.device}`).toBe(row.available && !row.software);
  });
});

describeWithData('import', [squeezenet, 'models/bad'], () => {
  it('reports layers, input, preprocessing and operators', async () => {
    const report = await json<Record<string, unknown> & { layers: LayerRow[] }>('import', dataPath(squeezenet));
    expect(report).toMatchObject({
      format: 'onnx',
      inputs: [{ name: 'data', shape: ['batch', 3, 224, 224], dtype: 'float32' }],
      preprocessing: { order: 'rgb', crop: [224, 224], resize: { kind: 'shorterSide', pixels: 256 }, scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      warnings: [],
    });
    expect(report.layers).toHaveLength(26);
    expect(report.layers[0]).toMatchObject({ name: 'squeezenet0_conv0_relu', title: 'squeezenet0_conv0', kind: 'conv', number: 1, channels: 64, height: 111, width: 111, receptiveField: { size: [3, 3], stride: [2, 2], offset: [0, 0] } });
    expect(report['operators']).toEqual(expect.arrayContaining([{ op: 'Conv', count: 26, status: 'runs and projects', note: '' }, { op: 'Relu', count: 26, status: 'runs and projects', note: '' }]));
  });

  it('says of each file that is no usable model what it is', async () => {
    expect(await refusal('import', dataPath('models/bad/lfs-pointer/Yolo.onnx'))).toMatch(/^Yolo\.onnx is a git LFS pointer, not the model itself\./);
    expect(await refusal('import', dataPath('models/bad/html-saved-as-caffemodel/age_net.caffemodel'))).toMatch(/^age_net\.caffemodel is a web page \(HTML\) saved under a model's name\./);
    expect(await refusal('import', dataPath('models/bad/unknown-op/noisy_relu.onnx'))).toMatch(/^noisy_relu\.onnx uses the operator NoisyRelu /);
    writeFileSync(at('half.onnx'), readFileSync(dataPath(squeezenet)).subarray(0, 1_000_000));
    expect(await refusal('import', at('half.onnx'))).toMatch(/^half\.onnx is cut off: /);
  });
});

describeWithData('an index of real photographs', [squeezenet, photographs], () => {
  const workspace = at('workspace');
  const images = at('images');
  const model = dataPath(squeezenet);
  const indexArgs = ['index', '--workspace', workspace, '--model', model, '--images', images] as const;
  const conv25 = 'squeezenet0_conv25_relu';
  let names: readonly string[] = [];
  let first: IndexAnswer;
  let layers: readonly LayerRow[];

  beforeAll(async () => {
    names = linkPhotographs(images, 20);
    mkdirSync(join(images, 'class b'));
    writeFileSync(join(images, 'class b', 'broken.jpg'), 'this is no picture');
    writeFileSync(join(images, 'notes.txt'), 'ignored');
    writeFileSync(join(images, '.hidden.jpg'), 'hidden');
    first = await json<IndexAnswer>(...indexArgs);
    layers = (await json<{ layers: readonly LayerRow[] }>('layers', '--workspace', workspace)).layers;
  }, 120_000);

  it('skips a broken image with its reason, and still ends well', () => {
    expect(Object.keys(first)).toEqual(['index', 'images', 'skipped', 'seconds', 'imagesPerSecond']);
    expect(first).toMatchObject({ index: expect.stringMatching(/^[a-z0-9]{8}$/) as string, images: 20, skipped: [{ image: 'class b/broken.jpg', reason: 'The content is no image format that can be read (it begins with 74 68 69 73 20 69 73 20).' }] });
    expect(first.seconds).toBeGreaterThan(0);
    expect(first.imagesPerSecond).toBeGreaterThan(0);
  });

  it('does nothing when it is complete, and says so without progress bars in a pipe', async () => {
    expect(await json<IndexAnswer>(...indexArgs)).toMatchObject({ index: first.index, images: 20, skipped: first.skipped, imagesPerSecond: 0 });
    const { code, stdout, stderr } = await run(...indexArgs);
    expect([code, stdout]).toEqual([0, `index ${first.index}: 20 images, complete already, 1 skipped\n`]);
    expect(stderr).toBe(`skipped class b/broken.jpg: ${first.skipped[0]!.reason}\n`);
  });

  it('lists all layers of the network, with null or an integer for the dead', async () => {
    expect(layers.map((layer) => layer.number)).toEqual(Array.from({ length: 26 }, (_, number) => number + 1));
    for (const layer of layers) {
      expect(Object.keys(layer)).toEqual(['name', 'title', 'kind', 'number', 'channels', 'height', 'width', 'receptiveField', 'dead', 'images']);
      expect(Object.keys(layer.receptiveField)).toEqual(['size', 'stride', 'offset']);
      expect(layer.images).toBe(20);
      expect(Number.isInteger(layer.dead), `${layer.name}: ${layer.dead}`).toBe(true);
    }
    expect(layers[25]).toMatchObject({ name: conv25, kind: 'conv', channels: 1000, height: 13, width: 13 });
  });

  it('has ranks from 1, scores in order, boxes half-open within the input, and at most one hit per image', async () => {
    for (const layer of [layers[0]!, layers[12]!, layers[25]!]) {
      const top = await json<Top>('top', '--workspace', workspace, '--layer', layer.name);
      expect(Object.keys(top)).toEqual(['layer', 'channels']);
      expect([top.layer, top.channels.length]).toEqual([layer.name, layer.channels]);
      expect(top.channels.filter((channel) => channel.dead)).toHaveLength(layer.dead!);
      const { size, stride, offset } = layer.receptiveField;
      for (const { channel, dead, hits, ...rest } of top.channels) {
        expect(rest).toEqual({});
        expect(dead).toBe(hits.length === 0);
        expect(hits.map((hit) => hit.rank), `channel ${channel}`).toEqual(hits.map((_, position) => position + 1));
        expect(hits.length).toBeLessThanOrEqual(9);
        expect(new Set(hits.map((hit) => hit.image)).size).toBe(hits.length);
        hits.forEach((hit, position) => {
          expect(Object.keys(hit)).toEqual(['rank', 'image', 'score', 'y', 'x', 'box']);
          expect(names).toContain(hit.image);
          expect(hit.score).toBeGreaterThan(0);
          if (position > 0) expect(hit.score).toBeLessThanOrEqual(hits[position - 1]!.score);
          const [y0, x0] = [offset[0]! + hit.y * stride[0]!, offset[1]! + hit.x * stride[1]!];
          expect(hit.box).toEqual([Math.max(0, y0), Math.max(0, x0), Math.min(224, y0 + size[0]!), Math.min(224, x0 + size[1]!)]);
        });
      }
    }
  });

  it('answers one channel, by title too, and refuses an unknown layer, channel or index', async () => {
    const one = await json<Top>('top', '--workspace', workspace, '--layer', 'squeezenet0_conv0', '--channel', '7');
    expect([one.layer, one.channels.map((channel) => channel.channel)]).toEqual(['squeezenet0_conv0_relu', [7]]);
    expect(await refusal('top', '--workspace', workspace, '--layer', 'conv99')).toMatch(new RegExp(`^The index ${first.index} has no layer "conv99"\\. Its layers: squeezenet0_conv0_relu, `));
    expect(await refusal('top', '--workspace', workspace, '--layer', conv25, '--channel', '1000')).toBe(`The layer "${conv25}" has channels 0 to 999; there is no channel 1000.`);
    expect(await refusal('layers', '--workspace', workspace, '--index', 'none0000')).toContain('There is no index "none0000" in this workspace');
  });

  it('projects a hit into an .npy of the whole input, and the same unit named by its place gives the same', async () => {
    const { channels } = await json<Top>('top', '--workspace', workspace, '--layer', conv25, '--channel', '3');
    const hit = channels[0]!.hits[1]!;
    const project = ['project', '--workspace', workspace, '--layer', conv25, '--channel', '3'];
    const record = await json<{ box: number[]; support: number[]; absmax: number }>(...project, '--hit', '2', '--out', at('hit.npy'));
    expect(Object.keys(record)).toEqual(['layer', 'channel', 'image', 'y', 'x', 'method', 'seed', 'box', 'support', 'absmax', 'rectified']);
    expect(record).toMatchObject({ layer: conv25, channel: 3, image: hit.image, y: hit.y, x: hit.x, method: 'deconvnet', seed: 'one', box: hit.box });
    const { shape, data } = await readNpy(at('hit.npy'));
    expect(shape).toEqual([3, 224, 224]);
    expect(Math.fround(record.absmax)).toBe(data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
    expect(supportOf(data, 224, 224)).toEqual(record.support);
    expect([record.support[0]! >= record.box[0]!, record.support[1]! >= record.box[1]!, record.support[2]! <= record.box[2]!, record.support[3]! <= record.box[3]!]).toEqual([true, true, true, true]);
    await json(...project, '--image', hit.image, '--y', String(hit.y), '--x', String(hit.x), '--out', at('place.npy'));
    expect(readFileSync(at('place.npy')).equals(readFileSync(at('hit.npy')))).toBe(true);
    // NumPy wants its header to end on a multiple of 64 bytes.
    expect((10 + readFileSync(at('hit.npy')).readUInt16LE(8)) % 64).toBe(0);
  });

  it('counts what each method rectifies, and the methods differ', async () => {
    const record = async (method: string) => json<{ method: string; rectified: object }>('project', '--workspace', workspace, '--layer', conv25, '--channel', '3', '--hit', '1', '--method', method, '--out', at(`${method}.npy`));
    expect([await record('deconvnet'), await record('guided'), await record('gradient')].map(({ method, rectified }) => [method, rectified])).toEqual([
      ['deconvnet', { handled: 26, total: 26 }],
      ['guided', { handled: 26, total: 26 }],
      ['gradient', { handled: 0, total: 26 }],
    ]);
    expect(new Set(['deconvnet', 'guided', 'gradient'].map((method) => readFileSync(at(`${method}.npy`)).toString('base64'))).size).toBe(3);
  });

  it('draws a .png of the size of the input, grey where nothing came down', async () => {
    const { box } = await json<{ box: number[] }>('project', '--workspace', workspace, '--layer', 'squeezenet0_conv1_relu', '--channel', '0', '--hit', '1', '--out', at('hit.png'));
    const { data, info } = await sharp(at('hit.png')).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([224, 224, 3]);
    const pixel = (y: number, x: number): number[] => [...data.subarray(3 * (224 * y + x), 3 * (224 * y + x) + 3)];
    const far = pixel(box[0]! > 112 ? 0 : 223, box[1]! > 112 ? 0 : 223);
    for (const value of far) expect(Math.abs(value - 128)).toBeLessThanOrEqual(1);
    expect(data.some((value) => Math.abs(value - 128) > 60)).toBe(true);
  });

  it('refuses a unit or a file that cannot be', async () => {
    const project = (channel: string, ...rest: string[]): Promise<string> => refusal('project', '--workspace', workspace, '--layer', conv25, '--channel', channel, ...rest);
    expect(await project('3', '--hit', '10', '--out', at('no.npy'))).toBe('Channel 3 has 9 hits; there is no hit 10.');
    expect(await project('3', '--hit', '1', '--out', at('no.jpg'))).toBe(`--out ${at('no.jpg')}: the file must end in .npy or .png.`);
    expect(await project('3', '--out', at('no.npy'))).toBe('Say which unit: --hit N, or --image PATH --y ROW --x COLUMN.');
    expect(await project('3', '--hit', '1', '--y', '0', '--out', at('no.npy'))).toBe('Say which unit once: --hit N, or --image PATH --y ROW --x COLUMN, not both.');
    expect(await project('3', '--image', 'none.jpg', '--y', '0', '--x', '0', '--out', at('no.npy'))).toBe(`The index ${first.index} has no image "none.jpg". Paths are relative to the indexed folder.`);
    expect(await project('3', '--image', names[0]!, '--y', '13', '--x', '0', '--out', at('no.npy'))).toContain('there is no unit at channel 3, row 13, column 0');
    expect(await project('3', '--image', 'class b/broken.jpg', '--y', '0', '--x', '0', '--out', at('no.npy'))).toMatch(/^class b\/broken\.jpg: /);
    expect(await project('3', '--hit', '1', '--out', at('not there', 'no.npy'))).toContain(`${at('not there', 'no.npy')} cannot be written`);
    expect([existsSync(at('no.npy')), existsSync(at('no.jpg'))]).toEqual([false, false]);
  });

  it('refuses images, flags and labels that do not fit, before anything long begins', async () => {
    mkdirSync(at('empty'));
    const index = (folder: string, ...rest: string[]): Promise<string> => refusal('index', '--workspace', at('refused'), '--model', model, '--images', folder, ...rest);
    expect(await index(at('not there'))).toBe(`The image folder ${at('not there')} cannot be opened: it does not exist. Choose a folder that exists.`);
    expect(await index(at('empty'))).toBe(`There are no images in ${at('empty')}. Choose a folder that holds JPEG, PNG, WebP, TIFF, GIF or AVIF files.`);
    expect(await index(images, '--order', 'grey')).toBe('The network takes 3 colour channel(s); the order "grey" gives 1. Choose rgb or bgr.');
    expect(await index(images, '--layers', 'conv99')).toBe('The network has no layer named "conv99". "switchback import" lists its layers.');
    expect(await index(images, '--std', '0,1,1')).toContain('std of channel 0 is 0');
    expect(await index(images, '--mean', '1,2')).toContain('2 values for 3 channels');
    expect(await index(images, '--resize', 'large')).toContain('"large"');
    expect(await index(images, '--labels', at('none.tsv'))).toBe(`The labels file ${at('none.tsv')} cannot be read: check the path.`);
    expect((await json<{ indexes: unknown[] }>('indexes', '--workspace', at('refused'))).indexes).toEqual([]);
  });

  it('exits with 1 where not one image could be read, yet says each reason', async () => {
    mkdirSync(at('broken'));
    writeFileSync(at('broken', 'a.png'), '');
    const { code, stderr, stdout } = await run('index', '--workspace', at('workspace of broken'), '--model', model, '--images', at('broken'), '--layers', conv25, '--json');
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as IndexAnswer).skipped.map((each) => each.image)).toEqual(['a.png']);
    expect(stderr).toBe('switchback: Not one image could be read; each reason is listed.\n');
  });

  it('stands aside for another process that holds the workspace, and names it; looking on is allowed', async () => {
    const served = await serveWorkbench(home, '--workspace', workspace);
    try {
      const message = await refusal(...indexArgs, '--top', '5');
      expect(message).toMatch(new RegExp(`^The workspace .* is open in process \\d+ on .* since .*\\. Close it there, or use another workspace\\.$`));
      expect((await json<{ layers: unknown[] }>('layers', '--workspace', workspace)).layers).toHaveLength(26);
      expect((await fetch(served.address)).status).toBe(existsSync(join(import.meta.dirname, '../../out/renderer/index.html')) ? 200 : 404);
    } finally {
      expect(await served.stop()).toBe(0);
    }
  });

  it('goes on after Ctrl+C where it stopped', async () => {
    linkPhotographs(at('many'), 64);
    const args = ['index', '--workspace', at('workspace of many'), '--model', model, '--images', at('many'), '--batch', '4', '--layers', conv25];
    const started = startCommand(home, args);
    const indexed = async (): Promise<number> => {
      const { code, stdout } = await run('indexes', '--workspace', at('workspace of many'), '--json');
      return code === 0 ? ((JSON.parse(stdout) as { indexes: { indexed: number }[] }).indexes[0]?.indexed ?? 0) : 0;
    };
    await eventually(async () => ((await indexed()) > 0 ? true : undefined), 'first committed batch');
    // A terminal sends the signal to every process of the command.
    for (const { pid } of (await processesOf(home)).filter((each) => each.command.includes('workspace of many') || each.command.includes('inference/worker'))) process.kill(pid, 'SIGINT');
    const { code, stdout, stderr } = await started.finished;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/^switchback: Stopped after \d+ of 64 images\. The same command goes on from there\.\n$/);
    const before = await indexed();
    expect([before > 0, before < 64]).toEqual([true, true]);
    expect(await json<IndexAnswer>(...args)).toMatchObject({ images: 64, skipped: [] });
  });

  it('keeps several indexes: the newest is meant, --index names another, --delete takes one out', async () => {
    const several = at('several');
    const make = (...rest: string[]): Promise<IndexAnswer> => json<IndexAnswer>('index', '--workspace', several, '--model', model, '--images', images, '--layers', 'squeezenet0_conv0_relu,squeezenet0_conv3_relu', ...rest);
    const nine = await make();
    const two = await make('--top', '2', '--batch', '5', '--resize', 'exact', '--mean', '0.5', '--labels', writeLabels());
    expect(two.index).not.toBe(nine.index);
    const hits = async (...rest: string[]): Promise<number> => (await json<Top>('top', '--workspace', several, '--layer', 'squeezenet0_conv3_relu', '--channel', '1', ...rest)).channels[0]!.hits.length;
    expect([await hits(), await hits('--index', nine.index)]).toEqual([2, 9]);
    expect((await json<{ layers: LayerRow[] }>('layers', '--workspace', several)).layers.map((layer) => layer.name)).toEqual(['squeezenet0_conv0_relu', 'squeezenet0_conv3_relu']);
    const list = (await json<{ indexes: { id: string; batchSize: number; top: number; state: string; preprocessing: object }[] }>('indexes', '--workspace', several)).indexes;
    expect(list.map((index) => [index.id, index.top, index.state])).toEqual([[two.index, 2, 'complete'], [nine.index, 9, 'complete']]);
    expect(list[0]).toMatchObject({ batchSize: 5, preprocessing: { resize: { kind: 'exact' }, mean: [0.5, 0.5, 0.5] } });
    expect((await json<{ indexes: { id: string }[] }>('indexes', '--workspace', several, '--delete', two.index)).indexes.map((index) => index.id)).toEqual([nine.index]);
    expect([await hits(), await refusal('indexes', '--workspace', several, '--delete', two.index)]).toEqual([9, `There is no index "${two.index}" in this workspace: list the indexes to see what it holds.`]);
  });

  function writeLabels(): string {
    writeFileSync(at('labels.tsv'), `file\tindex\twnid\n${names.map((name, index) => `${name}\t${index}\t${name.slice(0, 9)}\n`).join('')}`);
    return at('labels.tsv');
  }
});

describeWithData('a layer of probabilities', ['models/squeezenet1.1-float16-opset7.onnx', photographs], () => {
  it('can be ranked, but not projected, and the refusal says where to go instead', async () => {
    linkPhotographs(at('three'), 3);
    symlinkSync(at('three'), at('linked'));
    const answer = await json<IndexAnswer>('index', '--workspace', at('probabilities'), '--model', dataPath('models/squeezenet1.1-float16-opset7.onnx'), '--images', at('linked'), '--layers', 'softmaxout_1');
    expect(answer).toMatchObject({ images: 3, skipped: [] });
    expect(await refusal('project', '--workspace', at('probabilities'), '--layer', 'softmaxout_1', '--channel', '0', '--hit', '1', '--out', at('softmax.npy'))).toBe(
      'There is no way down through Softmax (node "Softmax_66"). Choose the layer before it: the logits are projected, never the probabilities.',
    );
  });
});

/** Hull of the non-zero values of `[C, H, W]`: [y0, x0, y1, x1], half-open. */
function supportOf(values: Float32Array, height: number, width: number): readonly number[] {
  const hull = [height, width, 0, 0] as [number, number, number, number];
  values.forEach((value, at) => {
    if (value === 0) return;
    const y = Math.floor((at % (height * width)) / width);
    const x = at % width;
    hull[0] = Math.min(hull[0], y);
    hull[1] = Math.min(hull[1], x);
    hull[2] = Math.max(hull[2], y + 1);
    hull[3] = Math.max(hull[3], x + 1);
  });
  return hull;
}
