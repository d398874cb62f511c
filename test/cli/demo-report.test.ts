// The arithmetic of the report, and that each promise can fail.

import { describe, expect, it } from "vitest";
import type { CrashReport } from "../../src/cli/demo-crash-facts.ts";
import { crashReportOf } from "../../src/cli/demo-crash-report.ts";
import type { Child, Message } from "../../src/cli/demo-facts.ts";
import { reportOf, type ReportInput } from "../../src/cli/demo-report.ts";
import { summaryOf } from "../../src/cli/demo-summary.ts";
import { checkDemo } from "../../scripts/demo-document.ts";
import type { TaskResult, TaskView } from "../../src/core/api.ts";
import { toWire } from "../../src/core/wire.ts";

const SESSION = "ses_000000";

const message = (rest: Partial<Message> = {}): Message => ({
  id: "msg_1",
  text: "How far?",
  sentAt: 1_000,
  aliveWhenSent: 3,
  aliveWhenAnswered: 2,
  turn: 2,
  submittedAt: 1_400,
  firstTokenAt: 1_900,
  answeredAt: 2_500,
  answer: "Far.",
  ...rest,
});

const child = (taskId: string, rest: Partial<Child> = {}): Child => ({
  taskId,
  goal: "Count.",
  spawnedAt: 0,
  state: "done",
  phase: null,
  turn: 3,
  startedAt: 0,
  endedAt: 10,
  steers: new Map(),
  cancelledFrom: null,
  returned: true,
  ...rest,
});

function task(taskId: string, rest: Partial<TaskView & TaskResult> = {}) {
  const both = {
    taskId,
    parentId: SESSION,
    goal: "Count.",
    model: { provider: "p", model: "m", backend: "b" },
    toolsets: [],
    state: "done",
    turn: 3,
    steers: [],
    result: "Three.",
    failure: null,
    startedAt: 100,
    finishedAt: 350,
    ...rest,
  };
  return { view: both as unknown as TaskView, result: both as unknown as TaskResult };
}

const STEERS = [{ steerId: "steer_1", state: "delivered", turn: 2 }] as unknown as TaskView["steers"];
const FOLLOWED = 'Report.\nI followed the steer "look only at src/core": only src/core.';
const RUNNING = { state: "running", phase: "generating", time: 5 } as const;

type Overrides = Partial<Omit<ReportInput, "record">> & Partial<ReportInput["record"]>;

function input(overrides: Overrides = {}): ReportInput {
  const { messages, calls, waits, children, ...rest } = overrides;
  return {
    record: {
      sessionId: SESSION,
      messages: messages ?? [message({ aliveWhenSent: 0, submittedAt: 1_003 }), message()],
      calls: calls ?? [
        { name: "delegate_task_async", ms: 4.26, failed: false },
        { name: "cancel_task", ms: 1, failed: false },
      ],
      waits: waits ?? [
        { taskId: "task_2", for: "slot", ms: 30 },
        { taskId: SESSION, for: "slot", ms: 400 },
        { taskId: "task_2", for: "slot", ms: 50 },
        { taskId: "task_2", for: "place", ms: 0 },
      ],
      children: children ?? [
        child("task_1"),
        child("task_2"),
        child("task_3", { state: "cancelled", cancelledFrom: RUNNING }),
      ],
    },
    box: { backend: "simulated", parent: "simulated", followsSteers: true },
    models: { parent: "p", children: "c" },
    patienceMs: 5_000,
    elapsedMs: 20_000,
    broken: null,
    crash: null,
    tasks: [
      task("task_1"),
      task("task_2", { steers: STEERS, result: FOLLOWED }),
      task("task_3", { state: "cancelled", result: null }),
    ],
    ...rest,
  };
}

describe("reportOf", () => {
  it("takes the model's own time off a message's wait, and the longest of all waits and calls", () => {
    const { conversation } = reportOf(input());
    expect(conversation).toMatchObject({
      longestBlockedMs: 4.3,
      longestWaitMs: 400,
      answeredWhileRunning: 1,
    });
    const row = { waitMs: 400, firstTokenMs: 900, modelMs: 500, answeredMs: 1_500, tasksRunning: 2 };
    expect(conversation.messages[1]).toMatchObject(row);
  });

  it("adds up who waited for what, and leaves out places that were free at once", () => {
    expect(reportOf(input()).waits).toEqual([
      { who: "person", taskId: SESSION, for: "the parent's turn", times: 2, longestMs: 400, totalMs: 403 },
      { who: "parent", taskId: SESSION, for: "a slot", times: 1, longestMs: 400, totalMs: 400 },
      { who: "child", taskId: "task_2", for: "a slot", times: 2, longestMs: 50, totalMs: 80 },
    ]);
  });

  it("passes, on the wire, what judges the demo in CI", () => {
    const report = reportOf(input());
    expect(report.failures).toEqual([]);
    expect(checkDemo(JSON.stringify(toWire(report))).filter((check) => !check.passed)).toEqual([]);
    expect(report.tasks[0]).toMatchObject({ ranMs: 250, turns: 3 });
  });

  it.each<[string, Overrides]>([
    ["the story comes to its end", { broken: "The demo did not end within 180.0 s." }],
    ["the parent delegates three goals", { children: [child("task_1")] }],
    [
      "no delegation call holds the conversation over 1000 ms",
      { calls: [{ name: "x", ms: 1_001, failed: false }] },
    ],
    ["no message waits longer than its patience", { messages: [message({ submittedAt: 6_101 })] }],
    ["a message is answered while children run", { messages: [message({ aliveWhenAnswered: 0 })] }],
    ["a steer is delivered to a living child", { tasks: [task("task_1")] }],
    ["the steered child follows it", { tasks: [task("task_2", { steers: STEERS, result: "Three." })] }],
    ["a child is cancelled while it runs", { children: [child("task_3", { state: "cancelled" })] }],
    ["every other child is done, with a result", { tasks: [task("task_1", { result: " " })] }],
    ["every end comes back to the parent by itself", { children: [child("task_1", { returned: false })] }],
  ])("fails where it does not hold that %s", (name, overrides) => {
    const report = reportOf(input(overrides));
    expect(report.passed).toBe(false);
    expect(report.failures).toContain(`does not hold: ${name}`);
  });

  it("takes the time in which no server ran off a message's wait, and no more", () => {
    const kill = { at: 1_100, downMs: 200 } as CrashReport["kill"];
    const crash: CrashReport = { ...crashReportOf("none"), kill, facts: [] };
    const { conversation } = reportOf(input({ crash }));
    expect(conversation.messages.map(({ waitMs }) => waitMs)).toEqual([3, 200]);
  });

  it("fails with a fact about the kill that does not hold", () => {
    const report = reportOf(input({ crash: crashReportOf("the story did not come to the kill") }));
    expect(report.passed).toBe(false);
    expect(report.failures).toEqual([
      "does not hold: the kill is made and looked into (the story did not come to the kill)",
    ]);
  });

  it("does not ask of a model that it follows a steer", () => {
    const box = { backend: "ollama", parent: "scripted", followsSteers: false } as const;
    expect(reportOf(input({ box })).checks.map(({ name }) => name)).not.toContain(
      "the steered child follows it",
    );
  });

  it("counts nothing where nothing happened", () => {
    const empty = reportOf(input({ messages: [], calls: [], waits: [], children: [], tasks: [] }));
    expect(empty.conversation).toMatchObject({
      longestBlockedMs: 0,
      longestWaitMs: 0,
      answeredWhileRunning: 0,
    });
    expect(empty.waits).toEqual([]);
    expect(summaryOf(empty, 80).length).toBeGreaterThan(5);
  });
});
