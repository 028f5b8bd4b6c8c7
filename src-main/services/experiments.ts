/** The paper's experiments of the open workspace: completed, started, listed, watched, and given out as figure and text. The work itself is experimentJob.ts and a file for each study. */
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type * as z from 'zod';
import type { experimentResult, experimentSummary } from '../../src-shared/contract/experiments.ts';
import type { FigureFormat } from '../../src-shared/contract/figures.ts';
import type { ExperimentKind } from '../../src-shared/domain/experiments.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { layOutResult } from '../experiments/resultFigure.ts';
import { toCsv } from '../experiments/shownResult.ts';
import type { LiveJob } from '../jobs/queue.ts';
import type { StoredExperiment } from '../store/experiments.ts';
import { evidenceOf } from './experimentEvidence.ts';
import { factsOf, scratchFolderOf, studyOf, type ExperimentRequest, type ExperimentSubject, type GrowingNumbers } from './experimentJob.ts';
import type { ExperimentNumbersOf, ExperimentSpec, ExperimentSpecOf, StudyMeans } from './experimentStudy.ts';
import { createPictureParts, type PictureParts } from './experimentParts.ts';
import type { Figure, FigureService, HeldFigure } from './figures.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type ExperimentSummary = z.output<typeof experimentSummary>;
export type ExperimentResult = z.output<typeof experimentResult>;

export interface ExperimentText {
  readonly fileName: string;
  readonly mediaType: string;
  readonly text: string;
}

export interface ExperimentService {
  readonly parts: PictureParts;
  complete(spec: ExperimentSpec, signal?: AbortSignal): Promise<{ readonly spec: ExperimentSpec; readonly title: string }>;
  start(request: { readonly spec: ExperimentSpec; readonly afresh: boolean }, signal?: AbortSignal): Promise<{ readonly id: string; readonly jobId: string }>;
  resume(id: string): Promise<{ readonly jobId: string }>;
  get(id: string): Promise<ExperimentResult>;
  watch(id: string, signal?: AbortSignal): AsyncGenerator<ExperimentResult, void, void>;
  list(filter: { readonly kind?: ExperimentKind | undefined; readonly index?: string | undefined; readonly limit: number }): Promise<ExperimentSummary[]>;
  cancel(id: string): Promise<void>;
  delete(id: string): Promise<void>;
  drawFigure(id: string, format: FigureFormat): Promise<Figure>;
  figure(id: string, format: FigureFormat): Promise<HeldFigure>;
  export(id: string, format: 'json' | 'csv'): Promise<ExperimentText>;
  evidence(request: Omit<ExperimentSpecOf<'evidence'>, 'kind'>, signal?: AbortSignal): Promise<ExperimentNumbersOf<'evidence'>>;
}

const watchIntervalMs = 250;

export function createExperimentService(workspaces: WorkspaceService, computing: Omit<StudyMeans, 'store'>, figures: FigureService, growing: GrowingNumbers): ExperimentService {
  // Two starts at once must not make the same experiment twice.
  const inTurn = createTurns(1);
  const means = (): StudyMeans => ({ ...computing, store: workspaces.required().store });

  async function jobsById(): Promise<ReadonlyMap<string, LiveJob>> {
    return new Map((await workspaces.required().queue.list()).map((job) => [job.id, job]));
  }

  async function begin(request: ExperimentSpec, afresh: boolean, signal: AbortSignal): Promise<{ readonly id: string; readonly jobId: string }> {
    const { store, queue } = workspaces.required();
    const { spec, title, modelName, imagesPath, facts } = await studyOf(request).complete(means(), request, signal);
    const subject: ExperimentSubject = { title, modelName, imagesPath, facts: factsOf(facts) };
    const key = createHash('sha256').update(JSON.stringify([spec, subject.facts])).digest('hex');
    const before = afresh ? null : await store.experiments.find(key);
    if (before) return { id: before.id, jobId: await goOn(before) };
    const id = randomBytes(6).toString('hex');
    const jobId = randomBytes(6).toString('hex');
    const index = 'index' in spec ? (spec.index as IndexId) : null;
    await store.experiments.create({ id, key, kind: spec.kind, index, jobId, spec, subject });
    await queue.add({ id: jobId, kind: 'experiment', indexId: index, title, total: 0, request: { experiment: id } satisfies ExperimentRequest });
    return { id, jobId };
  }

  /** The job of an experiment, which goes on where it was stopped; one that is no longer listed gets another. */
  async function goOn({ id, index, jobId, caption, subject }: StoredExperiment): Promise<string> {
    const { store, queue } = workspaces.required();
    const job = (await jobsById()).get(jobId);
    if (caption !== null || job?.state === 'queued' || job?.state === 'running') return jobId;
    if (job && job.state !== 'done') {
      await queue.resume(jobId);
      return jobId;
    }
    const another = randomBytes(6).toString('hex');
    await store.experiments.setJob(id, another);
    await queue.add({ id: another, kind: 'experiment', indexId: index, title: (subject as ExperimentSubject).title, total: 0, request: { experiment: id } satisfies ExperimentRequest });
    return another;
  }

  const service: ExperimentService = {
    parts: createPictureParts(workspaces),
    async complete(spec, signal = new AbortController().signal) {
      const { spec: whole, title } = await studyOf(spec).complete(means(), spec, signal);
      return { spec: whole, title };
    },
    start: ({ spec, afresh }, signal = new AbortController().signal) => inTurn(() => begin(spec, afresh, signal)),
    resume: (id) => inTurn(async () => ({ jobId: await goOn(await workspaces.required().store.experiments.get(id)) })),
    async get(id) {
      const stored = await workspaces.required().store.experiments.get(id);
      const job = (await jobsById()).get(stored.jobId);
      return {
        ...summaryOf(stored, job),
        jobId: stored.jobId,
        spec: stored.spec as ExperimentSpec,
        done: job?.done ?? 0,
        total: job?.total ?? 0,
        step: job?.step ?? '',
        error: job?.error ?? null,
        numbers: (stored.caption === null ? growing.get(id) : undefined) ?? (stored.numbers as ExperimentResult['numbers']),
        caption: stored.caption ?? '',
        notes: stored.notes,
      };
    },
    async *watch(id, signal) {
      for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, signal)) {
        const result = await service.get(id);
        yield result;
        if (result.state !== 'queued' && result.state !== 'running') return;
      }
    },
    async list(filter) {
      const jobs = await jobsById();
      return (await workspaces.required().store.experiments.list(filter)).map((stored) => summaryOf(stored, jobs.get(stored.jobId)));
    },
    async cancel(id) {
      const { store, queue } = workspaces.required();
      await queue.cancel((await store.experiments.get(id)).jobId);
    },
    async delete(id) {
      const { store, queue } = workspaces.required();
      const { jobId } = await store.experiments.get(id);
      const job = (await jobsById()).get(jobId);
      if (job?.state === 'queued' || job?.state === 'running') {
        const ended = queue.ended(jobId);
        await queue.cancel(jobId);
        await ended;
      }
      await store.experiments.delete(id);
      await rm(scratchFolderOf(store, id), { recursive: true, force: true });
    },
    async drawFigure(id, format) {
      const { numbers, caption, spec, modelName, kind } = await service.get(id);
      if (!numbers || caption === '') throw new AppError('CONFLICT', 'This experiment is not done, so it has no figure yet. Resume it, or wait until it is done.', { experiment: id });
      return figures.write(layOutResult(studyOf(spec).show(numbers), caption), format, [modelName, kind, id].join('-'));
    },
    async figure(id, format) {
      return figures.hold(await service.drawFigure(id, format));
    },
    async export(id, format) {
      const { numbers, caption, spec, title, kind, modelName, imagesPath, notes, createdAt } = await service.get(id);
      if (!numbers || caption === '') throw new AppError('CONFLICT', 'This experiment is not done, so its numbers cannot be exported yet. Resume it, or wait until it is done.', { experiment: id });
      const fileName = `${[modelName, kind, id].join('-').replaceAll(/[^A-Za-z0-9._-]+/g, '-')}.${format}`;
      if (format === 'csv') return { fileName, mediaType: 'text/csv', text: toCsv(studyOf(spec).show(numbers), caption) };
      return { fileName, mediaType: 'application/json', text: `${JSON.stringify({ title, kind, spec, modelName, imagesPath, createdAt, caption, notes, numbers }, null, 2)}\n` };
    },
    evidence: (request, signal = new AbortController().signal) => evidenceOf(means().store, request, signal),
  };
  return service;
}

function summaryOf({ id, kind, index, subject, caption, createdAt }: StoredExperiment, job: LiveJob | undefined): ExperimentSummary {
  const { title, modelName, imagesPath } = subject as ExperimentSubject;
  // Of an old experiment the job may be listed no more.
  const state = caption !== null ? 'done' : job && job.state !== 'done' ? job.state : 'interrupted';
  return { id, kind: kind as ExperimentKind, title, index, modelName, imagesPath, state, createdAt };
}
