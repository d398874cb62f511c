// Children of one model with a server on each of two GPUs: whoever waits goes to the server that has room, and says so.

import { describe, expect, test } from "vitest";
import { fail, finish, say, wait } from "../../providers/script.ts";
import type { Reply } from "../../providers/scripted.ts";
import { agentNamed, modelAt, NOTHING_HELD, rig, type Rig, type RigOptions } from "./rig.ts";
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
