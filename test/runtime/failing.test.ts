// What goes wrong with a task, and what becomes of it, on virtual time.

import { describe, expect, test } from "vitest";
import { badCall, call, fail, finish, hang, say, wait } from "../../providers/script.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import type { EventFrame } from "../../src/core/event.ts";
import { DEFAULT_TASK_LIMITS, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import { NOTHING_HELD, rig } from "./rig.ts";

async function eventsOf(api: TroupeApi, taskId: string): Promise<string[]> {
  const stop = new AbortController();
  const types: string[] = [];
  for await (const frame of api.events({
    after: 0,
    taskId,
    signal: stop.signal,
  }) as AsyncIterable<EventFrame>) {
    if (frame.kind !== "event") continue;
    types.push(frame.event.type);
    if (/^task\.(done|failed|cancelled)$/.test(frame.event.type)) break;
  }
  return types;
}

describe("failing", () => {
  test("timeout_s counts active time only: waiting for a slot does not", async () => {
    const { api, clock } = rig({
      settings: { limits: { ...DEFAULT_TASK_LIMITS, timeoutMs: 1_000 } },
      reply: () => [wait(900), say("ok")],
    });
    const first = await api.delegate({ goal: "a" });
    const second = await api.delegate({ goal: "b" });
    await clock.advance(2_000);
    expect((await api.check(first.taskId)).state).toBe("done");
    expect((await api.check(second.taskId)).state).toBe("done");
  });

  test.each([
    ["timeout", { timeoutMs: 500 }],
    ["timeout", { deadlineMs: 500 }],
  ])("%s: %j ends the task as failed, after it has let go", async (code, limits) => {
    const { api, clock, runtime } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "dig", ...limits });
    await clock.advance(600);
    expect((await api.collect(taskId, { timeoutMs: 0 })).failure?.code).toBe(code);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("a transient failure is tried again and is an event, not an end", async () => {
    let tries = 0;
    const { api, clock } = rig({
      reply: () => (++tries < 3 ? [fail("overloaded", "busy", "Busy.")] : [say("at last")]),
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(100);
    expect(await api.check(taskId)).toMatchObject({ state: "running", phase: "backing_off" });
    await clock.advance(10_000);
    expect((await api.collect(taskId, { timeoutMs: 0 })).result).toBe("at last");
    const types = await eventsOf(api, taskId);
    expect(types.filter((type) => type === "generation.retried")).toHaveLength(2);
    expect(types.filter((type) => type === "turn.started")).toHaveLength(1);
  });

  test("retry_on_failure runs the task again from its goal", async () => {
    let runs = 0;
    const { api, clock } = rig({
      reply: (request) => {
        // An empty answer is asked for twice within one run.
        runs += 1;
        return runs <= 2 ? [finish("length")] : [say(`second run of ${request.messages.length - 1} message`)];
      },
    });
    const { taskId } = await api.delegate({ goal: "dig", retryLimit: 1 });
    await clock.advance(20_000);
    expect(await api.check(taskId)).toMatchObject({ state: "done", run: 2 });
    expect((await api.collect(taskId, { timeoutMs: 0 })).result).toBe("second run of 1 message");
  });

  test.each([
    ["empty_answer", () => [finish("length")]],
    ["model_not_found", () => [fail("refused", "model_not_found", "No such model.")]],
    ["context_length", () => [fail("context_length", "context_length", "Too long.")]],
    ["unauthorized", () => [fail("auth", "unauthorized", "No.")]],
  ])("%s fails the task with that code, and nothing is left running", async (code, reply) => {
    const { api, clock, runtime } = rig({ reply });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(120_000);
    expect((await api.collect(taskId, { timeoutMs: 0 })).failure?.code).toBe(code);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("the same call with the same result three times is a tool_loop", async () => {
    const { api, clock } = rig({ reply: () => [call("list_dir", { path: "no-such-dir-here" })] });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["file"] });
    for (let step = 0; step < 40; step++) await new Promise((resolve) => setImmediate(resolve));
    await expect
      .poll(async () => {
        await clock.advance(1);
        return (await api.check(taskId)).failure?.code;
      })
      .toBe("tool_loop");
  });

  test("a malformed call gets one correction turn", async () => {
    let turn = 0;
    const { api, clock } = rig({
      reply: (request) => {
        turn += 1;
        if (turn === 1) return [badCall("report_progress", "{percent: oops")];
        return [say(request.messages.at(-1)?.role === "tool" ? "corrected" : "?")];
      },
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    await clock.advance(50);
    expect((await api.collect(taskId, { timeoutMs: 0 })).result).toBe("corrected");
  });

  test("an exhausted tree budget ends the task as budget", async () => {
    const { api, clock } = rig({
      settings: { budget: { ...UNLIMITED_BUDGET, tokens: 10 } },
      reply: () => [say("x")],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(50);
    expect((await api.collect(taskId, { timeoutMs: 0 })).failure).toMatchObject({
      code: "budget",
      message: expect.stringContaining("budget.tokens") as string,
    });
  });

  test("too many turns end a task as max_turns", async () => {
    let n = 0;
    const { api, clock } = rig({ reply: () => [call("report_progress", { percent: n++ % 100 })] });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["progress"], maxTurns: 3 });
    await clock.advance(50);
    expect((await api.collect(taskId, { timeoutMs: 0 })).failure?.code).toBe("max_turns");
  });
});
