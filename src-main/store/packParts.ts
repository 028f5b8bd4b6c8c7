/**
 * The files beside the database that a pack may bring, each under the name that it has within: score matrices and what is kept beside them as `<folder>/<file>`, maps as `maps/<id>/<file>`. Who reads
 * a pack expects these and no others (`expectedFiles`), since its maker is not trusted.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './open.ts';
import { isRowFileName, rowBytes, rowFileName, type StoredRowFile } from './rowFiles.ts';
import { scoreMatrixFolder } from './scoreMatrix.ts';

export type PackPart = 'matrices' | 'features' | 'maps';

export interface PackableFile {
  /** It goes along with any of these; its bytes are counted with the first. */
  readonly parts: readonly [PackPart, ...PackPart[]];
  /** Within the pack. */
  readonly name: string;
  /** On this machine. */
  readonly path: string;
  readonly bytes: number;
  /** Of the record that it belongs to: a row file, or a map. */
  readonly record: string | null;
}

/** What a pack has to know of a map's own JSON. */
export interface PackableMap {
  readonly stage: string;
  readonly points: number;
}

/** What a finished map is drawn from. */
const mapFiles = ['coordinates.npy', 'rows.npy', 'paths.txt', 'grid.npy'] as const;

/** @param indexes ids; all if absent */
export async function packableFiles(store: Pick<Store, 'indexes' | 'rowFiles' | 'maps'>, folder: string, indexes?: readonly string[]): Promise<readonly PackableFile[]> {
  const files: PackableFile[] = [];
  const add = async (parts: PackableFile['parts'], name: string, path: string, record: string | null) => {
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) files.push({ parts, name, path, bytes: found.size, record });
  };
  const maps = (await store.maps.list<PackableMap>()).filter(({ index, record }) => record.stage === 'done' && (indexes?.includes(index) ?? true));
  for (const { id } of maps) for (const name of mapFiles) await add(['maps'], `maps/${id}/${name}`, join(folder, 'maps', id, name), id);
  const mapped = new Set(maps.map(({ index }) => index));
  for (const { id, matrix, matrixFolder, cursor, skipped } of await store.indexes.list()) {
    if (indexes && !indexes.includes(id)) continue;
    const place = scoreMatrixFolder(folder, matrixFolder);
    const names = (await readdir(place).catch((): string[] => [])).sort();
    for (const name of names) if (matrix !== 'none' && !isRowFileName(name)) await add(['matrices'], `${matrixFolder}/${name}`, join(place, name), null);
    for (const file of await store.rowFiles.list(id)) {
      if (file.folder !== matrixFolder || file.rows !== cursor - skipped) continue;
      const parts: PackableFile['parts'] = file.what === 'features' ? ['features'] : mapped.has(id) ? ['maps', 'features'] : ['features'];
      const own = names.filter((name) => name === rowFileName(file) || overFeatures(file).test(name));
      for (const name of own) await add(parts, `${matrixFolder}/${name}`, join(place, name), file.id);
    }
  }
  return files;
}

/** The index of neighbours over a file of features. */
function overFeatures({ id }: Pick<StoredRowFile, 'id'>): RegExp {
  return new RegExp(`^features-${id}\\.neighbours-(l2|cosine)\\.bin$`);
}

export interface PackRecords {
  /** Folders of score matrices, and how many bytes one may hold at most. */
  readonly folders: ReadonlyMap<string, number>;
  readonly rowFiles: readonly StoredRowFile[];
  readonly maps: readonly { readonly id: string; readonly points: number }[];
}

/** Tells of a file's name within a pack how many bytes it may have at most; null for one that no pack has. */
export function expectedFiles({ folders, rowFiles, maps }: PackRecords): (name: string) => number | null {
  const exact = new Map<string, number>();
  for (const { id, points } of maps) for (const name of mapFiles) exact.set(`maps/${id}/${name}`, slackBytes + points * bytesPerPoint);
  for (const file of rowFiles) {
    exact.set(`${file.folder}/${rowFileName(file)}`, slackBytes + file.rows * rowBytes(file));
    if (file.what === 'features') for (const metric of ['l2', 'cosine']) exact.set(`${file.folder}/features-${file.id}.neighbours-${metric}.bin`, slackBytes + file.rows * bytesOfLinks);
  }
  return (name) => (isMatrixFile(name) ? folders.get(name.split('/')[0]!) : exact.get(name)) ?? null;
}

/** By its name within a pack. */
export function isMatrixFile(name: string): boolean {
  return /^[a-z0-9]+\/(\d{4,6}\.npy|images\.npy|images\.json|layers\.json)$/.test(name);
}

/** Headers. */
const slackBytes = 2 ** 20;
/** Two float32, or a path. */
const bytesPerPoint = 6 * 4096;
/** Of one row in an index of neighbours: about 150. */
const bytesOfLinks = 512;
