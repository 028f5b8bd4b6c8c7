/** The size of the upright picture that a part was marked on, so that it is placed in a network's input without the file; null for parts that were marked before. */
import type { Migration } from './migration.ts';

export const partSizes: Migration = {
  number: 11,
  name: 'part sizes',
  sql: `
    ALTER TABLE picture_parts ADD COLUMN height INTEGER;
    ALTER TABLE picture_parts ADD COLUMN width INTEGER;
  `,
};
