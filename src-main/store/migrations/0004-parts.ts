/**
 * Work of several machines, and pictures that look alike. `part`: which places of the whole folder's listing an index covers (null: all of them). `perceptual_hash`: 32 hex digits, null for
 * images that were indexed before. The sums of scores become exact and move behind the histogram (indexing/statistics.ts): 71 numbers per channel become 102; an old sum stays as it is in the last place.
 */
import type { Migration } from './migration.ts';

export const parts: Migration = {
  number: 4,
  name: 'parts',
  sql: `
    ALTER TABLE indexes ADD COLUMN part TEXT CHECK (part IS NULL OR json_valid(part));
    ALTER TABLE images ADD COLUMN perceptual_hash TEXT CHECK (perceptual_hash IS NULL OR length(perceptual_hash) = 32);

    UPDATE layer_statistics SET data = CAST(substr(data, 1, length(data) / 71 * 4) || substr(data, length(data) / 71 * 5 + 1)
      || zeroblob(length(data) / 71 * 31) || substr(data, length(data) / 71 * 4 + 1, length(data) / 71) AS BLOB);
  `,
};
