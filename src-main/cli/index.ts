/** `switchback index`: starts an index, resumes it, or finds it complete; waits until it is done. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import type { Device, EngineKind } from '../inference/engine.ts';
import type { FeatureWish } from '../services/featurePlan.ts';
import type { Pooling } from '../services/featureRows.ts';
import type { Services } from '../services/services.ts';
import { addEmitOptions, emitJobs, type EmitFlags } from './emit.ts';
import { addPreprocessingOptions, applyPreprocessing, cropPair, list, shard, wholeNumber, type PreprocessingFlags } from './options.ts';
import type { Session } from './session.ts';
import { waitForJob } from './waitForJob.ts';

interface IndexFlags extends PreprocessingFlags, EmitFlags {
  readonly workspace: string;
  readonly model: string;
  readonly images: string;
  readonly layers?: readonly string[];
  readonly top: number;
  readonly engine: 'auto' | EngineKind;
  readonly device: 'auto' | Device;
  readonly batch?: number;
  readonly labels?: string;
  readonly matrix: 'float32' | 'float16' | 'none';
  readonly shard?: { readonly number: number; readonly of: number };
  readonly features?: readonly FeatureWish[];
  readonly json?: boolean;
}

export function indexCommand(session: Session): Command {
  const command = new Command('index')
    .description('index a folder of images: the strongest activations of every channel')
    .requiredOption('--workspace <folder>', 'workspace folder, made if missing')
    .requiredOption('--model <file>', 'model file')
    .requiredOption('--images <folder>', 'folder of images, searched recursively')
    .option('--layers <a,b>', 'layers by name; all default layers if absent', list)
    .option('--top <n>', 'hits per channel', wholeNumber(1, 100), 9)
    .addOption(new Option('--engine <engine>').choices(['auto', 'onnxruntime', 'tensorflow']).default('auto'))
    .addOption(new Option('--device <device>').choices(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']).default('auto'))
    .option('--batch <n>', 'images per batch; measured if absent', wholeNumber(1, 1024))
    .option('--labels <file.tsv>', 'class of each image: columns file, index, wnid or name')
    .addOption(new Option('--matrix <precision>', 'keep every score of every image, for NumPy and for questions beyond the hits').choices(['float32', 'float16', 'none']).default('float32'))
    .option('--shard <i/n>', 'only the i-th of n parts of the folder, counted from 1; onnxruntime on cpu in batches of 16 unless named, never measured, so that all shards agree', shard)
    .option('--features <layer[:mean|max|flat]>', 'also keep features of a layer, for maps and neighbours; may be given again', featureWish)
    .option('--json', 'one JSON object');
  return addEmitOptions(addPreprocessingOptions(command)).action(async (flags: IndexFlags) => {
    if (flags.emit) return emitJobs(session, flags, [process.execPath, process.argv[1]!]);
    const services = await session.workspace(flags.workspace, { mode: 'write', create: true });
    const size = cropPair(flags.crop);
    const inspection = await services.inference.call('inspect', { path: resolve(flags.model), ...(size ? { inputSize: size } : {}) }, session.signal);
    const startedMs = performance.now();
    const { index, jobId } = await services.indexing.start(
      {
        modelPath: flags.model,
        imagesPath: flags.images,
        preprocessing: applyPreprocessing(inspection.preprocessing, flags),
        top: flags.top,
        engine: flags.engine,
        device: flags.device,
        matrix: flags.matrix,
        ...(flags.shard ? { shard: flags.shard } : {}),
        ...(flags.layers ? { layers: flags.layers } : {}),
        ...(flags.batch ? { batch: flags.batch } : {}),
        ...(flags.labels ? { labelsPath: flags.labels } : {}),
        ...(flags.features ? { features: flags.features } : {}),
      },
      session.signal,
    );
    const before = (await services.indexing.get(index)).indexed;
    if (jobId) {
      await noteFeatures(session, services, index);
      await waitForJob(session, services, jobId);
    }
    await computeFeatures(session, services, index, flags.features ?? []);
    const record = await services.indexing.get(index);
    const skipped = await services.indexing.skipped(index);
    const seconds = (performance.now() - startedMs) / 1000;
    const imagesPerSecond = jobId ? (record.indexed - before) / seconds : 0;
    if (flags.json) session.json({ index, images: record.indexed, skipped, seconds: round(seconds), imagesPerSecond: round(imagesPerSecond) });
    else {
      for (const { image, reason } of skipped) session.note(`skipped ${image}: ${reason}`);
      const speed = jobId ? ` in ${round(seconds)} s (${round(imagesPerSecond)} per second)` : ', complete already';
      session.line(`index ${index}: ${record.indexed} images${speed}${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
    }
    if (record.indexed === 0) throw new AppError('UNREADABLE_FILE', 'Not one image could be read; each reason is listed.');
  });
}

/** What the index's own pass keeps beside the scores, before the first image is read. */
async function noteFeatures(session: Session, services: Services, index: string): Promise<void> {
  const { images, indexed } = await services.indexing.get(index);
  for (const { title, pooling, dimensions, rows, state } of await services.features.list(index)) {
    if (state === 'complete' && rows === indexed) session.note(noteOf(title, pooling, images, dimensions, 4 * images * dimensions));
  }
}

function noteOf(layer: string, pooling: Pooling, images: number, dimensions: number, bytes: number): string {
  return `features of ${layer} (${pooling}): ${images} images with ${dimensions} numbers each, ${(bytes / 2 ** 20).toFixed(1)} MB`;
}

/** What is missing, one after the other: of an index that was there before they were wanted. */
async function computeFeatures(session: Session, services: Services, index: string, wishes: readonly FeatureWish[]): Promise<void> {
  for (const { layer, pooling } of wishes) {
    const { images, dimensions, bytes, kept } = await services.features.estimate({ index, layer, pooling }, session.signal);
    if (!kept) session.note(noteOf(layer, pooling, images, dimensions, bytes));
    const { jobId } = await services.features.compute({ index, layer, pooling }, session.signal);
    if (jobId) await waitForJob(session, services, jobId);
  }
}

function featureWish(text: string, before: readonly FeatureWish[] = []): readonly FeatureWish[] {
  const found = /^(.+?)(?::(mean|max|flat))?$/.exec(text.trim());
  if (!found) throw new InvalidArgumentError('It must be a layer, and :mean, :max or :flat where it is not the mean.');
  return [...before, { layer: found[1]!, pooling: (found[2] ?? 'mean') as Pooling }];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
