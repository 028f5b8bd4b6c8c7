/** `switchback import --graph`, and seeds and controls of `switchback project`, as a person types them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { readNpy } from '../support/npy.ts';
import { linkPhotographs } from '../support/photographs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

const model = 'models/alexnet-conv1-pool5.onnx';

describeWithData('graphs on the command line', [model, 'photos/imagenet-samples'], () => {
  const home = temporaryFolder('graph');
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('draws the network with the way down of a layer beside it', async () => {
    const { code, stdout } = await runCommand(home, 'import', dataPath(model), '--graph', '--layer', 'conv2', '--method', 'guided');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.find((line) => line.includes('way down') || line.includes('guided'))).toMatch(/^ +network +guided of relu2, from below$/);
    expect(lines.find((line) => line.includes('conv 5x5'))).toBe('●  conv 5x5, 2 groups → relu  256 x 27 x 27  relu2  ↑ transposed conv 5x5, 2 groups ← kept where x > 0 ← relu ← seed');
    expect(lines.filter((line) => line.startsWith('●'))).toHaveLength(11);
  });

  it('adds the drawing to the JSON, from the last layer by default', async () => {
    const report = await runForJson<{ layers: readonly object[]; graph: { layer: string; method: string; reason: string; rows: readonly object[] } }>(home, 'import', dataPath(model), '--graph');
    expect(report.layers).toHaveLength(5);
    expect(report.graph).toMatchObject({ layer: 'relu5', method: 'deconvnet', reason: '' });
    expect(report.graph.rows.at(-1)).toEqual({ lanes: '●', what: 'max pool 3x3/2', size: '256 x 6 x 6', name: 'pool5', down: '' });
  });

  it('refuses a layer without --graph', async () => {
    const { code, stderr } = await runCommand(home, 'import', dataPath(model), '--layer', 'conv2');
    expect([code, stderr]).toEqual([1, 'switchback: Add --graph: --layer and --method say what is drawn there.\n']);
  });

  describe('projections', () => {
    const workspace = join(home, 'workspace');
    beforeAll(async () => {
      linkPhotographs(join(home, 'images'), 3);
      await runForJson(home, 'index', '--workspace', workspace, '--model', dataPath(model), '--images', join(home, 'images'), '--layers', 'relu5', '--batch', '3');
    });
    const project = async (name: string, ...flags: readonly string[]) => {
      const out = join(home, `${name}.npy`);
      const record = await runForJson<Record<string, unknown>>(home, 'project', '--workspace', workspace, '--layer', 'relu5', '--channel', '3', '--hit', '1', '--out', out, ...flags);
      return { record, values: (await readNpy(out)).data };
    };

    it('every seed and control is its own picture and is named in its result', async () => {
      const one = await project('one');
      expect(one.record).not.toHaveProperty('control');
      const others = {
        value: await project('value', '--seed', 'value'),
        map: await project('map', '--seed', 'map'),
        centres: await project('centres', '--control', 'centreSwitches'),
        random: await project('random', '--control', 'randomWeights'),
        gradientInput: await project('gradientInput', '--method', 'gradientInput'),
      };
      expect(Object.values(others).map(({ record }) => [record['method'], record['seed'], record['control']])).toEqual([
        ['deconvnet', 'value', undefined],
        ['deconvnet', 'map', undefined],
        ['deconvnet', 'one', 'centreSwitches'],
        ['deconvnet', 'one', 'randomWeights'],
        ['gradientInput', 'one', undefined],
      ]);
      const pictures = [one, ...Object.values(others)].map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'));
      expect(new Set(pictures).size).toBe(6);
      // The value seed only scales: the same picture, as strong as the unit.
      const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const scaled = others.value.values;
      const [most, factor] = [largest(scaled), largest(scaled) / largest(one.values)];
      expect(one.values.every((value, at) => Math.abs(value * factor - scaled[at]!) <= 1e-4 * most)).toBe(true);
    });

    it('refuses a class score where a channel is a map', async () => {
      const { code, stderr } = await runCommand(home, 'project', '--workspace', workspace, '--layer', 'relu5', '--channel', '3', '--hit', '1', '--seed', 'logit', '--out', join(home, 'logit.npy'));
      expect([code, stderr]).toEqual([1, 'switchback: The seed "logit" stands for the score of a class; the channels of "relu5" are maps of 13 x 13. Choose a fully connected layer, or the seed "one" or "map".\n']);
    });
  });
});
