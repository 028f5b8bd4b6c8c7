/** TensorFlow graphs for tests, as TensorFlow.js' converter writes them; TensorFlow.js' own executor says what they compute. */
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { normalFloats, seededRandom } from '../../support/graphs.ts';
import { channelsFirst, channelsLast, tf, type pictures } from './kerasTwin.ts';

interface NodeJson {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, unknown>;
}

/** A graph model under construction. */
export class GraphModel {
  readonly nodes: NodeJson[] = [];
  readonly specs: { name: string; shape: number[]; dtype: string }[] = [];
  readonly chunks: Uint8Array[] = [];
  private readonly random = seededRandom(11);

  /** Each helper returns the node's name, to be given to the next. */
  node(op: string, name: string, input: string[], attr: Record<string, unknown> = {}): string {
    this.nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } });
    return name;
  }

  picture(shape: readonly number[]): string {
    return this.node('Placeholder', 'image', [], { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: shape.map((size) => ({ size: String(size) })) } } });
  }

  weight(name: string, shape: number[], change: (value: number) => number = (value) => value): string {
    const count = shape.reduce((a, b) => a * b, 1);
    return this.constant(name, shape, 'float32', normalFloats(this.random, count, 0.4).map(change));
  }

  integers(name: string, values: number[], shape = [values.length]): string {
    return this.constant(name, shape, 'int32', Int32Array.from(values));
  }

  private constant(name: string, shape: number[], dtype: 'float32' | 'int32', data: Float32Array | Int32Array): string {
    this.specs.push({ name, shape, dtype });
    this.chunks.push(new Uint8Array(data.buffer));
    return this.node('Const', name, [], { dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' } });
  }

  get shard(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.chunks));
  }

  get topology(): object {
    return { node: this.nodes, library: {}, versions: { producer: 1 } };
  }

  json(signature?: object): object {
    return { format: 'graph-model', modelTopology: this.topology, ...(signature ? { signature } : {}), weightsManifest: [{ paths: ['shard.bin'], weights: this.specs }] };
  }

  /** Output of TensorFlow.js' executor. */
  async expected(output: string, given: ReturnType<typeof pictures>) {
    const model = await loadGraphModel(tf.io.fromMemory({ modelTopology: this.topology, weightSpecs: this.specs as never, weightData: this.shard.buffer as ArrayBuffer }));
    return channelsFirst(model.execute({ image: channelsLast(given) }, output) as tf.Tensor);
  }
}

export const text = (value: string): object => ({ s: Buffer.from(value).toString('base64') });
export const texts = (values: string[]): object => ({ list: { s: values.map((value) => Buffer.from(value).toString('base64')) } });
export const list = (values: number[]): object => ({ list: { i: values.map(String) } });
/** Attributes of an operator with a window. */
export const window = (strides: number[], padding: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  strides: list([1, ...strides, 1]), dilations: list([1, 1, 1, 1]), padding: text(padding), data_format: text('NHWC'), ...more,
});
