/** Where a file keeps the weights of its layers. Each way of storing them (HDF5 groups, Keras 3 archives, TensorFlow.js shards) is one source. */
import type { FileTensor } from './operations.ts';

export interface WeightPlace {
  /** Names of the networks around the layer, the outermost not counted, then the layer's own name. */
  readonly path: readonly string[];
  /** Where a Keras 3 archive keeps it: class names in their order, e.g. `layers/functional/layers/conv2d_1`. */
  readonly checkpoint: string;
}

export interface WeightSource {
  /** A weight by its role (`kernel`, `gamma` ...), for sources without roles by its place among the layer's weights. */
  find(place: WeightPlace, role: string, position: number): FileTensor | undefined;
}

/** What Keras 1 called the weights, behind the layer's name and an underscore. */
const oldRoles: ReadonlyMap<string, string> = new Map([['kernel', 'W'], ['bias', 'b'], ['moving_mean', 'running_mean'], ['moving_variance', 'running_std'], ['alpha', 'alphas']]);

export interface NamedWeight {
  /** `conv2d/kernel`, with any scopes in front. */
  readonly name: string;
  read(): FileTensor;
}

/** Finds a weight by the networks around its layer, the layer's name and its role. */
export type WeightIndex = (path: readonly string[], role: string) => NamedWeight | undefined;

/**
 * Index over weights called `.../layer/role`, or by Keras 1 `layer_R`. Where several networks use the same names, the weight whose scopes name more of
 * the networks around the layer is found.
 */
export function indexWeights(weights: readonly NamedWeight[]): WeightIndex {
  const byEnd = new Map<string, { readonly weight: NamedWeight; readonly scopes: readonly string[] }[]>();
  for (const weight of weights) {
    const parts = plainWeightName(weight.name).split('/');
    for (const end of [parts.slice(-2).join('/'), parts.at(-1)!]) byEnd.set(end, [...(byEnd.get(end) ?? []), { weight, scopes: parts }]);
  }
  return (path, role) => {
    const layer = path.at(-1)!;
    const candidates = byEnd.get(`${layer}/${role}`) ?? byEnd.get(`${layer}_${oldRole(role)}`) ?? [];
    const score = (scopes: readonly string[]): number => path.slice(0, -1).filter((outer) => scopes.includes(outer)).length;
    let best = candidates[0];
    for (const candidate of candidates) if (score(candidate.scopes) > score(best!.scopes)) best = candidate;
    return best?.weight;
  };
}

function oldRole(role: string): string {
  return oldRoles.get(role) ?? role;
}

/** Without TensorFlow's output number. */
function plainWeightName(name: string): string {
  return name.replace(/:\d+$/, '');
}

/** Whether a weight's name ends in that role, whatever layer it names. */
export function hasRole(name: string, role: string): boolean {
  const last = plainWeightName(name).split('/').at(-1)!;
  return last === role || last.endsWith(`_${oldRole(role)}`);
}
