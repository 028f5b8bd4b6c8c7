/**
 * The one file that knows the SQLite library (archived upstream): promises, transactions and error words. Everything else in the store speaks `Database`, so that another library can
 * take its place. A connection works on one thing at a time: while a transaction is open, other statements on the same connection wait in a queue instead of slipping into it.
 */
import sqlite3 from 'sqlite3';
import { AppError } from '../../src-shared/errors.ts';

/** What SQLite can hold. Numbers that are whole go into INTEGER columns unchanged. */
export type SqlValue = string | number | null | Uint8Array;

export interface Statements {
  /** Several statements without parameters. */
  exec(sql: string): Promise<void>;
  /** One statement; returns how many rows it changed. */
  run(sql: string, parameters?: readonly SqlValue[]): Promise<number>;
  get<Row>(sql: string, parameters?: readonly SqlValue[]): Promise<Row | undefined>;
  all<Row>(sql: string, parameters?: readonly SqlValue[]): Promise<Row[]>;
}

export interface Database extends Statements {
  /** Runs `work` between BEGIN IMMEDIATE and COMMIT; whatever it throws rolls everything back. Inside, use the handle given to `work` only. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** Waits for what is queued, then closes. Closing twice is allowed. */
  close(): Promise<void>;
}

/** `create` makes the file; `immutable` reads a database on a medium that cannot hold SQLite's side files and that nobody writes. */
export type OpenMode = 'create' | 'write' | 'read' | 'immutable';

/** @throws AppError WORKSPACE when the file is missing, locked or no database */
export async function openDatabase(file: string, mode: OpenMode): Promise<Database> {
  const flags = {
    create: sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE,
    // A writer may attach other databases by address, which can say that they are only read.
    write: sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI,
    read: sqlite3.OPEN_READONLY,
    immutable: sqlite3.OPEN_READONLY | sqlite3.OPEN_URI,
  }[mode];
  const name = mode === 'immutable' ? `file:${encodeURI(file).replaceAll('?', '%3f').replaceAll('#', '%23')}?immutable=1` : file;
  const raw = await new Promise<sqlite3.Database>((resolve, reject) => {
    const database: sqlite3.Database = new sqlite3.Database(name, flags, (error) => (error ? reject(inWords(error, file)) : resolve(database)));
  });
  return queued(raw, file);
}

function queued(raw: sqlite3.Database, file: string): Database {
  const direct = statementsOf(raw, file);
  let last: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new AppError('WORKSPACE', `The database ${file} is closed.`, { path: file }));
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    exec: (sql) => inTurn(() => direct.exec(sql)),
    run: (sql, parameters) => inTurn(() => direct.run(sql, parameters)),
    get: (sql, parameters) => inTurn(() => direct.get(sql, parameters)),
    all: (sql, parameters) => inTurn(() => direct.all(sql, parameters)),
    transaction: (work) => inTurn(() => transact(direct, work)),
    close() {
      closed ??= last.then(() => new Promise<void>((resolve, reject) => raw.close((error) => (error ? reject(inWords(error, file)) : resolve()))));
      return closed;
    },
  };
}

async function transact<T>(statements: Statements, work: (statements: Statements) => Promise<T>): Promise<T> {
  await statements.exec('BEGIN IMMEDIATE');
  try {
    const result = await work(statements);
    await statements.exec('COMMIT');
    return result;
  } catch (thrown) {
    // A full disk makes SQLite roll back by itself; the second rollback then has nothing to do and its complaint would hide the cause.
    await statements.exec('ROLLBACK').catch(() => undefined);
    throw thrown;
  }
}

function statementsOf(raw: sqlite3.Database, file: string): Statements {
  return {
    exec: (sql) => new Promise((resolve, reject) => raw.exec(sql, (error) => (error ? reject(inWords(error, file, sql)) : resolve()))),
    run: (sql, parameters = []) =>
      new Promise((resolve, reject) =>
        raw.run(sql, parameters.map(bound), function (error) {
          if (error) reject(inWords(error, file, sql));
          else resolve(this.changes);
        }),
      ),
    get: <Row>(sql: string, parameters: readonly SqlValue[] = []) =>
      new Promise<Row | undefined>((resolve, reject) => raw.get<Row>(sql, parameters.map(bound), (error, row) => (error ? reject(inWords(error, file, sql)) : resolve(row)))),
    all: <Row>(sql: string, parameters: readonly SqlValue[] = []) =>
      new Promise<Row[]>((resolve, reject) => raw.all<Row>(sql, parameters.map(bound), (error, rows) => (error ? reject(inWords(error, file, sql)) : resolve(rows)))),
  };
}

/** The library binds Buffers as blobs; other byte arrays are wrapped without a copy. */
function bound(value: SqlValue): SqlValue {
  return value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

const words: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'is in use by another process; try again when it has finished',
  SQLITE_LOCKED: 'is in use; try again',
  SQLITE_CANTOPEN: 'cannot be opened; check that it exists and that you may write to its folder',
  SQLITE_NOTADB: 'is not a database',
  SQLITE_CORRUPT: 'is damaged; restore it from a backup',
  SQLITE_FULL: 'cannot grow: the disk is full; free some space and resume',
  SQLITE_IOERR: 'cannot be read or written: the disk reports an error',
  SQLITE_READONLY: 'may not be written; check the permissions of the file and its folder',
};

/** What can be expected becomes an AppError with `data.sqlite`; anything else is a bug in a statement and keeps the statement in its message. */
function inWords(error: Error, file: string, sql?: string): Error {
  const code = 'code' in error ? String(error.code) : '';
  const sentence = words[code];
  if (sentence !== undefined) return new AppError('WORKSPACE', `The database ${file} ${sentence}.`, { path: file, sqlite: code }, error);
  return new Error(`${error.message}${sql === undefined ? '' : ` in: ${sql.replace(/\s+/g, ' ').slice(0, 300)}`}`, { cause: error });
}
