/**
 * A process that commits batches until it is killed: node commitLoop.ts WORKSPACE INDEX. Every batch rewrites all lists with scores made from its cursor, so that a reader can tell
 * whether lists, statistics, hashes and cursor belong together. Prints a line per commit.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { openStore } from '../../src-main/store/open.ts';
import { batchAt } from './sampleBatch.ts';

const [folder, index] = process.argv.slice(2);
const store = await openStore(folder!, { mode: 'write' });
const { cursor } = await store.indexes.get(index as IndexId);
for (let next = cursor + 1; ; next++) {
  await store.hits.commitBatch(batchAt(index as IndexId, next));
  console.log(next);
}
