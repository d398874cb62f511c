import { describe, expect, test } from "vitest";
import { intentOf } from "../../../src/simulator/policies/intents.ts";
import { DELEGATION, tools } from "../fixtures.ts";

const TASKS = [
  { taskId: "task_aaaa1111", goal: "Count files in src", end: null },
  { taskId: "task_bbbb2222", goal: "List the docs folder", end: null },
];
const all = { messages: [], tools: DELEGATION };

describe("commands", () => {
  test.each([
    [
      "steer docs: only Markdown files",
      "steer_task",
      { task_id: "task_bbbb2222", message: "only Markdown files" },
    ],
    ["Tell the src task to be brief", "steer_task", { task_id: "task_aaaa1111", message: "be brief" }],
    ["steer task_aaaa1111: be brief", "steer_task", { task_id: "task_aaaa1111", message: "be brief" }],
    ["cancel the docs task", "cancel_task", { task_id: "task_bbbb2222" }],
    ["Please stop task_aaaa1111.", "cancel_task", { task_id: "task_aaaa1111" }],
    ["collect docs", "collect_task", { task_id: "task_bbbb2222" }],
    ["What is the status of the docs task?", "check_task", { task_id: "task_bbbb2222" }],
    ["How far are you?", "list_tasks", {}],
    ["How is it going?", "list_tasks", {}],
  ])("%j calls %s", (message, name, input) => {
    expect(intentOf(message, all, TASKS)).toEqual({ calls: [{ name, arguments: input }], remark: "" });
  });

  test("cancel all means every child that has not ended", () => {
    expect(intentOf("cancel all", all, TASKS).calls.map((call) => call.arguments["task_id"])).toEqual([
      "task_aaaa1111",
      "task_bbbb2222",
    ]);
  });

  test("a task that nobody knows is named in words, with those that are known", () => {
    const intent = intentOf("cancel the weather task", all, TASKS);
    expect(intent.calls).toEqual([]);
    expect(intent.remark).toContain("task_aaaa1111 (Count files in src)");
    expect(intentOf("steer x: y", all, []).remark).toContain("none so far");
  });

  test("without list_tasks each child is checked", () => {
    const calls = intentOf("Any progress?", { messages: [], tools: tools("check_task") }, TASKS).calls;
    expect(calls.map((call) => call.name)).toEqual(["check_task", "check_task"]);
  });
});

describe("work", () => {
  test("each part becomes one call, with a context that says what a child cannot see", () => {
    const { calls } = intentOf("Count files in a; list b\nContext: b is large", all, []);
    expect(calls.map((call) => [call.name, call.arguments["goal"]])).toEqual([
      ["delegate_task_async", "Count files in a"],
      ["delegate_task_async", "List b"],
    ]);
    expect(calls[1]?.arguments["context"]).toBe("Part 2 of 2; others do the rest. b is large");
  });

  test("where only the blocking tool is offered, several go as one batch", () => {
    const request = { messages: [], tools: tools("delegate_task") };
    expect(intentOf("Count files in a; list b", request, []).calls).toMatchObject([
      { name: "delegate_task", arguments: { tasks: [{ goal: "Count files in a" }, { goal: "List b" }] } },
    ]);
    expect(intentOf("Count files in a", request, []).calls).toMatchObject([
      { name: "delegate_task", arguments: { goal: "Count files in a" } },
    ]);
  });

  test("talk calls nothing", () => {
    expect(intentOf("What is 2 + 2?", all, TASKS)).toEqual({ calls: [], remark: "" });
  });
});
