import { expect, test } from "vitest";
import { NO_USAGE } from "../../src/core/limits.ts";
import type { TaskResult } from "../../src/core/api.ts";
import { Printer } from "../../src/cli/printer.ts";
import { showResult } from "../../src/cli/result.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

const DONE: TaskResult = {
  taskId: `task_${"0".repeat(32)}`,
  finished: true,
  state: "done",
  phase: null,
  result: "four\u001b[2J lines",
  truncated: false,
  failure: null,
  usage: NO_USAGE,
};

function shown(result: TaskResult) {
  const terminal = new ScriptedTerminal();
  return { outcome: showResult(new Printer(terminal, false), result), out: terminal.out, err: terminal.err };
}

test.each([
  ["done", {}, "ok", "four lines\n", ""],
  ["done but cut", { truncated: true }, "ok", "four lines\n", /was cut \(delegation\.max_result_chars\)/],
  ["cancelled with a result kept", { state: "cancelled" }, "failed", "four lines\n", /the task is cancelled/],
  [
    "failed",
    { state: "failed", result: null, failure: { code: "timeout", message: "too slow", retryable: false } },
    "failed",
    "",
    /failed \(timeout\): too slow/,
  ],
  [
    "unfinished",
    { finished: false, state: "running", phase: "generating", result: null },
    "unfinished",
    "",
    /Not finished \(running, generating\); it goes on\.\ntroupe tasks collect task_00000000/,
  ],
] as const)("of a task that is %s", (_, change, outcome, out, err) => {
  const result = shown({ ...DONE, ...change } as TaskResult);
  expect([result.outcome, result.out]).toEqual([outcome, out]);
  expect(result.err).toMatch(err);
});
