// Histories that break one rule each: what the checks of the simulation must complain of.

import { InternalError, NotFoundError, ConflictError } from "../../src/base/errors.ts";
import type { NewEvent } from "../../src/core/event.ts";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import { textMessage } from "../../src/core/message.ts";
import { completionText } from "../../src/core/transcript-marks.ts";
import { DONE, laneWith, leaseOf, waiterOf, word, type History } from "./history.ts";

export interface Breach {
  /** The check that must complain. */
  readonly check: string;
  readonly what: string;
  readonly forge: (history: History) => unknown;
}

function breach(check: string, what: string, forge: Breach["forge"]): Breach {
  return { check, what, forge };
}

const STEER = { kind: "message", id: "msg_1", from: "person", text: "hello" } as const;
const BUSY = { state: "running", phase: "generating" } as const;
const child = { parentId: "p", rootId: "p", depth: 1 };
const told = (id: string): ReturnType<typeof textMessage> =>
  textMessage("user", "completion", completionText({ taskId: id, state: "done", goal: "g", result: "r" }));
const resumed = { type: "task.resumed", data: { policy: "resume", was: "generating", resumes: 1 } } as const;

function warning(used: number): NewEvent {
  return { type: "budget.warned", data: { budgetOf: "a", kind: "tokens", used, limit: 100 } };
}

const OF_LIVES: readonly Breach[] = [
  breach("the reference model agrees", "a second end", (h) => h.spawn("a").end("a").end("a")),
  breach("the reference model agrees", "a stale epoch", (h) => h.spawn("a").commit("a", BUSY, { epoch: 7 })),
  breach("no error is swallowed", "a rejection", (h) => h.tell({ kind: "unhandled", message: "oh" })),
  breach("no acknowledged task is lost", "a spawn without a write", (h) =>
    h.returned("delegate", { request: {} }, { taskId: "ghost", state: "spawned" }),
  ),
  breach("one end", "an end without its event", (h) => h.spawn("a").end("a", { events: [] })),
  breach("nothing acts after the end", "a late generation", (h) =>
    h.spawn("a").end("a").generation("a", "generation.began"),
  ),
  breach("nothing acts after the end", "a child of the dead", (h) =>
    h.spawn("p").spawn("c", child).end("p").generation("c", "generation.began"),
  ),
  breach("stale writers are fenced", "a late write that was made", (h) =>
    h.tell({ kind: "late.write", life: 0, taskId: "a", epoch: 1 }),
  ),
  breach("children end before their parent", "a parent that leaves a child behind", (h) =>
    h.spawn("p").spawn("c", child).generation("c", "generation.began").end("p"),
  ),
  breach("the end comes after the stop", "a release in the middle of a generation", (h) =>
    h.spawn("a").generation("a", "generation.began").end("a"),
  ),
  breach("timeouts are real", "a generation without end", (h) => {
    h.spawn("a").generation("a", "generation.began");
    h.now = 60_000;
    return h.step();
  }),
  breach("taken up again as declared", "taken up in its first life", (h) =>
    h.spawn("a").commit("a", { events: [resumed] }),
  ),
  breach("taken up again as declared", "acts before it is recorded", (h) => {
    h.spawn("a").commit("a", BUSY).tell({ kind: "life.ended", life: 0, how: "crash" });
    h.tell({ kind: "life.began", life: 1, caps: { slots: 1, places: 1, childSlots: 1 } });
    return h.generation("a", "generation.began");
  }),
];

const OF_ROOM: readonly Breach[] = [
  breach("caps hold", "three leases on two slots", (h) =>
    h.step(laneWith({ leases: ["a", "b", "c"].map(leaseOf) })),
  ),
  breach("caps hold", "more generations than slots", (h) => h.step(laneWith(), 3)),
  breach("child slots hold", "three children on two slots", (h) => {
    h.spawn("p");
    for (const id of ["a", "b", "c"]) h.spawn(id, child).generation(id, "generation.began");
    return h.step();
  }),
  breach("holders live", "a lease of the dead", (h) =>
    h
      .spawn("a")
      .end("a")
      .step(laneWith({ leases: [leaseOf("a")], places: ["a"] })),
  ),
  breach("everything is given back", "a slot that is kept", (h) => h.rest({ held: { slots: 1 } })),
  breach("every end is followed by its release", "an end by force", (h) => {
    const end = {
      terminal: DONE,
      events: [{ type: "task.done", data: { resultChars: 4, truncated: false } }],
    } as const;
    return h.spawn("a").commit("a", end).rest();
  }),
  breach("no idle room", "a wait beside a free place", (h) =>
    h.spawn("a").step(laneWith({ waiting: [waiterOf("a", "1 of 2 places on gpu0 is taken")] })),
  ),
  breach("nothing is left behind", "a timer of nobody", (h) => h.rest({ timers: 1 })),
  breach("depth is bounded", "a task too deep", (h) => h.spawn("a", { depth: 4 })),
  breach("budgets hold", "a tree that took too much", (h) => {
    h.spawn("a", { budget: { tokens: 10, costMicros: null, gpuMs: null, toolCalls: null } });
    return h.rest({ usage: new Map([["a", { tokens: 9_000, costMicros: 0, gpuMs: 0, toolCalls: 0 }]]) });
  }),
  breach("tool calls are counted", "a call too many under a child", (h) => {
    const result = { type: "tool_result", callId: "x", name: "look", text: "ok", isError: false } as const;
    h.spawn("p").spawn("c", { ...child, budget: { ...UNLIMITED_BUDGET, toolCalls: 1 } });
    return h.say("c", { role: "tool", origin: "tool", parts: [result, { ...result, callId: "y" }] }).rest();
  }),
  breach("budgets are reserved", "a generation that the money is not there for", (h) =>
    h
      .spawn("p", { budget: { ...UNLIMITED_BUDGET, costMicros: 10 } })
      .spawn("c", child)
      .reserving("c", { costMicros: 11 }),
  ),
  breach("budgets are reserved", "a second generation on the last GPU time", (h) =>
    h
      .spawn("p", { budget: { ...UNLIMITED_BUDGET, gpuMs: 10 } })
      .spawn("c", child)
      .spawn("d", child)
      .reserving("c", { gpuMs: 20 })
      .reserving("d", { gpuMs: 20 }),
  ),
  breach("budgets are reserved", "a generation when all GPU time is used", (h) => {
    h.spawn("a", { budget: { ...UNLIMITED_BUDGET, gpuMs: 10 } }).commit("a", {
      usage: { ...NO_USAGE, gpuMs: 10 },
    });
    return h.reserving("a", { gpuMs: 1 });
  }),
  breach("budgets lie within each other", "a child that may use more than its parent", (h) =>
    h
      .spawn("p", { budget: { ...UNLIMITED_BUDGET, toolCalls: 1 } })
      .spawn("c", { ...child, budget: { ...UNLIMITED_BUDGET, toolCalls: 2 } }),
  ),
  breach("use is priced", "tokens that cost nothing", (h) =>
    h.spawn("a").commit("a", { usage: { ...NO_USAGE, outputTokens: 5 } }),
  ),
  breach("a limit is warned of once", "a warning at half", (h) =>
    h.spawn("a").commit("a", { events: [warning(50)] }),
  ),
  breach("a limit is warned of once", "two warnings", (h) =>
    h
      .spawn("a")
      .commit("a", { events: [warning(80)] })
      .commit("a", { events: [warning(90)] }),
  ),
  breach("turns and runs are bounded", "a run too many", (h) => {
    h.spawn("a");
    for (let run = 2; run < 8; run++) h.commit("a", { run });
    return h;
  }),
  breach("nobody is overtaken", "the younger first", (h) => {
    const both = ["a", "b"].map((id) => waiterOf(id, "2 of 2 places on gpu0 are taken"));
    h.spawn("a")
      .spawn("b")
      .step(laneWith({ waiting: both }));
    return h.step(laneWith({ waiting: both.slice(0, 1), places: ["b"] }));
  }),
  breach("no deadlock with the least room", "an open task", (h) => {
    h.tell({ kind: "life.began", life: 1, caps: { slots: 1, places: 1, childSlots: 1 } });
    return h.spawn("a").rest();
  }),
];

const OF_WORDS: readonly Breach[] = [
  breach("a run begins with its goal", "an answer to nothing", (h) =>
    h
      .spawn("a")
      .say("a", textMessage("assistant", "model", "yes?"))
      .rest(),
  ),
  breach("every word is read once or said to be undelivered", "a word read twice", (h) => {
    h.spawn("a").send("a", STEER).commit("a", { inboxCursor: 1, turn: 1 });
    return h.say("a", word("hello")).say("a", word("hello")).rest();
  }),
  breach("every word is read once or said to be undelivered", "a word that was never read", (h) =>
    h.spawn("a").send("a", STEER).commit("a", { inboxCursor: 1, turn: 1 }).rest(),
  ),
  breach("words are read in order", "the second word first", (h) => {
    h.spawn("a")
      .send("a", STEER)
      .send("a", { ...STEER, id: "msg_2", text: "there" });
    h.commit("a", { inboxCursor: 2, turn: 1 });
    return h.say("a", word("there")).say("a", word("hello")).rest();
  }),
  breach("every receipt comes true", "a receipt of nothing", (h) =>
    h.spawn("a").returned("steer", { taskId: "a" }, { steerId: "msg_9", taskId: "a" }).rest(),
  ),
  breach("events are gapless", "a watcher that misses one", (h) =>
    h.spawn("a").tell({ kind: "watched", life: 0, cursor: 2, gap: false }),
  ),
  breach("every end reaches its parent", "an end without a completion", (h) =>
    h.spawn("p").spawn("c", child).end("c", { outbox: [] }),
  ),
  breach("each end is told once and in order", "told twice", (h) => {
    h.spawn("p").spawn("c", child).end("c");
    return h.say("p", told("c")).say("p", told("c")).end("p").rest();
  }),
  breach("each end is told once and in order", "told in the wrong order", (h) => {
    h.spawn("p").spawn("c", child).spawn("d", child).end("c").end("d");
    return h.say("p", told("d")).say("p", told("c")).end("p").rest();
  }),
  breach("each call has one result", "a result without a call", (h) => {
    const result = { type: "tool_result", callId: "x", name: "look", text: "", isError: false } as const;
    return h
      .spawn("a")
      .say("a", { role: "tool", origin: "tool", parts: [result] })
      .rest();
  }),
  breach("the store agrees with the model at rest", "a record that went astray", (h) => {
    const task = h.spawn("a").restTask("a");
    return h.rest({ tasks: new Map([["a", { ...task, record: { ...task.record, seq: 9 } }]]) });
  }),
];

const OF_CALLS: readonly Breach[] = [
  breach("a result never changes", "two results", (h) => {
    h.spawn("a").end("a").collected("a");
    return h.returned("collect", { taskId: "a" }, { finished: true, state: "done", result: "five" });
  }),
  breach("a cancel reaches the whole subtree", "a child that goes on", (h) => {
    h.spawn("p")
      .spawn("c", child)
      .returned("cancel", { taskId: "p" }, { cancelled: ["p"] });
    return h.generation("c", "generation.began");
  }),
  breach("answers are explicit", "a defect", (h) => h.threw("delegate", {}, new InternalError("oh", "no"))),
  breach("only the ended refuse mail", "a living task that refuses", (h) =>
    h.spawn("a").threw("steer", { taskId: "a" }, new ConflictError("task_ended", "It has ended.")),
  ),
  breach("a server that asks for a pause gets it", "too soon", (h) => {
    h.spawn("a").generation("a", "generation.began").generation("a", "generation.ended", 500);
    const data = { code: "rate_limited", message: "", attempt: 1, retryInMs: 500 };
    h.commit("a", { events: [{ type: "generation.retried", data }] });
    return h.generation("a", "generation.began");
  }),
  breach("one key, one task", "one key, two tasks", (h) => {
    const request = { idempotencyKey: "k" };
    h.spawn("a").spawn("b").returned("delegate", { request }, { taskId: "a", state: "spawned" });
    return h.returned("delegate", { request }, { taskId: "b", state: "spawned" });
  }),
  breach("no acknowledgement without a write", "a steer of nothing", (h) =>
    h.spawn("a").returned("steer", { taskId: "a" }, { steerId: "msg_9", taskId: "a" }),
  ),
  breach("no acknowledgement without a write", "a task that is not found", (h) =>
    h.spawn("a").threw("check", { taskId: "a" }, new NotFoundError("task_not_found", "None.")),
  ),
  breach("an orderly end ends", "two minutes", (h) =>
    h.tell({ kind: "closed", life: 0, ms: 120_000, problem: null }),
  ),
  breach("what must not be repeated runs once", "twice", (h) => h.spawn("a").tool("a", "x").tool("a", "x")),
  breach("an intent before every tool", "no intent", (h) => h.spawn("a").tool("a", "x")),
];

export const BREACHES: readonly Breach[] = [...OF_LIVES, ...OF_ROOM, ...OF_WORDS, ...OF_CALLS];

/** A parent, its child, a word of a person and a look at the results, as they should be. */
export function goWell(history: History): void {
  const h = history
    .spawn("p")
    .spawn("c", child)
    .say("p", textMessage("user", "goal", "node p"));
  h.generation("c", "generation.began").step(laneWith({ leases: [leaseOf("c")], places: ["c"] }), 1);
  h.generation("c", "generation.ended").end("c").send("p", STEER);
  h.commit("p", { inboxCursor: 2, turn: 1, messages: [told("c"), word("hello")] });
  h.returned("message", { taskId: "p" }, { steerId: STEER.id, taskId: "p" });
  h.end("p").collected("p").collected("c").collected("c").step().rest();
}

/** Two generations under one budget of GPU time: one in a cloud, and one that gets all that is left of it. */
export function goWellBesideCloud(history: History): void {
  history
    .spawn("p", { budget: { ...UNLIMITED_BUDGET, gpuMs: 10 } })
    .spawn("c", child)
    .spawn("d", child)
    .reserving("c", { gpuMs: 0 })
    .reserving("d", { gpuMs: 20 });
}
