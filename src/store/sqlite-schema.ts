// The tables of the SQLite store, and how a file of an older version becomes one of this version.
//
// V1. Migrations go forward only, each in a transaction with the number that it leaves: a file is of one version or the
//     next, never between.
// V2. What a version wrote is never edited here: a change of the tables is one more migration at the end.

import type { Connection } from "./sqlite-connection.ts";

/** Says that a SQLite file is Troupe's: "trpe". */
export const APPLICATION_ID = 0x74_72_70_65;

/** A row of a task has the key `task number × ROWS_PER_TASK + its place`, so that a task's rows lie together. */
export const ROWS_PER_TASK = 2 ** 24;

/** Brings a file from the version before (its place in the list) to its own. */
export type Migration = (connection: Connection) => void;

// `num` counts submissions from 1 and is never given again; it is what lists, claims and all other tables go by.
// `root` and `parent` are numbers of tasks, or `~` and an id for one that was not there when the task came; the root of
// its own tree has no `root`. `trees.tree` is the same for a whole tree: its root's number, or `~` and the id.
// Ids are random, so each new one goes to another page of their index: of hashes it has a fourth of the pages.
// What a write replaces lies apart from what it leaves alone: `heads` is small, `snapshots` and `outcomes` are not.
const VERSION_1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE tasks (
    num INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_hash INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    parent INTEGER,
    root INTEGER,
    box TEXT NOT NULL,
    spec TEXT NOT NULL
  );
  CREATE INDEX tasks_by_id ON tasks (id_hash);
  CREATE INDEX tasks_by_parent ON tasks (parent) WHERE parent IS NOT NULL;
  CREATE INDEX tasks_by_root ON tasks (root) WHERE root IS NOT NULL;
  CREATE TABLE heads (
    num INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    phase INTEGER,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    run INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    gpu_ms INTEGER NOT NULL,
    tool_calls INTEGER NOT NULL,
    generations INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    released_at INTEGER,
    read_at INTEGER,
    inbox_cursor INTEGER NOT NULL,
    compacted_to INTEGER NOT NULL,
    last_index INTEGER NOT NULL
  );
  CREATE INDEX heads_by_state ON heads (state);
  CREATE TABLE snapshots (num INTEGER PRIMARY KEY, snapshot TEXT, timers TEXT);
  CREATE TABLE outcomes (num INTEGER PRIMARY KEY, progress TEXT, ending TEXT);
  CREATE TABLE trees (
    tree INTEGER PRIMARY KEY,
    living INTEGER NOT NULL,
    last_end INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX trees_by_end ON trees (last_end) WHERE living = 0;
  CREATE TABLE transcript (
    at INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    run INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    time INTEGER NOT NULL,
    message TEXT NOT NULL
  );
  CREATE TABLE inbox (
    at INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind INTEGER NOT NULL,
    time INTEGER NOT NULL,
    turn INTEGER,
    message TEXT NOT NULL
  );
  CREATE UNIQUE INDEX inbox_by_key ON inbox (task, key);
  CREATE TABLE events (
    cursor INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    root INTEGER,
    seq INTEGER NOT NULL,
    run INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    state INTEGER NOT NULL,
    phase INTEGER,
    type INTEGER NOT NULL,
    version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    data TEXT
  );
  CREATE INDEX events_by_task ON events (task);
  CREATE INDEX events_by_root ON events (root) WHERE root IS NOT NULL;
  CREATE TABLE readers (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID;
`;

// What the box keeps beside its tasks, as JSON.
const VERSION_2 = "CREATE TABLE box_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

export const MIGRATIONS: readonly Migration[] = [
  (connection) => connection.exec(VERSION_1),
  (connection) => connection.exec(VERSION_2),
];

/** The version that a file has: how many migrations it went through. */
export function versionOf(connection: Connection): number {
  return Number(connection.pragma("user_version"));
}

/**
 * Brings a file to the last version of the list.
 * Contract: throws what a migration throws; the file is then of the version before it (V1).
 */
export function migrate(connection: Connection, migrations: readonly Migration[] = MIGRATIONS): void {
  for (let version = versionOf(connection); version < migrations.length; version += 1) {
    connection.exec("BEGIN IMMEDIATE");
    try {
      migrations[version]?.(connection);
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}`);
      connection.exec("COMMIT");
    } catch (thrown) {
      if (connection.inTransaction) connection.exec("ROLLBACK");
      throw thrown;
    }
  }
}
