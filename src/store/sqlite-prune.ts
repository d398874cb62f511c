// Retention in SQLite (D8): trees that have ended, oldest end first, are shown to prune.ts and go whole. In steps of
// bounded size, each a transaction of its own, so that other writes come in between.
//
// P1. A tree goes in one transaction, with all rows of all its tasks.
// P2. The counters of tasks and cursors are kept when the rows that hold them go: no number is given twice.

import { settle } from "../base/clock.ts";
import { checkPrune, standingOf } from "./prune.ts";
import type { TreeTask } from "./prune.ts";
import type { Connection, Value } from "./sqlite-connection.ts";
import type { GroupCommit, Written } from "./sqlite-group.ts";
import { readerCursors } from "./sqlite-readers.ts";
import { isEnded, messageKey, rowsBefore, rowsEnd } from "./sqlite-rows.ts";
import type { Tasks } from "./sqlite-tasks.ts";
import { KIND_WORDS, STATE_WORDS } from "./sqlite-words.ts";
import type { PruneQuery, PruneReceipt } from "./store.ts";

/** Trees looked at, and rows removed, in one transaction; a tree that is larger goes in one of its own. */
const STEP_TREES = 200;
const STEP_ROWS = 5_000;
/** Pages given back to the disk in one go. */
const STEP_PAGES = 500;

export interface PruneOptions {
  readonly tasks: Tasks;
  readonly group: GroupCommit;
  /** What the rows take now. */
  readonly bytes: () => number;
}

interface Tree {
  readonly tree: Value;
  readonly last_end: number;
}

interface TreeRow {
  readonly num: number;
  readonly id: string;
  readonly kind: number;
  readonly parent: Value;
  readonly root: Value;
  readonly state: number;
  readonly read_at: number | null;
  readonly has_result: number;
}

interface Step {
  readonly tasks: number;
  readonly unread: number;
  /** Where to go on, or `null` when there is nothing more to look at. */
  readonly next: Tree | null;
}

const NEXT = `SELECT tree, last_end FROM trees WHERE living = 0 AND (last_end, tree) > (?, ?)
  ORDER BY last_end, tree LIMIT 1`;
const TREE = `SELECT t.num, t.id, t.kind, t.parent, t.root, h.state, h.read_at,
    iif(json_valid(o.ending), json_extract(o.ending, '$.result'), o.ending) IS NOT NULL AS has_result
  FROM tasks t CROSS JOIN heads h ON h.num = t.num LEFT JOIN outcomes o ON o.num = t.num`;
const LAST_CURSOR = `SELECT max(cursor) AS n FROM (SELECT max(cursor) AS cursor FROM events WHERE task = ?
  UNION ALL SELECT max(cursor) FROM events WHERE root = ?)`;
const TAKEN = "SELECT turn FROM inbox WHERE task = ? AND key = ?";
const KEEP = `INSERT INTO meta (key, value) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)`;

const FIRST: Tree = { tree: 0, last_end: Number.MIN_SAFE_INTEGER };

/** Throws InvalidRequestError `bad_ended_before` or `bad_max_bytes`, and StoreError for trouble with the medium. */
export async function prune(options: PruneOptions, query: PruneQuery): Promise<PruneReceipt> {
  checkPrune(query);
  const { group, tasks } = options;
  let removed = 0;
  let unread = 0;
  for (let from: Tree | null = FIRST; from !== null;) {
    const start: Tree = from;
    const step: Step = await group.add(() => pruneStep(options, query, start));
    removed += step.tasks;
    unread += step.unread;
    from = step.next;
  }
  while (removed > 0 && (await group.addVolatile(() => giveBack(tasks.connection)))) await settle();
  return { tasks: removed, unread, bytes: options.bytes() };
}

function pruneStep({ tasks, bytes }: PruneOptions, query: PruneQuery, from: Tree): Written<Step> {
  const { endedBefore, maxBytes = Number.POSITIVE_INFINITY } = query;
  const { connection } = tasks;
  const readers = readerCursors(tasks);
  const gone: TreeRow[] = [];
  let unread = 0;
  let rows = 0;
  let at = from;
  let looked = 0;
  let done = false;
  while (!done && looked < STEP_TREES && rows < STEP_ROWS) {
    const next = connection.get<Tree>(NEXT, at.last_end, at.tree);
    done = next === undefined || (next.last_end >= endedBefore && !(bytes() > maxBytes));
    if (next === undefined || done) break;
    at = next;
    looked += 1;
    const members = membersOf(connection, next.tree);
    const facts = members.map((row) => factsOf(connection, row));
    const lastCursor = connection.get<{ n: number | null }>(LAST_CURSOR, next.tree, next.tree)?.n ?? 0;
    const standing = standingOf({ tasks: facts, lastCursor, readers });
    if (standing === "unread") unread += 1;
    if (standing !== "free") continue;
    rows += removeTree(connection, next.tree, members);
    gone.push(...members);
  }
  if (gone.length > 0) {
    connection.run(KEEP, "newest_task", tasks.newestTask);
    connection.run(KEEP, "newest_cursor", tasks.newestCursor);
  }
  const apply = (): void => {
    for (const { state } of gone) tasks.moved(STATE_WORDS.fromStored(state), null);
  };
  return { value: { tasks: gone.length, unread, next: done ? null : at }, apply };
}

function membersOf(connection: Connection, tree: Value): readonly TreeRow[] {
  return [
    ...connection.all<TreeRow>(`${TREE} WHERE t.num = ? AND t.root IS NULL`, tree),
    ...connection.all<TreeRow>(`${TREE} WHERE t.root = ?`, tree),
  ];
}

function factsOf(connection: Connection, row: TreeRow): TreeTask {
  const key = messageKey({ kind: "completion", id: row.id });
  const completion =
    row.parent === null ? undefined : connection.get<{ turn: number | null }>(TAKEN, row.parent, key);
  return {
    root: row.root === null,
    kind: KIND_WORDS.fromStored(row.kind),
    ended: isEnded(row),
    hasResult: row.has_result === 1,
    readAt: row.read_at,
    taken: completion !== undefined && completion.turn !== null,
  };
}

const REMOVALS: readonly string[] = [
  "DELETE FROM events WHERE task = ?",
  "DELETE FROM snapshots WHERE num = ?",
  "DELETE FROM outcomes WHERE num = ?",
  "DELETE FROM heads WHERE num = ?",
  "DELETE FROM tasks WHERE num = ?",
];
const RANGE_REMOVALS: readonly string[] = [
  "DELETE FROM transcript WHERE at > ? AND at <= ?",
  "DELETE FROM inbox WHERE at > ? AND at <= ?",
];

/** Keeps P1; returns how many rows it removed. */
function removeTree(connection: Connection, tree: Value, members: readonly TreeRow[]): number {
  let rows = connection.run("DELETE FROM trees WHERE tree = ?", tree);
  for (const { num } of members) {
    for (const sql of REMOVALS) rows += connection.run(sql, num);
    for (const sql of RANGE_REMOVALS) rows += connection.run(sql, rowsBefore(num), rowsEnd(num));
  }
  return rows;
}

/** Gives some free pages back to the disk; whether there are more to give. */
function giveBack(connection: Connection): boolean {
  const free = (): number => Number(connection.pragma("freelist_count"));
  const before = free();
  connection.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
  const after = free();
  // Somebody may have packed the file in a way that gives nothing back.
  return after > 0 && after < before;
}
