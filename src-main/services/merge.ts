/**
 * Several parts of an index, computed on several machines, become the index that one machine would have made: the same rows, the same matrices, whatever the order and number of the parts,
 * and however often they are merged. A workspace that is not there yet is built beside its place and renamed; in one that is there the index stays hidden until it is whole.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { planMerge, type MergePlan } from '../indexing/mergePlan.ts';
import type { PlaceRange } from '../indexing/shards.ts';
import type { AssemblyPart, Contradiction } from '../store/assemblies.ts';
import type { PlacementChange } from '../store/indexes.ts';
import { takeWriterLock } from '../store/lock.ts';
import { isWorkspace, openStore, type Store } from '../store/open.ts';
import { belongsTo, checkComplete, checkTogether, openPart, partOfStore, wholeImagesOf, type MergePart } from './mergeParts.ts';
import { mergeFeatures } from './mergeFeatures.ts';
import { checkMatrices, mergedStatistics, mergeMatrices } from './mergeRows.ts';
import { wholeKeyOf } from './startIndex.ts';

export interface MergeRequest {
  /** Workspace folders. */
  readonly parts: readonly string[];
  readonly into: string;
  /** Merges what there is; the index then covers a part of its folder. */
  readonly allowMissing?: boolean;
}

export interface MergeReport {
  /** Absolute. */
  readonly workspace: string;
  readonly index: string;
  readonly images: number;
  readonly skipped: number;
  /** Places of the listing that no part has. */
  readonly missing: readonly PlaceRange[];
  /** False where the workspace held all of it already. */
  readonly changed: boolean;
}

export type MergeProgress = (step: string) => void;

/**
 * @throws AppError CONFLICT where parts are of different computations, contradict each other, or leave images out; WORKSPACE where a workspace cannot be opened or made
 */
export async function mergeWorkspaces(request: MergeRequest, progress: MergeProgress = () => undefined, signal?: AbortSignal): Promise<MergeReport> {
  const into = resolve(request.into);
  const paths = [...new Set(request.parts.map((path) => resolve(path)))].filter((path) => path !== into).sort();
  const opened: Store[] = [];
  try {
    const parts: MergePart[] = [];
    for (const path of paths) {
      progress(`reading ${basename(path)}`);
      const part = await openPart(path);
      opened.push(part.store);
      parts.push(part);
    }
    if (parts.length === 0) throw new AppError('BAD_REQUEST', 'There is nothing to merge: name the workspaces of the parts.');
    checkTogether(parts);
    const work = { parts, allowMissing: request.allowMissing ?? false, progress, signal };
    if (await isWorkspace(into)) {
      const target = await openStore(into, { mode: 'write' });
      opened.push(target);
      return await mergeInto(target, work);
    }
    return await mergeAnew(into, work);
  } finally {
    for (const store of opened.reverse()) await store.close();
  }
}

interface Work {
  readonly parts: readonly MergePart[];
  readonly allowMissing: boolean;
  readonly progress: MergeProgress;
  readonly signal: AbortSignal | undefined;
}

async function mergeAnew(into: string, work: Work): Promise<MergeReport> {
  if ((await readdir(into).catch(() => [])).length > 0) throw new AppError('WORKSPACE', `${into} holds other files and no workspace: choose an empty or a new folder.`, { path: into });
  if ((await stat(into).catch(() => null))?.isFile()) throw new AppError('WORKSPACE', `${into} is a file: choose a folder.`, { path: into });
  await removeLeftBehind(into);
  const temporary = `${beginningOf(into)}${randomUUID().slice(0, 8)}`;
  try {
    const store = await openStore(temporary, { mode: 'write', create: true, name: basename(into) });
    const report = await mergeInto(store, work).finally(() => store.close());
    await rename(temporary, into);
    return { ...report, workspace: into };
  } catch (thrown) {
    await rm(temporary, { recursive: true, force: true });
    throw thrown;
  }
}

/** What a killed merge was building lies beside the target; one that still runs holds its lock. */
async function removeLeftBehind(into: string): Promise<void> {
  const folder = dirname(into);
  for (const name of await readdir(folder).catch(() => [])) {
    if (!join(folder, name).startsWith(beginningOf(into))) continue;
    const free = await takeWriterLock(join(folder, name)).then((lock) => lock.release().then(() => true), () => false);
    if (free) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function beginningOf(into: string): string {
  return join(dirname(into), `.${basename(into)}.merging-`);
}

async function mergeInto(target: Store, { parts, allowMissing, progress, signal }: Work): Promise<MergeReport> {
  const first = parts[0]!;
  const base = (await target.indexes.list()).map((index) => partOfStore(basename(target.path), target, index)).find((candidate) => belongsTo(first, candidate) && wholeKeyOf(candidate.index) === wholeKeyOf(first.index));
  const all = base ? [base, ...parts] : parts;
  const plan = planMerge(all, wholeImagesOf(first));
  if (!allowMissing) checkComplete(all, plan.missing);
  const report = { workspace: target.path, images: plan.images, missing: plan.missing };
  if (base && plan.images === base.index.images && base.index.cursor === base.index.images) {
    await verify(target, base.index.id, base.index.matrixFolder, all, { ...plan, sources: plan.sources.map(({ pieces }) => ({ pieces, taken: [] })) });
    return { ...report, index: base.index.id, skipped: base.index.skipped, changed: false };
  }
  if (base && (await target.passes.of(base.index.id))) {
    throw new AppError('CONFLICT', `${target.path} has an unfinished rescan of this index: let "switchback index" finish it, or delete the index, before merging.`, { path: target.path, index: base.index.id });
  }
  const id = await assemble(target, base, all, plan, progress, signal);
  const { skipped } = await target.indexes.get(id);
  return { ...report, index: id, skipped, changed: true };
}

async function assemble(target: Store, base: MergePart | undefined, parts: readonly MergePart[], plan: MergePlan, progress: MergeProgress, signal: AbortSignal | undefined): Promise<IndexId> {
  // The part with the first image speaks for what may differ: paths and the words for the engine.
  const model = parts[plan.order[0]!.source]!.index;
  const versionBase = base ? base.index.versionBase + base.index.images + 1 : 0;
  const { assemblies } = target;
  try {
    const id = await assemblies.begin({ ...model, part: plan.missing.length > 0 ? { images: wholeImagesOf(parts[0]!), listing: parts.find(({ index }) => index.part)?.index.part?.listing ?? null, ranges: plan.ranges } : null });
    for (const [at, part] of parts.entries()) {
      signal?.throwIfAborted();
      progress(`images and hits of ${part.name}`);
      refuse(part, await assemblies.add(id, assemblyPart(part, plan, at)));
    }
    await assemblies.rank(id, versionBase);
    for (const layer of model.layers) {
      signal?.throwIfAborted();
      progress(`statistics of ${layer.name}`);
      await assemblies.writeStatistics(id, [{ layer: layer.number, data: await mergedStatistics(parts, plan, layer) }]);
    }
    if (model.matrix !== 'none') {
      progress('score matrices');
      await mergeMatrices(target, id, parts, plan, model.layers, model.matrix, signal);
    }
    progress('features');
    await mergeFeatures(target, id, parts, plan, signal);
    await verify(target, id, id, parts, plan);
    const [images] = await target.images.page(id, 0, 1);
    if (!images) throw new AppError('CONFLICT', 'The parts hold no images that are done: finish them first.');
    await assemblies.publish(id, wholeKeyOf(model), placementChanges(parts, plan), base?.index.id ?? null, versionBase);
    if (base) await target.passes.adopt(await target.indexes.get(id));
    const final = base?.index.id ?? id;
    for (const [at, part] of parts.entries()) if (part !== base) await assemblies.addPictures(final, assemblyPart(part, plan, at));
    await target.crops.prune(final);
    return final;
  } finally {
    // What did not become visible, and what was replaced.
    await target.indexes.finishDeletions();
  }
}

async function verify(target: Store, id: IndexId, matrixFolder: string, parts: readonly MergePart[], plan: MergePlan): Promise<void> {
  for (const [at, part] of parts.entries()) {
    if (part.store === target) continue;
    refuse(part, await target.assemblies.verify(id, assemblyPart(part, plan, at)));
    const { pieces, taken } = plan.sources[at]!;
    const others = pieces.filter(({ from, to }) => !taken.some((piece) => piece.from <= from && to <= piece.to));
    if (part.index.matrix !== 'none' && others.length > 0) await checkMatrices(target, matrixFolder, part, others, part.index.layers);
  }
}

function assemblyPart(part: MergePart, plan: MergePlan, at: number): AssemblyPart {
  return { source: part.store.source, index: part.index.id, ...plan.sources[at]! };
}

function refuse(part: MergePart, contradiction: Contradiction | null): void {
  if (contradiction === null) return;
  const { path, what } = contradiction;
  throw new AppError('CONFLICT', `${part.name} and another part contradict each other in ${what} of ${path}: the images changed between the jobs, or the rows were not computed the same way. Index one of the two again.`, { part: part.name, image: path });
}

/** How rows were computed, along the new numbers: a change inside a part ends where the part ends. */
function placementChanges(parts: readonly MergePart[], plan: MergePlan): readonly PlacementChange[] {
  const changes: PlacementChange[] = [];
  const { engine, device, batchSize, engineDescription: description } = parts[plan.order[0]!.source]!.index;
  const plain = { engine, device, batchSize, description, reason: 'the next part was computed as the index says' };
  let current: Omit<PlacementChange, 'fromImage'> = plain;
  for (const { source, piece } of plan.order) {
    const own = parts[source]!.index.placementChanges;
    const atStart = own.findLast(({ fromImage }) => fromImage <= piece.from) ?? plain;
    if (atStart !== current && !(atStart === plain && current === plain)) changes.push({ ...atStart, fromImage: piece.from + piece.shift });
    const inside = own.filter(({ fromImage }) => fromImage > piece.from && fromImage < piece.to);
    changes.push(...inside.map((change) => ({ ...change, fromImage: change.fromImage + piece.shift })));
    current = inside.at(-1) ?? atStart;
  }
  return changes;
}
