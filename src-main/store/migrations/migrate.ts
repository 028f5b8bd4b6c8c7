/** Brings a database to the newest layout, one numbered step per transaction; each step's number is written in the same transaction. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Database, Statements } from '../driver.ts';
import { initial } from './0001-initial.ts';
import { passes } from './0002-passes.ts';
import { scores } from './0003-scores.ts';
import { parts } from './0004-parts.ts';
import { keptPictures } from './0005-kept-pictures.ts';
import { notes } from './0006-notes.ts';
import { evolutions } from './0007-evolutions.ts';
import { lab } from './0008-lab.ts';
import { maps } from './0009-maps.ts';
import { experiments } from './0010-experiments.ts';
import { partSizes } from './0011-part-sizes.ts';
import type { Migration } from './migration.ts';

/** All steps in order. */
export const migrations: readonly Migration[] = [initial, passes, scores, parts, keptPictures, notes, evolutions, lab, maps, experiments, partSizes];

/** The layout this program writes: the number of the last step. */
export const newestLayout = migrations.at(-1)!.number;

/** Marks a SQLite file as a Switchback workspace ("Swbk"), so that another program's database is not taken for one. */
export const applicationId = 0x5377626b;

/** @returns the numbers of the steps that were applied now */
export async function migrate(database: Database, steps: readonly Migration[] = migrations): Promise<number[]> {
  const applied: number[] = [];
  const layout = await layoutOf(database);
  for (const step of steps) {
    if (step.number <= layout) continue;
    await database.transaction(async (statements) => {
      await statements.exec(step.sql);
      await statements.exec(`PRAGMA user_version = ${step.number}; PRAGMA application_id = ${applicationId};`);
    });
    applied.push(step.number);
  }
  return applied;
}

export async function layoutOf(database: Statements): Promise<number> {
  const row = await database.get<{ user_version: number }>('PRAGMA user_version');
  return row?.user_version ?? 0;
}

/** @throws AppError WORKSPACE for another program's database and for a layout newer than this program's */
export async function checkLayout(database: Statements, folder: string): Promise<void> {
  const row = await database.get<{ application_id: number }>('PRAGMA application_id');
  if (row?.application_id !== applicationId) throw new AppError('WORKSPACE', `${folder} is not a Switchback workspace: its workspace.sqlite was made by another program.`, { path: folder });
  const layout = await layoutOf(database);
  if (layout > newestLayout) {
    throw new AppError(
      'WORKSPACE',
      `The workspace ${folder} was made by a newer Switchback (layout ${layout}; this program knows ${newestLayout}). Update Switchback to open it.`,
      { path: folder, layout, newest: newestLayout },
    );
  }
}
