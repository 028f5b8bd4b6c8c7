/** Small networks of the two classic shapes, with seeded weights: every op of the real ones, sizes that a slow engine runs in seconds. Every value is an output. */
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import { normalFloats, seededRandom, windowOf, type Random } from '../support/graphs.ts';

interface ConvolutionShape {
  readonly outputs: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
}

/** AlexNet in small: strided first convolution, LRN, overlapping pools, two groups, three fully connected layers with softmax; input `[N, 3, 67, 67]`. */
export function alexNetShaped(seed: number): Graph {
  const net = networkBuilder('small AlexNet', seed, [3, 67, 67]);
  let at = net.convolution('conv1', 'image', { outputs: 12, kernel: 11, stride: 4 });
  at = net.pool('pool1', net.normalized('norm1', at));
  at = net.convolution('conv2', at, { outputs: 16, kernel: 5, pad: 2, group: 2 });
  at = net.pool('pool2', net.normalized('norm2', at));
  at = net.convolution('conv3', at, { outputs: 24, kernel: 3, pad: 1 });
  at = net.convolution('conv4', at, { outputs: 24, kernel: 3, pad: 1, group: 2 });
  at = net.convolution('conv5', at, { outputs: 16, kernel: 3, pad: 1, group: 2 });
  at = net.flattened('flat', at);
  at = net.connected('fc6', at, 32, true);
  at = net.connected('fc7', at, 32, true);
  at = net.connected('fc8', at, 10, false);
  net.builder.add('Softmax', [at], { axis: 1 }, { outputs: ['probabilities'] });
  return net.finish();
}

/** SqueezeNet in small: fire modules (squeeze, two expansions, concat), pools extended past the border as ceil_mode does, global average; input `[N, 3, 48, 48]`. */
export function squeezeNetShaped(seed: number): Graph {
  const net = networkBuilder('small SqueezeNet', seed, [3, 48, 48]);
  let at = net.convolution('conv1', 'image', { outputs: 16, kernel: 3, stride: 2 });
  at = net.pool('pool1', at, [0, 0, 1, 1]);
  at = fire('fire2', at, 4, 12);
  at = fire('fire3', at, 4, 12);
  at = net.pool('pool3', at, [0, 0, 1, 1]);
  at = fire('fire4', at, 8, 20);
  at = net.convolution('conv10', at, { outputs: 10, kernel: 1 });
  const [mean] = net.builder.add('GlobalAveragePool', [at], {}, { outputs: ['mean'] }) as [string];
  net.builder.add('Softmax', [net.flattened('logits', mean)], { axis: 1 }, { outputs: ['probabilities'] });
  return net.finish();

  function fire(name: string, input: string, squeeze: number, expand: number): string {
    const squeezed = net.convolution(`${name}/squeeze1x1`, input, { outputs: squeeze, kernel: 1 });
    const one = net.convolution(`${name}/expand1x1`, squeezed, { outputs: expand, kernel: 1 });
    const three = net.convolution(`${name}/expand3x3`, squeezed, { outputs: expand, kernel: 3, pad: 1 });
    return net.builder.add('Concat', [one, three], { axis: 1 }, { outputs: [`${name}/concat`] })[0]!;
  }
}

function networkBuilder(name: string, seed: number, image: readonly number[]) {
  const random = seededRandom(seed);
  const builder = createGraphBuilder(name);
  const outputs: string[] = [];
  const recording: GraphBuilder = {
    ...builder,
    add(...call) {
      const made = builder.add(...call);
      outputs.push(...made);
      return made;
    },
  };
  builder.input('image', 'float32', ['batch', ...image]);
  return {
    builder: recording,
    convolution(title: string, input: string, { outputs: count, kernel, stride = 1, pad = 0, group = 1 }: ConvolutionShape): string {
      const channels = builder.valueOf(input).shape[1] as number;
      weigh(title, [count, channels / group, kernel, kernel]);
      recording.add('Conv', [input, `${title}.weight`, `${title}.bias`], { ...windowOf([kernel, kernel], { strides: [stride, stride], pads: [pad, pad, pad, pad] }), group }, { outputs: [title] });
      return recording.add('Relu', [title], {}, { outputs: [`${title}/relu`] })[0]!;
    },
    pool: (title: string, input: string, pads: readonly [number, number, number, number] = [0, 0, 0, 0]): string =>
      recording.add('MaxPool', [input], windowOf([3, 3], { strides: [2, 2], pads }), { outputs: [title, `${title}/switches`] })[0]!,
    normalized: (title: string, input: string): string => recording.add('LRN', [input], { size: 5, alpha: 1e-2, beta: 0.75, bias: 1 }, { outputs: [title] })[0]!,
    flattened(title: string, input: string): string {
      const count = (builder.valueOf(input).shape.slice(1) as number[]).reduce((product, size) => product * size, 1);
      return recording.add('Reshape', [input], { shape: ['batch', count] }, { outputs: [title] })[0]!;
    },
    connected(title: string, input: string, count: number, rectified: boolean): string {
      weigh(title, [count, builder.valueOf(input).shape[1] as number]);
      recording.add('Gemm', [input, `${title}.weight`, `${title}.bias`], { transposeB: true }, { outputs: [title] });
      return rectified ? recording.add('Relu', [title], {}, { outputs: [`${title}/relu`] })[0]! : title;
    },
    finish: (): Graph => builder.finish(outputs),
  };

  /** He's initialisation, so that no layer dies or explodes; small random biases. */
  function weigh(title: string, shape: readonly number[]): void {
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
    builder.tensor(tensorOf(random, `${title}.weight`, shape, Math.sqrt(2 / fanIn)));
    builder.tensor(tensorOf(random, `${title}.bias`, [shape[0]!], 0.05));
  }
}

function tensorOf(random: Random, name: string, shape: readonly number[], deviation: number) {
  return { name, dataType: 'float32' as const, shape, data: normalFloats(random, shape.reduce((product, size) => product * size, 1), deviation) };
}
