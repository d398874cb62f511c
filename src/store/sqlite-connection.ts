// One connection to a database file, with its statements prepared once. It knows no table and decides nothing; what
// SQLite throws comes out as it is, for sqlite-errors.ts to name.

import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";

export type Value = string | number | null;

/**
 * How long a connection waits for another process that holds the file, in milliseconds: a wait stops the event loop,
 * so it is short, and the caller tries again.
 */
const BUSY_TIMEOUT_MS = 250;

/** Contract: every call is synchronous and throws what SQLite throws; values are strings, numbers and `null`. */
export class Connection {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #changes = 0;

  /** Opens the file, or makes an empty one where it may write. */
  constructor(path: string, options: { readonly readOnly?: boolean; readonly busyTimeoutMs?: number } = {}) {
    this.#db = new DatabaseSync(path, { readOnly: options.readOnly ?? false });
    this.#db.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs ?? BUSY_TIMEOUT_MS}`);
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** Runs statements that are not worth keeping. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** How many times `run` was called, at least as often as a row was changed. */
  get changes(): number {
    return this.#changes;
  }

  /** How many rows the statement changed. */
  run(sql: string, ...values: readonly Value[]): number {
    this.#changes += 1;
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** The first row, or `undefined`. */
  get<Row>(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#statement(sql).all(...values) as unknown as readonly Row[];
  }

  /** The one value of a PRAGMA. */
  pragma(name: string): Value {
    const row = this.#db.prepare(`PRAGMA ${name}`).get() as Record<string, Value> | undefined;
    return row === undefined ? null : (Object.values(row)[0] ?? null);
  }

  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const made = this.#db.prepare(sql);
    this.#prepared.set(sql, made);
    return made;
  }
}
