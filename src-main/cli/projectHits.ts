/**
 * `switchback project --all-hits`: the exact projections of all hits as files. One .npy per hit holds the values of the support; index.json says which hit each is and where in the network
 * input it lies. The list is written again every few seconds, so that the same command goes on where it was stopped; what was written after the last list is computed again.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, ProjectionRecord, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { byImage } from '../projection/atlasOrder.ts';
import { computationVersion } from '../services/computation.ts';
import type { Services } from '../services/services.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { npyBytes, npyHeaderBytes } from '../store/npy.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

export interface AllHitsRequest {
  readonly index: string;
  readonly layers: readonly Layer[];
  readonly method: Method;
  readonly seed: Seed;
  readonly control: Control;
  readonly out: string;
}

/** One hit in index.json. */
interface WrittenHit extends Omit<ProjectionRecord, 'method' | 'seed' | 'control' | 'rectified' | 'notes'> {
  readonly file: string;
  readonly rank: number;
  readonly score: number;
}

interface Hit {
  readonly channel: number;
  readonly rank: number;
  readonly imageNumber: number;
  readonly path: string;
  readonly score: number;
  readonly y: number;
  readonly x: number;
}

const portionMs = 400;
const listEveryMs = 5000;

/**
 * `written` now, `done` in all, of so many `hits`; `lost`: why some are missing, one reason for each image that can be read no more.
 * @throws AppError CONFLICT where the folder holds projections of another index or by another method
 */
export async function projectAllHits(session: Session, services: Services, { index: id, layers, method, seed, control, out }: AllHitsRequest): Promise<{ readonly written: number; readonly done: number; readonly hits: number; readonly folder: string; readonly lost: readonly string[] }> {
  const { store } = services.workspaces.required();
  const index = await store.indexes.get(id as IndexId);
  const folder = resolve(out);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new AppError('BAD_REQUEST', `The folder ${folder} cannot be made: ${cause instanceof Error ? cause.message : String(cause)}.`, { out: folder }, cause);
  });
  const header = headerOf(index, { method, seed, control });
  const list = new Map<string, WrittenHit>((await readList(folder, header)).map((entry) => [entry.file, entry]));
  let listedAtMs = performance.now();
  let listTookMs = 0;
  const writeList = async () => {
    const startMs = performance.now();
    await writeWhole(join(folder, 'index.json'), new TextEncoder().encode(`${JSON.stringify({ ...header, projections: [...list.values()].sort((a, b) => (a.file < b.file ? -1 : 1)) })}\n`));
    listedAtMs = performance.now();
    listTookMs = listedAtMs - startMs;
  };

  let [written, done, total] = [0, 0, 0];
  const lost = new Set<string>();
  const todo: { readonly layer: Layer; readonly hits: readonly Hit[] }[] = [];
  for (const layer of layers) {
    const stored = await store.hits.ofLayer(index.id, layer.number);
    const hits: Hit[] = stored.map(({ image, channel, rank, path, score, y, x }) => ({ channel, rank, imageNumber: image, path, score, y, x }));
    // A rescan may have driven hits out.
    const files = new Set(hits.map((hit) => fileOf(layer, hit)));
    for (const file of list.keys()) if (dirname(file) === folderOf(layer) && !files.has(file)) list.delete(file);
    const missing: Hit[] = [];
    for (const hit of hits) if (!(await isWritten(folder, list.get(fileOf(layer, hit)), hit, header.input[0]))) missing.push(hit);
    total += hits.length;
    done += hits.length - missing.length;
    todo.push({ layer, hits: byImage(missing) });
  }
  try {
    for (const { layer, hits } of todo) {
      const of = { store, index, layer: layer.number };
      for (let start = 0; start < hits.length; ) {
        session.signal.throwIfAborted();
        session.progress(`${done} of ${total} projections: ${layer.name}`);
        const next = hits.slice(start, start + services.projections.unitsIn(of, { method, seed, control }, portionMs));
        start += next.length;
        const { units: portion, lost: reasons } = await services.projections.readable({ ...of, units: next }, session.signal);
        for (const reason of reasons) lost.add(reason);
        if (portion.length === 0) continue;
        const found = await services.projections.exact({ ...of, units: portion }, { method, seed, control }, session.signal);
        for (const [at, { record, values }] of found.entries()) {
          const hit = portion[at]!;
          const file = fileOf(layer, hit);
          const [y0, x0, y1, x1] = record.support ?? [0, 0, 0, 0];
          await mkdir(dirname(join(folder, file)), { recursive: true });
          await writeWhole(join(folder, file), npyBytes(values, [header.input[0], y1 - y0, x1 - x0]));
          const { method: _method, seed: _seed, control: _control, rectified: _rectified, notes: _notes, ...numbers } = record;
          list.set(file, { file, rank: hit.rank, score: hit.score, ...numbers });
        }
        written += portion.length;
        done += portion.length;
        // A long list takes a while; it must not become the main work.
        if (performance.now() - listedAtMs > Math.max(listEveryMs, 20 * listTookMs)) await writeList();
      }
    }
  } finally {
    await writeList();
  }
  return { written, done, hits: total, folder, lost: [...lost] };
}

function fileOf(layer: Layer, { channel, rank }: Pick<Hit, 'channel' | 'rank'>): string {
  return `${folderOf(layer)}/${String(channel).padStart(5, '0')}-${rank}.npy`;
}

function folderOf(layer: Layer): string {
  return `${String(layer.number).padStart(3, '0')}-${layer.name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80)}`;
}

async function isWritten(folder: string, entry: WrittenHit | undefined, hit: Hit, channels: number): Promise<boolean> {
  if (!entry || entry.image !== hit.path || entry.y !== hit.y || entry.x !== hit.x) return false;
  const [y0, x0, y1, x1] = entry.support ?? [0, 0, 0, 0];
  const bytes = (await stat(join(folder, entry.file)).catch(() => null))?.size;
  return bytes === npyHeaderBytes + channels * (y1 - y0) * (x1 - x0) * 4;
}

function headerOf(index: StoredIndex, way: { readonly method: Method; readonly seed: Seed; readonly control: Control }) {
  const { preprocessing, engine, device, modelName, modelHash, imagesPath } = index;
  return {
    values: 'float32 [C, rows, columns] of support = [y0, x0, y1, x1], half-open, in network-input space; zero elsewhere. box is the receptive field inside the input.',
    index: index.id, model: modelName, modelHash, images: imagesPath, preprocessing, engine, device, computation: computationVersion, ...way,
    input: [preprocessing.order === 'grey' ? 1 : 3, ...preprocessing.crop] as const,
  };
}

async function readList(folder: string, header: ReturnType<typeof headerOf>): Promise<readonly WrittenHit[]> {
  const file = join(folder, 'index.json');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return [];
  const found = readHeader(text);
  if (!found) throw new AppError('CONFLICT', `${file} was not written by Switchback. Choose another folder.`, { out: folder });
  for (const name of ['index', 'modelHash', 'engine', 'device', 'computation', 'method', 'seed', 'control'] as const) {
    if (found[name] === header[name]) continue;
    throw new AppError('CONFLICT', `${folder} holds projections with ${name} ${JSON.stringify(found[name] ?? null)}, not ${JSON.stringify(header[name])}. Choose another folder.`, { out: folder });
  }
  return found.projections;
}

function readHeader(text: string): ({ readonly projections: readonly WrittenHit[] } & Readonly<Record<string, unknown>>) | null {
  try {
    const found = JSON.parse(text) as { readonly projections?: unknown } | null;
    return Array.isArray(found?.projections) ? (found as ReturnType<typeof readHeader>) : null;
  } catch {
    return null;
  }
}
