import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isTerminal } from "../../src/core/lifecycle.ts";
import { agentNamed } from "../runtime/rig.ts";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted({ agents: [agentNamed("later", { async: true })] });
});
afterAll(() => served.close());

describe("waiting", () => {
  test("prints the result alone on stdout", async () => {
    const terminal = served.terminal();
    expect(await runLine(["delegate", "count"], terminal)).toBe(0);
    expect(terminal.out).toBe("result of count\n");
    expect(terminal.err).toMatch(/^task_\w{32} .*Ctrl-C cancels it\n$/);
  });

  test("with --json prints the result as one document and nothing else", async () => {
    const terminal = served.terminal();
    expect(await runLine(["delegate", "count", "--json"], terminal)).toBe(0);
    expect(JSON.parse(terminal.out)).toMatchObject({
      finished: true,
      state: "done",
      result: "result of count",
    });
    expect(terminal.err).toBe("");
  });

  test("a failed task is exit code 1, with the reason on stderr", async () => {
    const terminal = served.terminal();
    expect(await runLine(["delegate", "fail"], terminal)).toBe(1);
    expect(terminal.err).toMatch(/error: the task failed \(empty_answer\)/);
  });

  test("says what the task waits for, once", async () => {
    await served.api.pause(true);
    const terminal = served.terminal();
    const waiting = runLine(["delegate", "count"], terminal);
    await terminal.until(({ err }) => err.includes("waits: "));
    await served.api.pause(false);
    expect(await waiting).toBe(0);
    expect(terminal.err.split("waits: the box is paused\n")).toHaveLength(2);
  });

  test("--wait-s ends the wait with 8 and leaves the task alone", async () => {
    const terminal = served.terminal();
    expect(await runLine(["delegate", "hang", "--wait-s", "0", "--json"], terminal)).toBe(8);
    const { task_id: taskId } = JSON.parse(terminal.out) as { task_id: string };
    expect(isTerminal((await served.api.check(taskId)).state)).toBe(false);
    await served.api.cancel(taskId, { force: true });
  });
});

describe("not waiting", () => {
  test("--async prints the id at once", async () => {
    const terminal = served.terminal();
    expect(await runLine(["delegate", "hang", "--async"], terminal)).toBe(0);
    expect(terminal.out).toMatch(/^task_[0-9a-f]{32}\n$/);
    await served.api.cancel(terminal.out.trim(), { force: true });
  });

  test("an agent that the config makes async is not waited for, unless --wait is given", async () => {
    const once = served.terminal();
    expect(await runLine(["delegate", "x", "--agent", "later", "--json"], once)).toBe(0);
    expect(JSON.parse(once.out)).toMatchObject({ async: true, created: true });
    const waiting = served.terminal();
    expect(await runLine(["delegate", "x", "--agent", "later", "--wait"], waiting)).toBe(0);
    expect(waiting.out).toBe("result of x\n");
  });
});

describe("what the child is given", () => {
  test("agent, toolsets, model and context arrive; - reads the context from stdin", async () => {
    const terminal = served.terminal();
    terminal.type("all that ");
    terminal.type("is known\n");
    terminal.endInput();
    const args = ["delegate", "use it", "--toolset", "file", "--model", "child", "--context", "-", "--json"];
    expect(await runLine(args, terminal)).toBe(0);
    const { task_id: taskId, result } = JSON.parse(terminal.out) as { task_id: string; result: string };
    expect(result).toBe("result of use it\n\nContext:\nall that is known\n");
    expect(await served.api.check(taskId)).toMatchObject({
      toolsets: expect.arrayContaining(["file"]),
      model: { model: "child" },
    });
  });

  test("a budget arrives, and the task shows it with what was used", async () => {
    const terminal = served.terminal();
    const args = ["delegate", "x", "--budget", "tokens=90000", "--budget", "cost_micros=5", "--json"];
    expect(await runLine(args, terminal)).toBe(0);
    const { task_id: taskId } = JSON.parse(terminal.out) as { task_id: string };
    expect((await served.api.check(taskId)).spending.budget).toMatchObject({ tokens: 90_000, costMicros: 5 });
    const shown = served.terminal();
    expect(await runLine(["tasks", "get", taskId], shown)).toBe(0);
    expect(shown.out).toMatch(/^budget +90000 tokens, 0\.000005 cost$/m);
    expect(shown.out).toMatch(/^used +\d+ tokens/m);
  });

  test.each([
    ["an unknown isolation", ["--isolation", "branch"], 2],
    ["a budget of nothing", ["--budget", "tokens=0"], 2],
    ["a budget below nothing", ["--budget=tokens=-5"], 2],
    ["a budget that is no number", ["--budget", "tokens=NaN"], 2],
    ["an unknown budget", ["--budget", "token=5"], 2],
    ["a budget that is said twice", ["--budget", "tokens=5", "--budget", "tokens=6"], 2],
    ["an unknown agent", ["--agent", "nobody"], 2],
    ["an unknown toolset", ["--toolset", "shell"], 2],
    ["an unknown model", ["--model", "gpt-9"], 4],
    ["--async with --wait-s", ["--async", "--wait-s", "1"], 2],
  ])("refuses %s", async (_, flags, code) => {
    const terminal = served.terminal();
    expect(await runLine(["delegate", "x", ...flags], terminal)).toBe(code);
    expect(terminal.err).toMatch(/^error: /);
    expect(terminal.out).toBe("");
  });

  test("refuses a context that is longer than any may be", async () => {
    const terminal = served.terminal();
    terminal.type("x".repeat(400_001));
    expect(await runLine(["delegate", "x", "--context", "-"], terminal)).toBe(2);
    expect(terminal.err).toContain("at most 400000 characters");
  });
});

describe("D1 Ctrl-C", () => {
  test("once cancels the task, waits for it to let go, and leaves with 130", async () => {
    const terminal = served.terminal();
    const running = runLine(["delegate", "hang on"], terminal);
    await terminal.until(({ err }) => err.includes("Ctrl-C cancels it"));
    const taskId = /task_\w+/.exec(terminal.err)?.[0] as string;
    terminal.pressCtrlC();
    expect(await running).toBe(130);
    expect(terminal.left).toEqual([]);
    expect((await served.api.check(taskId)).state).toBe("cancelled");
  });

  test("twice ends the process with 130 at once", async () => {
    const terminal = served.terminal();
    const running = runLine(["delegate", "hang on"], terminal);
    await terminal.until(({ err }) => err.includes("Ctrl-C cancels it"));
    terminal.pressCtrlC();
    terminal.pressCtrlC();
    expect(terminal.left).toEqual([130]);
    await running;
  });
});
