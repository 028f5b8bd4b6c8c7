/** Hits that a rescan took over find their places as the index was made to be computed; where that device fails another finds them, and no record of any index changes. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { AppError } from '../../../src-shared/errors.ts';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';
import type { IndexRun } from '../../../src-main/services/indexJob.ts';
import { placeTakenHits } from '../../../src-main/services/placeTakenHits.ts';
import { openStore } from '../../../src-main/store/open.ts';
import { sampleIndex } from '../../store/sampleBatch.ts';
import { temporaryFolder } from '../../support/commandLine.ts';

const root = temporaryFolder('placeTakenHits');
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('asks the first device of the index, then the next one, and tells nobody', async () => {
  const preprocessing = { ...sampleIndex.preprocessing, crop: [8, 8] as const, resize: { kind: 'none' } as const };
  await sharp(new Uint8Array(8 * 8 * 3), { raw: { width: 8, height: 8, channels: 3 } }).png().toFile(join(root, 'a.png'));
  const { contentHash } = await decodeImage(join(root, 'a.png'), preprocessing);
  const image = { path: 'a.png', file: 'a.png', sizeBytes: 1, modifiedMs: 1, className: null };
  const store = await openStore(join(root, 'w'), { mode: 'write', create: true });
  try {
    const { id } = await store.indexes.create({ ...sampleIndex, imagesPath: root, preprocessing, engine: 'onnxruntime', device: 'webgpu' }, [image]);
    await store.hits.commitBatch({ indexId: id, cursor: 1, hashes: [[0, contentHash]], skipped: [], channels: [], statistics: [] });
    // The last rows of the old index were computed elsewhere; none of those are taken over.
    await store.indexes.recordPlacement(id, { fromImage: 0, engine: 'tensorflow', device: 'cpu', batchSize: 1, description: 'tensorflow', reason: 'It failed.' });
    const base = await store.indexes.get(id);
    await store.scans.begin();
    await store.scans.add([image]);
    await store.scans.finish();
    const staged = await store.passes.stageRescan(base, 1);
    await store.hits.commitBatch({ indexId: staged.id, cursor: 1, hashes: [], skipped: [], channels: [{ layer: 1, channel: 0, hits: [{ image: 0, score: 1, y: -1, x: -1 }] }], statistics: [] });

    const asked: string[] = [];
    const layer = base.layers[0]!;
    const inference = {
      restart: () => undefined,
      devices: { chooseDevice: async () => ({ placement: { engine: 'onnxruntime', device: 'cpu' }, next: [] }) },
      async call(name: string, { placement, batch }: { placement: { engine: string; device: string }; batch: number }) {
        asked.push(`${name} ${placement.engine} ${placement.device}`);
        if (name === 'probe') return { engine: placement.engine, device: placement.device, available: true, description: 'onnxruntime cpu' };
        if (placement.device === 'webgpu') throw new AppError('UNSUPPORTED', 'No kernel.');
        return { layers: base.layers.map(({ channels }) => ({ score: new Float32Array(batch * channels), position: new Int32Array(batch * channels).fill(layer.width + 2) })), vectors: [] };
      },
    };
    const run = { store, inference, progress: { report: () => undefined }, signal: new AbortController().signal } as unknown as IndexRun;
    await placeTakenHits(run, await store.indexes.get(staged.id), base);
    expect(asked).toEqual(['score onnxruntime webgpu', 'probe onnxruntime cpu', 'score onnxruntime cpu']);
    expect((await store.hits.ofChannel(staged.id, 1, 0)).map(({ y, x }) => [y, x])).toEqual([[1, 2]]);
    expect((await store.indexes.get(id)).placementChanges).toEqual(base.placementChanges);
    expect((await store.indexes.get(staged.id)).placementChanges).toEqual([]);
  } finally {
    await store.close();
  }
});
