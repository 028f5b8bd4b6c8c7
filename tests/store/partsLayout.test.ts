/** Layout 4 keeps the statistics of older workspaces: the same numbers come out of the longer form. */
import { expect, it } from 'vitest';
import { channelStatistics, unpackStatistics } from '../../src-main/indexing/statistics.ts';
import { openDatabase } from '../../src-main/store/driver.ts';
import { initial } from '../../src-main/store/migrations/0001-initial.ts';
import { parts } from '../../src-main/store/migrations/0004-parts.ts';

it('statistics of 71 numbers per channel become 102, with the old sum among the new ones', async () => {
  // Columns of two channels: count, NaN count, min, max, sum, share above 0, exponent; then 64 bins for each.
  const old = new Float64Array(71 * 2);
  old.set([4, 0, 1, 0, -2, 0, 7, 0, 12, 0, 3, 0, 0, -40]);
  old[14 + 32] = 4; // bin 0 of channel 0
  const database = await openDatabase(':memory:', 'create');
  try {
    await database.exec(initial.sql);
    await database.exec(
      `INSERT INTO indexes (id, key, model_path, model_name, model_hash, images_path, preprocessing, engine, device, engine_description, batch_size, top, layers, computation_version, images, created_at)
       VALUES ('aaaaaaaa', 'key', '', '', '', '', '{}', '', '', '', 1, 1, '[]', 1, 4, '')`,
    );
    await database.run("INSERT INTO layer_statistics (index_id, layer, data) VALUES ('aaaaaaaa', 1, ?)", [new Uint8Array(old.buffer)]);
    await database.exec(parts.sql);
    const { data } = (await database.get<{ data: Uint8Array }>('SELECT data FROM layer_statistics'))!;
    expect(data.length).toBe(102 * 2 * 8);
    expect(channelStatistics(unpackStatistics(data), 0)).toEqual({ count: 4, nanCount: 1, min: -2, max: 7, mean: 3, shareAboveZero: 0.75, histogram: { from: 0, binWidth: 1, counts: [4] } });
    expect(channelStatistics(unpackStatistics(data), 1)).toMatchObject({ count: 0, mean: 0 });
  } finally {
    await database.close();
  }
});
