/** Table `workspace`: one row that names the workspace. */
import { randomUUID } from 'node:crypto';
import { AppError } from '../../src-shared/errors.ts';
import type { Statements } from './driver.ts';

export interface WorkspaceRecord {
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Of the folder as a whole (files beside the database); the database has its own layout number. */
  readonly format: number;
}

const folderFormat = 1;

export async function writeWorkspace(database: Statements, name: string): Promise<void> {
  await database.run('INSERT INTO workspace (id, name, created_at, format) VALUES (?, ?, ?, ?)', [randomUUID(), name, new Date().toISOString(), folderFormat]);
}

export async function readWorkspace(database: Statements, folder: string): Promise<WorkspaceRecord> {
  const row = await database.get<WorkspaceRecord>('SELECT id, name, created_at AS createdAt, format FROM workspace');
  if (!row) throw new AppError('WORKSPACE', `The workspace ${folder} is damaged: its own record is missing. Restore it from a backup.`, { path: folder });
  return row;
}
