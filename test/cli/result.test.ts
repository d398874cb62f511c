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
  { what: "done", change: {}, outcome: "ok", err: "" },
  {
    what: "done but cut",
    change: { truncated: true },
    outcome: "ok",
    err: /was cut \(delegation\.max_result_chars, or the budget/,
  },
  {
    what: "done in a worktree",
    change: { worktree: { path: "/w", branch: "troupe/x", commits: 1, dirty: false, kept: true } },
    outcome: "ok",
    err: /worktree: branch troupe\/x, 1 commit ahead/,
  },
  {
    what: "cancelled with a result kept",
    change: { state: "cancelled" },
    outcome: "failed",
    err: /the task is cancelled/,
  },
  {
    what: "failed",
    change: {
      state: "failed",
      result: null,
      failure: { code: "timeout", message: "too slow", retryable: false },
    },
    outcome: "failed",
    err: /failed \(timeout\): too slow/,
  },
  {
    what: "unfinished",
    change: { finished: false, state: "running", phase: "generating", result: null },
    outcome: "unfinished",
    err: /Not finished \(running, generating\); it goes on\.\ntroupe tasks collect task_00000000/,
  },
])("of a task that is $what", ({ change, outcome, err }) => {
  const result = { ...DONE, ...change } as TaskResult;
  const seen = shown(result);
  expect([seen.outcome, seen.out]).toEqual([outcome, result.result === null ? "" : "four lines\n"]);
  expect(seen.err).toMatch(err);
});
