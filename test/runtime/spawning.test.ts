import { describe, expect, test } from "vitest";
import type { DelegateRequest } from "../../src/core/api.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { childSpec, sessionSpec, type SpawnFacts } from "../../src/runtime/spawning.ts";
import { agentNamed, testSettings } from "./rig.ts";
import { specOf } from "./specimens.ts";

const FACTS: SpawnFacts = {
  id: "task_new",
  requestHash: "hash",
  now: 1_000,
  parent: null,
  knownToolsets: new Set(["delegation", "file", "progress"]),
  hashOf: (agent) => `hash of ${agent.name}`,
};
const PARENT = specOf({
  id: "ses_1",
  kind: "session",
  rootId: "ses_1",
  sessionId: "ses_1",
  role: "orchestrator",
  toolsets: ["delegation", "file"],
  schedulingClass: "interactive",
});

function under(parent: Partial<TaskSpec> = {}): SpawnFacts {
  return { ...FACTS, parent: { spec: { ...PARENT, ...parent }, state: "running", ending: false } };
}

function spec(
  request: Partial<DelegateRequest> = {},
  facts = FACTS,
  settings: Partial<Settings> = {},
): TaskSpec {
  return childSpec({ goal: "dig", ...request }, facts, testSettings(settings));
}

describe("a child's spec", () => {
  test("stands in its parent's tree, one level deeper, in its workspace", () => {
    expect(spec({}, under({ workspace: "box:testbox:/tmp/project" }))).toMatchObject({
      id: "task_new",
      parentId: "ses_1",
      rootId: "ses_1",
      sessionId: "ses_1",
      depth: 1,
      workspace: "box:testbox:/tmp/project",
      budget: null,
      createdAt: 1_000,
      agent: { name: "child", hash: "hash of child" },
    });
  });

  test("without a parent is a root of its own, with the tree's budget", () => {
    const root = spec({ budget: { tokens: 500 } });
    expect(root).toMatchObject({ parentId: null, rootId: "task_new", sessionId: null, depth: 0 });
    expect(root.budget).toMatchObject({ tokens: 500, costMicros: null });
  });

  test("below a root has one of its own where one is asked for, within those above", () => {
    expect(spec({ budget: { tokens: 5 } }, under()).budget).toMatchObject({ tokens: 5, costMicros: null });
    const allowance = { tokens: 3, costMicros: 9, gpuMs: null, toolCalls: null };
    const tight = under();
    const within = { ...tight, parent: tight.parent && { ...tight.parent, allowance } };
    expect(spec({ budget: { tokens: 5 } }, within).budget).toMatchObject({ tokens: 3, costMicros: null });
    expect(() => spec({ budget: { tokens: 0 } }, within)).toThrow(/whole number from 1 up/);
  });

  test("takes limits from the config, the agent and the request, the nearest last", () => {
    const settings = {
      limits: { ...DEFAULT_TASK_LIMITS, maxTurns: 9, timeoutMs: 9, retryLimit: 9 },
      agents: [agentNamed("a", { limits: { maxTurns: 7, timeoutMs: 7 } })],
    };
    expect(spec({ agent: "a", maxTurns: 5 }, FACTS, settings).limits).toMatchObject({
      maxTurns: 5,
      timeoutMs: 7,
      retryLimit: 9,
      retryOnFailure: false,
    });
  });

  test.each([
    [2, { retryOnFailure: true, retryLimit: 2 }],
    [0, { retryOnFailure: false, retryLimit: 0 }],
  ])("a retry limit of %i says whether it is run again", (retryLimit, limits) => {
    expect(spec({ retryLimit }).limits).toMatchObject(limits);
  });

  test("never inherits a person's class, and a batch only begets batches", () => {
    expect(spec({}, under()).schedulingClass).toBe("background");
    expect(spec({}, under({ schedulingClass: "batch" })).schedulingClass).toBe("batch");
    expect(spec({ schedulingClass: "batch" }, under()).schedulingClass).toBe("batch");
    const agents = [agentNamed("bulk", { schedulingClass: "batch" })];
    expect(spec({ agent: "bulk" }, under(), { agents }).schedulingClass).toBe("batch");
  });

  test("asks for its model by request, agent, then the config's for children", () => {
    const settings = { agents: [agentNamed("a", { model: "parent" })] };
    expect(spec().model.model).toBe("child");
    expect(spec({ agent: "a" }, FACTS, settings).model.model).toBe("parent");
    expect(spec({ agent: "a", model: "gpu/toolless", toolsets: [] }, FACTS, settings).model.model).toBe(
      "toolless",
    );
  });

  test.each(["done", "cancelled", "failed"] as const)("a parent that is %s takes no children", (state) => {
    const facts = { ...FACTS, parent: { spec: PARENT, state, ending: true } };
    expect(() => spec({}, facts)).toThrow(expect.objectContaining({ code: "task_ended" }) as Error);
  });

  test("nor one that is about to end, though its end is not written yet", () => {
    const facts = { ...FACTS, parent: { spec: PARENT, state: "running" as const, ending: true } };
    expect(() => spec({}, facts)).toThrow(expect.objectContaining({ code: "task_ended" }) as Error);
  });

  test.each(["/tmp", "/tmp/a", "/tmp/a..b"])("the workspace %s lies in the root", (workspace) => {
    expect(spec({ workspace }).workspace).toBe(`box:testbox:${workspace}`);
  });

  test.each(["/tmpfile", "/", "tmp", "/tmp/a/../../etc", ""])("the workspace %j does not", (workspace) => {
    expect(() => spec({ workspace })).toThrow(/workspace: in the config/);
  });

  test("a root of / holds every absolute path", () => {
    expect(spec({ workspace: "/etc" }, FACTS, { workspaceRoot: "/" }).workspace).toBe("box:testbox:/etc");
  });
});

describe("a session's spec", () => {
  test("is a root without clocks, whose turns go first", () => {
    const session = sessionSpec({}, { ...FACTS, id: "ses_new" }, testSettings());
    expect(session).toMatchObject({
      kind: "session",
      rootId: "ses_new",
      sessionId: "ses_new",
      goal: "",
      schedulingClass: "interactive",
      model: { model: "parent" },
      toolsets: ["delegation", "file"],
    });
    expect(session.limits).toMatchObject({ timeoutMs: null, deadlineMs: null, retryOnFailure: false });
  });

  test("on a model without tools has none, and can still talk", () => {
    expect(sessionSpec({ model: "toolless" }, FACTS, testSettings()).toolsets).toEqual([]);
  });
});
