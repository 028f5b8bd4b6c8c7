/**
 * The paper's experiments: what was asked for, how far its numbers are (whole where there is a caption), and the pieces a job has finished, by which it goes on. Parts of pictures that a person
 * marked, by the picture's content, as shares of its upright height and width.
 */
import type { Migration } from './migration.ts';

export const experiments: Migration = {
  number: 10,
  name: 'experiments',
  sql: `
    CREATE TABLE experiments (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      key TEXT NOT NULL,
      kind TEXT NOT NULL,
      index_id TEXT REFERENCES indexes (id) ON DELETE CASCADE,
      job_id TEXT NOT NULL,
      spec TEXT NOT NULL CHECK (json_valid(spec)),
      subject TEXT NOT NULL CHECK (json_valid(subject)),
      numbers TEXT CHECK (numbers IS NULL OR json_valid(numbers)),
      caption TEXT,
      notes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notes)),
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX experiments_by_key ON experiments (key);

    CREATE TABLE experiment_rows (
      experiment TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
      key TEXT NOT NULL,
      value TEXT NOT NULL CHECK (json_valid(value)),
      PRIMARY KEY (experiment, key)
    ) STRICT;

    CREATE TABLE picture_parts (
      content_hash TEXT NOT NULL,
      name TEXT NOT NULL,
      upper REAL NOT NULL,
      leftmost REAL NOT NULL,
      lower REAL NOT NULL,
      rightmost REAL NOT NULL,
      PRIMARY KEY (content_hash, name)
    ) STRICT;
  `,
};
