// What the SQLite store keeps in memory: the tasks that have not ended, as far as claims need them, and counters. An
// ended task costs nothing here. It writes no rows.
//
// T1. Memory says what was committed: it is told after COMMIT, and only claims and counters run ahead within a group,
//     which puts them back when it fails.

import type { Clock } from "../base/clock.ts";
import type { State } from "../core/lifecycle.ts";
import type { TaskSpec } from "../core/task.ts";
import { Claims } from "./claims.ts";
import type { Claimable, Holding } from "./claims.ts";
import type { RecordHead, SpecHead } from "./commit.ts";
import type { Connection, Value } from "./sqlite-connection.ts";
import { headOf, specHeadOf } from "./sqlite-rows.ts";
import type { HeadRow } from "./sqlite-rows.ts";
import { taskNotFound } from "./refusals.ts";
import { STATE_WORDS } from "./sqlite-words.ts";

/** A task that has not ended. */
export class OpenTask implements Claimable {
  readonly id: string;
  /** The number of the task. */
  readonly order: number;
  readonly boxId: string;
  ended = false;
  holding: Holding | null = null;
  ready = false;

  constructor(id: string, order: number, boxId: string) {
    this.id = id;
    this.order = order;
    this.boxId = boxId;
  }
}

/** Where a task stands in its rows, for a write. */
export interface TaskAt {
  readonly num: number;
  /** What its events carry as their tree: see sqlite-schema.ts. */
  readonly root: Value;
  readonly row: HeadRow;
  readonly record: RecordHead;
}

type HeadAndRoot = HeadRow & { readonly root: Value; readonly ending: string | null };

const HEAD = `SELECT h.*, t.root, o.ending FROM heads h CROSS JOIN tasks t ON t.num = h.num
  LEFT JOIN outcomes o ON o.num = h.num WHERE h.num = ?`;
const NUM = "SELECT num FROM tasks WHERE id = ?";
const SPEC = "SELECT spec FROM tasks WHERE num = ?";

/** Spec heads that are kept: about a megabyte. */
const MAX_HEADS = 4_096;

/** Contract: reads of rows throw what SQLite throws. */
export class Tasks {
  readonly connection: Connection;
  readonly storeId: string;
  readonly clock: Clock;
  readonly claims: Claims<OpenTask>;
  readonly open = new Map<string, OpenTask>();
  /** Ids that others name as parent or root, and that were not there when they did: almost always none. */
  readonly strangers = new Set<string>();
  readonly counts = { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 };
  /** The number of the newest task, and the cursor of the newest event. */
  newestTask = 0;
  newestCursor = 0;
  readonly #heads = new Map<number, SpecHead>();

  constructor(options: { readonly connection: Connection; readonly storeId: string; readonly clock: Clock }) {
    this.connection = options.connection;
    this.storeId = options.storeId;
    this.clock = options.clock;
    this.claims = new Claims(options.clock);
  }

  /** Remembers the counters; what it returns sets them back (T1). */
  readonly mark = (): (() => void) => {
    const { newestTask, newestCursor } = this;
    return () => {
      // A number that nobody got is given to another task.
      for (let num = newestTask + 1; num <= this.newestTask; num += 1) this.#heads.delete(num);
      this.newestTask = newestTask;
      this.newestCursor = newestCursor;
    };
  };

  numOf(taskId: string): number | null {
    return this.open.get(taskId)?.order ?? this.connection.get<{ num: number }>(NUM, taskId)?.num ?? null;
  }

  /** Throws StoreError `task_not_found`. */
  require(taskId: string): TaskAt {
    const num = this.numOf(taskId);
    const row = num === null ? undefined : this.connection.get<HeadAndRoot>(HEAD, num);
    if (num === null || row === undefined) throw taskNotFound(taskId);
    const { root, ending } = row;
    return { num, root, row, record: headOf(row, this.specHead(num), { ending }) };
  }

  /** The part of a task's spec that events carry; the newest ones asked for are kept. */
  specHead(num: number): SpecHead {
    const known = this.#heads.get(num);
    if (known !== undefined) return known;
    const row = this.connection.get<{ spec: string }>(SPEC, num);
    if (row === undefined) throw new RangeError(`Task number ${num} has no row.`);
    const head = specHeadOf(JSON.parse(row.spec) as TaskSpec);
    if (this.#heads.size >= MAX_HEADS) this.#heads.delete(this.#heads.keys().next().value as number);
    this.#heads.set(num, head);
    return head;
  }

  moved(from: State | null, to: State | null): void {
    if (from !== null) this.counts[from] -= 1;
    if (to !== null) this.counts[to] += 1;
  }

  /** Reads what must be in memory from the rows. Everything open may be claimed at once: its owner died. */
  load(): void {
    const { connection } = this;
    const highest = (sql: string): number => connection.get<{ n: number | null }>(sql)?.n ?? 0;
    const kept = (key: string): number =>
      connection.get<{ value: number }>("SELECT value FROM meta WHERE key = ?", key)?.value ?? 0;
    this.newestTask = Math.max(highest("SELECT max(num) AS n FROM tasks"), kept("newest_task"));
    this.newestCursor = Math.max(highest("SELECT max(cursor) AS n FROM events"), kept("newest_cursor"));
    const counts = connection.all<{ state: number; n: number }>(
      "SELECT state, count(*) AS n FROM heads GROUP BY state",
    );
    for (const { state, n } of counts) this.counts[STATE_WORDS.fromStored(state)] = n;
    const open = connection.all<{ num: number; id: string; box: string }>(
      `SELECT t.num, t.id, t.box FROM heads h CROSS JOIN tasks t ON t.num = h.num WHERE h.state IN (0, 1, 2)
       ORDER BY t.num`,
    );
    for (const { num, id, box } of open) this.opened(new OpenTask(id, num, box));
    const strangers = connection.all<{ name: string }>(
      "SELECT root AS name FROM tasks WHERE root > '' UNION SELECT parent FROM tasks WHERE parent > ''",
    );
    for (const { name } of strangers) this.strangers.add(name.slice(1));
  }

  opened(task: OpenTask): void {
    this.open.set(task.id, task);
    this.claims.add(task);
  }

  ended(taskId: string): void {
    const task = this.open.get(taskId);
    if (task === undefined) return;
    task.ended = true;
    this.open.delete(taskId);
    this.claims.end(task);
  }
}
