import { describe, expect, test } from "vitest";
import type { DelegateRequest } from "../../src/core/api.ts";
import type { AgentDefinition } from "../../src/core/agent.ts";
import type { ModelSettings, Settings } from "../../src/core/settings.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { findModel, placeChild, placeSession, routeFactsOf, spawnNote } from "../../src/runtime/placing.ts";
import { finish, say } from "../../providers/script.ts";
import { agentNamed, modelAt, rig, testSettings } from "./rig.ts";
import { specOf } from "./specimens.ts";

const model = (name: string, rest: Partial<ModelSettings> = {}): ModelSettings =>
  modelAt({ provider: "gpu", model: name, backend: "gpu" }, rest);

const MODELS = [
  model("short", { contextTokens: 50 }),
  model("toolless", { tools: false }),
  model("able"),
  model("wise", { thinking: true }),
];
const FACTS = { parent: null, knownToolsets: new Set(["file", "progress", "delegation"]) };

function place(
  agent: Partial<AgentDefinition>,
  request: Partial<DelegateRequest> = {},
  settings: Partial<Settings> = {},
) {
  const childModel = { provider: "gpu", model: "able", backend: "gpu" };
  const placed = placeChild(
    { goal: "dig", ...request },
    {
      agent: agentNamed("a", agent),
      role: "leaf",
      settings: testSettings({ models: MODELS, childModel, ...settings }),
      facts: FACTS,
    },
  );
  return { ...placed, name: placed.model.ref.model };
}

describe("where a child begins", () => {
  test("goes by the request, then the agent's route, then its model, then the config's", () => {
    expect(place({ route: ["gpu/wise", "gpu/able"], model: "gpu/wise" }, { model: "able" }).name).toBe(
      "able",
    );
    expect(place({ route: ["gpu/wise", "gpu/able"], model: "gpu/able" }).name).toBe("wise");
    expect(place({ model: "gpu/wise" }).name).toBe("wise");
    expect(place({}).name).toBe("able");
    const childAgent = agentNamed("child", { route: ["gpu/wise", "gpu/able"] });
    expect(place({}, {}, { childAgent }).name).toBe("wise");
  });

  test("takes the first that has what tools, needs and length ask for", () => {
    const route = ["gpu/short", "gpu/toolless", "gpu/able", "gpu/wise"];
    expect(place({ route }).name).toBe("short");
    expect(place({ route }, { goal: "x".repeat(1_000) }).name).toBe("toolless");
    expect(place({ route }, { goal: "x".repeat(1_000), toolsets: ["file"] }).name).toBe("able");
    const wise = place({ route, needs: ["thinking"] });
    expect(wise.name).toBe("wise");
    expect(wise.route?.skipped.map((each) => each.model)).toEqual(["gpu/short", "gpu/toolless", "gpu/able"]);
  });

  test("is refused with every reason when none can serve", () => {
    const refused = (): unknown =>
      place({ route: ["gpu/short", "gpu/toolless"] }, { goal: "x".repeat(1_000), toolsets: ["file"] });
    expect(refused).toThrow(expect.objectContaining({ code: "no_candidate", kind: "limit" }) as Error);
    expect(refused).toThrow(
      /gpu\/short: goal and context take about .*; gpu\/toolless: it cannot call tools/,
    );
    expect(() => place({ needs: ["vision"] })).toThrow(/gpu\/able: it takes no images/);
  });

  test("leaves tools out where only a model without them can serve, and nobody asked for them", () => {
    const settings = { delegation: { ...testSettings().delegation, defaultToolsets: ["file"] } };
    const route = ["gpu/short", "gpu/toolless"];
    const placed = place({ route }, { goal: "x".repeat(1_000) }, settings);
    expect(placed).toMatchObject({ name: "toolless", toolsets: [] });
    expect(() => place({ model: "gpu/toolless" }, { toolsets: ["file"] })).toThrow(/cannot call tools/);
  });
});

test("a session takes its agent's route or the config's, and needs no tools", () => {
  const settings = testSettings({
    models: MODELS,
    sessionAgent: agentNamed("session", { route: ["gpu/toolless", "gpu/able"] }),
  });
  const begin = (agent: AgentDefinition, request = {}) =>
    placeSession(request, { agent, settings, facts: FACTS }).model.ref.model;
  expect(begin(settings.sessionAgent)).toBe("toolless");
  expect(begin(agentNamed("other"))).toBe("toolless");
  expect(begin(agentNamed("other", { model: "gpu/wise" }))).toBe("wise");
  expect(begin(settings.sessionAgent, { model: "able" })).toBe("able");
  expect(() => begin(agentNamed("seer", { model: "gpu/wise", needs: ["vision"] }))).toThrow(
    /takes no images/,
  );
});

test("how busy a backend is counts what waits and who is at work, for each slot", () => {
  const scheduler = new LocalScheduler({
    clock: new SimulatedClock(),
    random: seededRandom(1),
    interactivePatienceMs: 5_000,
    onSignal: () => {},
  });
  const caps = { provider: "gpu", gpu: null, maxChildren: 1, maxQueued: 9 };
  scheduler.setBackend({ backend: "one", slots: 1, ...caps });
  scheduler.setBackend({ backend: "two", slots: 2, ...caps });
  for (const backend of ["one", "two"])
    for (const at of [1, 2]) {
      const taskId = `${backend}${at}`;
      scheduler.admit({
        taskId,
        parentId: null,
        parentSlots: 9,
        backend,
        class: "background",
        needsPlace: true,
      });
    }
  const facts = routeFactsOf(() => {}, {
    scheduler,
    health: { isSick: () => false },
    forecast: { waitMs: (_, ahead) => ahead * 10 },
    residency: { outages: { isAway: () => false } },
  });
  expect([facts.loadOf("one"), facts.loadOf("two"), facts.loadOf("none")]).toEqual([2, 1, 0]);
  expect([facts.waitMs("one"), facts.waitMs("none")]).toEqual([10, 0]);
  scheduler.close();
});

test("a place whose provider throws is refused with what it threw", () => {
  const facts = routeFactsOf(
    () => {
      throw new Error("no key");
    },
    {
      scheduler: { lanes: () => [] },
      health: { isSick: (ref) => ref.model === "short" },
      forecast: { waitMs: () => 0 },
      residency: { outages: { isAway: (backend) => backend === "away" } },
    },
  );
  expect(facts.isSick({ provider: "gpu", model: "m", backend: "away" })).toBe(true);
  expect(facts.refusalOf(MODELS[0]?.ref as ModelSettings["ref"])?.message).toContain("no key");
  expect(MODELS.map(({ ref }) => facts.isSick(ref))).toEqual([true, false, false, false]);
});

test("a model that nobody has is told with those that there are", () => {
  expect(() => findModel("gpt-9", testSettings())).toThrow(
    /Known: gpu\/child, gpu\/parent, gpu\/toolless\. Pull it/,
  );
  expect(() => findModel("x", testSettings({ models: [] }))).toThrow(/Known: none/);
});

test("a note joins what is to be known of the tools and of the route", () => {
  const spec = specOf({
    model: { provider: "gpu", model: "toolless", backend: "gpu" },
    route: { candidates: [], skipped: [{ model: "gpu/a", reason: "it is away" }], escalate: false },
  });
  expect(spawnNote(spec, testSettings())).toMatch(/cannot call tools.*Passed over: gpu\/a: it is away\.$/);
  expect(spawnNote(specOf({}), testSettings())).toBeNull();
});

test("the handle of a task says what was passed over, and the task runs where it says", async () => {
  const { api, clock } = rig({
    reply: () => [say("done"), finish()],
    settings: { models: MODELS, agents: [agentNamed("r", { route: ["gpu/short", "gpu/able"] })] },
  });
  const handle = await api.delegate({ goal: "x".repeat(1_000), agent: "r" });
  expect(handle.note).toMatch(/^It runs on gpu\/able\. Passed over: gpu\/short: goal and context take about/);
  await clock.advance(10_000);
  expect(await api.check(handle.taskId)).toMatchObject({ state: "done", model: { model: "able" } });
});
