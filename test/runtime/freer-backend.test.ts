// Children of one model with a server on each of two GPUs: whoever waits goes to the server that has room, and says so.

import { describe, expect, test } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { fail, finish, say, wait } from "../../providers/script.ts";
import type { Reply } from "../../providers/scripted.ts";
import type { ModelRef } from "../../src/core/task.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { plainServer } from "./plain-server.ts";
import { agentNamed, modelAt, NOTHING_HELD, rig, rigOn, type Rig, type RigOptions } from "./rig.ts";
import { RestartingBox } from "./restarting.ts";

const GPUS = ["ollama@gpu0", "ollama@gpu1"] as const;

function options(
  reply: (nth: number, goal: string) => Reply,
  { slots = 1, maxChildren = 1 }: { slots?: number; maxChildren?: number } = {},
): RigOptions {
  let nth = 0;
  return {
    reply: ({ messages }) => reply(nth++, JSON.stringify(messages)),
    settings: {
      backends: GPUS.map((name) => ({
        name,
        provider: "ollama",
        gpu: name.slice(7),
        slots,
        maxChildren,
        local: true,
      })),
      models: GPUS.map((backend) => modelAt({ provider: "ollama", model: "m", backend })),
      parentModel: { provider: "ollama", model: "m", backend: GPUS[0] },
      childModel: { provider: "ollama", model: "m", backend: GPUS[0] },
      agents: [agentNamed("worker")],
    },
  };
}

const long = (goal: string): Reply =>
  goal.includes("long")
    ? [wait(60_000), say("dug"), finish("stop")]
    : [wait(1_000), say("dug"), finish("stop")];

async function spawn(api: Rig["api"], goals: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const goal of goals) ids.push((await api.delegate({ goal, agent: "worker" })).taskId);
  return ids;
}

const backendOf = async ({ api }: Pick<Rig, "api">, taskId: string): Promise<string> =>
  (await api.check(taskId)).model.backend;

describe("a child that waits while the other GPU falls idle", () => {
  test("runs there, and event, lines, view and lease say so", async () => {
    const at = rig(options((_, goal) => long(goal)));
    // The least busy is chosen for each: the short one is on gpu1, and of those that wait one on each.
    const [, , waits, next] = (await spawn(at.api, ["long", "short", "long too", "short too"])) as [
      string,
      string,
      string,
      string,
    ];
    expect(await backendOf(at, waits)).toBe("ollama@gpu0");
    await at.clock.advance(2_500);
    expect(await backendOf(at, waits)).toBe("ollama@gpu1");
    const view = await at.api.check(waits);
    const words = { from: "ollama/m on ollama@gpu0", to: "ollama/m on ollama@gpu1", code: "freer_backend" };
    expect(view).toMatchObject({ phase: "generating", route: { reroutes: [words] } });
    expect(view.tail).toEqual([
      "↷ goes on on ollama@gpu1: It waited on ollama@gpu0, and ollama@gpu1 has room.",
    ]);
    const events = await at.store.events({ after: 0, taskId: waits });
    const types = events.map(({ type }) => type);
    expect(types.indexOf("task.rerouted")).toBeLessThan(types.indexOf("task.admitted"));
    expect(events.find(({ type }) => type === "task.rerouted")?.data).toMatchObject(words);
    expect(events.find(({ type }) => type === "lease.granted")?.data).toMatchObject({
      backend: "ollama@gpu1",
    });
    await at.clock.advance(120_000);
    expect(await at.api.collect(next, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "dug" });
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("goes on there after a restart", async () => {
    const at = new RestartingBox(options((_, goal) => long(goal)));
    const [, , waits] = (await spawn(at.api, ["long", "short", "long too", "short too"])) as [
      string,
      string,
      string,
    ];
    await at.clock.advance(2_500);
    expect(await backendOf(at, waits)).toBe("ollama@gpu1");
    await at.crash();
    await at.start();
    expect(await backendOf(at, waits)).toBe("ollama@gpu1");
    await at.clock.advance(200_000);
    expect(await at.api.collect(waits, { timeoutMs: 0 })).toMatchObject({ state: "done" });
  });
});

describe("a server that fails", () => {
  test("is left for the one that the task came from, which never failed it", async () => {
    const failing = (goal: string): Reply =>
      goal.includes("short") || goal.includes("long") ? long(goal) : [fail("auth", "auth", "No.")];
    let tries = 0;
    const at = rig(
      options((_, goal) => {
        if (!goal.includes("moves")) return failing(goal);
        return tries++ === 0 ? [fail("auth", "auth", "No.")] : [say("at home"), finish("stop")];
      }),
    );
    const [, , moves] = (await spawn(at.api, ["long", "short", "moves"])) as [string, string, string];
    await at.clock.advance(2_500);
    const told = (await at.store.events({ after: 0, taskId: moves })).filter(
      ({ type }) => type === "task.rerouted",
    );
    expect(told.map(({ data }) => (data as { code: string }).code)).toEqual(["freer_backend", "auth"]);
    await at.clock.advance(120_000);
    expect(await at.api.collect(moves, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "at home" });
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
  });
});

/** A worker whose model fails for good and who goes on with another on the same server, which a hog has first. */
function twoModels(warned: string[] = []): Rig {
  const refs = ["gpu0/m1", "gpu0/m2", "gpu1/m1"].map((name) => {
    const [backend, model] = name.split("/") as [string, string];
    return { provider: backend, model, backend };
  });
  const [first] = refs as [ModelRef];
  return rig({
    logger: { ...silentLogger, warn: (message) => warned.push(message) },
    reply: ({ model, messages }) => {
      if (model === "m1") return [fail("auth", "auth", "No.")];
      const ms = JSON.stringify(messages).includes("hog") ? 60_000 : 5_000;
      return [wait(ms), say("dug"), finish("stop")];
    },
    settings: {
      backends: ["gpu0", "gpu1"].map((name) => ({
        name,
        provider: name,
        gpu: name,
        slots: 1,
        maxChildren: 2,
        local: true,
      })),
      models: refs.map((ref) => modelAt(ref)),
      parentModel: first,
      childModel: first,
      agents: [
        agentNamed("worker", { route: ["gpu0/m1", "gpu0/m2", "gpu1/m1"] }),
        agentNamed("hog", { route: ["gpu0/m2"] }),
      ],
    },
  });
}

describe("a worker that goes on with another model of its server", () => {
  const leasesOf = async ({ store }: Rig, taskId: string): Promise<readonly string[]> =>
    (await store.events({ after: 0, taskId })).flatMap(({ type, data }) =>
      type === "lease.granted" ? [(data as { backend: string }).backend] : [],
    );

  const isDone = async ({ api }: Rig, taskId: string): Promise<boolean> =>
    (await api.check(taskId)).state === "done";

  test("waits for a lease there, and is not sent to where only the first one is", async () => {
    const at = twoModels();
    const { taskId: worker } = await at.api.delegate({ goal: "dig", agent: "worker" });
    const { taskId: hog } = await at.api.delegate({ goal: "hog", agent: "hog" });
    await at.clock.advance(59_000);
    expect((await at.api.check(hog)).phase).toBe("generating");
    expect(await isDone(at, worker)).toBe(false);
    await at.clock.advance(8_000);
    expect([await isDone(at, hog), await isDone(at, worker)]).toEqual([true, true]);
    expect(await leasesOf(at, worker)).toEqual(["gpu0", "gpu0"]);
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("is fetched back where it was sent there all the same, and that is logged", async () => {
    const warned: string[] = [];
    const at = twoModels(warned);
    const { taskId: worker } = await at.api.delegate({ goal: "dig", agent: "worker" });
    await at.api.delegate({ goal: "hog", agent: "hog" });
    await at.clock.advance(1_000);
    at.scheduler.move(worker, { backend: "gpu0", alternatives: [{ backend: "gpu1" }] });
    await at.clock.advance(1_000);
    expect(warned).toEqual([expect.stringContaining("does not serve its model alike")]);
    expect(at.scheduler.lanes().map(({ leases }) => leases.length)).toEqual([1, 0]);
    await at.clock.advance(65_000);
    expect(await isDone(at, worker)).toBe(true);
    expect(await leasesOf(at, worker)).toEqual(["gpu0", "gpu0"]);
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
  });
});

describe("children that wait while the equal server is away", () => {
  test("are not sent there to find it out once more, and are again when it is back", async () => {
    const clock = new SimulatedClock();
    const [near, far] = [plainServer(clock), plainServer(clock)];
    const at = rigOn(clock, {
      ...options(() => []),
      providerOf: ({ backend }) => (backend === GPUS[0] ? near : far).provider,
    });
    far.state.isDown = true;
    const ids = await spawn(
      at.api,
      Array.from({ length: 400 }, (_, nth) => `dig ${nth}`),
    );
    // The one that was admitted there by its own choice when the first had left has its tries too.
    await clock.advance(60_000);
    const { generations } = far.state;
    expect(generations).toBeLessThanOrEqual(12);
    await clock.advance(600_000);
    expect(far.state.generations).toBe(generations);
    expect(far.state.questions).toBeGreaterThan(30);
    const told = await at.store.events({ after: 0, types: ["task.rerouted"] });
    expect(told.filter(({ data }) => (data as { to: string }).to.endsWith(GPUS[1]))).toEqual([]);
    far.state.isDown = false;
    await clock.advance(900_000);
    expect(far.state.generations).toBeGreaterThan(50);
    const views = await Promise.all(ids.map((id) => at.api.check(id)));
    expect(new Set(views.map(({ state }) => state))).toEqual(new Set(["done"]));
    expect(at.runtime.counts()).toEqual(NOTHING_HELD);
  });
});
