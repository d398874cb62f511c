// Where tasks with a route may go: between this box and a cloud, after an outage, and over a restart.

import { describe, expect, test } from "vitest";
import { call, fail, finish, say, wait } from "../../providers/script.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { DEFAULT_ROUTING } from "../../src/core/routing.ts";
import { DELEGATION } from "./conversation.ts";
import { agentNamed, modelAt, NOTHING_HELD } from "./rig.ts";
import { RestartingBox } from "./restarting.ts";
import { box, nameAt, options, outcome, PRICED, ref, refused } from "./routed-box.ts";

describe("between this box and a cloud", () => {
  test.each([
    ["none", false],
    ["cloud_to_local", false],
    ["local_to_cloud", true],
    ["both", true],
  ] as const)("with fallback %s what began here may go there: %s", async (fallback, may) => {
    const at = box({ route: ["gpu0", "cloud"], models: { gpu0: refused }, fallback });
    const { result } = await outcome(at);
    expect(result.state).toBe(may ? "done" : "failed");
    const why = / No other model of its route takes it\. cloud\/m-cloud: .*routing.fallback/;
    expect(why.test(result.failure?.message ?? "")).toBe(!may);
    expect(at.asked.has("m-cloud")).toBe(may);
  });

  test("a model that a local server passes on to its cloud is a cloud's", async () => {
    const passedOn = { provider: "gpu1", model: "big:120b-cloud", backend: "gpu1" };
    const at = box({
      route: ["gpu0"],
      models: { gpu0: refused },
      fallback: "none",
      settings: {
        routing: { ...DEFAULT_ROUTING, fallback: "cloud_to_local" },
        models: [modelAt(ref("gpu0")), modelAt(passedOn)],
        agents: [agentNamed("routed", { route: [nameAt("gpu0"), "gpu1/big:120b-cloud"] })],
      },
    });
    expect((await outcome(at)).result.state).toBe("failed");
    expect(at.asked.has("big:120b-cloud")).toBe(false);
  });

  test.each([
    ["quota", "quota"],
    ["rate_limited", "rate_limited"],
  ] as const)("what began there comes back when its keys are used up (%s)", async (kind, code) => {
    const at = box({
      route: ["cloud", "gpu0"],
      models: { cloud: () => [fail(kind, code)] },
      fallback: "cloud_to_local",
    });
    expect((await outcome(at)).told).toMatchObject([{ to: nameAt("gpu0"), code }]);
  });

  test("what began there comes back when the money of its tree is spent", async () => {
    let percent = 0;
    const at = box({
      route: ["cloud", "gpu0"],
      models: {
        cloud: () => [
          call("report_progress", { percent: ++percent }),
          finish("tool_calls", { promptTokens: 90, outputTokens: 5 }),
        ],
      },
      facts: { cloud: PRICED },
      fallback: "cloud_to_local",
      settings: {
        delegation: { ...DELEGATION, defaultToolsets: ["progress"] },
        limits: { ...DEFAULT_TASK_LIMITS, maxOutputTokens: 10 },
      },
    });
    const budget = { costMicros: 1_000 };
    const { result, told } = await outcome(at, { budget });
    expect(told).toMatchObject([{ to: nameAt("gpu0"), code: "budget" }]);
    expect(result).toMatchObject({ state: "done", result: "from gpu0" });
    expect(result.usage.costMicros).toBeLessThanOrEqual(budget.costMicros);
  });

  test("no more is spent there than routing.max_cost_micros, and not a token is sent beyond it", async () => {
    const at = box({
      route: ["gpu0", "cloud"],
      models: { gpu0: refused },
      facts: { cloud: PRICED },
      maxCostMicros: 50,
    });
    const { result } = await outcome(at);
    expect(result.failure).toMatchObject({ code: "route_cost" });
    expect(at.asked.has("m-cloud")).toBe(false);
    const roomy = box({
      route: ["gpu0", "cloud"],
      models: { gpu0: refused },
      facts: { cloud: PRICED },
      maxCostMicros: 50_000,
    });
    expect((await outcome(roomy)).result.result).toBe("from cloud");
  });

  test("a second try with twice the room keeps to routing.max_cost_micros too", async () => {
    let asked = 0;
    const at = box({
      route: ["gpu0", "cloud"],
      models: {
        gpu0: refused,
        cloud: () => [finish("length", { promptTokens: 100, outputTokens: ++asked * 1_000 })],
      },
      facts: { cloud: PRICED },
      maxCostMicros: 2_500,
      settings: { limits: { ...DEFAULT_TASK_LIMITS, maxOutputTokens: 1_000 } },
    });
    const { result } = await outcome(at);
    expect(result.failure).toMatchObject({ code: "route_cost" });
    expect([asked, result.usage.costMicros]).toEqual([1, 1_100]);
  });
});

describe("new tasks after an outage", () => {
  test("begin elsewhere and say why; after a while one tries, and when it is served all come back", async () => {
    let isDown = true;
    const at = box({
      route: ["gpu0", "gpu1"],
      models: { gpu0: () => (isDown ? refused() : [say("well again")]) },
    });
    const where = async (): Promise<string> => {
      const handle = await at.api.delegate({ goal: "dig", agent: "routed" });
      const { model } = await at.api.check(handle.taskId);
      await at.clock.advance(100);
      return `${model.provider} ${handle.note ?? ""}`.trim();
    };
    expect(await where()).toBe("gpu0");
    expect(await where()).toMatch(/^gpu1 It runs on gpu1.* gpu0\/m-gpu0: it failed other tasks just now\.$/);
    await at.clock.advance(60_000);
    expect([await where(), await where()].map((each) => each.slice(0, 4))).toEqual(["gpu0", "gpu1"]);
    isDown = false;
    await at.clock.advance(60_000);
    expect([await where(), await where()]).toEqual(["gpu0", "gpu0"]);
  });
});

describe("over a restart", () => {
  test("a task goes on where it went, and its spec stays what it was", async () => {
    const at = new RestartingBox(
      options({ route: ["gpu0", "gpu1"], models: { gpu0: refused, gpu1: () => [wait(5_000), say("gold")] } }),
    );
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(1_000);
    await at.restart();
    expect(await at.api.check(taskId)).toMatchObject({
      model: ref("gpu1"),
      route: { reroutes: [{ to: nameAt("gpu1") }] },
    });
    await at.clock.advance(10_000);
    const { spec, end } = await at.record(taskId);
    expect([spec.model, end?.result, end?.reroutes?.length]).toEqual([ref("gpu0"), "gold", 1]);
    expect((await at.events(taskId)).filter((type) => type === "task.rerouted")).toHaveLength(1);
  });

  test("a task whose backend is in the config no more goes on with what is there", async () => {
    const given = { route: ["gpu0", "gpu1"], models: { gpu0: () => [wait(5_000), say("gold")] } } as const;
    const at = new RestartingBox(options(given));
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(1_000);
    const { settings } = options(given);
    const without = <T extends { readonly name: string }>(all: readonly T[] = []): readonly T[] =>
      all.filter(({ name }) => name !== "gpu0");
    const models = (settings?.models ?? []).filter((model) => model.ref.backend !== "gpu0");
    await at.restart({
      settings: {
        ...settings,
        backends: without(settings?.backends),
        models,
        parentModel: ref("gpu1"),
        childModel: ref("gpu1"),
      },
    });
    await at.clock.advance(10_000);
    const { end } = await at.record(taskId);
    expect(end).toMatchObject({
      state: "done",
      result: "from gpu1",
      reroutes: [{ code: "unknown_backend" }],
    });
  });

  test("a task whose model is in the config no more goes on elsewhere, also with mail that no turn has read", async () => {
    const given = { route: ["gpu0", "gpu1"], models: { gpu0: () => [wait(5_000), say("gold")] } } as const;
    const at = new RestartingBox(options(given));
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(1_000);
    await at.api.steer(taskId, { message: "deeper" });
    const { settings } = options(given);
    await at.restart({
      settings: {
        ...settings,
        models: (settings?.models ?? []).filter((model) => model.ref.backend !== "gpu0"),
        parentModel: ref("gpu1"),
        childModel: ref("gpu1"),
      },
    });
    await at.clock.advance(10_000);
    const { end } = await at.record(taskId);
    expect(end).toMatchObject({
      state: "done",
      result: "from gpu1",
      reroutes: [{ code: "model_not_found" }],
    });
  });
});

describe("a queue that is too long", () => {
  test("is left by a turn that waits: another of the route takes it, and that is said", async () => {
    const slow = () => [wait(30_000), say("slow")];
    const at = box({
      route: ["gpu0", "gpu1"],
      models: { gpu0: slow },
      settings: {
        routing: { ...DEFAULT_ROUTING, maxWaitMs: 5_000 },
        backends:
          options({ route: [], models: {} }).settings?.backends?.map((each) => ({
            ...each,
            maxChildren: 8,
          })) ?? [],
      },
    });
    const first = await at.api.delegate({ goal: "dig", model: nameAt("gpu0") });
    await at.clock.advance(31_000);
    const [, second] = [first, await at.api.delegate({ goal: "dig", model: nameAt("gpu0") })];
    const routed = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(100);
    expect(await at.api.check(routed.taskId)).toMatchObject({
      state: "done",
      model: ref("gpu1"),
      route: { reroutes: [{ code: "long_queue", reason: expect.stringContaining("about 30 s") as string }] },
    });
    expect((await at.api.check(second.taskId)).state).toBe("running");
    await at.clock.advance(60_000);
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
  });
});
