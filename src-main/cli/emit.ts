/** `switchback index --emit`: instead of indexing, ready job files for a cluster: one job per shard, then the merge. */
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import type { FeatureWish } from '../services/featurePlan.ts';
import { shardBatchSize } from '../services/startIndex.ts';
import type { JobOrder } from './clusterJobs/jobOrder.ts';
import { kubernetesJobs } from './clusterJobs/kubernetes.ts';
import { slurmScript } from './clusterJobs/slurm.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

export interface EmitFlags {
  readonly emit?: 'slurm' | 'kubernetes';
  readonly shards?: number;
  readonly container?: string;
  readonly out?: string;
}

/** What the jobs are to index: the flags of `switchback index`. */
export interface EmittedIndex extends EmitFlags {
  readonly workspace: string;
  readonly model: string;
  readonly images: string;
  readonly layers?: readonly string[];
  readonly top: number;
  readonly engine: string;
  readonly device: string;
  readonly batch?: number;
  readonly labels?: string;
  readonly matrix: string;
  readonly features?: readonly FeatureWish[];
  readonly crop?: number | readonly [number, number];
  readonly resize?: string | number;
  readonly order?: string;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

export function addEmitOptions(command: Command): Command {
  return command
    .addOption(new Option('--emit <system>', 'write job files for a cluster instead of indexing: one job per shard, then the merge').choices(['slurm', 'kubernetes']))
    .option('--shards <n>', 'with --emit: into how many parts the folder is cut', wholeNumber(1, 100_000))
    .option('--container <image>', 'with --emit kubernetes: container image that has Switchback as its "switchback"')
    .option('--out <file>', 'with --emit: the file to write; standard output if absent');
}

/** @param program how the jobs of this machine's cluster call Switchback */
export async function emitJobs(session: Session, flags: EmittedIndex, program: readonly string[]): Promise<void> {
  if (flags.shards === undefined) throw new AppError('BAD_REQUEST', '--emit needs --shards: into how many parts the folder of images is cut.');
  const text = jobFiles(flags, flags.shards, program, session.place.version);
  if (flags.out === undefined) session.line(text.trimEnd());
  else await writeWhole(resolve(flags.out), Buffer.from(text));
}

function jobFiles(flags: EmittedIndex, shards: number, program: readonly string[], version: string): string {
  const [model, images] = [resolve(flags.model), resolve(flags.images)];
  const order: JobOrder = {
    program: flags.emit === 'kubernetes' ? ['switchback'] : program,
    workspace: resolve(flags.workspace),
    shards,
    indexArguments: indexArguments(flags),
    reads: [model, images, ...(flags.labels ? [resolve(flags.labels)] : [])],
    version,
  };
  return flags.emit === 'kubernetes' ? kubernetesJobs(order, flags.container ?? `switchback:${version}`) : slurmScript(order);
}

/** Everything is said, also what is the default, so that all shards are computed alike. */
function indexArguments(flags: EmittedIndex): readonly string[] {
  const named: Readonly<Record<string, string | number | readonly (string | number)[] | undefined>> = {
    model: resolve(flags.model),
    images: resolve(flags.images),
    layers: flags.layers,
    top: flags.top,
    engine: flags.engine === 'auto' ? 'onnxruntime' : flags.engine,
    device: flags.device === 'auto' ? 'cpu' : flags.device,
    batch: flags.batch ?? shardBatchSize,
    labels: flags.labels && resolve(flags.labels),
    matrix: flags.matrix,
    crop: flags.crop,
    resize: flags.resize,
    order: flags.order,
    scale: flags.scale,
    mean: flags.mean,
    std: flags.std,
  };
  return Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${String(value)}`])).concat((flags.features ?? []).map(({ layer, pooling }) => `--features=${layer}:${pooling}`));
}
