/** Diagnostics of trained networks: what their first filters are known to be. The numbers are of these very files. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DiagnosticReport } from '../../src-main/services/diagnostics.ts';
import type { Services } from '../../src-main/services/services.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { openServices } from '../support/openServices.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

const cifar = 'models/caffe/cifar10-v1';
const needed = ['models/squeezenet1.1.onnx', 'models/alexnet-conv1-pool5.onnx', cifar];

describeWithData('diagnostics of trained networks', needed, () => {
  const root = temporaryFolder('diagnostics-corpus');
  let services: Services;
  beforeAll(async () => {
    services = await openServices(root, join(root, 'workspace'));
  });
  afterAll(async () => {
    await services.close();
    rmSync(root, { recursive: true, force: true });
  });

  const report = (name: string) => services.diagnostics.model({ kind: 'file', path: dataPath(name) });
  const numbers = ({ measures }: DiagnosticReport) => Object.fromEntries(measures.map(({ kind, value }) => [kind, value && Number(value.toFixed(2))]));
  const keys = ({ measures }: DiagnosticReport) => measures.map(({ sentence }) => sentence.key);

  it('AlexNet: gratings of all kinds, most of them finer than its stride of 4 carries', async () => {
    const alexnet = await report('models/alexnet-conv1-pool5.onnx');
    expect(alexnet.filters).toMatchObject({ kind: 'colour', filters: 96, kernel: [11, 11], stride: [4, 4] });
    expect(numbers(alexnet)).toEqual({ frequency: 0.36, strength: 1.86, aliasing: 0.63, checkerboard: 0.02, dead: null, usage: null });
    expect(keys(alexnet)).toEqual(['frequencyBalanced', 'strengthEven', 'aliasingStrong', 'checkerboardSome', 'needsIndex', 'needsIndex']);
  });
  it('SqueezeNet 1.1: 3 x 3 filters at stride 2 overlap unevenly', async () => {
    const squeezenet = await report('models/squeezenet1.1.onnx');
    expect(numbers(squeezenet)).toEqual({ frequency: 0.77, strength: 1.75, aliasing: 0.56, checkerboard: 0.14, dead: null, usage: null });
    expect(keys(squeezenet)).toEqual(['frequencyTooSmall', 'strengthEven', 'aliasingStrong', 'checkerboardStrong', 'needsIndex', 'needsIndex']);
  });
  it('the CIFAR-10 network of Caffe: 5 x 5 at stride 1, nothing aliased, no grid', async () => {
    const full = await report(`${cifar}/cifar10_full_iter_60000.caffemodel`);
    expect(full.filters).toMatchObject({ kind: 'colour', filters: 32, kernel: [5, 5], stride: [1, 1], inputs: 3 });
    expect(numbers(full)).toEqual({ frequency: 0.45, strength: 1.92, aliasing: 0, checkerboard: 0, dead: null, usage: null });
    expect(keys(full).slice(2, 4)).toEqual(['aliasingNoStride', 'checkerboardNoStride']);
  });
  it('filters of a deeper layer, and of groups, are rows of grey tiles', async () => {
    const rows = await services.diagnostics.filters({ model: { kind: 'file', path: dataPath('models/alexnet-conv1-pool5.onnx') }, layer: 'conv2', input: 'all', scale: 'own', from: 250, count: 10 });
    expect(rows).toMatchObject({ kind: 'rows', filters: 256, from: 250, count: 6, inputs: 48, groups: 2, kernel: [5, 5], columns: 48 });
  });
});
