// The rival of the SQLite store: node:sqlite alone, writing the very rows that a store wrote, into the same tables with
// the same indexes and settings. It checks nothing, makes nothing and remembers nothing: what it takes is the least that
// those rows can take.

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { look, type SyncMode } from "./files.ts";

/** By which column each table says whose task a row is. A new table with rows is refused until it stands here. */
const TASK_COLUMNS: Readonly<Record<string, string>> = {
  tasks: "num",
  heads: "num",
  trees: "tree",
  events: "task",
  snapshots: "num",
  outcomes: "num",
};
const BESIDE = new Set(["meta", "readers"]);

export interface RawRow {
  readonly table: string;
  readonly values: readonly SQLInputValue[];
}

/** What a store's file holds: how to make its tables, and its rows by task in the order of submission. */
export interface Template {
  readonly schema: readonly string[];
  readonly pageBytes: number;
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly tasks: readonly (readonly RawRow[])[];
}

/** Reads a file that a store has closed. Contract: throws for a table with rows that it does not know. */
export function templateOf(path: string): Template {
  return look(path, (db) => {
    const made = db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
    const names = made.filter(({ type }) => type === "table").map(({ name }) => String(name));
    const columns: Record<string, readonly string[]> = {};
    const byTask = new Map<number, RawRow[]>();
    for (const table of names.filter((name) => !BESIDE.has(name))) {
      const rows = db.prepare(`SELECT * FROM ${table}`).all();
      const column = TASK_COLUMNS[table];
      if (rows.length === 0) continue;
      if (column === undefined)
        throw new Error(`Expected to know the table ${table}: name its task's column.`);
      columns[table] = Object.keys(rows[0] as object);
      for (const row of rows) {
        const task = Number(row[column]);
        const own = byTask.get(task) ?? [];
        own.push({ table, values: Object.values(row) });
        byTask.set(task, own);
      }
    }
    return {
      schema: made.map(({ sql }) => String(sql)),
      pageBytes: Number(Object.values(db.prepare("PRAGMA page_size").get() ?? {})[0]),
      columns,
      tasks: [...byTask].toSorted(([a], [b]) => a - b).map(([, rows]) => rows),
    };
  });
}

/** A database with the tables of a template, and nothing in it. */
export class RawDatabase {
  readonly #db: DatabaseSync;
  readonly #inserts = new Map<string, StatementSync>();
  #queue: { readonly rows: readonly RawRow[]; readonly resolve: () => void }[] = [];

  constructor(path: string, template: Template, mode: SyncMode) {
    this.#db = new DatabaseSync(path);
    // As sqlite-open.ts has it.
    this.#db.exec(`PRAGMA page_size = ${template.pageBytes}; PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL; PRAGMA synchronous = ${mode}; PRAGMA wal_autocheckpoint = 1000;
      PRAGMA journal_size_limit = ${1_000 * template.pageBytes}; PRAGMA cache_size = -16384;
      PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF`);
    for (const sql of template.schema) this.#db.exec(sql);
    for (const [table, columns] of Object.entries(template.columns)) {
      const places = columns.map(() => "?").join(", ");
      const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`;
      this.#inserts.set(table, this.#db.prepare(sql));
    }
  }

  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /** One transaction. */
  transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    work();
    this.#db.exec("COMMIT");
  }

  insert(rows: readonly RawRow[]): void {
    for (const { table, values } of rows) this.#inserts.get(table)?.run(...values);
  }

  /** Group commit at its least: those who ask in the same round of the event loop share a transaction. */
  add(rows: readonly RawRow[]): Promise<void> {
    return new Promise((resolve) => {
      if (this.#queue.length === 0) setImmediate(() => this.#flush());
      this.#queue.push({ rows, resolve });
    });
  }

  #flush(): void {
    const group = this.#queue;
    this.#queue = [];
    this.transaction(() => group.forEach(({ rows }) => this.insert(rows)));
    for (const { resolve } of group) resolve();
  }

  close(): void {
    this.#db.close();
  }
}
