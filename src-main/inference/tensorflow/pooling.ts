/**
 * Pooling on tfjs. Switches are composed from one view per kernel position rather than taken from MaxPoolWithArgmax: backends differ there in ties and
 * padding, and method.md section 3 fixes both (padding never wins; the first maximum in row-major order wins; shared winners are summed).
 */
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { AppError } from '../../../src-shared/errors.ts';
import type { WindowAttributes } from '../../graph/ops/attributes.ts';
import { innerAxis, toInner } from './layout.ts';
import { spatialSize, type CompileContext, type Lowering } from './lowering.ts';
import { featureMap, padded, windowCounts, windowViews } from './windows.ts';

export const maxPool: Lowering<'MaxPool'> = (node, context) => {
  const { tf } = context;
  const x = context.read(node.inputs[0]!);
  const { kernel, strides, pads } = node.attributes;
  if (node.outputs[1]) {
    const pool = poolWithSwitches(context, node.inputs[0]!, node.attributes);
    return (run) => pool(featureMap(x(run)));
  }
  if (isPlain(node.attributes)) return (run) => [tf.maxPool(padded(tf, featureMap(x(run)), pads, -Infinity), [...kernel], [...strides], 'valid')];
  return (run) => [windowViews(tf, featureMap(x(run)), node.attributes, -Infinity).map((view) => view()).reduce((best, view) => tf.maximum(best, view))];
};

export const unpool: Lowering<'Unpool'> = (node, { tf, read }) => {
  const signal = read(node.inputs[0]!);
  const switches = read(node.inputs[1]!);
  const { height, width } = node.attributes;
  return (run) => {
    const values = featureMap(signal(run));
    const [batch, , , channels] = values.shape;
    const count = values.size;
    // Signal and switches lie in the same order, so flattening keeps the pairs; scatterND adds what falls on one place.
    const sums = tf.scatterND(tf.reshape(switches(run), [count, 1]), tf.reshape(values, [count]), [batch * channels * height * width]);
    return [toInner(tf, tf.reshape(sums, [batch, channels, height, width]))];
  };
};

export const averagePool: Lowering<'AveragePool'> = (node, context) => {
  const { tf } = context;
  const x = context.read(node.inputs[0]!);
  const { kernel, strides, pads, countIncludePad } = node.attributes;
  const [height, width] = spatialSize(context, node.inputs[0]!);
  const corrected = !countIncludePad && pads.some((pad) => pad > 0);
  const correction = corrected && context.keep(divisorCorrections(height, width, node.attributes), [1, ...windowCounts(height, width, node.attributes), 1]);
  return (run) => {
    const input = featureMap(x(run));
    const mean = isPlain(node.attributes)
      ? tf.avgPool(padded(tf, input, pads, 0), [...kernel], [...strides], 'valid')
      : tf.div<Tensor4D>(windowViews(tf, input, node.attributes, 0).map((view) => view()).reduce((sum, view) => tf.add(sum, view)), kernel[0] * kernel[1]);
    return [correction ? tf.mul(mean, correction) : mean];
  };
};

export const globalAveragePool: Lowering<'GlobalAveragePool'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => [tf.mean(x(run), [innerAxis(2, 4), innerAxis(3, 4)], true)];
};

export const spatialMax: Lowering<'SpatialMax'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => {
    const input = x(run);
    if (input.rank === 2) return [tf.clone(input), tf.zeros(input.shape, 'int32')];
    const [batch, height, width, channels] = featureMap(input).shape;
    const positions: Tensor3D = tf.reshape(input, [batch, height * width, channels]);
    const largest = tf.max(positions, 1);
    if (tf.getBackend() === 'wasm' || tf.getBackend() === 'cpu') return [largest, tf.argMax(positions, 1)];
    // A GPU's argMax takes any of several equal maxima; the first is the smallest place that holds the maximum.
    const places = tf.reshape(tf.range(0, height * width), [1, height * width, 1]);
    const atMaximum = tf.equal(positions, tf.reshape(largest, [batch, 1, channels]));
    return [largest, tf.cast(tf.min(tf.where(atMaximum, places, tf.scalar(height * width)), 1), 'int32')];
  };
};

/** tfjs's pools have no dilation, and XNNPACK refuses a 1 x 1 window. */
function isPlain({ kernel, dilations }: WindowAttributes): boolean {
  return dilations[0] === 1 && dilations[1] === 1 && kernel[0] * kernel[1] > 1;
}

/**
 * The maxima, and for each the index into the flattened `[N, C, H, W]` input. A later kernel position takes over only when strictly larger, so that
 * the first wins; and the winner is moved to the first position inside the input where nothing was larger than padding (values of -Infinity).
 */
function poolWithSwitches(context: CompileContext, name: string, attributes: WindowAttributes): (x: Tensor4D) => Tensor[] {
  const { tf } = context;
  const [height, width] = spatialSize(context, name);
  const [rows, columns] = windowCounts(height, width, attributes);
  const { firstTaps, corners, offsets } = windowTables(height, width, attributes);
  // Only windows that begin in padding need the correction, and it costs a broadcast.
  const first = firstTaps.some((tap) => tap > 0) && context.keep(firstTaps, [1, rows, columns, 1], 'int32');
  const corner = context.keep(corners, [1, rows, columns, 1], 'int32');
  const offset = context.keep(offsets, [offsets.length], 'int32');
  return (x) => {
    const [batch, , , channels] = x.shape;
    if (x.size >= 2 ** 31) throw new AppError('UNSUPPORTED', `switches into ${x.size} values do not fit into the 32 bits that TensorFlow.js has; use a smaller batch`);
    const views = windowViews(tf, x, attributes, -Infinity);
    let best = views[0]!();
    let winner: Tensor = tf.zeros(best.shape, 'int32');
    for (let tap = 1; tap < views.length; tap++) {
      const [nextBest, nextWinner] = tf.tidy((): [Tensor4D, Tensor] => {
        const view = views[tap]!();
        const larger = tf.greater(view, best);
        // Taps only grow, so the largest one that ever took over is the winner.
        return [tf.maximum(best, view), tf.maximum(winner, tf.mul(tf.cast(larger, 'int32'), tf.scalar(tap, 'int32')))];
      });
      tf.dispose([best, winner]);
      [best, winner] = [nextBest, nextWinner];
    }
    const steps = tf.gather(offset, first ? tf.cast(tf.maximum(winner, first), 'int32') : winner);
    const planes = tf.reshape(tf.range(0, batch * channels, 1, 'int32'), [batch, 1, 1, channels]);
    const starts = tf.add(tf.mul(planes, tf.scalar(height * width, 'int32')), corner);
    return [best, tf.add(steps, starts)];
  };
}

/** Per window: the first kernel position inside the input and where its corner lies; per kernel position: its distance from the corner in the plane. */
function windowTables(height: number, width: number, attributes: WindowAttributes) {
  const { kernel, strides, dilations, pads } = attributes;
  const [rows, columns] = windowCounts(height, width, attributes);
  const firstTaps = new Int32Array(rows * columns);
  const corners = new Int32Array(rows * columns);
  for (let at = 0; at < corners.length; at++) {
    const top = Math.floor(at / columns) * strides[0] - pads[0];
    const left = (at % columns) * strides[1] - pads[1];
    firstTaps[at] = firstInside(top, dilations[0]) * kernel[1] + firstInside(left, dilations[1]);
    corners[at] = top * width + left;
  }
  const offsets = Int32Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => Math.floor(tap / kernel[1]) * dilations[0] * width + (tap % kernel[1]) * dilations[1]);
  return { firstTaps, corners, offsets };
}

function firstInside(start: number, dilation: number): number {
  return start >= 0 ? 0 : Math.ceil(-start / dilation);
}

/** Window size over the number of its positions inside the input: turns a mean that counted padding into one that did not. */
function divisorCorrections(height: number, width: number, attributes: WindowAttributes): Float32Array {
  const { kernel, strides, dilations, pads } = attributes;
  const [rows, columns] = windowCounts(height, width, attributes);
  const inside = (start: number, taps: number, dilation: number, size: number) =>
    Array.from({ length: taps }, (_, tap) => start + tap * dilation).filter((position) => position >= 0 && position < size).length;
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const down = inside(Math.floor(at / columns) * strides[0] - pads[0], kernel[0], dilations[0], height);
    const across = inside((at % columns) * strides[1] - pads[1], kernel[1], dilations[1], width);
    return (kernel[0] * kernel[1]) / (down * across);
  });
}
