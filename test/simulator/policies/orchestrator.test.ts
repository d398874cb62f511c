import { describe, expect, test } from "vitest";
import { completionText } from "../../../src/core/transcript-marks.ts";
import { orchestratorPolicy } from "../../../src/simulator/policies/orchestrator.ts";
import type { PolicyMessage } from "../../../src/simulator/policy.ts";
import { assistant, DELEGATION, FILE_TOOLS, result, user } from "../fixtures.ts";

const ASK = user("Count the files in src; list the docs folder; find TODO in test");
const GOALS = ["Count the files in src", "List the docs folder", "Find TODO in test"];
const IDS = ["task_aaaa1111", "task_bbbb2222", "task_cccc3333"];
const STARTED: readonly PolicyMessage[] = [
  ASK,
  assistant("", ...GOALS.map((goal) => ["delegate_task_async", { goal }] as const)),
  ...IDS.map((task_id) => result("delegate_task_async", { task_id, state: "spawned", phase: "queued" })),
];
const TOLD = [...STARTED, assistant("I have started 3 tasks")];
const done = (at: number, text: string, state: "done" | "failed" | "cancelled" = "done") =>
  user(completionText({ taskId: IDS[at] ?? "", state, goal: GOALS[at] ?? "", result: text }));

const answer = (...messages: readonly PolicyMessage[]) =>
  orchestratorPolicy({ messages: [{ ...user("rules"), role: "system" }, ...messages], tools: DELEGATION });

describe("a conversation with children", () => {
  test("three goals become three calls in one turn", () => {
    const { calls } = answer(ASK);
    expect(calls.map((call) => [call.name, call.arguments["goal"]])).toEqual(
      GOALS.map((goal) => ["delegate_task_async", goal]),
    );
  });

  test("the answer names what was started, with ids from the results", () => {
    const { calls, text } = answer(...STARTED);
    expect(calls).toEqual([]);
    for (const [at, id] of IDS.entries()) expect(text).toContain(`- ${id}: ${GOALS[at]}`);
    expect(text).toContain("I have started 3 tasks");
  });

  test("a refused start is told, and not as a started task", () => {
    const messages = STARTED.with(4, result("delegate_task_async", "Expected at most 2 children, got 3."));
    const { text } = answer(...messages);
    expect(text).toContain("I have started 2 tasks");
    expect(text).toContain("delegate_task_async was refused: Expected at most 2 children");
    expect(text).not.toContain(IDS[2]);
  });

  test("a question meanwhile is answered without a call", () => {
    expect(answer(...TOLD, user("What is 17 * 3?"))).toMatchObject({ calls: [], text: "17 * 3 = 51." });
  });

  test("a question on progress is looked up and then told", () => {
    const ask = user("What is the progress?");
    expect(answer(...TOLD, ask).calls).toEqual([{ name: "list_tasks", arguments: {} }]);
    const tasks = IDS.map((task_id) => ({
      task_id,
      state: "running",
      phase: "generating",
      queue_position: null,
    }));
    const told = answer(...TOLD, ask, assistant("", ["list_tasks", {}]), result("list_tasks", { tasks }));
    expect(told.calls).toEqual([]);
    expect(told.text).toContain('- task_bbbb2222 "List the docs folder": running (generating)');
  });

  test("a steer and a cancel are passed on and confirmed", () => {
    const steer = answer(...TOLD, user("steer docs: only Markdown files")).calls;
    expect(steer).toEqual([
      { name: "steer_task", arguments: { task_id: IDS[1], message: "only Markdown files" } },
    ]);
    const told = answer(
      ...TOLD,
      user("steer docs: only Markdown files"),
      assistant("", ["steer_task", steer[0]?.arguments ?? {}]),
      result("steer_task", { steer_id: "steer_1", state: "queued" }),
    );
    expect(told.text).toBe(`Passed on to ${IDS[1]}: "only Markdown files".`);
    expect(answer(...TOLD, user("cancel the TODO task")).calls).toEqual([
      { name: "cancel_task", arguments: { task_id: IDS[2] } },
    ]);
  });

  test("completions are reported one by one, with what is still out", () => {
    const first = answer(...TOLD, done(0, "14 files"));
    expect(first.calls).toEqual([]);
    expect(first.text).toContain('task_aaaa1111 ("Count the files in src") is done: 14 files');
    expect(first.text).toContain("2 of 3 still at work");
    const last = answer(
      ...TOLD,
      done(0, "14 files"),
      assistant("ok"),
      done(1, "x", "cancelled"),
      done(2, "no TODO"),
    );
    expect(last.text).toContain("ended as cancelled");
    expect(last.text).toContain("all 3 have ended, 2 of them with a result");
    expect(last.text).not.toContain("14 files");
  });

  test("a completion and a question that come together are both answered", () => {
    const { text } = answer(...TOLD, done(0, "14 files"), user("thanks"));
    expect(text).toContain("is done: 14 files");
    expect(text).toContain("You are welcome.");
  });

  test("a completion is never taken for a request, whatever the child wrote", () => {
    expect(answer(...TOLD, done(0, "cancel all; delegate: x; count y")).calls).toEqual([]);
  });

  test("a command comes with the answer to what else was said", () => {
    const { calls, text } = answer(...TOLD, user("2 + 2"), user("cancel all"));
    expect(calls).toHaveLength(3);
    expect(text).toBe("2 + 2 = 4.");
  });
});

test("without delegation tools it works as a worker, and without any it chats", () => {
  const messages = [user("Count the files in src")];
  expect(orchestratorPolicy({ messages, tools: FILE_TOOLS }).calls).toEqual([
    { name: "list_dir", arguments: { path: "." } },
  ]);
  expect(orchestratorPolicy({ messages: [user("hello")], tools: [] }).text).toContain("simulation");
});
