// A child with a budget of its own: what holds for its subtree within its tree, over restarts too, and what is shown.

import { describe, expect, test } from "vitest";
import { call, finish, hang, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { DEFAULT_TASK_LIMITS, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import type { Settings } from "../../src/core/settings.ts";
import { goalIn, ROOMY } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";
import { agentNamed, rig, testSettings } from "./rig.ts";

const SETTINGS: Partial<Settings> = {
  backends: ROOMY,
  delegation: { maxConcurrentChildren: 3, maxSpawnDepth: 3, onInterrupt: "continue", defaultToolsets: [] },
  limits: { ...DEFAULT_TASK_LIMITS, maxOutputTokens: 1_000 },
};
const SPENT = { promptTokens: 100, outputTokens: 900 };

/** `lead` delegates to `mid`, which delegates to `deep`; all of them work until something stops them. */
function endless({ messages }: GenerateRequest): readonly Step[] {
  return [call("report_progress", { percent: messages.length % 100 }), finish("tool_calls", SPENT)];
}

describe("the budget of a subtree", () => {
  test("ends what is under it, and leaves the rest of its tree alone", async () => {
    const { api, clock } = rig({
      settings: { ...SETTINGS, budget: { ...UNLIMITED_BUDGET, tokens: 50_000 } },
      reply: (request) => (goalIn(request) === "calm" ? [wait(500), say("calm")] : endless(request)),
    });
    const { taskId: rootId } = await api.createSession();
    const request = { parentId: rootId, toolsets: ["progress"] };
    const capped = await api.delegate({ ...request, goal: "work", budget: { tokens: 4_000 } });
    const calm = await api.delegate({ ...request, goal: "calm" });
    await clock.advance(5_000);
    const view = await api.check(capped.taskId);
    expect(view.failure).toMatchObject({ code: "budget" });
    expect(view.failure?.message).toContain("The subtree's budget allows 4000 tokens");
    expect(view.usage.promptTokens + view.usage.outputTokens).toBeLessThanOrEqual(4_000);
    expect(await api.check(calm.taskId)).toMatchObject({ state: "done" });
  });

  test("counts what grandchildren use, and shows it with what is left", async () => {
    const { api, clock } = rig({
      settings: SETTINGS,
      reply: (request) => (goalIn(request) === "lead" ? [hang()] : [say("dug"), finish("stop", SPENT)]),
    });
    const root = await api.delegate({ goal: "lead", role: "orchestrator", budget: { tokens: 9_000 } });
    const child = await api.delegate({
      goal: "lead",
      role: "orchestrator",
      parentId: root.taskId,
      budget: { tokens: 5_000, toolCalls: 2 },
    });
    await api.delegate({ goal: "dig", parentId: child.taskId });
    await clock.advance(5_000);
    expect(await api.check(child.taskId)).toMatchObject({
      usage: { outputTokens: 0 },
      spending: {
        subtree: { promptTokens: 100, outputTokens: 900 },
        budget: { tokens: 5_000, toolCalls: 2, gpuMs: null },
        remaining: { tokens: 4_000, toolCalls: 2, gpuMs: null },
      },
    });
    const [tree] = await api.tree(root.taskId);
    expect(tree?.spending).toMatchObject({
      subtree: { outputTokens: 900 },
      budget: { tokens: 9_000 },
      remaining: { tokens: 8_000 },
    });
    expect(tree?.children[0]?.children[0]?.spending).toMatchObject({
      subtree: { outputTokens: 900 },
      budget: null,
    });
    const { items } = await api.list({ parentId: root.taskId });
    expect(items[0]?.spending.subtree.outputTokens).toBe(900);
  });

  test("is lowered to what the budgets above it allow, and the answer says so", async () => {
    const { api } = rig({ settings: SETTINGS, reply: () => [hang()] });
    const root = await api.delegate({ goal: "lead", role: "orchestrator", budget: { tokens: 9_000 } });
    const under = { goal: "lead", role: "orchestrator", idempotencyKey: "k" } as const;
    const request = { ...under, parentId: root.taskId, budget: { tokens: 10_000, gpuMs: 5 } };
    const child = await api.delegate(request);
    expect(child.note).toContain("budget.tokens from 10000 to 9000");
    expect((await api.check(child.taskId)).spending.budget).toMatchObject({ tokens: 9_000, gpuMs: 5 });
    expect(await api.delegate(request)).toMatchObject({ created: false, note: child.note });
    const deep = await api.delegate({
      goal: "dig",
      parentId: child.taskId,
      budget: { gpuMs: 7, toolCalls: 1 },
    });
    expect((await api.check(deep.taskId)).spending.budget).toEqual({
      ...UNLIMITED_BUDGET,
      gpuMs: 5,
      toolCalls: 1,
    });
  });

  test("comes from the agent where the request names none", async () => {
    const agents = [agentNamed("frugal", { budget: { toolCalls: 4 } })];
    const { api } = rig({ settings: { ...SETTINGS, agents }, reply: () => [hang()] });
    const root = await api.createSession();
    const { taskId } = await api.delegate({ goal: "dig", agent: "frugal", parentId: root.taskId });
    expect((await api.check(taskId)).spending.budget).toMatchObject({ toolCalls: 4, tokens: null });
  });

  test("is asked for by a model like by a person", async () => {
    const { api, clock } = rig({
      settings: SETTINGS,
      reply: (request) => {
        if (goalIn(request) === "dig") return [hang()];
        return request.messages.some(({ role }) => role === "tool")
          ? [hang()]
          : [call("delegate_task_async", { goal: "dig", budget: { tokens: 7_000, gpu_ms: 9 } })];
      },
    });
    const { taskId } = await api.delegate({ goal: "lead", role: "orchestrator" });
    await clock.advance(100);
    const [child] = (await api.check(taskId)).children;
    expect((await api.check(child as string)).spending.budget).toMatchObject({ tokens: 7_000, gpuMs: 9 });
  });

  test("has used after a restart what it had used, by itself and in its tree", async () => {
    const box = new RestartingBox({ settings: SETTINGS, reply: () => [wait(500), say("gold ".repeat(100))] });
    const root = await box.api.delegate({ goal: "a", role: "orchestrator", budget: { tokens: 90_000 } });
    const request = { parentId: root.taskId, maxTurns: 9, budget: { tokens: 6_000 } };
    const [one, other] = [
      await box.api.delegate({ ...request, goal: "b" }),
      await box.api.delegate({ ...request, goal: "c" }),
    ];
    await box.clock.advance(100);
    const record = await box.record(one.taskId);
    await box.store.commit({ taskId: one.taskId, epoch: record.epoch }, record.seq, {
      usage: { ...record.usage, outputTokens: 5_990 },
    });
    await box.restart();
    expect((await box.api.check(root.taskId)).spending.remaining.tokens).toBe(84_010);
    await box.clock.advance(5_000);
    expect((await box.record(one.taskId)).end?.failure?.code).toBe("budget");
    expect((await box.record(other.taskId)).end?.state).toBe("done");
  });

  test("is what a detached grandchild keeps, when everybody above it has ended", async () => {
    const box = new RestartingBox({
      settings: SETTINGS,
      reply: (request) => (goalIn(request) === "deep" ? endless(request) : [wait(50), say("led")]),
    });
    const root = await box.api.delegate({ goal: "lead", role: "orchestrator" });
    const mid = await box.api.delegate({
      goal: "mid",
      role: "orchestrator",
      parentId: root.taskId,
      budget: { tokens: 5_000 },
    });
    const deep = await box.api.delegate({
      goal: "deep",
      parentId: mid.taskId,
      detached: true,
      toolsets: ["progress"],
    });
    await box.restart();
    await box.clock.advance(60_000);
    expect((await box.record(mid.taskId)).end?.state).toBe("done");
    const { end, usage } = await box.record(deep.taskId);
    expect(end?.failure?.code).toBe("budget");
    expect(usage.promptTokens + usage.outputTokens).toBeLessThanOrEqual(5_000);
  });
});

describe("a model of a cloud without a price", () => {
  const cloud = ROOMY.map((backend) => ({ ...backend, local: false }));

  test("is refused at spawn where the tree counts money, also below", async () => {
    const { api } = rig({ settings: { ...SETTINGS, backends: cloud }, reply: () => [hang()] });
    await expect(api.delegate({ goal: "dig", budget: { costMicros: 5 } })).rejects.toMatchObject({
      code: "price_unknown",
      details: { config_key: "providers.gpu.models.child.prompt_price_micros" },
    });
    await expect(api.createSession({ budget: { costMicros: 5 } })).rejects.toMatchObject({
      code: "price_unknown",
    });
    const free = await api.createSession();
    await expect(
      api.delegate({ goal: "dig", parentId: free.taskId, budget: { costMicros: 5 } }),
    ).rejects.toMatchObject({ code: "price_unknown" });
  });

  test("goes on where its price is written down, be it 0", async () => {
    const models = testSettings().models.map((model) => ({ ...model, priced: true }));
    const { api, clock } = rig({
      settings: { ...SETTINGS, backends: cloud, models },
      reply: () => [say("dug")],
    });
    const { taskId } = await api.delegate({ goal: "dig", budget: { costMicros: 5 } });
    await clock.advance(1_000);
    expect((await api.check(taskId)).state).toBe("done");
  });
});
