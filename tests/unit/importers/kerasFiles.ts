/** Writes Keras files for tests: `.h5` as Keras 1 to 3 write them, and `.keras` archives, from the weights of a TensorFlow.js network. */
import { strToU8, zipSync } from 'fflate';
import h5wasm from 'h5wasm';
import type { layers, tf } from './kerasTwin.ts';

export type Group = Pick<InstanceType<typeof h5wasm.File>, 'create_group' | 'create_dataset' | 'create_attribute'>;

/** Bytes of an HDF5 file. */
export async function hdf5(write: (file: Group) => void): Promise<Uint8Array> {
  const { FS: files } = await h5wasm.ready;
  const file = new h5wasm.File('/writing.h5', 'w');
  write(file);
  file.close();
  const bytes = files.readFile('/writing.h5');
  files.unlink('/writing.h5');
  return bytes;
}

/** Groups below one, made when first asked for. */
export function groupsIn(file: Group): (path: string) => Group {
  const groups = new Map<string, Group>([['', file]]);
  return function groupAt(path: string): Group {
    const known = groups.get(path);
    if (known) return known;
    const cut = path.lastIndexOf('/');
    const group = groupAt(path.slice(0, Math.max(cut, 0))).create_group(path.slice(cut + 1));
    groups.set(path, group);
    return group;
  };
}

export function put(groupAt: (path: string) => Group, path: string, weight: tf.Tensor): void {
  const cut = path.lastIndexOf('/');
  groupAt(path.slice(0, Math.max(cut, 0))).create_dataset({ name: path.slice(cut + 1), data: weight.dataSync() as Float32Array, shape: weight.shape });
}

interface Dialect {
  readonly version: string;
  /** Name of a weight in the file, from `layer/role`. */
  readonly naming: (name: string) => string;
  /** Cuts the list of names into attributes of two. */
  readonly cut: boolean;
}

/** `model.save("x.h5")`: one group per layer with its weights under their names. */
export function legacyFile(model: layers.LayersModel, description: unknown, dialect: Partial<Dialect> = {}): Promise<Uint8Array> {
  const { version = '2.11.0', naming = (name) => `${name}:0`, cut = false } = dialect;
  return hdf5((file) => {
    file.create_attribute('keras_version', version);
    file.create_attribute('backend', 'tensorflow');
    file.create_attribute('model_config', JSON.stringify(description));
    const groupAt = groupsIn(file);
    for (const layer of model.layers) {
      const group = groupAt(`model_weights/${layer.name}`);
      const names = layer.weights.map(({ originalName }) => naming(originalName));
      layer.getWeights().forEach((weight, index) => put(groupAt, `model_weights/${layer.name}/${names[index]!}`, weight));
      // A layer without weights has a list of no numbers, as NumPy makes it.
      if (names.length === 0) group.create_attribute('weight_names', new Float64Array(0));
      else if (cut) for (let at = 0; at < names.length; at += 2) group.create_attribute(`weight_names${at / 2}`, names.slice(at, at + 2));
      else group.create_attribute('weight_names', names);
    }
    const optimizer = groupAt('optimizer_weights');
    optimizer.create_dataset({ name: 'iterations', data: new Float32Array([1]), shape: [1] });
  });
}

/** What a `.keras` archive holds: variables numbered under the layers' class names. */
export async function archive(places: Readonly<Record<string, readonly tf.Tensor[]>>, description: unknown, change: (entries: Record<string, Uint8Array>) => void = () => {}): Promise<Uint8Array> {
  const weights = await hdf5((file) => {
    const groupAt = groupsIn(file);
    for (const [place, tensors] of Object.entries(places)) tensors.forEach((tensor, index) => put(groupAt, `${place}/vars/${index}`, tensor));
  });
  const entries: Record<string, Uint8Array> = {
    'metadata.json': strToU8(JSON.stringify({ keras_version: '3.8.0', date_saved: '2025-01-01@00:00:00' })),
    'config.json': strToU8(JSON.stringify(description)),
    'model.weights.h5': weights,
  };
  change(entries);
  return zipSync(entries, { level: 1 });
}
