/** A numbered step of the database's layout. Once released a step never changes; a new layout is a new step. */
export interface Migration {
  /** From 1, without gaps; `PRAGMA user_version` holds the last one that was applied. */
  readonly number: number;
  readonly name: string;
  /** Statements that run in one transaction. */
  readonly sql: string;
}
