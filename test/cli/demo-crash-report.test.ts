// The verdict on the kill: that each fact can fail, and only that one with it.

import { describe, expect, it } from "vitest";
import type { CrashEvidence, Kill } from "../../src/cli/demo-crash-facts.ts";
import { crashReportOf } from "../../src/cli/demo-crash-report.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { textMessage, type MessageOrigin, type TranscriptRow } from "../../src/core/message.ts";
import { completionText, steerText } from "../../src/core/transcript-marks.ts";
import { event, SESSION } from "./demo-events.ts";

const [DONE, STEERED] = ["task_done", "task_steered"];

function logOf(...frames: readonly ReturnType<typeof event>[]): readonly StoredEvent[] {
  return frames.flatMap((frame, index) =>
    frame.kind === "event" ? [{ ...frame.event, cursor: index + 1 }] : [],
  );
}

const finished = { reason: "stop", toolCalls: 0, promptTokens: 1, outputTokens: 1 };
const onSteered = { taskId: STEERED };
const started = event("turn.started", { messages: 1 }, onSteered);
const LOG = logOf(
  started,
  event("task.resumed", { policy: "resume", was: "generating", resumes: 1 }, onSteered),
  started,
  event("steer.delivered", { steerId: "steer_1" }, onSteered),
  event("steer.delivered", { steerId: "msg_1" }),
  event("answer.finished", { text: "408." }),
  event("turn.finished", finished, onSteered),
  event("child.completed", { childId: DONE, state: "done" }),
  event("child.completed", { childId: STEERED, state: "done" }),
);

function row(origin: MessageOrigin, text: string): TranscriptRow {
  const message = textMessage("user", origin, text);
  return { taskId: SESSION, index: 1, seq: 1, run: 1, turn: 1, time: 1, message };
}

const told = (taskId: string): TranscriptRow =>
  row("completion", completionText({ taskId, state: "done", goal: "Count.", result: "Three." }));
const standing = (...results: readonly [string, string][]) => ({
  tasks: [SESSION, DONE, STEERED].map((taskId) => ({ taskId, goal: "Count." })),
  results: results.map(([taskId, sha256]) => ({ taskId, sha256 })),
});
const KILL: Kill = {
  pid: 7,
  nextPid: 8,
  at: 1_000,
  downMs: 600,
  firstTokenMs: 900,
  underWay: {
    atWork: [STEERED, "task_other"],
    generating: [STEERED],
    done: [DONE],
    steer: { steerId: "steer_1", taskId: STEERED, state: "queued" },
    message: { messageId: "msg_1", isAnswered: false },
  },
};
const GOOD: CrashEvidence = {
  sessionId: SESSION,
  durability: "full",
  kill: KILL,
  before: standing([DONE, "aa"]),
  after: standing([DONE, "aa"]),
  end: standing([DONE, "aa"], [STEERED, "bb"]),
  streamed: LOG,
  gaps: 0,
  stored: LOG,
  parentRows: [told(DONE), told(STEERED)],
  steeredRows: [row("goal", "Count."), row("steer", steerText("look only here"))],
  left: { tasks: [], leases: 0, waiting: 0, places: 0 },
};

const under = (rest: Partial<Kill["underWay"]>): Partial<CrashEvidence> => ({
  kill: { ...KILL, underWay: { ...KILL.underWay, ...rest } },
});
const logs = (stored: readonly StoredEvent[]): Partial<CrashEvidence> => ({ stored, streamed: stored });
const without = (index: number): readonly StoredEvent[] => LOG.filter((_, at) => at !== index);
const twice = (index: number): readonly StoredEvent[] =>
  [...LOG, LOG[index] as StoredEvent].map((each, at) => ({ ...each, cursor: at + 1 }));

describe("crashReportOf", () => {
  it("holds where everything was there after, and happened once", () => {
    const report = crashReportOf(GOOD);
    expect(report.facts.filter(({ held }) => !held)).toEqual([]);
    expect(report).toMatchObject({ tasksBefore: 3, tasksAfter: 3, kill: KILL, durability: "full" });
    expect(report.results).toEqual([{ taskId: DONE, before: "aa", after: "aa" }]);
  });

  it.each<[string, Partial<CrashEvidence>]>([
    ["the kill hits work under way", under({ atWork: [STEERED] })],
    ["the kill hits work under way", under({ generating: [] })],
    ["the kill hits work under way", under({ done: [] })],
    ["the kill hits work under way", under({ steer: { ...KILL.underWay.steer, state: "delivered" } })],
    ["the kill hits work under way", under({ message: { messageId: "msg_1", isAnswered: true } })],
    ["what was acknowledged was on disk", { durability: "none" }],
    ["every task is there again, by its id", { after: { ...GOOD.after, tasks: GOOD.after.tasks.slice(1) } }],
    ["the finished result is the same to the byte", { after: standing([DONE, "ab"]) }],
    ["the finished result is the same to the byte", { end: standing([STEERED, "bb"]) }],
    ["generations in flight are made again, and no turn ends twice", logs(twice(6))],
    ["generations in flight are made again, and no turn ends twice", logs(without(1))],
    ["each child's end is told to the parent once", logs(twice(7))],
    ["each child's end is told to the parent once", { parentRows: [told(DONE)] }],
    ["each child's end is told to the parent once", { parentRows: [...GOOD.parentRows, told(DONE)] }],
    ["the steer is delivered once", logs(twice(3))],
    ["the steer is delivered once", { steeredRows: [...GOOD.steeredRows, row("steer", steerText("again"))] }],
    ["your last message is read once, and answered", logs(twice(4))],
    ["your last message is read once, and answered", logs(without(5))],
    ["the event stream goes on: no event missing, none twice", { gaps: 1 }],
    ["the event stream goes on: no event missing, none twice", { streamed: without(2) }],
    ["the event stream goes on: no event missing, none twice", { streamed: [...LOG, ...LOG.slice(-1)] }],
    ["a model writes again soon after the kill", { kill: { ...KILL, firstTokenMs: null } }],
    ["a model writes again soon after the kill", { kill: { ...KILL, firstTokenMs: 30_001 } }],
    ["nothing is left running", { left: { ...GOOD.left, tasks: [STEERED] } }],
    ["nothing is left running", { left: { ...GOOD.left, leases: 1 } }],
    ["nothing is left running", { left: { ...GOOD.left, places: 1 } }],
  ])("fails where it does not hold that %s", (name, rest) => {
    const failed = crashReportOf({ ...GOOD, ...rest }).facts.filter(({ held }) => !held);
    expect(failed.map((fact) => fact.name)).toEqual([name]);
    expect(failed[0]?.got).not.toBe("");
  });

  it("lets a turn that was cut off begin again, but no other one before it ended", () => {
    const next = { ...(LOG[0] as StoredEvent), turn: 2 };
    const stored = [...LOG.slice(0, 3), next, ...LOG.slice(3)].map((each, at) => ({
      ...each,
      cursor: at + 1,
    }));
    const failed = crashReportOf({ ...GOOD, ...logs(stored) }).facts.filter(({ held }) => !held);
    expect(failed.map(({ got }) => got)).toEqual(["1 of 1 made again, 1 turn out of order"]);
  });

  it("says why there is no evidence, as a fact that does not hold", () => {
    expect(crashReportOf("nobody answers").facts).toEqual([
      { name: "the kill is made and looked into", held: false, got: "nobody answers" },
    ]);
  });
});
