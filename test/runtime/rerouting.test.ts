// Tasks that go on with another model of their route: in words, and with what they hold.

import { describe, expect, test } from "vitest";
import { call, fail, say, wait } from "../../providers/script.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { DELEGATION } from "./conversation.ts";
import type { ModelRef } from "../../src/core/task.ts";
import { plainServer } from "./plain-server.ts";
import { agentNamed, modelAt, NOTHING_HELD, rig, rigOn } from "./rig.ts";
import { box, down, nameAt, options, outcome, PLACES, ref, refused } from "./routed-box.ts";

describe("a model that fails for good", () => {
  test("is left after its retries: the next one takes the same turn, and everybody is told", async () => {
    const at = box({ route: ["gpu0", "gpu1"], models: { gpu0: down } });
    const { result, view, events, told } = await outcome(at);
    expect(result).toMatchObject({ state: "done", result: "from gpu1" });
    const why = { code: "network", reason: "Nobody answers there." };
    expect(told).toEqual([{ from: nameAt("gpu0"), to: nameAt("gpu1"), ...why }]);
    expect(view).toMatchObject({
      model: ref("gpu1"),
      turn: 1,
      run: 1,
      route: {
        candidates: [nameAt("gpu0"), nameAt("gpu1")],
        skipped: [],
        reroutes: [{ from: nameAt("gpu0"), to: nameAt("gpu1"), ...why }],
      },
    });
    expect(events.filter(({ type }) => type === "generation.retried")).toHaveLength(4);
    expect(events.filter(({ type }) => type === "lease.requested").map(({ data }) => data)).toMatchObject([
      ...Array.from({ length: 5 }, () => ({ backend: "gpu0" })),
      { backend: "gpu1" },
    ]);
    const [node] = await at.api.tree(view.rootId);
    expect(node?.model).toBe("m-gpu1");
    expect((await at.store.get(view.taskId))?.end?.reroutes).toHaveLength(1);
  });

  test("says so in the lines of output while the task lives", async () => {
    const at = box({
      route: ["gpu0", "gpu1"],
      models: { gpu0: refused, gpu1: () => [wait(60_000), say("late")] },
    });
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(1_000);
    const { tail, phase, model } = await at.api.check(taskId);
    expect({ tail, phase, model }).toEqual({
      tail: [`↷ goes on with ${nameAt("gpu1")}: The key is wrong.`],
      phase: "generating",
      model: ref("gpu1"),
    });
    expect(at.scheduler.lanes().flatMap((lane) => lane.places.map(() => lane.backend))).toEqual(["gpu1"]);
    await at.clock.advance(120_000);
  });

  test("is not left for what a retry mends", async () => {
    let nth = 0;
    const at = box({
      route: ["gpu0", "gpu1"],
      models: { gpu0: () => (nth++ === 0 ? down() : [say("gold")]) },
    });
    expect((await outcome(at)).told).toEqual([]);
  });

  test("is not left for what no other model would do better", async () => {
    const at = box({ route: ["gpu0", "gpu1"], models: { gpu0: () => [fail("refused", "content_filter")] } });
    const { result, told } = await outcome(at);
    expect(told).toEqual([]);
    expect(result.failure).toMatchObject({ code: "content_filter" });
  });

  test("goes three models far and no farther, and the failure says why", async () => {
    const route = PLACES.slice(0, 5);
    const at = box({ route, models: Object.fromEntries(route.map((place) => [place, refused])) });
    const { result, told } = await outcome(at);
    expect(told.map(({ to }) => to)).toEqual([nameAt("gpu1"), nameAt("gpu2"), nameAt("gpu3")]);
    expect(result.failure).toMatchObject({ code: "auth" });
    expect(result.failure?.message).toContain(`${nameAt("gpu4")}: the task has changed its model 3 times`);
  });

  test("keeps its later turns where it went", async () => {
    let asked = 0;
    const at = box({
      route: ["gpu0", "gpu1"],
      models: {
        gpu0: refused,
        gpu1: () => (asked++ === 0 ? [call("report_progress", { percent: 50 })] : [say("gold")]),
      },
      settings: {
        delegation: { ...DELEGATION, defaultToolsets: ["progress"] },
      },
    });
    const { result, told, events } = await outcome(at);
    expect(result.result).toBe("gold");
    expect(told).toHaveLength(1);
    expect(events.filter(({ type }) => type === "turn.finished")).toHaveLength(2);
  });

  test("of a session is left too: the answer comes from another, and the person sees it", async () => {
    const at = box({
      route: ["gpu0"],
      models: { gpu0: refused },
      settings: {
        sessionAgent: agentNamed("session", {
          role: "orchestrator",
          route: [nameAt("gpu0"), nameAt("gpu1")],
        }),
      },
    });
    const { taskId } = await at.api.createSession();
    await at.api.sendMessage(taskId, { text: "hello" });
    await at.clock.advance(1_000);
    const { items } = await at.api.transcript(taskId);
    expect(items.map(({ message }) => message.role)).toEqual(["user", "assistant"]);
    expect(await at.api.check(taskId)).toMatchObject({ phase: "waiting_input", model: ref("gpu1") });
    await at.api.closeSession(taskId);
  });

  test("whose prompt was too long is left for one with more room", async () => {
    const at = box({
      route: ["gpu0", "gpu1", "gpu2"],
      models: { gpu0: () => [fail("context_length")] },
      facts: {
        gpu0: { contextTokens: 4_096 },
        gpu1: { contextTokens: 2_048 },
        gpu2: { contextTokens: 8_192 },
      },
    });
    expect((await outcome(at)).told).toMatchObject([{ to: nameAt("gpu2"), code: "context_length" }]);
  });

  test("is found out before its first turn when its key is gone since the task was accepted", async () => {
    let isGone = false;
    const at = box({
      route: ["gpu0", "gpu1"],
      models: { gpu0: () => [wait(10_000), say("first")] },
    });
    const options_ = options({ route: ["gpu0", "gpu1"], models: {} });
    const keyed = rig({
      ...options_,
      providerOf: ({ backend }) => {
        if (isGone && backend === "gpu0") throw new ConfigError("key_missing", "Set GPU0_KEY.");
        return at.provider;
      },
    });
    await keyed.api.pause(true);
    const { taskId } = await keyed.api.delegate({ goal: "dig", agent: "routed" });
    isGone = true;
    await keyed.api.pause(false);
    await keyed.clock.advance(1_000);
    expect(await keyed.api.check(taskId)).toMatchObject({
      state: "done",
      model: ref("gpu1"),
      route: { reroutes: [{ code: "key_missing" }] },
    });
  });
});

describe("servers that are all away", () => {
  function equals() {
    const clock = new SimulatedClock();
    const servers = { gpu0: plainServer(clock), gpu1: plainServer(clock) };
    for (const { state } of Object.values(servers)) state.isDown = true;
    const made = options({ route: ["gpu0", "gpu1"], models: {} });
    const places = (["gpu0", "gpu1"] as const).map((place) => ({ ...ref(place), model: "m" }));
    const at = rigOn(clock, {
      ...made,
      settings: {
        ...made.settings,
        models: places.map((place) => modelAt(place)),
        backends: made.settings?.backends?.map((each) => ({ ...each, maxChildren: 4 })) ?? [],
        parentModel: places[0] as ModelRef,
        childModel: places[0] as ModelRef,
        agents: [agentNamed("routed", { route: ["gpu0/m", "gpu1/m"] })],
      },
      providerOf: ({ backend }) => servers[backend as "gpu0" | "gpu1"].provider,
    });
    return { at, servers };
  }

  test.each(["gpu0", "gpu1"] as const)("give their tasks to %s when it alone is back", async (back) => {
    const { at, servers } = equals();
    const requests = Array.from({ length: 12 }, () => ({ goal: "dig", agent: "routed" }));
    const ids = (await at.api.delegateBatch(requests)).map(({ taskId }) => taskId);
    await at.clock.advance(5 * 60_000);
    const tries = servers.gpu0.state.generations + servers.gpu1.state.generations;
    await at.clock.advance(60 * 60_000);
    // Where all are away nobody tries.
    expect(servers.gpu0.state.generations + servers.gpu1.state.generations).toBe(tries);
    servers[back].state.isDown = false;
    await at.clock.advance(2 * 60_000);
    const views = await Promise.all(ids.map((id) => at.api.check(id)));
    expect(views.map(({ state, model }) => [state, model.backend])).toEqual(ids.map(() => ["done", back]));
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
    const changes = await at.store.events({ after: 0, types: ["task.rerouted"] });
    // To the other and back, and no more.
    for (const id of ids) expect(changes.filter(({ taskId }) => taskId === id).length).toBeLessThanOrEqual(2);
  });
});

test("what ends every server of its route is not sent to and fro for ever", async () => {
  const clock = new SimulatedClock();
  const servers = { gpu0: plainServer(clock), gpu1: plainServer(clock) };
  for (const { state } of Object.values(servers)) state.isKilled = true;
  const at = rigOn(clock, {
    ...options({ route: ["gpu0", "gpu1"], models: {} }),
    providerOf: ({ backend }) => servers[backend as "gpu0" | "gpu1"].provider,
  });
  const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
  await clock.advance(60 * 60_000);
  expect(await at.api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "failed" });
  expect(servers.gpu0.state.generations + servers.gpu1.state.generations).toBeLessThan(30);
  expect(at.runtime.counts()).toEqual(NOTHING_HELD);
});
