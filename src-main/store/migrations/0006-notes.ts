/**
 * Tags and notes of a person (contract area `notes`). They hang on the model's content hash, the layer's name and the channel, never on an index, so that they outlive it; an empty hash and layer
 * mean the workspace, channel -1 the whole layer. Names of model and layer are kept for reading where no index of the model is left.
 */
import type { Migration } from './migration.ts';

export const notes: Migration = {
  number: 6,
  name: 'notes',
  sql: `
    CREATE TABLE notes (
      model_hash TEXT NOT NULL,
      layer TEXT NOT NULL,
      channel INTEGER NOT NULL CHECK (channel >= -1),
      text TEXT NOT NULL,
      tags TEXT NOT NULL CHECK (json_valid(tags)),
      revision INTEGER NOT NULL CHECK (revision > 0),
      changed_at TEXT NOT NULL,
      model_name TEXT NOT NULL,
      layer_title TEXT NOT NULL,
      PRIMARY KEY (model_hash, layer, channel)
    ) STRICT, WITHOUT ROWID;
  `,
};
