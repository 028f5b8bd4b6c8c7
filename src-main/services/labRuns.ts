/**
 * Studies that run, and those that ended: each has an id under which it is watched, stopped, opened again and exported. They run beside the queue of long jobs, because a person waits for
 * them; the inference process takes their questions in turn with what else it does. A study that was done before with the same picture, network and settings is not done again.
 */
import { LRUCache } from 'lru-cache';
import { createHash, randomBytes } from 'node:crypto';
import type * as z from 'zod';
import type { labResult, labSummary } from '../../src-shared/contract/lab.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError, isAbort, toPlainError } from '../../src-shared/errors.ts';
import { encodePng } from '../dataset/picture.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { StoredLabResult } from '../store/labResults.ts';
import type { Store } from '../store/open.ts';
import { createChangeSignal, type ChangeSignal } from './events.ts';
import { computationVersion } from './computation.ts';
import type { SeenPicture } from './labSubject.ts';
import type { LabStudy, StudyNews, StudyOutcome, StudyPicture } from './labStudy.ts';
import { wayOf } from './scoringFor.ts';

export type LabResult = z.infer<typeof labResult>;
export type LabSummary = z.infer<typeof labSummary>;

export interface LabOrder {
  readonly store: Store;
  readonly index: StoredIndex;
  readonly reference: string | null;
  readonly picture: SeenPicture | null;
  readonly study: LabStudy;
  readonly afresh: boolean;
}

/** Does the study; the caption comes complete. */
export type DoStudy = (order: LabOrder, tell: (news: StudyNews) => void, signal: AbortSignal) => Promise<StudyOutcome>;

export interface LabRuns {
  /** The id of the study, or of the same one done before. */
  start(order: LabOrder): Promise<string>;
  get(store: Store, id: string): Promise<LabResult>;
  watch(store: Store, id: string, signal?: AbortSignal): AsyncGenerator<LabResult, void, void>;
  list(store: Store, filter: { readonly index?: string; readonly pictureHash?: string; readonly limit: number }): Promise<LabSummary[]>;
  /** A picture (`name.png`) or file of a result. */
  part(store: Store, id: string, name: string): Promise<Uint8Array>;
  cancel(id: string): void;
  delete(store: Store, id: string): Promise<void>;
  /** Stops what runs and waits for it. */
  close(): Promise<void>;
}

type Kept = Omit<LabResult, 'id' | 'state' | 'createdAt'>;

interface Run {
  readonly id: string;
  readonly key: string;
  readonly order: LabOrder;
  readonly createdAt: string;
  readonly controller: AbortController;
  readonly changed: ChangeSignal;
  readonly parts: Map<string, Uint8Array>;
  state: LabResult['state'];
  kept: Kept;
  ended: Promise<void>;
}

const watchIntervalMs = 100;
/** More than a person can look at; each takes its share of the inference process. */
const mostRunning = 8;
/** Results whose workspace cannot be written, or that have just ended. */
const mostHeld = 24;

export function createLabRuns(doStudy: DoStudy): LabRuns {
  const running = new Map<string, Run>();
  const held = new LRUCache<string, Run>({ max: mostHeld });
  const find = (store: Store, id: string) => [running.get(id), held.get(id)].find((run) => run?.order.store.path === store.path);

  async function stored(store: Store, id: string): Promise<StoredLabResult<Kept>> {
    const found = await store.labResults.get<Kept>(id);
    if (!found) throw new AppError('NOT_FOUND', `There is no study "${id}" in this workspace. It may have been deleted.`, { id });
    return found;
  }

  async function run(run: Run): Promise<void> {
    const { order, parts } = run;
    const isWritable = order.store.mode === 'write';
    let saving: Promise<void> = Promise.resolve();
    // Pictures are encoded in order, beside the study; the last of a name counts.
    const add = (pictures: readonly StudyPicture[]) => {
      saving = saving.then(async () => {
        for (const { name, picture, legend } of pictures) {
          const bytes = await encodePng(picture.pixels, picture.width, picture.height, 4, true);
          parts.set(`${name}.png`, bytes);
          const media = `/media/lab/result/${run.id}/${name}.png?v=${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
          const others = run.kept.pictures.filter((other) => other.name !== name);
          run.kept = { ...run.kept, pictures: [...others, { name, media, width: picture.width, height: picture.height, legend }] };
        }
        run.changed.changed();
      });
    };
    try {
      const outcome = await doStudy(
        order,
        ({ done, total, step, numbers, pictures = [] }) => {
          run.kept = { ...run.kept, done, total, step, ...(numbers ? { numbers } : {}) };
          if (pictures.length > 0) add(pictures);
          else run.changed.changed();
        },
        run.controller.signal,
      );
      await saving;
      run.kept = { ...run.kept, pictures: [] };
      add(outcome.pictures);
      await saving;
      for (const { name, bytes } of outcome.files) parts.set(name, bytes);
      const names = new Set([...outcome.pictures.map(({ name }) => `${name}.png`), ...outcome.files.map(({ name }) => name)]);
      for (const name of parts.keys()) if (!names.has(name)) parts.delete(name);
      const files = outcome.files.map(({ name, bytes }) => ({ name, media: `/media/lab/result/${run.id}/${name}`, mediaType: mediaTypeOf(name), sizeBytes: bytes.byteLength }));
      run.kept = { ...run.kept, numbers: outcome.numbers, caption: outcome.caption, files, done: Math.max(run.kept.done, run.kept.total), total: Math.max(run.kept.done, run.kept.total), step: '' };
      run.state = 'done';
    } catch (error) {
      await saving.catch(() => undefined);
      const isStopped = run.controller.signal.aborted || isAbort(error);
      run.kept = { ...run.kept, step: '', error: isStopped ? null : toPlainError(error) };
      run.state = isStopped ? 'cancelled' : 'failed';
    }
    if (isWritable) await order.store.labResults.finish(run.id, run.state, run.kept, [...parts].map(([name, bytes]) => ({ name, bytes }))).catch(() => undefined);
    held.set(run.id, run);
    running.delete(run.id);
    run.changed.changed();
  }

  const runs: LabRuns = {
    async start(order) {
      const { store, index, picture, study, afresh } = order;
      const key = keyOf(order);
      if (!afresh) {
        const same = [...running.values(), ...held.values()].find((other) => other.key === key && other.order.store.path === store.path && other.order.index.id === index.id && (other.state === 'running' || other.state === 'done'));
        const before = same?.id ?? (await store.labResults.findDone(key).then((found) => (found?.index === index.id ? found.id : undefined)));
        if (before !== undefined) return before;
      }
      if (running.size >= mostRunning) throw new AppError('CONFLICT', `${running.size} studies are running. Stop one, or wait until one is done.`);
      const made: Run = {
        id: randomBytes(6).toString('hex'),
        key,
        order,
        createdAt: new Date().toISOString(),
        controller: new AbortController(),
        changed: createChangeSignal(),
        parts: new Map(),
        state: 'running',
        kept: {
          kind: study.kind, index: index.id, picture: order.reference, pictureName: picture?.name ?? '', title: titleOf(order), study, modelName: index.modelName,
          done: 0, total: 0, step: '', error: null, numbers: null, pictures: [], files: [], caption: '',
        },
        ended: Promise.resolve(),
      };
      if (store.mode === 'write') await store.labResults.create({ id: made.id, key, index: index.id as IndexId, pictureHash: picture?.hash ?? null, state: 'running', record: made.kept, createdAt: made.createdAt });
      running.set(made.id, made);
      made.ended = run(made);
      return made.id;
    },
    async get(store, id) {
      const live = find(store, id);
      if (live) return { ...live.kept, id, state: live.state, createdAt: live.createdAt };
      const { record, state, createdAt } = await stored(store, id);
      return { ...record, id, state, createdAt };
    },
    async *watch(store, id, signal) {
      const live = find(store, id);
      if (live) {
        for await (const _ of live.changed.changes(watchIntervalMs, signal)) {
          const result = await runs.get(store, id);
          yield result;
          if (result.state !== 'running') return;
        }
      } else yield await runs.get(store, id);
    },
    async list(store, { index, pictureHash, limit }) {
      const kept = await store.labResults.list<Kept>({ ...(index ? { index } : {}), ...(pictureHash ? { pictureHash } : {}), limit });
      const unsaved = store.mode === 'write' ? [] : [...running.values(), ...held.values()].filter(({ order }) => order.store.path === store.path && (!index || order.index.id === index) && (!pictureHash || order.picture?.hash === pictureHash));
      return [...unsaved.map((run) => summaryOf({ ...run, record: run.kept })), ...kept.map((row) => summaryOf({ ...row, state: find(store, row.id)?.state ?? row.state }))].slice(0, limit);
    },
    async part(store, id, name) {
      const bytes = find(store, id)?.parts.get(name) ?? (await store.labResults.part(id, name));
      if (!bytes) throw new AppError('NOT_FOUND', `The study "${id}" has no ${JSON.stringify(name.slice(0, 100))}.`, { id });
      return bytes;
    },
    cancel(id) {
      running.get(id)?.controller.abort(new AppError('CANCELLED', 'Cancelled.'));
    },
    async delete(store, id) {
      const live = find(store, id);
      live?.controller.abort(new AppError('CANCELLED', 'Cancelled.'));
      await live?.ended;
      held.delete(id);
      await store.labResults.delete(id);
    },
    async close() {
      const last = [...running.values()];
      for (const { controller } of last) controller.abort(new AppError('CANCELLED', 'Switchback is closing.'));
      await Promise.all(last.map(({ ended }) => ended));
    },
  };
  return runs;
}

/** Everything that the result depends on (method.md section 8). */
function keyOf({ index, picture, study }: LabOrder): string {
  const { engine, device } = wayOf(index);
  return createHash('sha256').update(JSON.stringify([computationVersion, index.modelHash, index.preprocessing, engine, device, picture?.hash ?? null, study])).digest('hex').slice(0, 40);
}

function summaryOf({ id, record, state, createdAt }: { readonly id: string; readonly record: Kept; readonly state: LabResult['state']; readonly createdAt: string }): LabSummary {
  const { kind, index, picture, pictureName, title } = record;
  return { id, kind, index, picture, pictureName, title, state, createdAt };
}

/** What tells it from its neighbours in a list. */
function titleOf({ study, picture }: LabOrder): string {
  const name = picture?.name ?? '';
  if (study.kind === 'adversarial') return `${name}: class ${study.target}`;
  if (study.kind !== 'ascend') return name;
  const { target } = study;
  return target.kind === 'class' ? `class ${target.index ?? ''}`.trim() : `${target.layer} ${target.channel}${target.kind === 'unit' ? ` (${target.y}, ${target.x})` : ''}`;
}

/** By the name's ending, never by what is stored. */
export function mediaTypeOf(name: string): string {
  return name.endsWith('.png') ? 'image/png' : 'application/octet-stream';
}
