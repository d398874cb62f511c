// Input that can never work: each gets its typed error and what to do, nothing is spawned by it, and nothing that
// was accepted is lost or left running.

import { describe, expect, test } from "vitest";
import { hang, say } from "../../providers/script.ts";
import {
  ConflictError,
  InvalidRequestError,
  LimitError,
  NotFoundError,
  StoreError,
} from "../../src/base/errors.ts";
import type { DelegateRequest } from "../../src/core/api.ts";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import { ROOMY } from "./conversation.ts";
import { NOTHING_HELD, rig } from "./rig.ts";

interface Refused {
  readonly type: new (...args: never[]) => Error;
  readonly code: string;
  readonly words: RegExp;
}

describe("a request to delegate", () => {
  const asked = (what: string, request: DelegateRequest, refused: Refused) => ({ what, request, ...refused });
  const invalid = (code: string, words: RegExp): Refused => ({ type: InvalidRequestError, code, words });
  const outside = (words: RegExp): Refused => invalid("workspace_outside_root", words);

  test.each([
    asked("an empty goal", { goal: "" }, invalid("empty_goal", /Say what the child must do/)),
    asked("blanks for a goal", { goal: "\n\t " }, invalid("empty_goal", /goal/)),
    asked("no goal at all", {} as never, invalid("empty_goal", /goal/)),
    asked("5 MB of goal", { goal: "g".repeat(5_000_000) }, invalid("goal_too_long", /into a file/)),
    asked(
      "5 MB of context",
      { goal: "x", context: "c".repeat(5_000_000) },
      invalid("context_too_long", /into a file/),
    ),
    asked(
      "an unknown model",
      { goal: "x", model: "gpt-9" },
      { type: NotFoundError, code: "model_not_found", words: /Known: gpu\/child/ },
    ),
    asked("an unknown agent", { goal: "x", agent: "bob" }, invalid("unknown_agent", /under agents:/)),
    asked("an unknown toolset", { goal: "x", toolsets: ["web"] }, invalid("unknown_toolset", /Known:/)),
    asked(
      "an unknown parent",
      { goal: "x", parentId: "task_0" },
      { type: NotFoundError, code: "task_not_found", words: /task_0/ },
    ),
    asked("another root's workspace", { goal: "x", workspace: "/etc" }, outside(/workspace: in the config/)),
    asked("a workspace that climbs out", { goal: "x", workspace: "/tmp/../etc" }, outside(/\/tmp/)),
    asked("a relative workspace", { goal: "x", workspace: "here" }, outside(/absolute/)),
    asked(
      "an orchestrator too deep",
      { goal: "x", role: "orchestrator", parentId: "SESSION" },
      { type: LimitError, code: "orchestrator_too_deep", words: /delegation\.max_spawn_depth/ },
    ),
  ])("with $what is refused, and nothing is spawned", async ({ request, type, code, words }) => {
    const { api, runtime } = rig({ reply: () => [hang()] });
    const session = await api.createSession();
    const parent = request.parentId === "SESSION" ? { parentId: session.taskId } : {};
    const error = await api.delegate({ ...request, ...parent }).catch((thrown: unknown) => thrown);
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
  const full = {
    settings: {
      backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 1, local: true }],
      maxQueued: 2,
    },
    reply: () => [say("done")],
  };
  const refused = {
    kind: "limit",
    code: "queue_full",
    message: expect.stringMatching(/At most 2/) as string,
  };

  test("is said at once and leaves no record; what waits is kept and done", async () => {
    const { api, clock, runtime } = rig(full);
    await api.pause(true);
    for (const goal of ["a", "b"]) await api.delegate({ goal });
    await expect(api.delegate({ goal: "c" })).rejects.toMatchObject(refused);
    await api.pause(false);
    await clock.advance(100);
    expect((await api.list()).items.map(({ state }) => state)).toEqual(["done", "done"]);
    await api.delegate({ goal: "c" });
    await clock.advance(100);
    expect(runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("A1 refuses a batch that does not fit whole, and those who ask in the same moment", async () => {
    const { api } = rig(full);
    await api.pause(true);
    const batch = ["a", "b", "c"].map((goal) => ({ goal }));
    await expect(api.delegateBatch(batch)).rejects.toMatchObject(refused);
    expect((await api.list()).items).toEqual([]);
    const asked = await Promise.allSettled(["a", "b", "c", "d"].map((goal) => api.delegate({ goal })));
    expect(asked.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    expect((await api.list()).items).toHaveLength(2);
  });

  test("refuses neither a session nor a request that was accepted before", async () => {
    const { api } = rig(full);
    await api.pause(true);
    const first = await api.delegate({ goal: "a", idempotencyKey: "k" });
    await api.delegate({ goal: "b" });
    expect(await api.delegate({ goal: "a", idempotencyKey: "k" })).toMatchObject({
      taskId: first.taskId,
      created: false,
    });
    await expect(api.createSession()).resolves.toMatchObject({ kind: "session" });
  });

  test("A1 holds nobody up for a task that could not be stored", async () => {
    let isDown = true;
    const made = rig({
      ...full,
      wrapStore: (store) =>
        new Proxy(store, {
          get: (target, name) => {
            if (name === "submitAll" && isDown) return () => Promise.reject(new StoreError("down", "Down."));
            const member: unknown = Reflect.get(target, name, target);
            return typeof member === "function" ? (member.bind(target) as unknown) : member;
          },
        }),
    });
    await made.api.pause(true);
    for (let n = 0; n < 3; n++) {
      await expect(made.api.delegate({ goal: "lost" })).rejects.toMatchObject({ code: "down" });
    }
    isDown = false;
    await made.api.delegateBatch([{ goal: "a" }, { goal: "b" }]);
    expect((await made.api.list()).items).toHaveLength(2);
  });
});
