// The judge of the demo's JSON: it passes a good document and names what is wrong with each bad one.

import { describe, expect, it } from "vitest";
import { checkDemo } from "../../scripts/demo-document.ts";

const task = (id: string, rest: object): object => ({
  task_id: id,
  parent_id: "ses_1",
  goal: "Count the files.",
  state: "done",
  result: "Three files.",
  steers: [],
  ...rest,
});

const GOOD = {
  backend: "simulated",
  conversation: { longest_blocked_ms: 1.2, longest_wait_ms: 80, answered_while_running: 2 },
  tasks: [
    task("task_1", { steers: [{ steer_id: "steer_1", state: "delivered" }] }),
    task("task_2", { state: "cancelled", result: null }),
    task("task_3", {}),
  ],
};

const failures = (document: unknown): readonly string[] =>
  checkDemo(JSON.stringify(document))
    .filter((check) => !check.passed)
    .map((check) => check.name);

const conversation = (rest: object): object => ({ ...GOOD, conversation: { ...GOOD.conversation, ...rest } });

const HASH = "a".repeat(64);
const CRASH = {
  kill: { pid: 7, next_pid: 8, first_token_ms: 900.5 },
  tasks_before: 4,
  tasks_after: 4,
  results: [{ task_id: "task_1", before: HASH, after: HASH }],
  facts: Array.from({ length: 11 }, (_, index) => ({ name: `fact ${index}`, held: true })),
};
const crashFailures = (crash: unknown): readonly string[] =>
  checkDemo(JSON.stringify({ ...GOOD, crash }), { crash: true })
    .filter((check) => !check.passed)
    .map((check) => check.name);

describe("checkDemo", () => {
  it("passes a demo that delegated, steered, cancelled and finished", () => {
    expect(failures(GOOD)).toEqual([]);
  });

  it.each([
    ["a banner before the document", `> troupe demo\n${JSON.stringify(GOOD)}`],
    ["two documents", `${JSON.stringify(GOOD)}\n${JSON.stringify(GOOD)}`],
    ["nothing", ""],
    ["a list", "[]"],
  ])("refuses %s", (_name, text) => {
    const first = checkDemo(text)[0];
    expect(first).toMatchObject({ name: "stdout holds one JSON object and nothing else", passed: false });
  });

  it.each([
    ["the backend is named", { ...GOOD, backend: "gpu" }],
    ["the longest block is a figure in milliseconds", conversation({ longest_blocked_ms: "1" })],
    ["no delegation call holds the conversation over 250 ms", conversation({ longest_blocked_ms: 900 })],
    ["the longest wait is a figure in milliseconds", conversation({ longest_wait_ms: -1 })],
    ["a message is answered while children run", conversation({ answered_while_running: 0 })],
    ["at least three goals are delegated", { ...GOOD, tasks: GOOD.tasks.slice(0, 2) }],
    ["every task has an id of its own", { ...GOOD, tasks: [...GOOD.tasks, task("task_1", {})] }],
    ["every task has ended", { ...GOOD, tasks: [...GOOD.tasks, task("task_4", { state: "running" })] }],
    ["no task has failed", { ...GOOD, tasks: [...GOOD.tasks, task("task_4", { state: "failed" })] }],
    [
      "a task is cancelled",
      { ...GOOD, tasks: [...GOOD.tasks.slice(0, 1), task("task_3", {}), task("task_4", {})] },
    ],
    ["a steer is delivered", { ...GOOD, tasks: [...GOOD.tasks.slice(1), task("task_5", {})] }],
    [
      "every steer has its id",
      { ...GOOD, tasks: [...GOOD.tasks, task("task_6", { steers: [{ state: "delivered" }] })] },
    ],
    [
      "every task that is done has its result",
      { ...GOOD, tasks: [...GOOD.tasks, task("task_7", { result: "" })] },
    ],
  ])("names what is missing: %s", (name, document) => {
    expect(failures(document)).toContain(name);
  });

  it("looks at the kill where one was asked for, and only there", () => {
    expect(crashFailures(CRASH)).toEqual([]);
    expect(failures(GOOD)).toEqual([]);
    expect(crashFailures(undefined)).toHaveLength(5);
  });

  it.each([
    ["a server is killed, and another one serves", { ...CRASH, kill: { ...CRASH.kill, next_pid: 7 } }],
    [
      "the time to the first token after the kill is a figure",
      { ...CRASH, kill: { ...CRASH.kill, first_token_ms: null } },
    ],
    ["every task is there after the kill", { ...CRASH, tasks_after: 3 }],
    ["every result is the same after the kill", { ...CRASH, results: [{ before: HASH, after: null }] }],
    ["every fact about the kill holds", { ...CRASH, facts: CRASH.facts.slice(1) }],
    [
      "every fact about the kill holds",
      { ...CRASH, facts: [...CRASH.facts, { name: "told once", held: false }] },
    ],
  ])("names what is missing of a kill: %s", (name, crash) => {
    expect(crashFailures(crash)).toEqual([name]);
  });

  it("fails every check on an empty document and throws on none", () => {
    expect(checkDemo("{}").filter((check) => check.passed)).toHaveLength(1);
  });
});
