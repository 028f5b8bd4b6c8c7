/** The one open workspace of a core, and the list of those opened before. */
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import type { IndexId, JobId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { createJobQueue, type JobQueue, type JobRunner, type JobStore } from '../jobs/queue.ts';
import { isWorkspace, openStore, type Store } from '../store/open.ts';
import { isPackFile } from '../store/pack.ts';
import { createChangeSignal, type ChangeSignal } from './events.ts';
import { freeFolder } from './freeFolder.ts';
import { createTurns } from './turns.ts';
import { readJson, writeJson, type UserFolders } from './folders.ts';

export interface OpenWorkspace {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly readOnly: string | null;
}

export interface WorkspaceInfo {
  readonly id: string;
  readonly name: string;
  readonly path: string;
}

export interface OpenedWorkspace extends WorkspaceInfo {
  readonly kind: 'folder' | 'pack';
  /** Why nothing can be changed here; null where all can. */
  readonly readOnly: string | null;
}

export interface RecentWorkspace extends WorkspaceInfo {
  readonly openedAt: string;
  readonly exists: boolean;
  readonly indexes: number;
  readonly images: number;
}

export interface WorkspaceService {
  /** Fires when a job of the open workspace changed in any way, or another workspace was opened. */
  readonly jobsChanged: ChangeSignal;
  current(): OpenedWorkspace | null;
  recent(): Promise<RecentWorkspace[]>;
  /** A folder, or a pack; for reading only where nobody may write. */
  open(path: string): Promise<OpenedWorkspace>;
  create(request: { readonly path?: string; readonly name?: string }): Promise<OpenedWorkspace>;
  forget(path: string): Promise<void>;
  /** The open workspace; throws AppError WORKSPACE where none is. */
  required(): OpenWorkspace;
  /** Where what is computed next goes: the folder of the open workspace, or that of new ones, which need not be there yet. */
  folder(): string;
  close(): Promise<void>;
}

const recentEntry = z.object({ id: z.string(), name: z.string(), path: z.string(), openedAt: z.string(), indexes: z.number(), images: z.number() });
const mostRecent = 12;

export interface WorkspaceOptions {
  readonly folders: UserFolders;
  /** Made anew for each workspace: jobs work on its store. */
  readonly runners: (store: Store) => Readonly<Record<string, JobRunner>>;
  /** Read-only opening for commands that only look. */
  readonly mode?: 'write' | 'read';
}

export function createWorkspaceService({ folders, runners, mode = 'write' }: WorkspaceOptions): WorkspaceService {
  const recentFile = join(folders.config, 'recent.json');
  const newWorkspaces = join(folders.data, 'workspaces');
  let opened: OpenWorkspace | undefined;
  const jobsChanged = createChangeSignal();
  // Opening two workspaces at once would leave one of them open for ever.
  const inTurn = createTurns(1);

  const info = ({ store }: OpenWorkspace): WorkspaceInfo => ({ id: store.workspace.id, name: store.workspace.name, path: store.path });
  const openedInfo = (workspace: OpenWorkspace): OpenedWorkspace => ({ ...info(workspace), kind: workspace.store.kind, readOnly: workspace.readOnly });

  async function readRecent(): Promise<z.infer<typeof recentEntry>[]> {
    const parsed = z.array(recentEntry).safeParse(await readJson(recentFile));
    return parsed.success ? parsed.data : [];
  }

  async function remember(workspace: OpenWorkspace): Promise<void> {
    const indexes = await workspace.store.indexes.list();
    const entry = { ...info(workspace), openedAt: new Date().toISOString(), indexes: indexes.length, images: Math.max(0, ...indexes.map((index) => index.images)) };
    const others = (await readRecent()).filter((other) => other.path !== entry.path);
    await writeJson(recentFile, [entry, ...others].slice(0, mostRecent));
  }

  async function switchTo(folder: string, create: boolean, name?: string): Promise<OpenedWorkspace> {
    if (opened?.store.path === folder) return openedInfo(opened);
    if (opened) {
      const busy = (await opened.queue.list()).find((job) => job.state === 'running' || job.state === 'queued');
      if (busy) throw new AppError('CONFLICT', `"${busy.title}" is still running in ${opened.store.path}. Cancel it, or wait until it is done, before opening another workspace.`, { job: busy.id });
    }
    const { store, readOnly } = await openWritable(folder, mode, create, name);
    await service.close();
    opened = { store, readOnly, queue: createJobQueue(jobStoreOf(store), runners(store), () => jobsChanged.changed()) };
    jobsChanged.changed();
    if (mode === 'write') await remember(opened).catch(() => undefined);
    return openedInfo(opened);
  }

  const service: WorkspaceService = {
    current: () => (opened ? openedInfo(opened) : null),
    async recent() {
      if (opened && mode === 'write') await remember(opened).catch(() => undefined);
      return Promise.all(
        (await readRecent()).map(async (entry) => ({
          ...entry,
          exists: (await isWorkspace(entry.path)) || (await isPackFile(entry.path)),
        })),
      );
    },
    jobsChanged,
    open: (path) => inTurn(() => switchTo(resolve(path), false)),
    create: ({ path, name }) =>
      inTurn(async () => {
        if (path) return switchTo(resolve(path), true, name ?? basename(resolve(path)));
        return switchTo(await freeFolder(newWorkspaces, name ?? 'workspace', 'workspace'), true, name ?? 'workspace');
      }),
    async forget(path) {
      await writeJson(recentFile, (await readRecent()).filter((entry) => entry.path !== path));
    },
    required() {
      if (!opened) throw new AppError('WORKSPACE', 'No workspace is open. Open one, or make a new one, first.');
      return opened;
    },
    folder: () => opened?.store.folder ?? newWorkspaces,
    async close() {
      const last = opened;
      opened = undefined;
      await last?.queue.close();
      // As it is left, not as it was found.
      if (last && mode === 'write') await remember(last).catch(() => undefined);
      await last?.store.close();
    },
  };
  return service;
}

/** A workspace that nobody may write to opens for reading, with the reason. */
async function openWritable(folder: string, mode: 'write' | 'read', create: boolean, name: string | undefined): Promise<{ readonly store: Store; readonly readOnly: string | null }> {
  try {
    const store = await openStore(folder, { mode, create, ...(name ? { name } : {}) });
    if (store.kind === 'pack') return { store, readOnly: 'This is a pack: it shows what was packed, and nothing can be changed or computed anew.' };
    return { store, readOnly: store.mode === 'read' ? 'The workspace was opened for reading only.' : null };
  } catch (error) {
    if (!(error instanceof AppError) || error.data['readOnly'] !== true || !(await isWorkspace(folder))) throw error;
    return { store: await openStore(folder, { mode: 'read' }), readOnly: error.message };
  }
}

/** The jobs table with plain names for ids: the queue knows no brands. */
function jobStoreOf({ jobs }: Store): JobStore {
  return {
    create: (job) => jobs.create({ ...job, id: job.id as JobId, indexId: job.indexId as IndexId | null }),
    update: (id, change) => jobs.update(id as JobId, change),
    get: (id) => jobs.get(id as JobId),
    list: () => jobs.list(),
  };
}
