// What the SQLite store keeps in memory: the tasks that have not ended, as far as claims need them, and counters. An
// ended task costs nothing here. It writes no rows.
//
// T1. Memory says what was committed: it is told after COMMIT. Within a group, claims, counters and staged heads run
//     ahead, for the writes that follow in it; when the group fails they are put back.

import type { Clock } from "../base/clock.ts";
import { silentLogger, type Logger } from "../base/log.ts";
import type { State } from "../core/lifecycle.ts";
import type { TaskSpec } from "../core/task.ts";
import { Claims } from "./claims.ts";
import type { Claimable, Holding } from "./claims.ts";
import type { RecordHead, SpecHead } from "./commit.ts";
import type { Connection, Value } from "./sqlite-connection.ts";
import type { Restore } from "./sqlite-group.ts";
import { headOf, idHash, specHeadOf } from "./sqlite-rows.ts";
import type { HeadRow } from "./sqlite-rows.ts";
import { taskNotFound } from "./refusals.ts";
import { STATE_WORDS } from "./sqlite-words.ts";

/** Where a task stands in its rows, as far as writes need it. Its record has no progress. */
export interface TaskHead {
  readonly num: number;
  /** What its events carry as their tree: see sqlite-schema.ts. */
  readonly root: Value;
  readonly record: RecordHead;
  /** Inbox entries up to this position were taken. */
  readonly inboxCursor: number;
  readonly compactedTo: number;
  /** Index of the last transcript row. */
  readonly lastIndex: number;
}

/** A task that has not ended. */
export class OpenTask implements Claimable {
  readonly id: string;
  /** The number of the task. */
  readonly order: number;
  readonly boxId: string;
  ended = false;
  holding: Holding | null = null;
  ready = false;
  /** As it was last committed, once it was asked for. */
  head: TaskHead | null = null;

  constructor(id: string, order: number, boxId: string) {
    this.id = id;
    this.order = order;
    this.boxId = boxId;
  }
}

type HeadAndRoot = HeadRow & { readonly root: Value; readonly ending: string | null };

const HEAD = `SELECT h.*, t.root, o.ending FROM heads h CROSS JOIN tasks t ON t.num = h.num
  LEFT JOIN outcomes o ON o.num = h.num WHERE h.num = ?`;
const NUM = "SELECT num FROM tasks WHERE id_hash = ? AND id = ?";
const SPEC = `SELECT t.id, t.spec, coalesce(p.id, t.parent) AS parent, coalesce(r.id, t.root) AS root FROM tasks t
  LEFT JOIN tasks p ON p.num = t.parent LEFT JOIN tasks r ON r.num = t.root WHERE t.num = ?`;

interface SpecRow {
  readonly id: string;
  readonly spec: string;
  readonly parent: Value;
  readonly root: Value;
}

/** Spec heads that are kept: about a megabyte. */
const MAX_HEADS = 4_096;

export interface TasksOptions {
  readonly connection: Connection;
  readonly storeId: string;
  readonly clock: Clock;
  /** Is told of rows that cannot be read; nobody by default. */
  readonly logger?: Logger;
}

/** Contract: reads of rows throw what SQLite throws. */
export class Tasks {
  readonly connection: Connection;
  readonly storeId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly claims: Claims<OpenTask>;
  readonly open = new Map<string, OpenTask>();
  /** Ids that others name as parent or root, and that were not there when they did: almost always none. */
  readonly strangers = new Set<string>();
  readonly counts = { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 };
  /** The number of the newest task, and the cursor of the newest event. */
  newestTask = 0;
  newestCursor = 0;
  readonly #specs = new Map<number, SpecHead>();
  /** Heads as the transaction under way has written them. */
  readonly #staged = new Map<string, TaskHead>();
  /** What staging replaced, oldest first, for as long as the transaction lasts. */
  readonly #steps: { readonly taskId: string; readonly before: TaskHead | undefined }[] = [];

  constructor(options: TasksOptions) {
    this.logger = options.logger ?? silentLogger;
    this.connection = options.connection;
    this.storeId = options.storeId;
    this.clock = options.clock;
    this.claims = new Claims(options.clock);
  }

  /** Remembers where memory stands; what it returns puts it back (T1). */
  mark(): Restore {
    const { newestTask, newestCursor } = this;
    const steps = this.#steps.length;
    return () => {
      // A number that nobody got is given to another task.
      for (let num = newestTask + 1; num <= this.newestTask; num += 1) this.#specs.delete(num);
      this.newestTask = newestTask;
      this.newestCursor = newestCursor;
      // Only what was staged since: the writes before it in the group stand.
      for (const { taskId, before } of this.#steps.splice(steps).toReversed()) {
        if (before === undefined) this.#staged.delete(taskId);
        else this.#staged.set(taskId, before);
      }
    };
  }

  /** What was staged holds from now on. */
  committed(): void {
    for (const [taskId, head] of this.#staged) {
      const task = this.open.get(taskId);
      if (task !== undefined) task.head = head;
    }
    this.#staged.clear();
    this.#steps.length = 0;
  }

  /** A task's head is now this, for as long as the transaction under way does not fail. */
  stage(head: TaskHead): void {
    const taskId = head.record.spec.id;
    this.#steps.push({ taskId, before: this.#staged.get(taskId) });
    this.#staged.set(taskId, head);
  }

  /** A root that others named before it was there has come: their heads are read again, whatever becomes of this. */
  forgetHeadsBelow(root: Value): void {
    for (const task of this.open.values()) if (task.head?.root === root) task.head = null;
    for (const [taskId, head] of this.#staged) if (head.root === root) this.#staged.delete(taskId);
  }

  numOf(taskId: string): number | null {
    const open = this.open.get(taskId);
    if (open !== undefined) return open.order;
    return this.connection.get<{ num: number }>(NUM, idHash(taskId), taskId)?.num ?? null;
  }

  /** Throws StoreError `task_not_found`. */
  require(taskId: string): TaskHead {
    const known = this.#staged.get(taskId) ?? this.open.get(taskId)?.head;
    if (known !== undefined && known !== null) return known;
    const num = this.numOf(taskId);
    const row = num === null ? undefined : this.connection.get<HeadAndRoot>(HEAD, num);
    if (num === null || row === undefined) throw taskNotFound(taskId);
    return {
      num,
      root: row.root,
      record: headOf(row, this.specHead(num), { ending: row.ending }),
      inboxCursor: row.inbox_cursor,
      compactedTo: row.compacted_to,
      lastIndex: row.last_index,
    };
  }

  /** The part of a task's spec that events carry; the newest ones asked for are kept. */
  specHead(num: number): SpecHead {
    const known = this.#specs.get(num);
    if (known !== undefined) return known;
    const row = this.connection.get<SpecRow>(SPEC, num);
    if (row === undefined) throw new RangeError(`Task number ${num} has no row.`);
    const head = readSpecHead(row) ?? this.#headBeside(row);
    if (this.#specs.size >= MAX_HEADS) this.#specs.delete(this.#specs.keys().next().value as number);
    this.#specs.set(num, head);
    return head;
  }

  /** Of a spec that cannot be read: what its columns say, so that the events of the task, and of others, can be read. */
  #headBeside({ id, parent, root }: SpecRow): SpecHead {
    this.logger.error("the spec of a task cannot be read; run `troupe db check`", { task: id });
    const nameOf = (value: Value): string | null =>
      value === null ? null : String(value).replace(/^~/v, "");
    return { id, parentId: nameOf(parent), rootId: nameOf(root) ?? id, sessionId: null, traceparent: null };
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
    // Queues of claims hold it until its time is over.
    task.head = null;
    this.open.delete(taskId);
    this.claims.end(task);
  }
}

function readSpecHead({ spec }: SpecRow): SpecHead | null {
  try {
    return specHeadOf(JSON.parse(spec) as TaskSpec);
  } catch {
    return null;
  }
}
