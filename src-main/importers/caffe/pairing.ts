/**
 * A Caffe network is two files: the prototxt says what it is, the caffemodel holds its weights. Whichever is opened, the other is looked for beside it:
 * by what is in them first, by their names second.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Siblings } from '../format.ts';
import { dataTypes } from './layerTypes.ts';
import { parseNetwork, type CaffeNetwork } from './network.ts';
import { TextError } from './textTokens.ts';
import type { CaffeWeights } from './weights.ts';

/** A network description is a few hundred kilobytes at most. */
export const maximumPrototxtBytes = 2 ** 24;

/** Layers that are useless without trained blobs. */
const trainedTypes = new Set(['Convolution', 'ConvolutionDepthwise', 'DepthwiseConvolution', 'Deconvolution', 'InnerProduct', 'BatchNorm', 'PReLU']);

/** Name of the .caffemodel that goes with a prototxt: of the same stem, named like it (the last snapshot of several), or the only one. Throws AppError. */
export function findWeightsFile(prototxt: string, siblings: Siblings, warn: (sentence: string) => void): string {
  const all = siblings.list().filter((name) => /\.caffemodel$/i.test(name));
  const exact = all.find((name) => stem(name) === stem(prototxt));
  if (exact) return exact;
  const alike = all.filter((name) => plainName(name) === plainName(prototxt)).sort((a, b) => iteration(b) - iteration(a));
  const found = alike[0] ?? (all.length === 1 ? all[0] : undefined);
  if (found) {
    if (alike.length > 1) warn(`${alike.length} snapshots of this network are beside ${prototxt}; the last one, ${found}, was taken. Open another .caffemodel itself to see it.`);
    return found;
  }
  if (all.length > 1) {
    throw new AppError('BAD_REQUEST', `${prototxt} has no weights of its own name beside it, but ${all.length} other files: ${listed(all)}. Open the .caffemodel that belongs to it.`, { file: prototxt });
  }
  throw new AppError('NOT_FOUND', `${prototxt} describes a Caffe network, but its weights are missing: there is no .caffemodel beside it. Put the .caffemodel into the same folder.`, { file: prototxt });
}

/** The prototxt that goes with weights: one whose layers they hold, made for deployment and named like them before others. Throws AppError. */
export function findNetworkFile(caffemodel: string, weights: CaffeWeights, siblings: Siblings): string {
  const all = siblings.list().filter((name) => /\.(prototxt|pbtxt|prototext)$/i.test(name));
  const candidates = all.flatMap((name) => {
    const network = tryParse(siblings, name);
    return network ? [{ name, rank: rankOf(network, name, caffemodel, weights) }] : [];
  });
  const [best] = candidates.sort((a, b) => compare(a.rank, b.rank) || (a.name < b.name ? -1 : 1));
  if (best && best.rank[0] === 0) return best.name;
  if (best) {
    throw new AppError('NOT_FOUND', `None of the ${candidates.length} prototxt file(s) beside ${caffemodel} belongs to it: ${best.name} has layers whose weights it does not hold. Put its own prototxt (deploy.prototxt) into the same folder.`, { file: caffemodel });
  }
  throw new AppError('NOT_FOUND', `${caffemodel} holds the weights of a Caffe network, but its description is missing: there is no prototxt beside it. Put its prototxt (deploy.prototxt) into the same folder.`, { file: caffemodel });
}

/** Smaller is better, the first difference decides. */
type Rank = readonly [missing: number, notForDeployment: number, namedOtherwise: number, unused: number];

function rankOf(network: CaffeNetwork, name: string, caffemodel: string, weights: CaffeWeights): Rank {
  const trained = new Set(network.layers.filter(({ type }) => trainedTypes.has(type)).map((layer) => layer.name));
  const used = new Set(network.layers.map((layer) => layer.name));
  const missing = [...trained].filter((layer) => !weights.has(layer)).length + (trained.size === 0 ? 1 : 0);
  const forDeployment = network.inputs.length > 0 || network.layers.some(({ type }) => type === 'Input');
  const isOther = plainName(name) !== plainName(caffemodel);
  return [missing, forDeployment ? 0 : 1, isOther ? 1 : 0, [...weights.keys()].filter((layer) => !used.has(layer)).length];
}

function compare(a: Rank, b: Rank): number {
  return a.map((value, index) => value - b[index]!).find((difference) => difference !== 0) ?? 0;
}

function tryParse(siblings: Siblings, name: string): CaffeNetwork | undefined {
  try {
    const network = parseNetwork(new TextDecoder().decode(siblings.peek(name, maximumPrototxtBytes)));
    return network.layers.some(({ type }) => !dataTypes.has(type)) ? network : undefined;
  } catch (error) {
    // A solver, or another network that is broken, is no reason to refuse this one.
    if (error instanceof TextError || error instanceof AppError) return undefined;
    throw error;
  }
}

function stem(name: string): string {
  return name.replace(/\.[^.]+$/, '');
}

/** What people put around a network's name: deploy, train_val, train_test, the iteration of a snapshot. */
function plainName(name: string): string {
  return stem(name).toLowerCase().replace(/_iter_\d+/, '').replace(/(^|[_.-])(deploy|train_val|train_test|train|test|val|trainval|net|model)(?=$|[_.-])/g, '').replace(/^[_.-]+|[_.-]+$/g, '');
}

function iteration(name: string): number {
  return Number(/_iter_(\d+)/.exec(name)?.[1] ?? 0);
}

function listed(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
}
