/**
 * The image lab: pictures that were given (by content), results of studies with their pictures and files, and the names of a network's classes where a person gave them. A result goes with
 * its index.
 */
import type { Migration } from './migration.ts';

export const lab: Migration = {
  number: 8,
  name: 'lab',
  sql: `
    CREATE TABLE lab_uploads (
      hash TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      bytes BLOB NOT NULL,
      added_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE lab_results (
      id TEXT NOT NULL PRIMARY KEY,
      key TEXT NOT NULL,
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      picture_hash TEXT,
      state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'interrupted', 'failed')),
      record TEXT NOT NULL CHECK (json_valid(record)),
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX lab_results_by_key ON lab_results (key, state);

    CREATE TABLE lab_parts (
      result TEXT NOT NULL REFERENCES lab_results (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (result, name)
    ) STRICT;

    CREATE TABLE class_names (
      model_hash TEXT NOT NULL PRIMARY KEY,
      names TEXT NOT NULL CHECK (json_valid(names))
    ) STRICT;
  `,
};
