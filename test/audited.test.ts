import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NotFoundError, StoreError, ToolError } from "../src/base/errors.ts";
import { auditedApi, auditedTool, openAudit } from "../src/audited.ts";
import { type Audit, type AuditNote, digestOf } from "../src/core/audit.ts";
import type { Caller, TroupeApi } from "../src/core/api.ts";
import type { Tool, ToolContext } from "../src/core/tool.ts";
import { systemClock } from "../src/base/clock.ts";
import { CannedApi } from "./http/canned-api.ts";

const CALLER: Caller = { name: "ci", scopes: ["read", "control", "admin"], taskId: null, tokenId: "tok_1" };

let notes: AuditNote[];
let isFull: boolean;
let audit: Audit;
let canned: CannedApi;
let api: TroupeApi;
beforeEach(() => {
  notes = [];
  isFull = false;
  audit = {
    ready: () => {
      if (isFull) throw new StoreError("audit_failed", "full");
    },
    note: (note) => notes.push(note),
  };
  canned = new CannedApi({ clock: systemClock });
  api = auditedApi(canned, CALLER, audit);
});
afterEach(() => canned.log.end());

describe("a caller's commands", () => {
  test("are noted with who, what, to what and how it ended, and never with what was said", async () => {
    const { taskId } = await api.delegate({ goal: "a secret goal" });
    await api.steer(taskId, { message: "a secret word" });
    await api.cancel(taskId);
    await api.pause(true);
    const ours = { actor: "person:ci", tokenId: "tok_1", outcome: "ok" };
    expect(notes).toMatchObject([
      { ...ours, action: "task.create", target: taskId, digest: digestOf([{ goal: "a secret goal" }]) },
      { ...ours, action: "task.steer", target: taskId },
      { ...ours, action: "task.cancel", target: taskId },
      { ...ours, action: "box.pause", target: "true" },
    ]);
    expect(JSON.stringify(notes)).not.toContain("secret");
  });

  test("of several tasks are noted one by one", async () => {
    const handles = await api.delegateBatch([{ goal: "a" }, { goal: "b" }]);
    expect(notes.map(({ target }) => target)).toEqual(handles.map(({ taskId }) => taskId));
  });

  test("that are refused are noted with the refusal's code", async () => {
    await expect(api.cancel("task_none")).rejects.toBeInstanceOf(NotFoundError);
    await expect(api.delegate({ goal: "x", parentId: "task_none" })).rejects.toBeInstanceOf(NotFoundError);
    expect(notes).toMatchObject([
      { action: "task.cancel", target: "task_none", outcome: "task_not_found" },
      { action: "task.create", target: null, outcome: "task_not_found" },
    ]);
  });

  test("are not done while nothing of them could be known", async () => {
    isFull = true;
    await expect(api.delegate({ goal: "x" })).rejects.toMatchObject({ code: "audit_failed" });
    expect([(await canned.list()).items, notes]).toEqual([[], []]);
  });

  test("that call something off are done all the same, and noted when that can be", async () => {
    const { taskId } = await canned.delegate({ goal: "x" });
    const session = await canned.createSession();
    isFull = true;
    await api.cancel(taskId);
    await api.stopSession(session.taskId);
    await api.pause(true);
    await api.closeSession(session.taskId);
    // To go on is no stop.
    await expect(api.pause(false)).rejects.toMatchObject({ code: "audit_failed" });
    expect((await canned.check(taskId)).state).toBe("cancelled");
    expect(notes.map(({ action }) => action)).toEqual([
      "task.cancel",
      "session.stop",
      "box.pause",
      "session.close",
    ]);
  });

  test("are all that changes anything: looking is not noted", async () => {
    const { taskId } = await canned.delegate({ goal: "x" });
    await api.check(taskId);
    await api.list();
    await api.tree();
    await api.transcript(taskId);
    await api.collect(taskId, { timeoutMs: 0 });
    await api.history();
    expect(notes).toEqual([]);
  });
});

describe("a tool", () => {
  const context = { taskId: "task_a", callId: "call_1" } as ToolContext;
  const tool: Tool = {
    definition: { name: "steer_task", description: "", parameters: {} },
    repeatable: false,
    run: async ({ refuse }) => {
      if (refuse === true) throw new ToolError("task_not_found", "no");
      return { type: "suspended", wait: { for: "timer", timeoutMs: 1 } };
    },
    resume: async () => ({ type: "result", value: "done" }),
  };

  test("is noted before it runs, when it goes on, and when it is refused", async () => {
    const watched = auditedTool(tool, audit);
    await watched.run({ a: 1 }, context);
    await watched.resume?.(
      { a: 1 },
      { wait: { for: "timer", timeoutMs: 1 }, end: { cause: "timeout" } },
      context,
    );
    await expect(watched.run({ refuse: true }, context)).rejects.toThrow("no");
    const its = { actor: "agent:task_a", action: "tool.call", target: "steer_task", detail: "call_1" };
    expect(notes).toEqual([
      { ...its, outcome: "begun", digest: digestOf({ a: 1 }) },
      { ...its, outcome: "begun", digest: digestOf({ a: 1 }) },
      { ...its, outcome: "begun", digest: digestOf({ refuse: true }) },
      { ...its, outcome: "task_not_found", digest: digestOf({ refuse: true }) },
    ]);
    expect([watched.repeatable, watched.definition]).toEqual([false, tool.definition]);
  });

  test("does not run while nothing of it could be known", async () => {
    isFull = true;
    await expect(auditedTool(tool, audit).run({}, context)).rejects.toMatchObject({ code: "audit_failed" });
  });

  test("that never waits has no way to go on", () => {
    const { definition, repeatable } = tool;
    const plain: Tool = { definition, repeatable, run: async () => ({ type: "result", value: "" }) };
    expect("resume" in auditedTool(plain, audit)).toBe(false);
    expect(Reflect.get(auditedTool(plain, audit), "resume")).toBeUndefined();
  });
});

test("a store in memory keeps no record", () => {
  const none = openAudit({ path: null, durability: "none", keepMs: 0, maxBytes: 1 }, systemClock);
  none.ready();
  none.note({ actor: "troupe", action: "x", target: null, digest: null, outcome: "ok" });
  expect(() => none.close()).not.toThrow();
});
