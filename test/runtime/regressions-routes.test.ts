// What simulated worlds with routes have found: who may be where after a restart, in which order changes are told, and
// what a change forgives.

import { expect, test } from "vitest";
import { say, wait } from "../../providers/script.ts";
import { DEFAULT_ROUTING } from "../../src/core/routing.ts";
import { RestartingBox } from "./restarting.ts";
import { box, nameAt, options, refused } from "./routed-box.ts";

test.each([
  { route: ["gpu0", "cloud"], ends: { state: "failed", failure: { code: "route_barred" } } },
  { route: ["gpu0", "cloud", "gpu1"], ends: { state: "done", result: "from gpu1" } },
] as const)(
  "R1 a permission to use a cloud that is taken back holds for who is there ($route)",
  async (given) => {
    const asked: string[] = [];
    const made = options({
      route: given.route,
      models: { gpu0: refused, cloud: () => [wait(5_000), say("from far")] },
      fallback: "both",
    });
    const at = new RestartingBox({
      ...made,
      reply: (request) => {
        asked.push(request.model);
        return made.reply(request);
      },
    });
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(1_000);
    expect(asked).toEqual(["m-gpu0", "m-cloud"]);
    const routing = { ...DEFAULT_ROUTING, fallback: "cloud_to_local" } as const;
    await at.restart({ settings: { ...made.settings, routing } });
    await at.clock.advance(60_000);
    expect(asked.filter((model) => model === "m-cloud")).toHaveLength(1);
    expect((await at.record(taskId)).end).toMatchObject(given.ends);
  },
);

test("B3 two changes of model in one breath are told in their order", async () => {
  const slow = () => [wait(30_000), say("slow")];
  const routes = { route: ["gpu0", "gpu1", "gpu2"], models: { gpu0: refused, gpu1: slow } } as const;
  const backends = options(routes).settings?.backends?.map((each) => ({ ...each, maxChildren: 8 })) ?? [];
  const routing = { ...DEFAULT_ROUTING, maxWaitMs: 5_000 };
  const at = box({ ...routes, settings: { routing, backends } });
  await at.api.delegate({ goal: "dig", model: nameAt("gpu1") });
  await at.clock.advance(31_000);
  await at.api.delegate({ goal: "dig", model: nameAt("gpu1") });
  const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
  await at.clock.advance(1_000);
  const events = await at.store.events({ after: 0, taskId, types: ["task.rerouted"] });
  expect(events.map(({ data }) => data)).toMatchObject([
    { from: nameAt("gpu0"), to: nameAt("gpu1"), code: "auth" },
    { from: nameAt("gpu1"), to: nameAt("gpu2"), code: "long_queue" },
  ]);
});

test("R2 a change of model does not forgive the crashes of its turn", async () => {
  let isSlow = true;
  const at = new RestartingBox(
    options({
      route: ["gpu0", "gpu1"],
      models: { gpu0: () => (isSlow ? [wait(5_000)] : refused()), gpu1: () => [wait(5_000)] },
    }),
  );
  const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
  for (let crashes = 1; crashes <= 6; crashes++) {
    await at.clock.advance(1_000);
    isSlow = crashes < 2;
    await at.restart();
  }
  await at.clock.advance(20_000);
  expect(await at.events(taskId)).toContain("task.rerouted");
  expect((await at.record(taskId)).end).toMatchObject({ state: "failed", failure: { code: "crash_loop" } });
});
