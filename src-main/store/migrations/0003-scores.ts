/**
 * What the score matrix needs beside it: the class of an image in all its words (class_name stays what is shown), and positions found by forwarding single images. A position belongs to
 * an image's content, not to its number, so that it survives a rescan and dies with a change of the file.
 */
import type { Migration } from './migration.ts';

export const scores: Migration = {
  number: 3,
  name: 'scores',
  sql: `
    ALTER TABLE images ADD COLUMN class_index INTEGER;
    ALTER TABLE images ADD COLUMN class_wnid TEXT;

    CREATE TABLE positions (
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      layer INTEGER NOT NULL,
      content_hash TEXT NOT NULL,
      data BLOB NOT NULL,
      PRIMARY KEY (index_id, layer, content_hash)
    ) STRICT, WITHOUT ROWID;
  `,
};
