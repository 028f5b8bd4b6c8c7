/**
 * ZFNet (Zeiler & Fergus 2013, Figure 3) and AlexNet (Krizhevsky et al. 2012) as method.md section 7 settles them, so that one network carries each name;
 * both with a factor on the width of every hidden layer and an input size of choice, for small data. Weights are zero: initialise.ts draws them.
 */
import { AppError } from '../../src-shared/errors.ts';
import { createGraphBuilder, type GraphBuilder } from '../graph/build.ts';
import type { Graph } from '../graph/graph.ts';
import type { Pads } from '../graph/ops/attributes.ts';

export interface ArchitectureSize {
  /** Multiplies the channels and units of every hidden layer. */
  readonly width: number;
  /** Units of each of the two fully connected hidden layers; absent: 4096 times `width`. */
  readonly units?: number | undefined;
  /** Edge of the square input, in pixels. */
  readonly input: number;
  readonly classes: number;
}

/** Name of the picture input of both. */
export const pictureInput = 'image';

export const architectures = { zfnet, alexnet } as const satisfies Record<string, (size: ArchitectureSize) => Graph>;

/** Convolutions have dense connections; every pool is 3 x 3 with stride 2. Throws AppError BAD_REQUEST where the input is too small. */
function zfnet({ width, units, input, classes }: ArchitectureSize): Graph {
  return network('ZFNet', input, (layers) => {
    const scaled = (channels: number) => Math.max(1, Math.round(channels * width));
    layers.conv('conv1', scaled(96), 7, { stride: 2, pad: 1 });
    layers.pool('pool1', { ceil: true });
    layers.lrn('norm1');
    layers.conv('conv2', scaled(256), 5, { stride: 2 });
    layers.pool('pool2', { ceil: true });
    layers.lrn('norm2');
    layers.conv('conv3', scaled(384), 3, { pad: 1 });
    layers.conv('conv4', scaled(384), 3, { pad: 1 });
    layers.conv('conv5', scaled(256), 3, { pad: 1 });
    layers.pool('pool5', { ceil: false });
    layers.classifier(units ?? scaled(4096), classes);
  });
}

/** The second, fourth and fifth convolution see half of the channels each, in two groups. Throws AppError BAD_REQUEST where the input is too small. */
function alexnet({ width, units, input, classes }: ArchitectureSize): Graph {
  return network('AlexNet', input, (layers) => {
    const scaled = (channels: number) => Math.max(2, 2 * Math.round((channels * width) / 2));
    layers.conv('conv1', scaled(96), 11, { stride: 4 });
    layers.lrn('norm1');
    layers.pool('pool1', { ceil: false });
    layers.conv('conv2', scaled(256), 5, { pad: 2, group: 2 });
    layers.lrn('norm2');
    layers.pool('pool2', { ceil: false });
    layers.conv('conv3', scaled(384), 3, { pad: 1 });
    layers.conv('conv4', scaled(384), 3, { pad: 1, group: 2 });
    layers.conv('conv5', scaled(256), 3, { pad: 1, group: 2 });
    layers.pool('pool5', { ceil: false });
    layers.classifier(units ?? scaled(4096), classes);
  });
}

interface Layers {
  /** With its ReLU. */
  conv(name: string, channels: number, kernel: number, options?: { readonly stride?: number; readonly pad?: number; readonly group?: number }): void;
  /** `ceil`: windows that reach past the border count too. */
  pool(name: string, options: { readonly ceil: boolean }): void;
  lrn(name: string): void;
  /** fc6 and fc7 with their ReLUs, fc8 to the classes, softmax. */
  classifier(units: number, classes: number): void;
}

function network(name: string, input: number, describe: (layers: Layers) => void): Graph {
  const build = createGraphBuilder(name);
  let value = build.input(pictureInput, 'float32', ['batch', 3, input, input]);
  const edge = () => build.valueOf(value).shape[2] as number;
  const channels = () => build.valueOf(value).shape[1] as number;
  const refuseSmall = (layer: string, kernel: number, padded: number): void => {
    if (padded < kernel) throw new AppError('BAD_REQUEST', `${name} does not fit an input of ${input} x ${input} pixels: ${layer} has a ${kernel} x ${kernel} window and only ${padded} x ${padded} values left. Use a larger input.`, { input });
  };
  describe({
    conv(layer, outputs, kernel, { stride = 1, pad = 0, group = 1 } = {}) {
      refuseSmall(layer, kernel, edge() + 2 * pad);
      const weights = zeros(build, `${layer}.weight`, [outputs, channels() / group, kernel, kernel]);
      const [sum] = build.add('Conv', [value, weights, zeros(build, `${layer}.bias`, [outputs])], { kernel: [kernel, kernel], strides: [stride, stride], dilations: [1, 1], pads: [pad, pad, pad, pad], group }, { name: layer });
      value = rectified(build, sum!, layer);
    },
    pool(layer, { ceil }) {
      refuseSmall(layer, 3, edge());
      const past = ceil ? (2 - ((edge() - 3) % 2)) % 2 : 0;
      const pads: Pads = [0, 0, past, past];
      [value] = build.add('MaxPool', [value], { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], pads }, { name: layer }) as [string];
    },
    lrn(layer) {
      [value] = build.add('LRN', [value], { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 }, { name: layer }) as [string];
    },
    classifier(units, classes) {
      const count = channels() * edge() * edge();
      [value] = build.add('Reshape', [value], { shape: ['batch', count] }, { name: 'flatten' }) as [string];
      for (const layer of ['fc6', 'fc7']) value = rectified(build, dense(build, layer, value, units), layer);
      [value] = build.add('Softmax', [dense(build, 'fc8', value, classes)], { axis: 1 }, { name: 'prob' }) as [string];
    },
  });
  return build.finish([value]);
}

function dense(build: GraphBuilder, layer: string, value: string, units: number): string {
  const weights = zeros(build, `${layer}.weight`, [units, build.valueOf(value).shape[1] as number]);
  return build.add('Gemm', [value, weights, zeros(build, `${layer}.bias`, [units])], { transposeB: true }, { name: layer })[0]!;
}

/** relu1 behind conv1, and so on. */
function rectified(build: GraphBuilder, value: string, layer: string): string {
  return build.add('Relu', [value], {}, { name: layer.replace(/^[a-z]+/, 'relu') })[0]!;
}

function zeros(build: GraphBuilder, name: string, shape: readonly number[]): string {
  return build.tensor({ name, dataType: 'float32', shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) });
}
