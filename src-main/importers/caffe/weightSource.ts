/**
 * Where a converter gets trained values from: a .caffemodel, matched by layer name, or nothing but zeros of the right sizes, with which a network's
 * layers and receptive fields can be told but nothing can be computed.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount } from '../../graph/graph.ts';
import type { CaffeLayer } from './network.ts';
import type { CaffeWeights } from './weights.ts';

export interface WeightSource {
  /** The values of blob `index` as `shape`. Throws AppError UNREADABLE_FILE where it is missing or of another size. */
  read(layer: CaffeLayer, index: number, shape: readonly number[], what: string): Float32Array;
  /** The shape that the file gives a blob; undefined where there is none. */
  shapeOf(layer: string, index: number): readonly number[] | undefined;
}

export function trainedWeights(weights: CaffeWeights, weightsFile: string, networkFile: string): WeightSource {
  const apart = `${networkFile} and ${weightsFile} do not belong together, or the input size is another than the network was trained for.`;
  return {
    shapeOf: (layer, index) => weights.get(layer)?.[index]?.shape,
    read({ name, type, line }, index, shape, what) {
      const data = { file: weightsFile, layer: name, line };
      const title = `Layer ${JSON.stringify(name)} (${type}, line ${line}) of ${networkFile}`;
      const blobs = weights.get(name);
      if (!blobs) {
        throw new AppError('UNREADABLE_FILE', `${title} has no weights in ${weightsFile}, which holds those of ${listed([...weights.keys()])}. The two files do not belong together.`, data);
      }
      const blob = blobs[index];
      if (!blob) throw new AppError('UNREADABLE_FILE', `${title} needs ${index + 1} blobs for its ${what}; ${weightsFile} has ${blobs.length}. The two files do not belong together.`, data);
      if (!fits(blob.shape, shape)) {
        throw new AppError('UNREADABLE_FILE', `${title}: its ${what} should have the shape [${shape.join(', ')}], ${weightsFile} has [${blob.shape.join(', ')}]. ${apart}`, data);
      }
      return blob.data;
    },
  };
}

/** A limit for networks written to exhaust memory: 2 GiB of zeros. */
const maximumZeros = 2 ** 29;

/** Zeros in place of all weights; they share their memory. */
export function absentWeights(): WeightSource {
  let zeros = new Float32Array(0);
  return {
    shapeOf: () => undefined,
    read({ name, type, line }, _index, shape, what) {
      const count = elementCount(shape);
      if (count > maximumZeros) {
        throw new AppError('UNSUPPORTED', `Layer ${JSON.stringify(name)} (${type}, line ${line}): its ${what} would have ${count} values ([${shape.join(', ')}]); ${maximumZeros} are the limit.`, { layer: name, line });
      }
      if (zeros.length < count) zeros = new Float32Array(count);
      return zeros.subarray(0, count);
    },
  };
}

/** Old files give every blob four axes, with ones in front; the sizes that are not one must agree in order. A matrix may be a convolution's weights seen flat. */
function fits(found: readonly number[], wanted: readonly number[]): boolean {
  const plain = (shape: readonly number[]) => shape.filter((size) => size !== 1).join();
  return plain(found) === plain(wanted) || (wanted.length === 2 && found[0] === wanted[0] && elementCount(found) === elementCount(wanted));
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(', ') || 'no layer';
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
