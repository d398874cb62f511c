// Calls that can never work, of people by id and of models by tool: each gets its reason, and what runs goes on.

import { describe, expect, test } from "vitest";
import { call, hang, say, type Step } from "../../providers/script.ts";
import { ConflictError } from "../../src/base/errors.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import { MAX_STEER_CHARS, MAX_TOOL_RESULT_CHARS } from "../../src/core/limits.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import { resultsIn } from "./conversation.ts";
import { NOTHING_HELD, rig } from "./rig.ts";

describe("a call by id", () => {
  const BY_ID: Readonly<Record<string, (api: TroupeApi, id: string) => Promise<unknown>>> = {
    steer: (api, id) => api.steer(id, { message: "x" }),
    sendMessage: (api, id) => api.sendMessage(id, { text: "x" }),
    answer: (api, id) => api.answer(id, { text: "x" }),
    reportProgress: (api, id) => api.reportProgress(id, { percent: 1 }),
    stopSession: (api, id) => api.stopSession(id),
  };

  test.each(Object.entries(BY_ID))("%s refuses what has ended as task_ended", async (_, use) => {
    const { api } = rig({ reply: () => [say("x")] });
    const { taskId } = await api.createSession();
    await api.closeSession(taskId);
    const error = await use(api, taskId).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ code: "task_ended" });
  });

  test.each(["sendMessage", "stopSession", "closeSession"] as const)(
    "%s of a task says that it is no session, and what to do",
    async (name) => {
      const { api } = rig({ reply: () => [hang()] });
      const { taskId } = await api.delegate({ goal: "x" });
      await expect(api[name](taskId, { text: "x" })).rejects.toMatchObject({
        code: "not_a_session",
        message: expect.stringContaining("steer") as string,
      });
      expect((await api.check(taskId)).state).toBe("running");
    },
  );

  test.each([
    ["empty", ""],
    ["blank", " \n"],
    ["too long", "x".repeat(MAX_STEER_CHARS + 1)],
  ])("a message that is %s is refused with the bounds", async (_, text) => {
    const { api } = rig({ reply: () => [hang()] });
    const { taskId } = await api.createSession();
    await expect(api.sendMessage(taskId, { text })).rejects.toMatchObject({
      code: "bad_message",
      message: expect.stringContaining("1 to 32000") as string,
    });
    expect((await api.check(taskId)).steers).toEqual([]);
  });

  test("one steer id with two texts is a conflict", async () => {
    const { api } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "x" });
    await api.steer(taskId, { message: "one", steerId: "steer_1" });
    await expect(api.steer(taskId, { message: "two", steerId: "steer_1" })).rejects.toBeInstanceOf(
      ConflictError,
    );
    expect((await api.check(taskId)).steers).toHaveLength(1);
  });

  test.each([-1, 100.5, Number.NaN])("progress of %d percent is refused", async (percent) => {
    const { api } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "x" });
    await expect(api.reportProgress(taskId, { percent })).rejects.toMatchObject({ code: "bad_percent" });
    expect((await api.check(taskId)).progress).toBeNull();
  });

  test.each([
    ["a note of 501 characters", { note: "n".repeat(501) }, "note_too_long"],
    ["a partial result of 16,001 characters", { partial: "p".repeat(15_999) }, "partial_too_large"],
    ["a partial result that is no JSON", { partial: 1n }, "bad_partial"],
  ])("progress with %s is refused, and nothing of it is kept", async (_, progress, code) => {
    const { api } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "x" });
    await expect(api.reportProgress(taskId, progress)).rejects.toMatchObject({ code });
    expect((await api.check(taskId)).progress).toBeNull();
    const most = { note: "n".repeat(500), partial: "p".repeat(15_998) };
    await api.reportProgress(taskId, most);
    expect((await api.check(taskId)).progress).toMatchObject(most);
  });

  test("a caller without the scope is told which one is missing", async () => {
    const { runtime } = rig({ reply: () => [hang()] });
    const reader = runtime.as({ name: "reader", scopes: ["read"], taskId: null });
    await expect(reader.delegate({ goal: "x" })).rejects.toMatchObject({ details: { scope: "control" } });
    await expect(reader.pause(true)).rejects.toMatchObject({ details: { scope: "admin" } });
    expect((await reader.list()).items).toEqual([]);
  });
});

describe("a model that calls tools badly", () => {
  const broken: Tool = {
    definition: { name: "broken", description: "", parameters: { type: "object", properties: {} } },
    repeatable: true,
    run: () => Promise.reject(new TypeError("undefined is not a function")),
  };
  const endless: Tool = {
    definition: { name: "endless", description: "", parameters: { type: "object", properties: {} } },
    repeatable: true,
    run: async () => ({ type: "result", value: "y".repeat(5_000_000) }),
  };
  const toolsets: readonly Toolset[] = [{ name: "odd", description: "", tools: () => [broken, endless] }];

  async function after(...calls: readonly Step[]): Promise<{ state: string; results: string[] }> {
    const { api, clock, runtime } = rig({
      toolsets,
      reply: ({ messages }) => (messages.at(-1)?.role === "tool" ? [say("went on")] : calls),
    });
    const { taskId } = await api.delegate({ goal: "x", toolsets: ["odd"] });
    await clock.advance(50);
    const { items } = await api.transcript(taskId);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
    const results = resultsIn(items.map(({ message }) => message)).map(String);
    return { state: (await api.collect(taskId, { timeoutMs: 0 })).result ?? "", results };
  }

  test("reads which tools there are when it names another", async () => {
    expect(await after(call("shell", { cmd: "rm -rf /" }))).toEqual({
      state: "went on",
      results: ['There is no tool "shell". Call one of: broken, endless, report_progress.'],
    });
  });

  test("reads what is wrong with its arguments", async () => {
    const { state, results } = await after(call("report_progress", { percent: "lots", mood: "good" }));
    expect(state).toBe("went on");
    expect(results[0]).toMatch(/percent: expected a number, got "lots".*mood: not known/);
  });

  test("reads that a tool failed, and the run goes on", async () => {
    expect(await after(call("broken", {}))).toEqual({
      state: "went on",
      results: ["undefined is not a function"],
    });
  });

  test("C2 reads no more of a huge result than it can take, and that it was cut", async () => {
    const { state, results } = await after(call("endless", {}));
    expect(state).toBe("went on");
    expect(results[0]).toHaveLength(MAX_TOOL_RESULT_CHARS);
    expect(results[0]).toContain("characters cut");
  });

  test("C1 gets one result for each of many bad calls of a turn, in their order", async () => {
    const { results } = await after(
      call("broken", {}),
      call("nothing", {}),
      call("report_progress", { percent: 1 }),
    );
    expect(results.map((text) => text.slice(0, 12))).toEqual(["undefined is", "There is no ", "Noted."]);
  });
});
