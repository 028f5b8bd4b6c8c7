/** Which files of a folder are checkpoints of one training, told by the number that their names end in: epoch-005.onnx, cifar10_full_iter_60000.caffemodel. */

/** Endings of files that hold a network with its weights. */
const networkEndings = ['.onnx', '.caffemodel', '.keras', '.h5', '.hdf5'];

export interface NumberedFiles {
  /** In the order of their numbers. */
  readonly checkpoints: readonly { readonly epoch: number; readonly name: string }[];
  readonly left: readonly { readonly name: string; readonly reason: string }[];
  /** Two names with one number; null where there are none. */
  readonly twice: { readonly epoch: number; readonly names: readonly [string, string] } | null;
}

export function numberedFiles(names: readonly string[]): NumberedFiles {
  const networks = names.filter((name) => !name.startsWith('.') && networkEndings.some((ending) => name.toLowerCase().endsWith(ending)));
  const numbered = networks.map((name) => ({ name, epoch: numberOf(name) }));
  const checkpoints = numbered.flatMap(({ name, epoch }) => (epoch === null ? [] : [{ epoch, name }])).sort((a, b) => a.epoch - b.epoch || (a.name < b.name ? -1 : 1));
  const second = checkpoints.findIndex(({ epoch }, at) => at > 0 && checkpoints[at - 1]!.epoch === epoch);
  return {
    checkpoints,
    left: numbered.filter(({ epoch }) => epoch === null).map(({ name }) => ({ name, reason: 'its name does not end in a number' })),
    twice: second < 0 ? null : { epoch: checkpoints[second]!.epoch, names: [checkpoints[second - 1]!.name, checkpoints[second]!.name] },
  };
}

/** The last digits of a name before its ending; null without any, and beyond what an epoch can be. */
export function numberOf(name: string): number | null {
  const stem = name.replace(/\.[^.]+$/, '');
  const digits = /(\d+)\D*$/.exec(stem)?.[1];
  const epoch = digits === undefined ? NaN : Number(digits);
  return Number.isSafeInteger(epoch) ? epoch : null;
}
