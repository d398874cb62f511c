// Input that can never work: each gets its typed error and what to do, nothing is spawned by it, and nothing that
// was accepted is lost or left running.

import { describe, expect, test } from "vitest";
import { call, hang, say, type Step } from "../../providers/script.ts";
import {
  ConflictError,
  InvalidRequestError,
  LimitError,
  NotFoundError,
  StoreError,
} from "../../src/base/errors.ts";
import type { DelegateRequest, TroupeApi } from "../../src/core/api.ts";
import { MAX_STEER_CHARS, MAX_TOOL_RESULT_CHARS } from "../../src/core/limits.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import { resultsIn, ROOMY } from "./conversation.ts";
import { NOTHING_HELD, rig } from "./rig.ts";

const MEGABYTES = 5_000_000;

describe("a request to delegate", () => {
  const cases: readonly (readonly [
    string,
    DelegateRequest,
    new (...args: never[]) => Error,
    string,
    RegExp,
  ])[] = [
    ["an empty goal", { goal: "" }, InvalidRequestError, "empty_goal", /Say what the child must do/],
    ["blanks for a goal", { goal: "\n\t " }, InvalidRequestError, "empty_goal", /goal/],
    ["no goal at all", {} as never, InvalidRequestError, "empty_goal", /goal/],
    ["5 MB of goal", { goal: "g".repeat(MEGABYTES) }, InvalidRequestError, "goal_too_long", /into a file/],
    [
      "5 MB of context",
      { goal: "x", context: "c".repeat(MEGABYTES) },
      InvalidRequestError,
      "context_too_long",
      /into a file/,
    ],
    [
      "an unknown model",
      { goal: "x", model: "gpt-9" },
      NotFoundError,
      "model_not_found",
      /Known: gpu\/child/,
    ],
    ["an unknown agent", { goal: "x", agent: "bob" }, InvalidRequestError, "unknown_agent", /under agents:/],
    [
      "an unknown toolset",
      { goal: "x", toolsets: ["web"] },
      InvalidRequestError,
      "unknown_toolset",
      /Known:/,
    ],
    ["an unknown parent", { goal: "x", parentId: "task_0" }, NotFoundError, "task_not_found", /task_0/],
    [
      "a workspace outside of the root",
      { goal: "x", workspace: "/etc" },
      InvalidRequestError,
      "workspace_outside_root",
      /workspace: in the config/,
    ],
    [
      "a workspace that climbs out",
      { goal: "x", workspace: "/tmp/../etc" },
      InvalidRequestError,
      "workspace_outside_root",
      /\/tmp/,
    ],
    [
      "a relative workspace",
      { goal: "x", workspace: "here" },
      InvalidRequestError,
      "workspace_outside_root",
      /absolute/,
    ],
    [
      "an orchestrator too deep",
      { goal: "x", role: "orchestrator", parentId: "SESSION" },
      LimitError,
      "orchestrator_too_deep",
      /delegation\.max_spawn_depth/,
    ],
  ];

  test.each(cases)("with %s is refused, and nothing is spawned", async (_, request, type, code, words) => {
    const { api, runtime } = rig({ reply: () => [hang()] });
    const session = await api.createSession();
    const asked = { ...request, ...(request.parentId === "SESSION" && { parentId: session.taskId }) };
    const error = await api.delegate(asked).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) as string });
    expect((await api.list({ kind: "task" })).items).toEqual([]);
    expect(runtime.counts().living).toBe(1);
  });

  test.each([0, 33])("in a batch of %i is refused", async (count) => {
    const { api } = rig({ reply: () => [hang()] });
    const requests = Array.from({ length: count }, () => ({ goal: "x" }));
    await expect(api.delegateBatch(requests)).rejects.toMatchObject({
      code: "batch_size",
      message: expect.stringContaining("1 to 32") as string,
    });
  });

  test("under a parent that has ended is refused with its state", async () => {
    const { api, clock } = rig({ reply: () => [say("x")] });
    const session = await api.createSession();
    await api.closeSession(session.taskId);
    await clock.advance(1);
    await expect(api.delegate({ goal: "x", parentId: session.taskId })).rejects.toMatchObject({
      code: "task_ended",
      details: { state: "done" },
    });
  });

  test("after the runtime was closed is refused: it would never begin", async () => {
    const { api, runtime, store } = rig({ reply: () => [say("x")] });
    await runtime.close();
    await expect(api.delegate({ goal: "x" })).rejects.toBeInstanceOf(StoreError);
    await expect(api.createSession()).rejects.toMatchObject({ code: "closed" });
    expect((await store.list({})).items).toEqual([]);
  });
});

describe("an idempotency key", () => {
  test("gives the task it made before, once, also when both come at the same time", async () => {
    const { api } = rig({ reply: () => [hang()] });
    const request = { goal: "once", idempotencyKey: "k" };
    const handles = await Promise.all([api.delegate(request), api.delegate(request), api.delegate(request)]);
    expect(new Set(handles.map(({ taskId }) => taskId)).size).toBe(1);
    expect(handles.filter(({ created }) => created)).toHaveLength(1);
    expect((await api.list()).items).toHaveLength(1);
  });

  test("with another body is a conflict, and the first task goes on", async () => {
    const { api } = rig({ reply: () => [hang()] });
    const { taskId } = await api.delegate({ goal: "one", idempotencyKey: "k" });
    const again = api.delegate({ goal: "one", context: "but different", idempotencyKey: "k" });
    await expect(again).rejects.toBeInstanceOf(ConflictError);
    await expect(again).rejects.toMatchObject({ code: "idempotency_key_reused" });
    expect(await api.list()).toMatchObject({ items: [{ taskId, goal: "one" }] });
  });

  test("that conflicts in a batch keeps the whole batch from being spawned", async () => {
    const { api } = rig({ reply: () => [hang()] });
    await api.delegate({ goal: "one", idempotencyKey: "k" });
    const batch = [{ goal: "new" }, { goal: "two", idempotencyKey: "k" }];
    await expect(api.delegateBatch(batch)).rejects.toMatchObject({ code: "idempotency_key_reused" });
    const twice = [
      { goal: "a", idempotencyKey: "j" },
      { goal: "b", idempotencyKey: "j" },
    ];
    await expect(api.delegateBatch(twice)).rejects.toMatchObject({ code: "idempotency_key_reused" });
    expect((await api.list()).items).toHaveLength(1);
  });

  test("twice with the same body in one batch is one task", async () => {
    const { api } = rig({ reply: () => [hang()] });
    const request = { goal: "a", idempotencyKey: "j" };
    const [first, second] = await api.delegateBatch([request, request]);
    expect(second?.taskId).toBe(first?.taskId);
    expect((await api.list()).items).toHaveLength(1);
  });

  test("finds its task again when the parent has ended meanwhile", async () => {
    const { api } = rig({ reply: () => [hang()], settings: { backends: ROOMY } });
    const session = await api.createSession();
    const request = { goal: "a", parentId: session.taskId, idempotencyKey: "j", detached: true };
    const { taskId } = await api.delegate(request);
    await api.closeSession(session.taskId);
    expect(await api.delegate(request)).toMatchObject({ taskId, created: false });
  });

  test("of one caller is not another's", async () => {
    const { api, runtime } = rig({ reply: () => [hang()] });
    const other = runtime.as({ ...OPERATOR, name: "somebody else" });
    const request = { goal: "a", idempotencyKey: "j" };
    const [mine, theirs] = [await api.delegate(request), await other.delegate(request)];
    expect(mine.taskId).not.toBe(theirs.taskId);
  });
});

describe("queue_full", () => {
  test("ends what is too much as failed, with the code; what waits is kept and done", async () => {
    const { api, clock, runtime } = rig({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 1, local: true }],
        maxQueued: 2,
      },
      reply: () => [say("done")],
    });
    await api.pause(true);
    const ids = [];
    for (const goal of ["a", "b", "c"]) ids.push((await api.delegate({ goal })).taskId);
    const failed = await api.collect(ids[2] as string);
    expect(failed).toMatchObject({ state: "failed", failure: { code: "queue_full", retryable: true } });
    expect(failed.failure?.message).toMatch(/2/);
    await api.pause(false);
    await clock.advance(100);
    expect((await api.list()).items.map(({ state }) => state)).toEqual(["done", "done", "failed"]);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
  });
});

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
    run: async () => ({ type: "result", value: "y".repeat(MEGABYTES) }),
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
