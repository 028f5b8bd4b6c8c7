/**
 * Rescans and more layers (method.md section 8): the rows of a pass are gathered under a hidden index (`staged_for` names the index they are for) and take the old ones' place in one
 * transaction. `source` is the number that a taken-over image has in the old manifest. `skipped` is counted as batches are committed, so that listing indexes reads no manifest.
 * `matrix_folder` is the folder under activations/; `version_base` is added to the cursor where a list's version is written, so that versions of two passes never meet. Jobs can pause.
 */
import type { Migration } from './migration.ts';

export const passes: Migration = {
  number: 2,
  name: 'passes',
  sql: `
    ALTER TABLE indexes ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE indexes ADD COLUMN matrix TEXT NOT NULL DEFAULT 'none' CHECK (matrix IN ('float32', 'float16', 'none'));
    ALTER TABLE indexes ADD COLUMN matrix_folder TEXT NOT NULL DEFAULT '';
    ALTER TABLE indexes ADD COLUMN placement_changes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(placement_changes));
    ALTER TABLE indexes ADD COLUMN version_base INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE indexes ADD COLUMN staged_for TEXT;
    ALTER TABLE indexes ADD COLUMN staged_kind TEXT CHECK (staged_kind IN ('rescan', 'layers'));
    UPDATE indexes SET matrix_folder = id, skipped = (SELECT count(*) FROM images WHERE images.index_id = indexes.id AND images.skipped IS NOT NULL);
    CREATE UNIQUE INDEX indexes_staged ON indexes (staged_for) WHERE staged_for IS NOT NULL;

    ALTER TABLE images ADD COLUMN source INTEGER;

    CREATE TABLE jobs_with_pause (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      index_id TEXT,
      title TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'cancelled', 'interrupted', 'failed', 'done')),
      done INTEGER NOT NULL,
      total INTEGER NOT NULL,
      request TEXT NOT NULL CHECK (json_valid(request)),
      error TEXT CHECK (error IS NULL OR json_valid(error)),
      started_at TEXT NOT NULL,
      ended_at TEXT
    ) STRICT;
    INSERT INTO jobs_with_pause SELECT * FROM jobs;
    DROP TABLE jobs;
    ALTER TABLE jobs_with_pause RENAME TO jobs;
  `,
};
