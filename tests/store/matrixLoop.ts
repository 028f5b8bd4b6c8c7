/** A process that fills a score matrix as an index does, to be killed: `node matrixLoop.ts FOLDER ROWS`, from ROWS on. After each commit it prints how many rows are committed. */
import { writeSync } from 'node:fs';
import { openScoreMatrix } from '../../src-main/store/scoreMatrix.ts';
import { matrixLayers, matrixRows, scoresOfRows } from './sampleMatrix.ts';

const [folder, start] = process.argv.slice(2);
const matrix = await openScoreMatrix(folder!, { layers: matrixLayers, precision: 'float16', rows: Number(start) });
for (let from = Number(start); from < matrixRows; from += 50) {
  await matrix.append(scoresOfRows(from, 20));
  await matrix.append(scoresOfRows(from + 20, 30));
  await matrix.flush();
  writeSync(1, `${from + 50}\n`);
  await matrix.confirm();
}
await matrix.close();
