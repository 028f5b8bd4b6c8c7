/** Series of checkpoints (the paper's Figure 4): `record` says which, over which images, and which index belongs to each; `movement` how far the weights of each layer went, null until it was computed. */
import type { Migration } from './migration.ts';

export const evolutions: Migration = {
  number: 7,
  name: 'evolutions',
  sql: `
    CREATE TABLE evolutions (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      record TEXT NOT NULL CHECK (json_valid(record)),
      movement TEXT CHECK (movement IS NULL OR json_valid(movement)),
      created_at TEXT NOT NULL
    ) STRICT;
  `,
};
