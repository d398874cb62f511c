// What an outage comes to for tasks and sessions whose route has another model, on a virtual clock.

import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { DEFAULT_ROUTING } from "../../src/core/routing.ts";
import { plainServer } from "./plain-server.ts";
import { nameAt, options as routed, outcome } from "./routed-box.ts";
import { agentNamed, rigOn } from "./rig.ts";

const MINUTE = 60_000;

describe("a route with another model", () => {
  test("is gone on with as after any failure, and not held", async () => {
    const clock = new SimulatedClock();
    const [near, far] = [plainServer(clock), plainServer(clock)];
    near.state.isDown = true;
    const all = rigOn(clock, {
      ...routed({ route: ["gpu0", "gpu1"], models: {} }),
      providerOf: ({ backend }) => (backend === "gpu0" ? near : far).provider,
    });
    const { result, told, events } = await outcome(all);
    expect([result.state, told]).toEqual(["done", [expect.objectContaining({ to: "gpu1/m-gpu1" })]]);
    const retried = events.filter(({ type }) => type === "generation.retried");
    expect(retried.map(({ data }) => (data as { code: string }).code)).not.toContain("server_away");
    expect(near.state.generations).toBe(5);
    // The next one begins there.
    expect((await outcome(all)).told).toEqual([]);
    expect(near.state.generations).toBe(5);
  });

  test("is not left for one that is known to be away, however long its queue", async () => {
    const clock = new SimulatedClock();
    const [near, far] = [plainServer(clock), plainServer(clock)];
    far.state.isDown = true;
    const made = routed({ route: ["gpu0", "gpu1"], models: {} });
    const { settings } = made;
    const { api } = rigOn(clock, {
      ...made,
      settings: {
        ...settings,
        backends: settings?.backends?.map((each) => ({ ...each, maxChildren: 30 })) ?? [],
        routing: { ...DEFAULT_ROUTING, maxWaitMs: 5_000 },
      },
      providerOf: ({ backend }) => (backend === "gpu0" ? near : far).provider,
    });
    const request = { goal: "dig", agent: "routed" };
    for (const _ of ["while it is not known", "while it is"]) {
      const handles = await api.delegateBatch(Array.from({ length: 10 }, () => request));
      await clock.advance(60 * MINUTE);
      const states = await Promise.all(handles.map(({ taskId }) => api.check(taskId)));
      expect(states.map(({ state }) => state)).toEqual(handles.map(() => "done"));
    }
  });

  test("is waited for where no other may take it", async () => {
    const clock = new SimulatedClock();
    const [near, cloud] = [plainServer(clock), plainServer(clock)];
    near.state.isDown = true;
    const { api } = rigOn(clock, {
      ...routed({ route: ["gpu0", "cloud"], models: {}, fallback: "none" }),
      providerOf: ({ backend }) => (backend === "gpu0" ? near : cloud).provider,
    });
    const { taskId } = await api.delegate({ goal: "dig", agent: "routed" });
    await clock.advance(10 * MINUTE);
    expect(await api.check(taskId)).toMatchObject({ phase: "backing_off", model: { backend: "gpu0" } });
    near.state.isDown = false;
    await clock.advance(MINUTE);
    expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "done" });
    expect(cloud.state.generations).toBe(0);
  });

  test("is taken at once by a task that has not begun, and waits in the queue of a server that is away", async () => {
    const clock = new SimulatedClock();
    const [near, far] = [plainServer(clock), plainServer(clock)];
    near.state.isDown = true;
    const { api } = rigOn(clock, {
      ...routed({ route: ["gpu0", "gpu1"], models: {} }),
      providerOf: ({ backend }) => (backend === "gpu0" ? near : far).provider,
    });
    const handles = await api.delegateBatch(
      [1, 2, 3].map((nth) => ({ goal: `dig ${nth}`, agent: "routed" })),
    );
    await clock.advance(MINUTE);
    const states = await Promise.all(handles.map(({ taskId }) => api.check(taskId)));
    expect(states.map(({ state }) => state)).toEqual(["done", "done", "done"]);
    // Those of the first alone: with it the server was found to be away.
    expect(near.state.generations).toBe(5);
  });

  test("is tried for before it is taken again, when the turn that was held is long over", async () => {
    const clock = new SimulatedClock();
    const [near, far] = [plainServer(clock), plainServer(clock)];
    near.state.isDown = far.state.isDown = true;
    const places = ["gpu0", "gpu1"] as const;
    const made = routed({
      route: [],
      models: {},
      settings: {
        sessionAgent: agentNamed("session", { route: places.map(nameAt) }),
        agents: places.map((place) => agentNamed(place, { route: [nameAt(place)] })),
      },
    });
    const { api } = rigOn(clock, {
      ...made,
      providerOf: ({ backend }) => (backend === "gpu0" ? near : far).provider,
    });
    const { taskId } = await api.createSession();
    const placeAfter = async (ms: number): Promise<string> => {
      await clock.advance(ms);
      return (await api.check(taskId)).model.backend;
    };
    await api.sendMessage(taskId, { text: "Hello." });
    await clock.advance(5 * MINUTE);
    const here = await placeAfter(0);
    const [mine, other] = here === "gpu0" ? [near, far] : [far, near];
    mine.state.isDown = false;
    expect([await placeAfter(MINUTE), (await api.check(taskId)).phase]).toEqual([here, "waiting_input"]);
    other.state.isDown = false;
    await clock.advance(MINUTE);
    mine.state.isDown = true;
    // Another finds out that it is away.
    await api.delegate({ goal: "dig", agent: here });
    await clock.advance(500);
    await api.sendMessage(taskId, { text: "Still there?" });
    // A server that is only started again is not left.
    expect(await placeAfter(5_000)).toBe(here);
    mine.state.isDown = false;
    expect([await placeAfter(MINUTE), (await api.check(taskId)).phase]).toEqual([here, "waiting_input"]);
  });
});
