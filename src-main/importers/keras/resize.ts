/**
 * Enlarging and shrinking pictures: a linear map along height and one along width (nearest neighbour or linear interpolation). TensorFlow 2 and
 * Keras place pixel centres at half coordinates; TensorFlow 1 and TensorFlow.js may place them at whole ones or align the corners.
 */
import type { Network } from './network.ts';

export interface Resampling {
  readonly interpolation: 'nearest' | 'bilinear';
  readonly centres: 'half' | 'whole' | 'corners';
}

/** Largest matrix of one axis, in numbers: beyond any picture that fits into memory. */
export const largestMatrix = 2 ** 24;

/** Picture `[N, C, H, W]` -> `[N, C, height, width]`. */
export function resize(network: Network, value: string, size: readonly [number, number], resampling: Resampling): string {
  return resizeAxis(network, resizeAxis(network, value, 2, size[0], resampling), 3, size[1], resampling);
}

function resizeAxis(network: Network, value: string, axis: 2 | 3, size: number, resampling: Resampling): string {
  const from = network.shapeOf(value)[axis] as number;
  if (size === from) return value;
  if (!Number.isInteger(size) || size < 1 || size * from > largestMatrix) network.refuse(`resizes ${from} to ${size}, which is no sensible size`);
  const step = resampling.centres === 'corners' && size > 1 ? (from - 1) / (size - 1) : from / size;
  const first = resampling.centres === 'half' ? step / 2 - 0.5 : 0;
  const matrix = new Float32Array(size * from);
  for (let at = 0; at < size; at++) {
    for (const [source, share] of sources(at, from, step, resampling)) matrix[at * from + Math.min(Math.max(source, 0), from - 1)]! += share;
  }
  const window = windowOf(step, first, resampling);
  return network.add('SpatialLinear', [value, network.constant(axis === 2 ? 'rows' : 'columns', [size, from], matrix)], { axis, size, window });
}

/** Where an output position looks: the position it falls on and what rounding or interpolation adds on either side. */
function windowOf(step: number, first: number, { interpolation, centres }: Resampling) {
  if (interpolation === 'bilinear') return { size: 3, stride: step, offset: first - 1 };
  return { size: 2, stride: step, offset: centres === 'corners' ? -0.5 : centres === 'half' ? step / 2 - 1 : -1 };
}

/** Which input positions make an output position, with their shares. */
function sources(at: number, from: number, step: number, { interpolation, centres }: Resampling): readonly (readonly [number, number])[] {
  if (interpolation === 'nearest') {
    const place = centres === 'half' ? Math.floor((at + 0.5) * step) : centres === 'corners' ? Math.round(at * step) : Math.floor(at * step);
    return [[place, 1]];
  }
  const place = Math.max(0, centres === 'half' ? (at + 0.5) * step - 0.5 : at * step);
  const low = Math.floor(place);
  const share = place - low;
  return share === 0 || low >= from - 1 ? [[low, 1]] : [[low, 1 - share], [low + 1, share]];
}
