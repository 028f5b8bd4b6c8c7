/** Table `evolutions`: series of checkpoints of one architecture over the same images, with the index that belongs to each. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Connections } from './open.ts';

export interface SeriesRecord {
  readonly name: string;
  /** Where the checkpoints lie, absolute. */
  readonly folder: string;
  readonly imagesPath: string;
  readonly labelsPath: string | null;
  readonly preprocessing: Preprocessing;
  /** What was asked for. */
  readonly engine: string;
  readonly device: string;
  readonly batch: number | null;
  readonly matrix: 'float32' | 'float16' | 'none';
  readonly layers: readonly Layer[];
  /** In the order of their epochs. */
  readonly checkpoints: readonly SeriesCheckpoint[];
}

export interface SeriesCheckpoint {
  readonly epoch: number;
  readonly name: string;
  readonly path: string;
  readonly modelHash: string;
  /** Null before it was made; it may be deleted since. */
  readonly index: IndexId | null;
}

export interface StoredSeries extends SeriesRecord {
  readonly id: string;
  readonly createdAt: string;
}

export interface EvolutionsTable {
  create(id: string, record: SeriesRecord): Promise<void>;
  /** Forgets the movement, which may be that of other checkpoints. @throws AppError NOT_FOUND */
  replace(id: string, record: SeriesRecord): Promise<void>;
  /** @throws AppError NOT_FOUND */
  setIndex(id: string, modelHash: string, index: IndexId): Promise<void>;
  /** @throws AppError NOT_FOUND */
  get(id: string): Promise<StoredSeries>;
  /** Newest first. */
  list(): Promise<readonly StoredSeries[]>;
  /** The caller's own JSON. Null where it was not computed yet. */
  movement<Movement>(id: string): Promise<Movement | null>;
  setMovement(id: string, movement: unknown): Promise<void>;
  delete(id: string): Promise<void>;
}

interface EvolutionRow {
  readonly id: string;
  readonly record: string;
  readonly createdAt: string;
}

const select = 'SELECT id, record, created_at AS createdAt FROM evolutions';

export function evolutionsTable({ reader, writer }: Connections): EvolutionsTable {
  return {
    async create(id, record) {
      await writer().run('INSERT INTO evolutions (id, record, created_at) VALUES (?, ?, ?)', [id, JSON.stringify(record), new Date().toISOString()]);
    },
    async replace(id, record) {
      const changed = await writer().run('UPDATE evolutions SET record = ?, movement = NULL WHERE id = ?', [JSON.stringify(record), id]);
      if (changed === 0) throw noSeries(id);
    },
    async setIndex(id, modelHash, index) {
      await writer().transaction(async (statements) => {
        const row = await statements.get<EvolutionRow>(`${select} WHERE id = ?`, [id]);
        if (!row) throw noSeries(id);
        const { id: _, createdAt: __, ...record } = fromRow(row);
        const checkpoints = record.checkpoints.map((each) => (each.modelHash === modelHash ? { ...each, index } : each));
        await statements.run('UPDATE evolutions SET record = ? WHERE id = ?', [JSON.stringify({ ...record, checkpoints }), id]);
      });
    },
    async get(id) {
      const row = await reader.get<EvolutionRow>(`${select} WHERE id = ?`, [id]);
      if (!row) throw noSeries(id);
      return fromRow(row);
    },
    async list() {
      return (await reader.all<EvolutionRow>(`${select} ORDER BY number DESC`)).map(fromRow);
    },
    async movement<Movement>(id: string) {
      const row = await reader.get<{ movement: string | null }>('SELECT movement FROM evolutions WHERE id = ?', [id]);
      return row?.movement == null ? null : (JSON.parse(row.movement) as Movement);
    },
    async setMovement(id, movement) {
      await writer().run('UPDATE evolutions SET movement = ? WHERE id = ?', [JSON.stringify(movement), id]);
    },
    async delete(id) {
      await writer().run('DELETE FROM evolutions WHERE id = ?', [id]);
    },
  };
}

function fromRow({ id, record, createdAt }: EvolutionRow): StoredSeries {
  return { ...(JSON.parse(record) as SeriesRecord), id, createdAt };
}

function noSeries(id: string): AppError {
  return new AppError('NOT_FOUND', `There is no series of checkpoints "${id}" in this workspace.`, { series: id });
}
