/** `switchback lab` as a person runs it, on a small network: what lies in the folder afterwards, what is printed, and how wrong wishes are refused. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { writeSmallClassifier } from '../support/labNetwork.ts';
import { readNpy } from '../support/npy.ts';

const home = temporaryFolder('lab');
const out = (name: string) => join(home, name);
const lab = (study: string, ...more: string[]) => ['lab', study, '--model', join(home, 'net.onnx'), '--image', join(home, 'dots.png'), '--mean', '0.5,0.4,0.3', '--std', '0.25', '--scale', String(1 / 255), '--resize', 'exact', '--out', out(study), ...more];

beforeAll(async () => {
  writeSmallClassifier(join(home, 'net.onnx'));
  const random = seededRandom(2);
  writeFileSync(join(home, 'dots.png'), await encodePng(Uint8Array.from({ length: 24 * 24 * 3 }, () => Math.floor(256 * random())), 24, 24, 3));
  writeFileSync(join(home, 'names.txt'), 'n00000001 ant\nn00000002 bee\ncat\ndog\nelk\n');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;

describe('the lab on the command line', () => {
  it('shows predictions and activation sheets', async () => {
    const answer = await runForJson<{ predictions: { name: string; probability: number }[]; layers: { title: string; file: string; columns: number; channels: unknown[] }[] }>(home, ...lab('activations', '--labels', join(home, 'names.txt'), '--values', '--top', '3', '--tile', '24'));
    expect(answer.predictions.length).toBe(3);
    expect(['ant', 'bee', 'cat', 'dog', 'elk']).toContain(answer.predictions[0]!.name);
    expect(answer.layers.map(({ channels, columns }) => [channels.length, columns])).toEqual([[4, 2], [6, 3], [5, 3]]);
    const { shape } = await readNpy(join(out('activations'), answer.layers[1]!.file.replace('.png', '.npy')));
    expect(shape).toEqual([6, 6, 6]);
  }, 120_000);

  it('sweeps a square over the picture, in the shape of the reference', async () => {
    const answer = await runForJson<{ numbers: { rows: number[] }; caption: string; files: string[] }>(home, ...lab('occlusion', '--size', '5', '--stride', '4', '--colour', '9,8,7'));
    expect(answer.files).toEqual(['result.json', 'occlusion.json', 'input.png', 'total.png', 'projection.png', 'probability.png', 'label.png']);
    const report = json(join(out('occlusion'), 'occlusion.json')) as { images: { class: number; probability: number[][]; label: number[][]; total: number[][] }[] } & Record<string, unknown>;
    expect({ ...report, images: [] }).toEqual({
      model: 'net.onnx', occluder: 5, stride: 4, colour: [9, 8, 7], positions: 'row centres 0,4,8,12, column centres 0,4,8,12; box [c-2,c+3) clipped to the image', class: 'the most probable class of the clean image',
      map: 'channel of second with the largest total on the clean image', probability: 'softmax of the class scores', images: [],
    });
    const [image] = report.images;
    expect([image!.probability.length, image!.label[3]!.length, image!.total.flat().every(Number.isFinite)]).toEqual([4, 4, true]);
    expect(answer.caption).toMatch(/^Occlusion of dots\.png by a square of 5 pixels, colour 9, 8, 7, .* Network net \([0-9a-f]{16}\)\. Input rgb 12 x 12, squashed, .* onnxruntime cpu, Switchback \d/);
  }, 120_000);

  it('tells where an answer comes from, and cuts it out', async () => {
    const { numbers } = await runForJson<{ numbers: { rows: { row: string; completeness: { relative: number } | null }[] } }>(home, ...lab('saliency', '--layer', 'second', '--channel', '1', '--y', '2', '--x', '3', '--rows', 'gradient,integrated'));
    expect(numbers.rows.map(({ row, completeness }) => [row, completeness !== null])).toEqual([['gradient', false], ['integrated', true]]);
    expect(readdirSync(out('saliency')).sort()).toEqual(['gradient.npy', 'gradient.png', 'input.png', 'integrated.npy', 'integrated.png', 'result.json']);
    const cut = await runForJson<{ numbers: { foregroundShare: number } }>(home, ...lab('segment', '--class', '2', '--smoothing', '0'));
    expect(cut.numbers.foregroundShare).toBeGreaterThan(0);
    expect(readdirSync(out('segment'))).toContain('mask.png');
  }, 120_000);

  it('moves pictures: to what a class wants to see, and to another class', async () => {
    const ascent = await runForJson<{ numbers: { objective: number[]; frames: { step: number }[] } }>(home, ...lab('ascend', '--class', '3', '--steps', '6', '--keep-every', '3', '--blur', '0.5,2'));
    expect(ascent.numbers.objective.length).toBe(7);
    expect(ascent.numbers.frames.map(({ step }) => step)).toEqual([0, 3, 6]);
    const { data } = await readNpy(join(out('ascend'), 'last.npy'));
    expect(data.length).toBe(3 * 12 * 12);
    const changed = await runForJson<{ numbers: { reached: boolean; pngReached: boolean; png: { index: number } } }>(home, ...lab('adversarial', '--target', '4', '--steps', '300'));
    expect(changed.numbers).toMatchObject({ reached: true, pngReached: true, png: { index: 4 } });
    // The file itself, read as the network's input, is seen as that class.
    const again = await runForJson<{ predictions: { index: number }[] }>(home, ...lab('activations', '--image', join(out('adversarial'), 'changed.png'), '--layers', 'second', '--top', '1'));
    expect(again.predictions[0]!.index).toBe(4);
  }, 120_000);

  it.each([
    [lab('adversarial', '--target', '7'), 'The network has 5 classes, 0 to 4; there is no class 7.'],
    [lab('saliency', '--layer', 'second'), '--channel is missing: say which one of the layer.'],
    [lab('saliency', '--class', '1', '--layer', 'second', '--channel', '0'), '--class and --layer exclude each other: ask about a class, or about a channel.'],
    [lab('occlusion', '--layer', 'nowhere'), 'The network has no layer named "nowhere". "switchback import" lists its layers.'],
    [lab('saliency', '--rows', 'gradient,guess'), /^--rows: Invalid option: expected one of "gradient"\|"gradientInput"\|"integrated"\|"smooth"\.$/],
  ])('refuses a wish that cannot be met: %#', async (args, message) => {
    const { code, stderr } = await runCommand(home, ...args);
    expect(code).toBe(1);
    expect(stderr.replace(/^switchback: /, '').trim()).toMatch(message);
  }, 60_000);
});
