/**
 * What looking needs, kept with the index: `crops`, images that hold hits as the network sees them, by content, so that they survive a rescan, and a moved or deleted image folder;
 * `kept_projections`, small pictures under the whole key of method.md section 8. Both stay until the index goes. The cache of projections is emptied: it holds another form now.
 */
import type { Migration } from './migration.ts';

export const keptPictures: Migration = {
  number: 5,
  name: 'kept-pictures',
  sql: `
    CREATE TABLE crops (
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      content_hash TEXT NOT NULL,
      picture BLOB NOT NULL,
      PRIMARY KEY (index_id, content_hash)
    ) STRICT;

    CREATE TABLE kept_projections (
      key TEXT NOT NULL PRIMARY KEY,
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      layer INTEGER NOT NULL,
      method TEXT NOT NULL,
      seed TEXT NOT NULL,
      control TEXT NOT NULL,
      record TEXT NOT NULL CHECK (json_valid(record)),
      picture BLOB NOT NULL,
      bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX kept_projections_by_layer ON kept_projections (index_id, layer, method, seed, control, bytes);

    DELETE FROM projections;
  `,
};
