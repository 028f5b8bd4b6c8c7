/**
 * Maps of images in feature space. `row_files`: what is kept for every image of an index beside its score matrix, one .npy each: features of a layer, small pictures, predictions; it goes
 * with its index. `maps`: layouts in two dimensions, whose files lie in folders of their own; a map outlives its index.
 */
import type { Migration } from './migration.ts';

export const maps: Migration = {
  number: 9,
  name: 'maps',
  sql: `
    CREATE TABLE row_files (
      id TEXT NOT NULL PRIMARY KEY,
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      what TEXT NOT NULL CHECK (what IN ('features', 'pixels', 'predictions')),
      layer TEXT NOT NULL,
      title TEXT NOT NULL,
      pooling TEXT NOT NULL,
      shape TEXT NOT NULL CHECK (json_valid(shape)),
      folder TEXT NOT NULL,
      rows INTEGER NOT NULL,
      UNIQUE (index_id, what, layer, pooling)
    ) STRICT;

    CREATE TABLE maps (
      number INTEGER NOT NULL PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      key TEXT NOT NULL UNIQUE,
      index_id TEXT NOT NULL,
      record TEXT NOT NULL CHECK (json_valid(record)),
      created_at TEXT NOT NULL
    ) STRICT;
  `,
};
