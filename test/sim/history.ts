// A history made up by hand, told to the checks as a simulation would tell it: for tests that each check can complain.

import type { LaneView } from "../../src/core/box-api.ts";
import type { NewEvent, StoredEvent } from "../../src/core/event.ts";
import { textMessage, type Message, type TranscriptRow } from "../../src/core/message.ts";
import type { TaskEnd, TaskRecord, TaskSpec } from "../../src/core/task.ts";
import { NO_USAGE } from "../../src/core/limits.ts";
import type { CommitWrite, InboxMessage } from "../../src/store/store.ts";
import { specimen } from "../store/specimens.ts";
import { Book } from "./book.ts";
import type { Check, Rest, RestTask } from "./check.ts";
import { MODEL_CHECK } from "./checks.ts";
import type { ApiCall, Fact, FactOf, Place } from "./facts.ts";
import { advance } from "./model.ts";
import { drawWorld, type World } from "./world.ts";

export const DONE: TaskEnd = { state: "done", result: "four", truncated: false, failure: null };
/** A world in which nothing is slow and nothing fails. */
export const PLAIN: World = {
  ...drawWorld(0, { endings: false }),
  store: { mostMs: 0, lossy: 0, full: [], away: null, badWakes: 0 },
  box: null,
};
const ROOMY = { slots: 2, places: 2, childSlots: 2 };

/** A lane with nobody in it. */
export function laneWith(parts: Partial<LaneView> = {}): LaneView {
  const caps = { slots: ROOMY.slots, maxChildren: ROOMY.places };
  return {
    backend: "gpu",
    profile: "",
    provider: "gpu",
    gpu: "gpu0",
    residency: null,
    slotsAuto: false,
    slotsReason: null,
    ...caps,
    leases: [],
    places: [],
    waiting: [],
    ...parts,
  };
}

export function leaseOf(taskId: string): LaneView["leases"][number] {
  return { leaseId: `lease ${taskId}`, taskId, class: "background", heldMs: 0 };
}

export function waiterOf(taskId: string, reason: string): LaneView["waiting"][number] {
  return { taskId, wants: "place", class: "background", position: 1, waitedMs: 1, reason };
}

export class History {
  now = 0;
  /** Where generations are sent. */
  place: Place = { backend: "gpu", model: "child", contextTokens: null, isThere: true, inTheWay: [] };
  readonly book: Book;
  readonly #checks: readonly Check[];
  readonly #names: string[] = [];
  readonly #rows = new Map<string, TranscriptRow[]>();
  #cursor = 0;
  #calls = 0;

  constructor(checks: readonly Check[], world = PLAIN) {
    this.#checks = checks;
    this.book = new Book(() => this.now, world);
    this.tell({ kind: "life.began", life: 0, caps: ROOMY });
  }

  /** Names of the checks that complained, in order. */
  get complaints(): readonly string[] {
    return this.#names;
  }

  tell(fact: Fact): this {
    if (advance(this.book.model, fact) !== null) this.#names.push(MODEL_CHECK.name);
    for (const check of this.#checks) {
      const ask = check.on?.[fact.kind] as ((fact: Fact, book: Book) => string | null) | undefined;
      if (ask && ask(fact, this.book) !== null) this.#names.push(check.name);
    }
    this.book.note(fact);
    return this;
  }

  step(lane: LaneView = laneWith(), inFlight = 0): this {
    for (const check of this.#checks) {
      const view = { lanes: [lane], inFlight: new Map([["gpu", inFlight]]) };
      if ((check.step?.(view, this.book) ?? null) !== null) this.#names.push(check.name);
    }
    this.book.noteLanes([lane]);
    return this;
  }

  /** The world at its end, as the model has it, but for what is said here. */
  rest(parts: Partial<Rest> = {}): this {
    const tasks = new Map([...this.book.model.tasks.keys()].map((id) => [id, this.restTask(id)]));
    const idle = { held: {}, inFlight: 0, timers: 0, mistaken: [], unanswered: [], usage: new Map() };
    const rest: Rest = { tasks, ...idle, ...parts };
    for (const check of this.#checks) {
      if ((check.rest?.(rest, this.book) ?? null) !== null) this.#names.push(check.name);
    }
    return this;
  }

  /** Accepted and claimed. */
  spawn(id: string, parts: Partial<TaskSpec> = {}): this {
    const model = { provider: "gpu", model: "child", backend: "gpu" };
    const spec = specimen(id, { goal: `node ${id}`, model, ...parts });
    this.tell({ kind: "submitted", life: 0, spec, created: true });
    this.#show(id, 1, "task.spawned");
    const record = this.record(id);
    const claim = { taskId: id, owner: "box", epoch: 1, seq: 1, record, resume: null };
    return this.tell({ kind: "claimed", life: 0, claim });
  }

  commit(id: string, write: CommitWrite, rest: { readonly epoch?: number } = {}): this {
    const { seq, epoch, rows } = this.#model(id);
    const events = write.events ?? [];
    const messages = write.messages ?? [];
    const receipt = { seq: seq + events.length, events: [], lastIndex: rows + messages.length };
    const written = { epoch: rest.epoch ?? epoch, expectedSeq: seq, write, receipt };
    this.tell({ kind: "committed", life: 0, taskId: id, ...written });
    for (const [at, { type }] of events.entries()) this.#show(id, seq + at + 1, type);
    for (const message of messages) this.#write(id, message);
    return this;
  }

  /** Comes to a good end, released, with its completion on its way. */
  end(id: string, write: CommitWrite = {}): this {
    const { parentId, goal } = this.#model(id).spec;
    const message: InboxMessage = { kind: "completion", id, end: DONE, goal };
    const event: NewEvent = { type: "task.done", data: { resultChars: 4, truncated: false } };
    this.commit(id, {
      terminal: DONE,
      releasedAt: 1,
      events: [event],
      ...(parentId !== null && { outbox: [{ to: parentId, message }] }),
      ...write,
    });
    return this.tell({ kind: "end.heard", life: 0, taskId: id });
  }

  generation(
    id: string,
    kind: "generation.began" | "generation.ended",
    retryAfterMs: number | null = null,
  ): this {
    if (kind === "generation.began") return this.reserving(id, {});
    return this.tell({ kind, life: 0, taskId: id, nth: 0, retryAfterMs });
  }

  /** Begins a generation that needs so much. */
  reserving(id: string, reserves: Partial<FactOf<"generation.began">["reserves"]>): this {
    const least = { tokens: 0, costMicros: 0, gpuMs: 0, ...reserves };
    const began = { life: 0, taskId: id, nth: 0, inFlight: 1, place: this.place, reserves: least };
    return this.tell({ kind: "generation.began", ...began });
  }

  tool(id: string, callId: string): this {
    const about = { life: 0, taskId: id, callId, tool: "effect", repeatable: false };
    return this.tell({ kind: "tool.began", ...about });
  }

  send(id: string, message: InboxMessage): this {
    const entry = {
      taskId: id,
      position: 1,
      time: 0,
      message,
      state: "queued" as const,
      turn: null,
      reason: null,
    };
    const receipt = { accepted: true, duplicate: false, entry, state: "running" as const };
    return this.tell({ kind: "sent", life: 0, taskId: id, message, receipt });
  }

  returned(
    name: string,
    about: { readonly taskId?: string; readonly request?: unknown },
    answer: unknown,
  ): this {
    return this.tell({ kind: "returned", call: this.#call(name, about), answer });
  }

  threw(
    name: string,
    about: { readonly taskId?: string; readonly request?: unknown },
    thrown: unknown,
  ): this {
    return this.tell({ kind: "threw", call: this.#call(name, about), thrown });
  }

  /** A row of the transcript as it is at rest. */
  say(id: string, message: Message): this {
    return this.commit(id, { messages: [message] });
  }

  collected(id: string): this {
    return this.returned("collect", { taskId: id }, { finished: true, state: "done", result: "four" });
  }

  record(id: string): TaskRecord {
    const { spec, state, phase, seq, epoch, run, turn, end, released } = this.#model(id);
    const times = { startedAt: 0, finishedAt: 0, releasedAt: released ? 1 : null, readAt: null };
    return { spec, state, phase, seq, epoch, run, turn, usage: NO_USAGE, progress: null, end, ...times };
  }

  restTask(id: string): RestTask {
    const inbox = this.#model(id).inbox.map(({ message, state, turn }, at) => {
      return { taskId: id, position: at + 1, time: 0, message, state, turn, reason: null };
    });
    return { record: this.record(id), events: [], inbox, transcript: this.#rows.get(id) ?? [] };
  }

  #call(name: string, about: { readonly taskId?: string; readonly request?: unknown }): ApiCall {
    return { number: this.#calls++, name, taskId: about.taskId ?? null, life: 0, request: about.request };
  }

  #show(taskId: string, seq: number, type: StoredEvent["type"]): void {
    const cursor = ++this.#cursor;
    this.tell({ kind: "event", event: { taskId, seq, cursor, type } as StoredEvent });
  }

  #write(taskId: string, message: Message): void {
    const { seq, run, turn } = this.#model(taskId);
    const rows = this.#rows.get(taskId) ?? [];
    rows.push({ taskId, index: rows.length + 1, seq, run, turn, time: 0, message });
    this.#rows.set(taskId, rows);
  }

  #model(id: string): NonNullable<ReturnType<Book["task"]>> {
    const task = this.book.task(id);
    if (!task) throw new Error(`The history has no task ${id}.`);
    return task;
  }
}

/** A person's word in a transcript. */
export function word(text: string): Message {
  return textMessage("user", "person", text);
}
