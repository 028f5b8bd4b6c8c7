/** Names in a model file are anybody's text: they are shown, stored and sent, so that their length has a limit. What they contain has none: whoever shows them must not interpret them. */
import { AppError } from '../../src-shared/errors.ts';
import type { Model } from '../graph/graph.ts';

/** The longest name seen in real networks has about 200 characters. */
export const longestNameCharacters = 1000;
const longestProvenanceCharacters = 500;

/** The model with its remarks cut to a readable length. Throws AppError UNREADABLE_FILE where a name is too long to be one. */
export function withinNameLimits(model: Model, fileName: string): Model {
  const { nodes, values, tensors } = model.graph;
  refuse('node', nodes.find((node) => node.name.length > longestNameCharacters)?.name, fileName);
  refuse('value', firstLong(values.keys()) ?? firstLong(tensors.keys()), fileName);
  const { provenance } = model;
  return provenance.length <= longestProvenanceCharacters ? model : { ...model, provenance: `${provenance.slice(0, longestProvenanceCharacters)}…` };
}

function firstLong(names: Iterable<string>): string | undefined {
  for (const name of names) if (name.length > longestNameCharacters) return name;
  return undefined;
}

function refuse(what: string, name: string | undefined, fileName: string): void {
  if (name === undefined) return;
  throw new AppError(
    'UNREADABLE_FILE',
    `A ${what} in ${fileName} has a name of ${name.length} characters, beginning with ${JSON.stringify(name.slice(0, 40))}; names up to ${longestNameCharacters} are read. The file is broken or made to do harm.`,
    { file: fileName, characters: name.length },
  );
}
