import { describe, expect, test } from "vitest";
import type { EventData, EventType, StoredEvent } from "../../src/core/event.ts";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import type { TaskView, TreeNode } from "../../src/core/api.ts";
import { Printer, type Line } from "../../src/cli/printer.ts";
import {
  age,
  counted,
  endLine,
  eventText,
  receiptText,
  timeOfDay,
  taskTable,
  treeLines,
} from "../../src/cli/task-lines.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";
import { nodeOf } from "./top/nodes.ts";

const printer = new Printer(new ScriptedTerminal(), false);

test.each([
  [-5, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_600_000, "1h"],
  [200_000_000, "2d"],
])("an age of %i ms is %s", (ms, text) => expect(age(ms)).toBe(text));

test("counts", () => expect([counted(1, "task"), counted(0, "task")]).toEqual(["1 task", "0 tasks"]));

test("the end of a task is one line, whatever its goal holds", () => {
  expect(printer.render(endLine(`task_${"a".repeat(32)}`, "failed", "two\nlines\u001b[2J"), false)).toBe(
    "task_aaaaaaaa failed: two lines",
  );
});

test("receipts say what became of a message", () => {
  const receipt = { steerId: "steer_1", taskId: "t", interrupt: false, reason: null, time: 0 };
  expect(receiptText({ ...receipt, state: "delivered", turn: 3 })).toBe("steer_1 delivered in turn 3");
  expect(receiptText({ ...receipt, state: "queued", turn: null })).toBe("steer_1 queued");
  expect(receiptText({ ...receipt, state: "undelivered", turn: null, reason: "it ended" })).toBe(
    "steer_1 undelivered: it ended",
  );
});

function node(name: string, rest: Partial<TreeNode> = {}): TreeNode {
  return nodeOf(name, { model: "m", createdAt: 0, startedAt: null, ...rest });
}

test("a tree is drawn with its branches, queue places and last lines", () => {
  const grandchild = node("c", { phase: "queued", state: "spawned", queuePosition: 2, waitsFor: "a place" });
  const tree = node("a", {
    children: [node("b", { children: [grandchild] }), node("d", { lastLine: "said\u0007" })],
  });
  expect(treeLines([tree]).map((line) => printer.render(line, false))).toEqual([
    "task_aaaaaaaa  running generating  goal a  m",
    "├─ task_bbbbbbbb  running generating  goal b  m",
    "│  └─ task_cccccccc  spawned queued #2  goal c  m, waits: a place",
    "└─ task_dddddddd  running generating  goal d  m  said",
  ]);
});

test("a tree says why a task failed, in red", () => {
  const failure = { code: "model_not_found", message: `Get it again.\n${"x".repeat(300)}`, retryable: false };
  const [line] = treeLines([node("a", { state: "failed", phase: null, failure })]);
  const text = printer.render(line as Line, false);
  expect(text).toMatch(/^task_aaaaaaaa {2}failed {2}goal a {2}m {2}model_not_found: Get it again\. x+…$/);
  expect((line as Line).at(-1)).toMatchObject(["red", expect.stringContaining("model_not_found")]);
});

test("a table has a column of reasons where a task waits or has failed, and none where nobody does", () => {
  const model = { provider: "gpu", model: "m", backend: "gpu" };
  const rowOf = (name: string, rest: Partial<TaskView>): TaskView =>
    ({ ...node(name), model, ...rest }) as unknown as TaskView;
  const failure = { code: "timeout", message: "It took\ntoo long.", retryable: false };
  const tasks = [
    rowOf("a", { waitsFor: "gpu at http://127.0.0.1:11434 has not answered since 2026-01-02T12:03:20Z" }),
    rowOf("b", { state: "failed", phase: null, failure }),
    rowOf("c", {}),
  ];
  const texts = taskTable(tasks, 0).map((line) => printer.render(line, false).trimEnd());
  expect(texts.map((text) => /goal (.*)$|GOAL (.*)$/.exec(text)?.[0])).toEqual([
    "GOAL    WHY",
    "goal a  gpu at http://127.0.0.1:11434 has not answered since 2026-01-02T12:03:20Z",
    "goal b  timeout: It took too long.",
    "goal c",
  ]);
  expect(printer.render(taskTable([rowOf("c", {})], 0)[0] as Line, false)).not.toContain("WHY");
});

test("a tree says what each part of it has used, and what its budget leaves", () => {
  const usage = { ...NO_USAGE, promptTokens: 5_000, outputTokens: 300, generations: 2, costMicros: 42_100 };
  const spending = { subtree: usage, budget: null, remaining: UNLIMITED_BUDGET };
  const child = node("b", { spending: { ...spending, subtree: { ...usage, gpuMs: 12_345, toolCalls: 1 } } });
  const limits = { ...UNLIMITED_BUDGET, costMicros: 1_000_000 };
  const tree = node("a", { spending: { ...spending, budget: limits, remaining: limits }, children: [child] });
  expect(treeLines([tree]).map((line) => printer.render(line, false))).toEqual([
    "task_aaaaaaaa  running generating  goal a  m, used 5300 tokens, 0.0421 cost (left: 1 cost)",
    "└─ task_bbbbbbbb  running generating  goal b  m, used 5300 tokens, 0.0421 cost, 12.3 s of GPU, 1 tool call",
  ]);
});

describe("events in words", () => {
  const told = <T extends EventType>(type: T, data: EventData[T]): string | null =>
    eventText({ type, data } as unknown as StoredEvent);

  test("each that a follower wants to read", () => {
    expect([
      told("task.admitted", { waitedMs: 1_500 }),
      told("task.progressed", { percent: 40, note: "half", partial: null }),
      told("tool.requested", { callId: "1", tool: "read_file", input: { path: "a\u001b" } }),
      told("tool.finished", { callId: "1", tool: "read_file", isError: true, chars: 0, ms: 1 }),
      told("task.failed", { code: "timeout", message: "too\nslow" }),
      told("cancel.requested", { reason: "enough", force: true }),
      told("budget.warned", { budgetOf: "task_aaaaaaaabbbb", kind: "tokens", used: 81, limit: 100 }),
    ]).toEqual([
      "admitted after 1.5 s",
      "progress: 40 % half",
      '→ read_file {"path":"a\\u001b"}',
      "← read_file: an error",
      "failed (timeout): too slow",
      "cancel requested by force: enough",
      "81 of 100 tokens are used in the budget of task_aaaaaaaa",
    ]);
  });

  test("and none of those that are too many", () => {
    expect(told("lease.released", { leaseId: "l", heldMs: 1 })).toBeNull();
  });

  test("with the time of day", () => expect(timeOfDay(1_700_000_000_000)).toMatch(/^\d\d:\d\d:20$/));
});
