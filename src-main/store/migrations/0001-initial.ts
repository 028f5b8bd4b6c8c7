/**
 * First layout (design.md section 4): catalogue, manifest, hits, statistics, jobs, projection pictures. A hit is keyed by (index, layer, channel, rank) and the table is stored in
 * that order, so that a channel's top list is one short read and a layer's lists are one long one; `changed_at` is the cursor of the batch that wrote the list. `deleted` marks an index whose rows are being removed in pieces.
 */
import type { Migration } from './migration.ts';

export const initial: Migration = {
  number: 1,
  name: 'initial',
  sql: `
    CREATE TABLE workspace (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      created_at TEXT NOT NULL,
      format INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE indexes (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE CHECK (length(id) = 8),
      key TEXT NOT NULL UNIQUE,
      model_path TEXT NOT NULL,
      model_name TEXT NOT NULL,
      model_hash TEXT NOT NULL,
      images_path TEXT NOT NULL,
      preprocessing TEXT NOT NULL CHECK (json_valid(preprocessing)),
      engine TEXT NOT NULL,
      device TEXT NOT NULL,
      engine_description TEXT NOT NULL,
      batch_size INTEGER NOT NULL CHECK (batch_size > 0),
      top INTEGER NOT NULL CHECK (top > 0),
      layers TEXT NOT NULL CHECK (json_valid(layers)),
      labels_path TEXT,
      computation_version INTEGER NOT NULL,
      images INTEGER NOT NULL,
      cursor INTEGER NOT NULL DEFAULT 0 CHECK (cursor BETWEEN 0 AND images),
      created_at TEXT NOT NULL,
      deleted INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE images (
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      path TEXT NOT NULL,
      file TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      modified_ms INTEGER NOT NULL,
      content_hash TEXT,
      class_name TEXT,
      skipped TEXT,
      PRIMARY KEY (index_id, number)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX images_by_path ON images (index_id, path);
    CREATE INDEX images_skipped ON images (index_id, number) WHERE skipped IS NOT NULL;

    CREATE TABLE hits (
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      layer INTEGER NOT NULL,
      channel INTEGER NOT NULL,
      rank INTEGER NOT NULL CHECK (rank > 0),
      image INTEGER NOT NULL,
      score REAL NOT NULL,
      y INTEGER NOT NULL,
      x INTEGER NOT NULL,
      changed_at INTEGER NOT NULL,
      PRIMARY KEY (index_id, layer, channel, rank)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE layer_statistics (
      index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
      layer INTEGER NOT NULL,
      data BLOB NOT NULL,
      PRIMARY KEY (index_id, layer)
    ) STRICT;

    CREATE TABLE jobs (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      index_id TEXT,
      title TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'cancelled', 'interrupted', 'failed', 'done')),
      done INTEGER NOT NULL,
      total INTEGER NOT NULL,
      request TEXT NOT NULL CHECK (json_valid(request)),
      error TEXT CHECK (error IS NULL OR json_valid(error)),
      started_at TEXT NOT NULL,
      ended_at TEXT
    ) STRICT;

    CREATE TABLE projections (
      key TEXT NOT NULL PRIMARY KEY,
      record TEXT NOT NULL CHECK (json_valid(record)),
      picture BLOB NOT NULL,
      bytes INTEGER NOT NULL,
      used_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX projections_by_use ON projections (used_at, bytes);
  `,
};
