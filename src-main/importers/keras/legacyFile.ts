/**
 * Keras' `.h5` files (Keras 1 to 3): the network as JSON in the attribute `model_config`, weights in one group per layer with their names in order.
 * A file of `save_weights` has no network; the optimizer's state is left alone.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { ConvertedModel, OpenOptions } from '../format.ts';
import { convertNetwork } from './convertNetwork.ts';
import type { Json } from './fields.ts';
import type { Hdf5File } from './hdf5.ts';
import { hasRole, indexWeights, type NamedWeight, type WeightIndex, type WeightSource } from './weights.ts';

/** Throws AppError UNREADABLE_FILE where the file holds no Keras network, and all that convertNetwork throws. */
export function convertLegacyFile(file: Hdf5File, fileName: string, options: OpenOptions): ConvertedModel {
  const config = file.text('', 'model_config');
  if (config === undefined) throw withoutNetwork(file, fileName);
  const version = file.text('', 'keras_version') ?? file.text('model_weights', 'keras_version') ?? '';
  const backend = file.text('', 'backend') ?? file.text('model_weights', 'backend');
  return convertNetwork(
    {
      format: 'keras',
      fileName,
      provenance: `Keras ${version || '(version unknown)'}${backend ? `, backend ${backend}` : ''}`,
      network: parseNetwork(config, fileName),
      kerasVersion: Number.parseInt(version, 10) || 2,
      weights: weightsOf(file),
    },
    options,
  );
}

/** Throws AppError UNREADABLE_FILE. */
export function parseNetwork(text: string, fileName: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new AppError('UNREADABLE_FILE', `The network described in ${fileName} is broken JSON (${error instanceof Error ? error.message : String(error)}). Save it again.`, { file: fileName }, error);
  }
}

/** `model_weights/<top-level layer>/<name>`; the names are listed in the order in which Keras itself reads them. */
function weightsOf(file: Hdf5File): WeightSource {
  const groups = new Map<string, { readonly inOrder: readonly NamedWeight[]; readonly named: WeightIndex }>();
  const weightsIn = (group: string) => {
    const known = groups.get(group);
    if (known) return known;
    const path = `model_weights/${group}`;
    const names = file.texts(path, 'weight_names') ?? [];
    const inOrder = names.map((name): NamedWeight => ({ name, read: () => file.array(`${path}/${name}`) ?? { shape: [0], data: new Float32Array(0) } }));
    const found = { inOrder, named: indexWeights(inOrder) };
    groups.set(group, found);
    return found;
  };
  return {
    find({ path }, role, position) {
      const { inOrder, named } = weightsIn(path[0]!);
      const weight = named(path, role);
      if (weight || path.length > 1) return weight?.read();
      // A layer that was renamed after its weights were made.
      const other = inOrder[position];
      return other && hasRole(other.name, role) ? other.read() : undefined;
    },
  };
}

function withoutNetwork(file: Hdf5File, fileName: string): AppError {
  const layers = file.texts('', 'layer_names') ?? (file.children('').includes('layers') ? file.children('layers') : undefined);
  if (!layers) {
    return new AppError('UNREADABLE_FILE', `${fileName} is an HDF5 file, but holds no Keras network. Open the file that model.save() wrote.`, { file: fileName });
  }
  const shown = layers.slice(0, 3).join(', ');
  return new AppError(
    'UNSUPPORTED',
    `${fileName} holds only the weights of a Keras network (${layers.length} layers: ${shown}${layers.length > 3 ? ' ...' : ''}), not the network itself. In the program that made it, load them and save the whole network: model.load_weights(${JSON.stringify(fileName)}); model.save("model.keras")`,
    { file: fileName, layers: layers.length },
  );
}
