// The agent machine as a table: each state in which a task can rest against each event, its tags, its outputs.
// What happens over several steps stands beside this file: turns, waits, sessions, generated paths, properties.

import { describe, expect, it, vi } from "vitest";
import type { AgentEvent, AgentTag } from "../../machines/agent.ts";
import { PHASES, STATES } from "../../src/core/lifecycle.ts";
import type { TaskKind } from "../../src/core/task.ts";
import { CANCEL, Host, mail, TIMEOUT } from "./host.ts";
import { hostAt, STAGES, stagesOf, stateOf, type Stage } from "./stages.ts";

const EVENTS = {
  admitted: { type: "admitted" },
  "lease.granted": { type: "lease.granted" },
  preempted: { type: "preempted" },
  mail: mail(9),
  "interrupting mail": mail(9, { interrupt: true }),
  "a person's mail": mail(9, { person: true }),
  "mail.taken": { type: "mail.taken", position: 9 },
  "children.changed to 1": { type: "children.changed", live: 1 },
  "children.changed to 0": { type: "children.changed", live: 0 },
  "wait.ended": { type: "wait.ended", callId: "a", end: { cause: "satisfied" } },
  "wait.ended of another call": { type: "wait.ended", callId: "z", end: { cause: "timeout" } },
  "retry.due": { type: "retry.due" },
  delta: { type: "delta", channel: "text", text: "Hel" },
  stop: { type: "stop" },
  close: { type: "close" },
  cancel: CANCEL,
  "limit.reached": TIMEOUT,
} satisfies Record<string, AgentEvent>;
type EventName = keyof typeof EVENTS;

type Row = Partial<Record<EventName, string>>;

/** From every state that is not final (M2). */
const ALWAYS: Record<TaskKind, Row> = {
  task: { cancel: "cancelled", "limit.reached": "failed" },
  session: { cancel: "cancelled", "limit.reached": "failed", close: "done" },
};

/** Where each event leads; an event that is not named changes no state and restarts no effect. */
const TASK: Partial<Record<Stage, Row>> = {
  "spawned.queued": { admitted: "spawned.starting" },
  "spawned.backing_off": { "retry.due": "spawned.starting" },
  "running.waiting_slot": { "lease.granted": "running.generating" },
  "running.generating": { preempted: "running.waiting_slot", "interrupting mail": "steering" },
  "running.waiting_children for a call": {
    "interrupting mail": "running.calling_tools",
    "wait.ended": "running.calling_tools",
  },
  "running.waiting_children after its answer": {
    mail: "running.waiting_slot",
    "interrupting mail": "running.waiting_slot",
    "a person's mail": "running.waiting_slot",
    "children.changed to 0": "done",
  },
  "running.waiting_input for an answer": { "wait.ended": "running.calling_tools" },
  "running.backing_off": { "retry.due": "running.waiting_slot" },
  steering: { preempted: "running.waiting_slot" },
};

const STOPS: Row = { stop: "running.waiting_input" };
const SESSION: Partial<Record<Stage, Row>> = {
  "spawned.queued": { admitted: "spawned.starting" },
  "spawned.backing_off": { "retry.due": "spawned.starting" },
  "running.waiting_slot": { ...STOPS, "lease.granted": "steering" },
  "running.generating": { ...STOPS, preempted: "running.waiting_slot", "interrupting mail": "steering" },
  "running.calling_tools": STOPS,
  "running.waiting_children for a call": {
    ...STOPS,
    "interrupting mail": "running.calling_tools",
    "a person's mail": "running.calling_tools",
    "wait.ended": "running.calling_tools",
  },
  "running.waiting_input for an answer": { "wait.ended": "running.calling_tools" },
  "running.waiting_input for a message": {
    mail: "running.waiting_slot",
    "interrupting mail": "running.waiting_slot",
    "a person's mail": "running.waiting_slot",
  },
  "running.backing_off": { ...STOPS, "retry.due": "running.waiting_slot" },
  steering: { ...STOPS, preempted: "running.waiting_slot" },
};

const TAGS: Record<Stage, readonly AgentTag[]> = {
  "spawned.queued": [],
  "spawned.starting": ["holds_place"],
  "spawned.backing_off": ["holds_place"],
  "running.waiting_slot": ["holds_place"],
  "running.generating": ["active_time", "holds_lease", "holds_place", "interruptible"],
  "running.calling_tools": ["active_time", "holds_place"],
  "running.waiting_children for a call": ["waiting"],
  "running.waiting_children after its answer": ["waiting"],
  "running.waiting_input for an answer": ["waiting"],
  "running.waiting_input for a message": ["waiting"],
  "running.backing_off": ["holds_place"],
  steering: ["active_time", "holds_lease", "holds_place"],
  done: ["terminal"],
  cancelled: ["terminal"],
  failed: ["terminal"],
};

const FINAL = ["done", "cancelled", "failed"] as const;
const isFinal = (stage: Stage): boolean => FINAL.some((each) => each === stage);

describe.each(["task", "session"] as const)("a %s", (kind) => {
  const rows = kind === "task" ? TASK : SESSION;
  const cells = stagesOf(kind).flatMap((stage) => {
    const row = isFinal(stage) ? {} : { ...ALWAYS[kind], ...rows[stage] };
    return (Object.keys(EVENTS) as EventName[]).map((event) => ({
      stage,
      event,
      target: row[event] ?? null,
    }));
  });

  it.each(cells.filter((cell) => cell.target !== null))(
    "goes from $stage to $target on $event",
    async ({ stage, event, target }) => {
      const host = await hostAt(stage, { kind });
      const { effects } = host;
      const left = effects.length;
      host.send(EVENTS[event]);
      expect(host.at).toBe(target);
      expect(
        effects.slice(0, left).filter((each) => each === host.inFlight),
        "M5 its effect was aborted",
      ).toEqual([]);
    },
  );

  it.each(stagesOf(kind).filter((stage) => !isFinal(stage)))(
    "stays in %s on every other event, and goes on with its effect",
    async (stage) => {
      const others = cells.filter((cell) => cell.stage === stage && cell.target === null);
      const after = await Promise.all(
        others.map(async ({ event }) => {
          const host = await hostAt(stage, { kind });
          const { inFlight, effects } = host;
          const started = effects.length;
          host.send(EVENTS[event]);
          const goesOn = host.inFlight === inFlight && effects.length === started;
          return { event, at: host.at, goesOn, errors: host.errors };
        }),
      );
      const stayed = others.map(({ event }) => ({ event, at: stateOf(stage), goesOn: true, errors: [] }));
      expect(after).toEqual(stayed);
    },
  );

  it.each(stagesOf(kind))("has in %s the tags that its host follows (M3)", async (stage) => {
    const host = await hostAt(stage, { kind });
    expect(host.at).toBe(stateOf(stage));
    expect(host.tags).toEqual(TAGS[stage]);
  });

  it.each(FINAL)("M1 changes nothing any more once it is %s", async (stage) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const host = await hostAt(stage, { kind });
    const { snapshot } = host;
    host.send(...Object.values(EVENTS));
    expect(host.snapshot).toBe(snapshot);
    warn.mockRestore();
  });
});

describe("the words", () => {
  it("are the states and phases of the contract, each of them reached", () => {
    const states = new Set(STAGES.map((stage) => stateOf(stage).split(".")[0]));
    const phases = new Set(STAGES.flatMap((stage) => stateOf(stage).split(".")[1] ?? []));
    expect(states).toEqual(new Set(STATES));
    expect(phases).toEqual(new Set(PHASES));
  });
});

describe("the output", () => {
  it("of a task that is done says so", async () => {
    expect((await hostAt("done")).output).toEqual({ state: "done" });
  });

  it("of a session that was closed is done", async () => {
    expect((await hostAt("done", { kind: "session" })).output).toEqual({ state: "done" });
  });

  it("of a cancelled task keeps the reason, an empty one too", () => {
    expect(new Host().start().send(CANCEL).output).toEqual({
      state: "cancelled",
      reason: "no longer needed",
    });
    const silent = new Host().start().send({ type: "cancel", reason: "" });
    expect(silent.output).toEqual({ state: "cancelled", reason: "" });
  });

  it("of a limit is its failure", () => {
    expect(new Host().start().send(TIMEOUT).output).toMatchObject({
      state: "failed",
      failure: { code: "timeout" },
    });
  });

  it.each([
    ["spawned.starting", "prepare"],
    ["running.generating", "generate"],
    ["running.calling_tools", "callTools"],
    ["steering", "foldMail"],
  ] as const)("M1 of an effect that rejects in %s is a defect, told as one", async (stage, effect) => {
    const host = await hostAt(stage);
    await host.break(effect, new Error("disk on fire"));
    expect(host.snapshot.status).toBe("done");
    expect(host.output).toEqual({
      state: "failed",
      failure: { code: "internal", message: "Troupe failed: disk on fire", retryable: false },
    });
    expect(host.errors).toEqual([]);
  });
});
