// What an outage of a model server comes to for whole tasks and sessions, on a virtual clock: they wait, count no try,
// say why, and go on when the server is back.

import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { DEFAULT_ROUTING } from "../../src/core/routing.ts";
import type { Provider } from "../../providers/provider.ts";
import { plainServer } from "./plain-server.ts";
import { RestartingBox } from "./restarting.ts";
import { box, type Box } from "./residency-box.ts";
import { NOTHING_HELD, rigOn, testSettings, type Rig } from "./rig.ts";

const MINUTE = 60_000;
const DONE = { state: "done", code: undefined };
const AWAY = "gpu at http://127.0.0.1:11434 has not answered since 2023-11-14T22:13:2";

async function delegated({ rig }: Pick<Box, "rig">, count: number): Promise<readonly string[]> {
  const requests = Array.from({ length: count }, (_, at) => ({ goal: `dig ${at}` }));
  return (await rig.api.delegateBatch(requests)).map(({ taskId }) => taskId);
}

async function eventsOf({ store }: Pick<Rig, "store">, taskId: string): Promise<readonly StoredEvent[]> {
  return store.events({ after: 0, taskId });
}

const asked = ({ server }: Box): number => [...server.asked.values()].reduce((sum, each) => sum + each, 0);

describe("an outage of five minutes", () => {
  test("fails none of 30 tasks, counts no try, and asks the server seldom", async () => {
    const all = box({ answerMs: 2_000 });
    const ids = await delegated(all, 30);
    await all.clock.advance(5_500);
    all.server.crash();
    const before = asked(all);
    await all.clock.advance(5 * MINUTE);
    // About 20 questions whether it is there, and as many looks at what it has in memory, of two parts each.
    expect(asked(all) - before).toBeLessThan(80);
    all.server.restart();
    await all.clock.advance(3 * MINUTE);
    expect(await Promise.all(ids.map(all.ended))).toEqual(ids.map(() => DONE));
    const events = (await Promise.all(ids.map((id) => eventsOf(all.rig, id)))).flat();
    const retried = events.filter(({ type }) => type === "generation.retried");
    expect(retried.length).toBeGreaterThan(0);
    expect(new Set(retried.map(({ data }) => (data as { attempt: number }).attempt))).toEqual(new Set([0]));
    expect(new Set(retried.map(({ data }) => (data as { code: string }).code))).toEqual(
      new Set(["server_away"]),
    );
    expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
  });

  test("is what tasks wait for in words, those at work and those in the queue", async () => {
    const all = box({ answerMs: 2_000 });
    const ids = await delegated(all, 6);
    await all.clock.advance(1_500);
    all.server.crash();
    await all.clock.advance(30_000);
    const views = await Promise.all(ids.map((id) => all.rig.api.check(id)));
    expect(new Set(views.map(({ phase }) => phase))).toEqual(new Set(["backing_off", "queued"]));
    for (const { waitsFor } of views) expect(waitsFor).toContain(AWAY);
    expect(views.map(({ usage }) => usage.generations)).toEqual(ids.map(() => 0));
    const [gpu] = await all.rig.api.gpus();
    const message = expect.stringContaining(AWAY) as string;
    expect(gpu?.outages).toMatchObject([{ backend: "gpu", held: 4, message }]);
    expect(gpu?.residency[0]).toMatchObject({ phase: "away", problem: { code: "server_away", message } });
    const [tree] = await all.rig.api.tree(ids[0]);
    expect(tree).toMatchObject({ waitsFor: message, failure: null });
  });

  test("leaves a held task to its cancel and to its deadline", async () => {
    const all = box();
    all.server.isDown = true;
    const [first] = await delegated(all, 1);
    const [late] = await all.rig.api.delegateBatch([{ goal: "dig", deadlineMs: 2 * MINUTE }]);
    await all.clock.advance(MINUTE);
    await all.rig.api.cancel(first as string, {});
    await all.clock.advance(2 * MINUTE);
    expect(await all.ended(first as string)).toEqual({ state: "cancelled", code: undefined });
    expect(await all.ended((late as { taskId: string }).taskId)).toMatchObject({
      state: "failed",
      code: "timeout",
    });
    all.server.restart();
    await all.clock.advance(MINUTE);
    expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
  });

  test("counts those that wait for it, and nobody who has gone or stopped", async () => {
    const all = box();
    all.server.isDown = true;
    const ids = await delegated(all, 2);
    const { taskId } = await all.rig.api.createSession();
    await all.rig.api.sendMessage(taskId, { text: "Hello." });
    const held = async () => {
      await all.clock.advance(5_000);
      return (await all.rig.api.gpus())[0]?.outages[0]?.held;
    };
    expect(await held()).toBe(3);
    await all.rig.api.cancel(ids[0] as string, {});
    expect(await held()).toBe(2);
    await all.rig.api.stopSession(taskId);
    expect(await held()).toBe(1);
  });

  test("tells a person of a session at once, and again at each word of theirs", async () => {
    const all = box();
    all.server.isDown = true;
    const { taskId } = await all.rig.api.createSession();
    for (const text of ["Hello.", "Are you there?"]) {
      await all.rig.api.sendMessage(taskId, { text });
      await all.clock.advance(1_000);
    }
    const told = async () =>
      (await eventsOf(all.rig, taskId)).filter(({ type }) => type === "generation.retried");
    expect((await told()).map(({ data }) => (data as { message: string }).message)).toEqual([
      expect.stringContaining(AWAY),
      expect.stringContaining(AWAY),
    ]);
    all.server.restart();
    await all.clock.advance(MINUTE);
    const view = await all.rig.api.check(taskId);
    expect(view).toMatchObject({ state: "running", phase: "waiting_input" });
    expect(view.steers.map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    expect((await eventsOf(all.rig, taskId)).filter(({ type }) => type === "answer.finished")).toHaveLength(
      1,
    );
  });

  test("delivers an interrupting steer into the turn that is held", async () => {
    const all = box();
    all.server.isDown = true;
    const [id] = await delegated(all, 1);
    await all.clock.advance(5_000);
    await all.rig.api.steer(id as string, { message: "Dig deeper.", interrupt: true });
    await all.clock.advance(5_000);
    const { steers, phase } = await all.rig.api.check(id as string);
    expect([steers[0]?.state, phase]).toEqual(["delivered", "backing_off"]);
    all.server.restart();
    await all.clock.advance(MINUTE);
    expect(await all.ended(id as string)).toEqual(DONE);
  });
});

describe("a server whose models are not kept by us", () => {
  function plain(options: { readonly local?: boolean; readonly maxOutageMs?: number } = {}) {
    const clock = new SimulatedClock();
    const { state, provider } = plainServer(clock);
    const { backends } = testSettings();
    const rig = rigOn(clock, {
      reply: () => [],
      providerOf: () => provider,
      settings: {
        backends: backends.map((each) => ({ ...each, local: options.local ?? true })),
        routing: { ...DEFAULT_ROUTING, maxOutageMs: options.maxOutageMs ?? null },
      },
    });
    const ended = async (taskId: string) => {
      const { state: word, failure } = await rig.api.collect(taskId, { timeoutMs: 0 });
      return { state: word, code: failure?.code };
    };
    return { clock, state, rig, ended };
  }

  test("is held in the same way", async () => {
    const all = plain();
    all.state.isDown = true;
    const ids = await delegated(all, 10);
    await all.clock.advance(5 * MINUTE);
    expect(all.state.generations).toBeLessThanOrEqual(4);
    expect(all.state.questions).toBeLessThan(30);
    all.state.isDown = false;
    await all.clock.advance(MINUTE);
    expect(await Promise.all(ids.map(all.ended))).toEqual(ids.map(() => DONE));
  });

  test("fails its tasks in the end if the config says so", async () => {
    const all = plain({ maxOutageMs: 2 * MINUTE });
    all.state.isDown = true;
    const [id] = await delegated(all, 1);
    await all.clock.advance(110_000);
    expect(await all.ended(id as string)).toMatchObject({ state: "running" });
    await all.clock.advance(MINUTE);
    expect(await all.ended(id as string)).toEqual({ state: "failed", code: "network" });
  });

  test("is not held if it is a cloud: its tries count", async () => {
    const all = plain({ local: false });
    all.state.isDown = true;
    const [id] = await delegated(all, 1);
    await all.clock.advance(MINUTE);
    expect(await all.ended(id as string)).toEqual({ state: "failed", code: "network" });
    expect([all.state.generations, all.state.questions]).toEqual([5, 0]);
  });

  test("H1 is not held for ever for a generation that ends it each time", async () => {
    const all = plain();
    const [id] = await delegated(all, 1);
    all.state.isKilled = true;
    await all.clock.advance(10 * MINUTE);
    expect(await all.ended(id as string)).toEqual({ state: "failed", code: "network" });
    expect(all.state.generations).toBeLessThan(11);
  });
});

describe("a box that is started again during an outage", () => {
  function restartable() {
    const made: { server?: ReturnType<typeof plainServer> } = {};
    const providerOf = (): Provider => (made.server as ReturnType<typeof plainServer>).provider;
    const again = new RestartingBox({ reply: () => [], providerOf });
    made.server = plainServer(again.clock);
    made.server.state.isDown = true;
    return { again, state: made.server.state };
  }

  test("holds its tasks again, and they go on when the server is back", async () => {
    const { again, state } = restartable();
    const { taskId } = await again.api.delegate({ goal: "dig" });
    await again.clock.advance(3 * MINUTE);
    expect(await again.restart()).toEqual({ resumed: 1, queued: 0, failed: 0 });
    await again.clock.advance(1_000);
    // It has looked, and waits again: its pause from before does not keep it from hearing that the server is back.
    expect(await again.api.check(taskId)).toMatchObject({
      phase: "backing_off",
      waitsFor: expect.stringContaining("has not answered since") as string,
    });
    state.isDown = false;
    await again.clock.advance(25_000);
    expect((await again.record(taskId)).state).toBe("done");
    const events = await again.store.events({ after: 0, taskId, types: ["generation.retried"] });
    expect(events.map(({ data }) => (data as { attempt: number }).attempt)).not.toContain(2);
  });

  test("goes on at once if the server came back meanwhile", async () => {
    const { again, state } = restartable();
    const { taskId } = await again.api.delegate({ goal: "dig" });
    await again.clock.advance(30 * MINUTE);
    await again.crash();
    state.isDown = false;
    await again.start();
    await again.clock.advance(5_000);
    expect((await again.record(taskId)).state).toBe("done");
  });

  test("drains at once, since nothing of a held task is under way", async () => {
    const all = box();
    all.server.isDown = true;
    await delegated(all, 3);
    await all.clock.advance(10_000);
    const drained = all.rig.runtime.drain(5_000);
    await all.clock.advance(50);
    expect(await drained).toEqual({ parked: 3 });
  });
});
