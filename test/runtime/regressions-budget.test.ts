// The budget of a tree sees everything that is used, and refuses nobody for what others only hold for now.

import { describe, expect, test } from "vitest";
import { call, finish, hang, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { DEFAULT_TASK_LIMITS, UNLIMITED_BUDGET, type TreeBudget } from "../../src/core/limits.ts";
import type { Settings } from "../../src/core/settings.ts";
import { ROOMY } from "./conversation.ts";
import { agentNamed, NOTHING_HELD, rig, testSettings } from "./rig.ts";

function budgeted(budget: Partial<TreeBudget>): Partial<Settings> {
  return {
    backends: ROOMY,
    budget: { ...UNLIMITED_BUDGET, ...budget },
    limits: { ...DEFAULT_TASK_LIMITS, maxOutputTokens: 1_000 },
  };
}

describe("a budget of tokens", () => {
  test("books generations that were interrupted, so that interrupting does not go round it", async () => {
    const { api, clock, provider } = rig({
      settings: budgeted({ tokens: 6_000 }),
      reply: () => [say("w ".repeat(2_000)), hang()],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(10);
    for (let times = 0; times < 30; times++) {
      await api.steer(taskId, { message: "again", interrupt: true }).catch(() => {});
      await clock.advance(50);
    }
    const { state, failure, usage } = await api.check(taskId);
    expect([state, failure?.code]).toEqual(["failed", "budget"]);
    expect(provider.begun).toBeLessThan(8);
    expect(usage.generations).toBe(provider.begun);
    expect(usage.outputTokens).toBe(provider.begun * Math.ceil(4_000 / 3.5));
  });

  test("reserves the second try of an empty answer, with what the first one used", async () => {
    const { api, clock, provider } = rig({
      settings: budgeted({ tokens: 4_000 }),
      reply: () => [finish("length", { promptTokens: 1_500, outputTokens: 1_000 })],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(120_000);
    const { failure, usage } = await api.check(taskId);
    expect([provider.begun, failure?.code]).toEqual([1, "budget"]);
    expect([usage.promptTokens, usage.outputTokens]).toEqual([1_500, 1_000]);
  });

  test("is not passed by more than one try, however often empty answers are run again", async () => {
    const { api, clock, provider } = rig({
      settings: budgeted({ tokens: 20_000 }),
      reply: () => [finish("length", { promptTokens: 5_000, outputTokens: 1_000 })],
    });
    const { taskId } = await api.delegate({ goal: "dig", retryLimit: 50 });
    await clock.advance(3_600_000);
    const { failure, usage } = await api.check(taskId);
    expect(failure?.code).toBe("budget");
    expect(usage.promptTokens + usage.outputTokens).toBe(provider.begun * 6_000);
    expect(provider.begun * 6_000).toBeLessThanOrEqual(20_000);
  });

  test("says of an answer that it cut short that it is not whole", async () => {
    const { api, clock } = rig({
      reply: () => [say("Only half of the ans"), finish("length", { promptTokens: 100, outputTokens: 300 })],
    });
    const { taskId } = await api.delegate({ goal: "dig", budget: { tokens: 500 } });
    const whole = await api.delegate({ goal: "dig" });
    await clock.advance(120_000);
    const cut = { state: "done", result: "Only half of the ans", truncated: true };
    expect(await api.collect(taskId)).toMatchObject(cut);
    expect(await api.collect(whole.taskId)).toMatchObject({ ...cut, truncated: false });
  });

  test.each([100, 60_000])(
    "delays siblings while one generates for %i ms, and fails none of them",
    async (ms) => {
      const { api, clock, runtime } = rig({
        settings: budgeted({ tokens: 3_000 }),
        reply: ({ model, messages }: GenerateRequest): readonly Step[] => {
          if (model === "child")
            return [wait(ms), say("dug"), finish("stop", { promptTokens: 100, outputTokens: 50 })];
          const tasks = [{ goal: "A" }, { goal: "B" }, { goal: "C" }, { goal: "D" }];
          return messages.length <= 3 ? [call("delegate_task", { tasks })] : [say("led")];
        },
      });
      const session = await api.createSession();
      await api.sendMessage(session.taskId, { text: "go" });
      await clock.advance(10);
      expect(runtime.counts().leases).toBeLessThan(3);
      await clock.advance(4 * ms + 120_000);
      const [tree] = await api.tree(session.taskId);
      expect(tree?.children.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    },
  );
});

describe("a budget of tool calls", () => {
  let percent = 0;
  const busy = (): readonly Step[] => [call("report_progress", { percent: percent++ % 100 })];

  test("ends a task as budget once it is spent", async () => {
    const { api, clock, runtime } = rig({ settings: budgeted({ toolCalls: 2 }), reply: busy });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    await clock.advance(1_000);
    expect((await api.check(taskId)).failure).toMatchObject({
      code: "budget",
      message: expect.stringContaining("budget.tool_calls") as string,
    });
    expect(runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("ends a session's turn, which says so", async () => {
    const { api, clock, store } = rig({
      settings: {
        ...budgeted({ toolCalls: 2 }),
        sessionAgent: agentNamed("session", { toolsets: ["progress"], role: "orchestrator" }),
      },
      reply: busy,
    });
    const { taskId } = await api.createSession();
    await api.sendMessage(taskId, { text: "go" });
    await clock.advance(1_000);
    expect(await api.check(taskId)).toMatchObject({ state: "running", phase: "waiting_input" });
    const events = await store.events({ after: 0, taskId });
    expect(events.filter(({ type }) => type === "run.failed").map(({ data }) => data)).toMatchObject([
      { code: "budget" },
    ]);
  });
});

describe("a budget of money", () => {
  const priced = (rest: Partial<Settings["models"][number]> = {}): Partial<Settings> => ({
    models: testSettings().models.map((model) => ({
      ...model,
      promptPriceMicros: 1_000_000,
      outputPriceMicros: 2_000_000,
      priced: true,
      ...rest,
    })),
  });
  let percent = 0;
  const endless = (): readonly Step[] => [
    call("report_progress", { percent: 1, note: `step ${percent++}` }),
    finish("tool_calls", { promptTokens: 400, outputTokens: 1_000 }),
  ];

  test("is not passed while prompts are what they were taken for", async () => {
    const answers: number[] = [];
    const { api, clock } = rig({
      settings: { ...budgeted({ costMicros: 10_000 }), ...priced() },
      reply: ({ maxOutputTokens }) => {
        answers.push(maxOutputTokens);
        return [
          ...endless().slice(0, 1),
          finish("tool_calls", { promptTokens: 1, outputTokens: maxOutputTokens }),
        ];
      },
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    await clock.advance(1_000);
    const { failure, usage } = await api.check(taskId);
    expect(failure).toMatchObject({
      code: "budget",
      message: expect.stringContaining("cost_micros") as string,
    });
    expect(usage.costMicros).toBe(answers.reduce((sum, tokens) => sum + 1 + 2 * tokens, 0));
    expect(usage.costMicros).toBeLessThanOrEqual(10_000);
    // The last answer was asked to be as long as what was left of the budget.
    expect(usage.costMicros).toBeGreaterThan(9_000);
    expect(answers.at(-1)).toBeLessThan(1_000);
  });

  test("counts what came from a cache by its own price", async () => {
    const { api, clock } = rig({
      settings: { ...budgeted({ costMicros: 100_000 }), ...priced({ cachedPromptPriceMicros: 100_000 }) },
      reply: () => [
        say("dug"),
        finish("stop", { promptTokens: 1_000, cachedPromptTokens: 900, outputTokens: 10 }),
      ],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(1_000);
    expect((await api.check(taskId)).usage.costMicros).toBe(100 + 90 + 20);
  });

  test("is warned of once, at four fifths", async () => {
    const { api, clock, store } = rig({
      settings: { ...budgeted({ costMicros: 10_000 }), ...priced() },
      reply: endless,
    });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    await clock.advance(1_000);
    const events = await store.events({ after: 0, taskId });
    expect(events.filter(({ type }) => type === "budget.warned").map(({ data }) => data)).toEqual([
      { budgetOf: taskId, kind: "cost_micros", used: 9_600, limit: 10_000 },
    ]);
  });
});

describe("a budget of GPU time", () => {
  const working = ({ messages }: GenerateRequest): readonly Step[] => [
    wait(1_000),
    call("report_progress", { percent: messages.length % 100 }),
  ];

  test("ends a task once it is used up, and passes its limit by one generation at most", async () => {
    const { api, clock, provider } = rig({ settings: budgeted({ gpuMs: 3_500 }), reply: working });
    const { taskId } = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    await clock.advance(60_000);
    const { failure, usage } = await api.check(taskId);
    expect(failure).toMatchObject({ code: "budget", message: expect.stringContaining("gpu_ms") as string });
    expect([provider.begun, usage.gpuMs]).toEqual([4, 4_000]);
  });

  test("is no matter of a cloud's model", async () => {
    const cloud = ROOMY.map((backend) => ({ ...backend, local: false }));
    const { api, clock } = rig({
      settings: { ...budgeted({ gpuMs: 10 }), backends: cloud },
      reply: () => [wait(1_000), say("dug")],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(60_000);
    expect(await api.check(taskId)).toMatchObject({ state: "done", usage: { gpuMs: 0 } });
  });

  test("counts what was interrupted, so that interrupting does not go round it", async () => {
    const { api, clock, provider } = rig({
      settings: budgeted({ gpuMs: 1_000 }),
      reply: () => [say("w"), hang()],
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    for (let times = 0; times < 30; times++) {
      await clock.advance(200);
      await api.steer(taskId, { message: "again", interrupt: true }).catch(() => {});
    }
    await clock.advance(200);
    expect((await api.check(taskId)).failure?.code).toBe("budget");
    expect(provider.begun).toBeLessThan(8);
  });
});
