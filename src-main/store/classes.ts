/** The classes of an index's images, as the manifest names them: by labels file (index, wnid, name) or class folders (name). */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Connections } from './open.ts';

export interface StoredClass {
  readonly index: number | null;
  readonly wnid: string | null;
  readonly name: string | null;
  /** Images that were not skipped. */
  readonly images: number;
}

export interface ClassesTable {
  /** By class index, then by name as its UTF-8 bytes go. Images without a class are not counted. */
  list(index: IndexId): Promise<readonly StoredClass[]>;
  /** Place in `list` of each image's class by image number, -1 without one. */
  ofImages(index: IndexId, images: number): Promise<Int32Array>;
}

export function classesTable({ reader }: Connections): ClassesTable {
  const grouped = (columns: string) => `SELECT class_index AS "index", class_wnid AS wnid, class_name AS name, ${columns} FROM images
    WHERE index_id = ? AND class_name IS NOT NULL GROUP BY class_index, class_wnid, class_name ORDER BY class_index, class_name, class_wnid`;
  return {
    list: (index) => reader.all<StoredClass>(grouped('count(*) FILTER (WHERE skipped IS NULL) AS images'), [index]),
    async ofImages(index, images) {
      const found = new Int32Array(images).fill(-1);
      // One row per class: a million rows of one number each would take seconds and hundreds of megabytes.
      const rows = await reader.all<{ numbers: string }>(grouped('json_group_array(number) AS numbers'), [index]);
      rows.forEach(({ numbers }, place) => {
        for (const number of JSON.parse(numbers) as number[]) if (number < images) found[number] = place;
      });
      return found;
    },
  };
}
