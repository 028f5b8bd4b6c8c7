/** `switchback index`: starts an index, resumes it, or finds it complete; waits until it is done. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { fromPlainError, AppError } from '../../src-shared/errors.ts';
import type { Device, EngineKind } from '../inference/engine.ts';
import type { Services } from '../services/services.ts';
import { addPreprocessingOptions, applyPreprocessing, cropPair, list, wholeNumber, type PreprocessingFlags } from './options.ts';
import type { Session } from './session.ts';

interface IndexFlags extends PreprocessingFlags {
  readonly workspace: string;
  readonly model: string;
  readonly images: string;
  readonly layers?: readonly string[];
  readonly top: number;
  readonly engine: 'auto' | EngineKind;
  readonly device: 'auto' | Device;
  readonly batch?: number;
  readonly labels?: string;
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
    .option('--json', 'one JSON object');
  return addPreprocessingOptions(command).action(async (flags: IndexFlags) => {
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
        ...(flags.layers ? { layers: flags.layers } : {}),
        ...(flags.batch ? { batch: flags.batch } : {}),
        ...(flags.labels ? { labelsPath: flags.labels } : {}),
      },
      session.signal,
    );
    const before = (await services.indexing.get(index)).indexed;
    if (jobId) await waitFor(session, services, jobId);
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

async function waitFor(session: Session, services: Services, jobId: string): Promise<void> {
  const { queue } = services.workspaces.required();
  const cancel = () => void queue.cancel(jobId).catch(() => undefined);
  session.signal.addEventListener('abort', cancel, { once: true });
  if (session.signal.aborted) cancel();
  const watching = new AbortController();
  const shown = (async () => {
    for await (const _ of services.workspaces.jobsChanged.changes(200, watching.signal)) {
      const job = (await services.jobs.list()).find((candidate) => candidate.id === jobId);
      if (!job || job.state !== 'running') continue;
      const left = job.secondsLeft === null ? '' : `, ${job.secondsLeft} s left`;
      session.progress(`${job.done} of ${job.total} images, ${job.perSecond.toFixed(1)} per second${left}: ${job.step}`);
    }
  })();
  const ended = await queue.ended(jobId);
  watching.abort();
  await shown;
  session.signal.removeEventListener('abort', cancel);
  if (ended.state === 'failed') throw fromPlainError(ended.error!);
  if (ended.state !== 'done') throw new AppError('CANCELLED', `Stopped after ${ended.done} of ${ended.total} images. The same command goes on from there.`);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
