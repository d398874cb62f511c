import { describe, expect, test } from "vitest";
import { completionText } from "../../../src/core/transcript-marks.ts";
import { knownTasks, taskMeant, viewsIn } from "../../../src/simulator/policies/known-tasks.ts";
import { assistant, result, user } from "../fixtures.ts";

const started = [
  assistant(
    "",
    ["delegate_task_async", { goal: "Count files in src" }],
    ["delegate_task_async", { goal: "List docs" }],
  ),
  result("delegate_task_async", { task_id: "task_aaaa1111", state: "spawned" }),
  result("delegate_task_async", { task_id: "task_bbbb2222", state: "spawned" }),
];
const ended = user(
  completionText({ taskId: "task_aaaa1111", state: "done", goal: "Count files in src", result: "3" }),
);

describe("known tasks", () => {
  test("are those that were started, with their ends", () => {
    const tasks = knownTasks([...started, ended]);
    expect(tasks.map((task) => [task.taskId, task.goal, task.end?.result ?? null])).toEqual([
      ["task_aaaa1111", "Count files in src", "3"],
      ["task_bbbb2222", "List docs", null],
    ]);
  });

  test("a batch starts several, and a refusal none", () => {
    const batch = [
      assistant("", ["delegate_task", { tasks: [{ goal: "a" }, { goal: "b" }] }]),
      result("delegate_task", {
        tasks: [{ task_id: "task_1", state: "done", result: "x" }, { task_id: "task_2" }],
      }),
      assistant("", ["delegate_task_async", { goal: "c" }]),
      result(
        "delegate_task_async",
        "Expected at most 3 children, got 4; raise delegation.max_concurrent_children.",
      ),
    ];
    expect(knownTasks(batch).map((task) => [task.taskId, task.goal, task.end?.state ?? null])).toEqual([
      ["task_1", "a", "done"],
      ["task_2", "b", null],
    ]);
  });

  test("an end that only a tool told counts too", () => {
    const cancelled = [
      ...started,
      assistant("", ["cancel_task", { task_id: "task_bbbb2222" }]),
      result("cancel_task", { task_id: "task_bbbb2222", state: "cancelled" }),
    ];
    expect(knownTasks(cancelled).map((task) => task.end?.state ?? null)).toEqual([null, "cancelled"]);
  });

  test("an announcement whose start was compacted away is kept", () => {
    expect(knownTasks([ended])).toMatchObject([{ taskId: "task_aaaa1111", goal: "Count files in src" }]);
  });
});

describe("which task a person means", () => {
  const tasks = knownTasks([...started, ended]);

  test.each([
    ["task_aaaa1111", "task_aaaa1111"],
    ["task_b", "task_bbbb2222"],
    ["the second one", "task_bbbb2222"],
    ["2", "task_bbbb2222"],
    ["docs", "task_bbbb2222"],
    ["counting files in src", "task_aaaa1111"],
    ["task_cccccccccccc", "task_cccccccccccc"],
  ])("%j means %s", (reference, taskId) => {
    expect(taskMeant(reference.replace(/^the /, ""), tasks)?.taskId).toBe(taskId);
  });

  test.each(["the weather", "9", ""])("%j means none", (reference) => {
    expect(taskMeant(reference, tasks)).toBeNull();
  });

  test("of two that fit, the one that has not ended is meant", () => {
    const twins = [
      { taskId: "task_1", goal: "Read docs", end: tasks[0]?.end ?? null },
      { taskId: "task_2", goal: "Count docs", end: null },
    ];
    expect(taskMeant("docs", twins)?.taskId).toBe("task_2");
  });
});

test("views are read from JSON and from lines", () => {
  expect(viewsIn({ items: [{ task_id: "task_1" }] })).toEqual([{ task_id: "task_1" }]);
  expect(viewsIn({ task_id: "task_1" })).toEqual([{ task_id: "task_1" }]);
  expect(viewsIn("task_1 is running\nnothing\ntask_2: done")).toEqual([
    { task_id: "task_1", state: "running" },
    { task_id: "task_2", state: "done" },
  ]);
});
