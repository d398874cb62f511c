// Everything that looks at tasks: views, pages, trees, progress. It changes nothing but a task's progress.

import { ConflictError, InvalidRequestError, messageOf } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { ListQuery, Page, SteerReceipt, TaskView, TreeNode } from "../core/api.ts";
import { CHECK_LINES, MAX_NOTE_CHARS, MAX_PARTIAL_CHARS } from "../core/limits.ts";
import type { Settings } from "../core/settings.ts";
import type { TaskRecord, TaskFailure } from "../core/task.ts";
import type { Store } from "../store/store.ts";
import type { Household } from "./household.ts";
import { RECENT_TREES } from "./family.ts";
import { RecentTrees } from "./recent-trees.ts";
import type { TaskHost } from "./task-host.ts";
import { linkOf, type Tasks } from "./tasks.ts";
import { endedFacts, receiptOf, taskView, treeNode, type LiveFacts } from "./views.ts";

/** Tasks that one tree call shows at most; a larger tree is read page by page. */
const TREE_TASKS = 10_000;
const PAGE = 1_000;

export interface ReadingOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly store: Store;
  readonly household: Household;
  readonly tasks: Tasks;
}

export class Reading {
  readonly #options: ReadingOptions;
  readonly #recent: RecentTrees;

  constructor(options: ReadingOptions) {
    this.#options = options;
    this.#recent = new RecentTrees(options.store);
  }

  async view(taskId: string): Promise<TaskView> {
    const record = await this.#options.tasks.record(taskId);
    return this.#view(record, await this.#children(taskId));
  }

  async list(query: ListQuery): Promise<Page<TaskView>> {
    const page = await this.#options.store.list(query);
    const items = await Promise.all(page.items.map((record) => this.#view(this.#fresh(record), [])));
    return { items, nextCursor: page.nextCursor };
  }

  /** The tree under one task; or the trees that live and those that were the last to end, before a restart too, oldest first. */
  async tree(rootId?: string): Promise<readonly TreeNode[]> {
    if (rootId !== undefined) {
      const root = await this.#options.tasks.record(rootId);
      return [this.#grow(this.#fresh(root), await this.#all({ rootId: root.spec.rootId }))];
    }
    const trees: { readonly root: TaskRecord; readonly records: readonly TaskRecord[] }[] = [];
    let room = TREE_TASKS;
    const now = this.#options.household.family.roots();
    const before = (await this.#recent.roots()).filter((id) => !now.includes(id));
    // Newest first while there is room: what lives must not be hidden behind what was.
    for (const id of [...before.slice(-RECENT_TREES), ...now].toReversed()) {
      if (room <= 0) break;
      const records = await this.#all({ rootId: id });
      const root = records.find((record) => record.spec.id === id);
      if (root) trees.push({ root, records });
      room -= records.length;
    }
    return trees
      .toSorted((a, b) => a.root.spec.createdAt - b.root.spec.createdAt)
      .map(({ root, records }) => this.#grow(root, records));
  }

  #grow(root: TaskRecord, records: readonly TaskRecord[]): TreeNode {
    const below = Map.groupBy(records, (record) => record.spec.parentId);
    const grow = (record: TaskRecord): TreeNode =>
      treeNode(record, this.#facts(record), (below.get(record.spec.id) ?? []).map(grow));
    return grow(root);
  }

  async reportProgress(
    taskId: string,
    progress: { readonly percent?: number; readonly note?: string; readonly partial?: unknown },
  ): Promise<void> {
    const host = this.#options.household.family.get(taskId);
    if (!host || host.ending) {
      throw new ConflictError("task_ended", `The task ${taskId} has ended and reports no more progress.`);
    }
    const percent = progress.percent ?? null;
    if (percent !== null && !(percent >= 0 && percent <= 100)) {
      throw new InvalidRequestError("bad_percent", `Expected percent between 0 and 100 and got ${percent}.`);
    }
    const note = progress.note ?? null;
    const partial = progress.partial ?? null;
    checkSizes(note, partial);
    host.ring.line(`… ${percent === null ? "" : `${percent} % `}${note ?? ""}`.trimEnd());
    host.journal.stage({
      progress: { percent, note, partial, time: this.#options.clock.now() },
      events: [{ type: "task.progressed", data: { percent, note, partial } }],
    });
    await host.journal.flush();
  }

  async #all(query: ListQuery): Promise<readonly TaskRecord[]> {
    const records: TaskRecord[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#options.store.list({
        ...query,
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      });
      for (const record of page.items) records.push(this.#fresh(record));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && records.length < TREE_TASKS);
    return records;
  }

  async #children(taskId: string): Promise<readonly string[]> {
    const page = await this.#options.store.list({ parentId: taskId, limit: PAGE });
    return page.items.map((record) => record.spec.id);
  }

  async #view(record: TaskRecord, children: readonly string[]): Promise<TaskView> {
    const { store } = this.#options;
    const entries = await store.inbox(record.spec.id, 0);
    const subtree = await store.treeUsage(record.spec.id);
    const steers = entries.map(receiptOf).filter((receipt): receipt is SteerReceipt => receipt !== null);
    return taskView(record, this.#facts(record), {
      steers,
      children,
      subtree,
      link: linkOf(this.#options.settings, record.spec.id),
    });
  }

  /** The record of the living host is newer than any page. */
  #fresh(record: TaskRecord): TaskRecord {
    return this.#host(record.spec.id)?.journal.record ?? record;
  }

  #facts(record: TaskRecord): LiveFacts {
    const host = this.#host(record.spec.id);
    if (!host) return endedFacts(record);
    const { state, phase } = host.words;
    const { scheduler, family, trees, residency } = this.#options.household;
    const waits = phase === "queued" || phase === "waiting_slot";
    return {
      state,
      phase,
      place: waits ? scheduler.placeOf(host.id) : null,
      liveChildren: family.liveCount(host.id),
      pause: pauseOf(host.turn.lastFailure),
      outage: residency.outages.wordsOf(host.turn.model.backend),
      reroutes: host.turn.reroutes,
      tail: host.tail(CHECK_LINES),
      question: phase === "waiting_input" ? host.pauses.question : null,
      remaining: trees.ledgerOf(record.spec).remaining,
    };
  }

  #host(taskId: string): TaskHost | undefined {
    return this.#options.household.family.get(taskId);
  }
}

/** A wait for keys is told with its time; what other tries failed with stands in their events. */
function pauseOf(failure: TaskFailure | null): string | null {
  return failure?.code.startsWith("keys_") === true ? failure.message : null;
}

/** Throws InvalidRequestError `note_too_long`, `partial_too_large` or `bad_partial`. */
function checkSizes(note: string | null, partial: unknown): void {
  if (note !== null && note.length > MAX_NOTE_CHARS) {
    const message = `Expected a note of at most ${MAX_NOTE_CHARS} characters and got ${note.length}. Say it shorter.`;
    throw new InvalidRequestError("note_too_long", message);
  }
  let json: string | undefined;
  try {
    json = JSON.stringify(partial);
  } catch (thrown) {
    throw new InvalidRequestError(
      "bad_partial",
      `Expected a partial result that is JSON: ${messageOf(thrown)}`,
    );
  }
  if ((json?.length ?? 0) <= MAX_PARTIAL_CHARS) return;
  const message = `Expected a partial result of at most ${MAX_PARTIAL_CHARS} characters of JSON and got ${json?.length}. Report the newest part only.`;
  throw new InvalidRequestError("partial_too_large", message);
}
