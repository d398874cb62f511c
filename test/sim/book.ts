// The witness's books: the reference model, and what it does not know because no store does: what is in flight in which
// life, who was promised what, who was told what.

import type { LaneView } from "../../src/core/box-api.ts";
import type { EventType } from "../../src/core/event.ts";
import type { TaskResult } from "../../src/core/api.ts";
import { Diary } from "./diary.ts";
import type { Fact, FactOf } from "./facts.ts";
import { ModelBook } from "./model-book.ts";
import { emptyModel, subtreeOf, type Model, type ModelTask } from "./model.ts";
import type { Caps, World } from "./world.ts";

export const ENDS: ReadonlySet<EventType> = new Set(["task.done", "task.failed", "task.cancelled"]);

/** What is known of a task beside the model. */
export interface Side {
  /** Generations and tool runs in flight, in the life that lives. */
  generations: number;
  tools: number;
  /** When the generation in flight began. */
  since: number;
  begun: number;
  /** Had a place, a lease or an admission in the life that lives. */
  admitted: boolean;
  /** The server has heard that its end is in the store. */
  endHeard: boolean;
  /** A cancel that reaches it was acknowledged. */
  cancelled: boolean;
  /** Its server asked not to be bothered before this time. */
  notBefore: number;
  /** The same pause, until the runtime has it in the store: a crash before loses it. */
  askedFor: number;
  /** What it was doing when the life that lives began: nothing of note, waiting, or at work. */
  interrupted: "no" | "parked" | "live";
  /** Restarts that took it up, in the life that lives. */
  resumed: number;
}

/** What a caller was told, and must stay true. */
export interface Promises {
  /** Tasks whose spawn was acknowledged. */
  readonly acknowledged: Set<string>;
  /** The task of each idempotency key, and the request it came with. */
  readonly keys: Map<string, { readonly taskId: string; readonly request: string }>;
  /** Receipts of steers, messages and answers: to whom, by id. */
  readonly receipts: Map<string, string>;
  /** Results that were told as finished. */
  readonly results: Map<string, string>;
}

export class Book {
  readonly model: Model = emptyModel();
  readonly sides = new Map<string, Side>();
  readonly promises: Promises = {
    acknowledged: new Set(),
    keys: new Map(),
    receipts: new Map(),
    results: new Map(),
  };
  /** Runs of tools that must not be repeated, by task and call. */
  readonly effects = new Map<string, number>();
  /** Tool calls whose intent is in the store, by task and call. */
  readonly intents = new Set<string>();
  /** Children of each parent that were at work when the life that lives began. */
  readonly returning = new Map<string, number>();
  /** Events of each task's end, and what came after. */
  readonly endings = new Map<string, EventType[]>();
  readonly byGoal = new Map<string, string>();
  /** Last sequence shown by an event, and the last cursor. */
  readonly shownSeq = new Map<string, number>();
  shownCursor = 0;
  watchedTo = 0;
  caps: Caps = { slots: 0, places: 0, childSlots: 0 };
  life = -1;
  lives = 0;
  /** The life that lives has begun its graceful end. */
  closing = false;
  /** Tasks that have not ended. */
  open = 0;
  /** Lanes as the last step left them. */
  lanes: readonly LaneView[] = [];
  readonly diary: Diary;
  readonly models: ModelBook;
  #now: () => number;

  constructor(now: () => number, world: World) {
    this.#now = now;
    this.diary = new Diary(world, this.model, now);
    this.models = new ModelBook(world);
  }

  get now(): number {
    return this.#now();
  }

  task(taskId: string): ModelTask | undefined {
    return this.model.tasks.get(taskId);
  }

  side(taskId: string): Side {
    const known = this.sides.get(taskId);
    if (known) return known;
    const made: Side = {
      generations: 0,
      tools: 0,
      since: 0,
      begun: 0,
      admitted: false,
      endHeard: false,
      cancelled: false,
      notBefore: 0,
      askedFor: 0,
      interrupted: "no",
      resumed: 0,
    };
    this.sides.set(taskId, made);
    return made;
  }

  /** Books a fact; the checks have seen it before. The model has taken it in already. */
  note(fact: Fact): void {
    this.diary.note(fact);
    this.models.note(fact);
    switch (fact.kind) {
      case "life.began":
        return this.#beginLife(fact);
      case "closing":
        this.closing = true;
        return;
      case "life.ended":
        return this.#endLife();
      case "submitted":
        return this.#submitted(fact);
      case "committed":
        return this.#committed(fact);
      case "end.heard":
        this.side(fact.taskId).endHeard = true;
        return;
      case "event":
        this.#shown(fact);
        this.shownSeq.set(fact.event.taskId, fact.event.seq);
        this.shownCursor = fact.event.cursor;
        return;
      case "watched":
        this.watchedTo = fact.cursor;
        return;
      case "generation.began":
      case "generation.ended":
        return this.#generation(fact);
      case "jumped":
        // After a restart pauses end by the wall clock.
        for (const side of this.sides.values()) {
          side.notBefore -= Math.max(0, fact.ms);
          side.askedFor -= Math.max(0, fact.ms);
        }
        return;
      case "tool.began":
      case "tool.ended":
        return this.#tool(fact);
      case "returned":
        return this.#returned(fact);
      default:
    }
  }

  /** Tasks with a call that waits for a person or a parent, oldest first. */
  get asking(): readonly string[] {
    const tasks = [...this.model.tasks].filter(([, { phase }]) => phase === "waiting_input");
    return tasks.flatMap(([id]) => (this.diary.page(id).waits.size > 0 ? [id] : []));
  }

  /** Generations in flight of tasks that were ended by force: such an end waits for none, and gives its lease back. */
  get leftBehind(): number {
    let count = 0;
    for (const [taskId, side] of this.sides) if (this.task(taskId)?.end) count += side.generations;
    return count;
  }

  /** Books the lanes after a step. */
  noteLanes(lanes: readonly LaneView[]): void {
    this.lanes = lanes;
    for (const lane of lanes) {
      for (const taskId of lane.places) this.side(taskId).admitted = true;
    }
  }

  #beginLife({ life, caps }: FactOf<"life.began">): void {
    this.life = life;
    this.lives++;
    this.closing = false;
    this.caps = caps;
    this.lanes = [];
    this.returning.clear();
    for (const [taskId, task] of this.model.tasks) {
      const side = this.side(taskId);
      const isBegun = task.end === null && task.phase !== "queued";
      const isParked = task.phase === "waiting_children" || task.phase === "waiting_input";
      side.resumed = 0;
      side.interrupted = isBegun ? (isParked ? "parked" : "live") : "no";
      const { parentId } = task.spec;
      if (isBegun && parentId !== null) this.returning.set(parentId, (this.returning.get(parentId) ?? 0) + 1);
    }
  }

  #endLife(): void {
    for (const side of this.sides.values()) {
      Object.assign(side, { generations: 0, tools: 0, admitted: false, resumed: 0, askedFor: 0 });
    }
    this.lanes = [];
  }

  #shown({ event: { taskId, type } }: FactOf<"event">): void {
    const ending = this.endings.get(taskId);
    if (ending) ending.push(type);
    else if (ENDS.has(type)) this.endings.set(taskId, [type]);
  }

  #submitted({ spec, created }: FactOf<"submitted">): void {
    if (!created) return;
    this.open++;
    this.byGoal.set(spec.goal, spec.id);
    const side = this.side(spec.id);
    if (spec.parentId !== null && !spec.detached) side.cancelled = this.side(spec.parentId).cancelled;
  }

  #committed({ taskId, write }: FactOf<"committed">): void {
    const side = this.side(taskId);
    for (const { type, data } of write.events ?? []) {
      if (type === "task.resumed") {
        side.resumed++;
      }
      if (type === "generation.retried" || type === "run.failed")
        side.notBefore = Math.max(side.notBefore, side.askedFor);
      // Another server has asked for nothing.
      if (type === "task.rerouted") Object.assign(side, { notBefore: 0, askedFor: 0 });
      if (type === "task.admitted") side.admitted = true;
      if (type === "tool.requested") this.intents.add(`${taskId} ${data.callId}`);
    }
    if (!write.terminal) return;
    this.open--;
    side.admitted = false;
  }

  #generation(fact: FactOf<"generation.began"> | FactOf<"generation.ended">): void {
    const side = this.side(fact.taskId);
    if (fact.kind === "generation.began") {
      side.generations++;
      side.begun++;
      side.since = this.now;
      side.admitted = true;
      return;
    }
    side.generations--;
    if (side.generations + side.tools === 0) this.diary.rests(fact.taskId);
    if (fact.retryAfterMs !== null) side.askedFor = this.now + fact.retryAfterMs;
  }

  #tool(fact: FactOf<"tool.began">): void {
    const side = this.side(fact.taskId);
    side.tools += fact.kind === "tool.began" ? 1 : -1;
    if (side.generations + side.tools === 0) this.diary.rests(fact.taskId);
    if (fact.kind !== "tool.began" || fact.repeatable) return;
    const key = effectKey(fact);
    this.effects.set(key, (this.effects.get(key) ?? 0) + 1);
  }

  #returned({ call, answer }: FactOf<"returned">): void {
    const { acknowledged, keys, receipts, results } = this.promises;
    if (call.name === "delegate" || call.name === "session" || call.name === "repeat") {
      const { taskId } = answer as { taskId: string };
      acknowledged.add(taskId);
      const key = (call.request as { idempotencyKey?: string }).idempotencyKey;
      if (key !== undefined) keys.set(key, { taskId, request: JSON.stringify(call.request) });
    } else if (call.name === "cancel" || call.name === "force") {
      for (const task of subtreeOf(this.model, call.taskId as string)) {
        if (!task.end) this.side(task.spec.id).cancelled = true;
      }
    } else if (["steer", "interrupt", "message", "answer"].includes(call.name)) {
      const { steerId, taskId } = answer as { steerId: string; taskId: string };
      receipts.set(steerId, taskId);
    } else if (["collect", "glance"].includes(call.name) && (answer as TaskResult).finished) {
      results.set(call.taskId as string, JSON.stringify(answer));
    }
  }
}

export function effectKey({ taskId, callId }: { readonly taskId: string; readonly callId: string }): string {
  return `${taskId} ${callId}`;
}
