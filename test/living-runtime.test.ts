import { expect, test } from "vitest";
import { say, wait } from "../providers/script.ts";
import { scripted } from "../providers/scripted.ts";
import { LivingRuntime } from "../src/living-runtime.ts";
import { OPERATOR, Runtime } from "../src/runtime/runtime.ts";
import { LocalScheduler } from "../src/scheduler/local-scheduler.ts";
import { SimulatedClock } from "../src/base/clock.ts";
import { seededRandom } from "../src/base/ids.ts";
import { silentLogger } from "../src/base/log.ts";
import type { Settings } from "../src/core/settings.ts";
import { MemoryStore } from "../src/store/memory.ts";
import { checkArguments } from "../src/toolsets/arguments.ts";
import { modelAt, testSettings } from "./runtime/rig.ts";

function rig() {
  const clock = new SimulatedClock();
  const random = seededRandom(1);
  const store = new MemoryStore({ clock, random });
  const provider = scripted({ clock, reply: () => [wait(1_000), say("done")] });
  const made: Settings[] = [];
  const make = (settings: Settings): Runtime => {
    made.push(settings);
    const { interactivePatienceMs } = settings;
    return new Runtime({
      settings,
      clock,
      random,
      logger: silentLogger,
      store,
      makeScheduler: (onSignal) => new LocalScheduler({ clock, random, interactivePatienceMs, onSignal }),
      providers: new Map(),
      providerOf: () => provider,
      knownToolsets: new Set(),
      toolsOf: () => [],
      checkArguments,
    });
  };
  return { clock, made, living: new LivingRuntime(make, testSettings()) };
}

const LATER = testSettings({ models: [modelAt({ provider: "gpu", model: "child", backend: "gpu" })] });

test("a task goes on with the next runtime, and who waits for its end has it", async () => {
  const { clock, made, living } = rig();
  const api = living.as(OPERATOR);
  const { taskId } = await api.delegate({ goal: "look", model: "child" });
  const waiting = api.collect(taskId);
  const changing = living.change({ settings: LATER, graceMs: 0 });
  const during = api.delegate({ goal: "look too", model: "child" });
  await clock.advance(10_000);
  expect(await changing).toMatchObject({ resumed: 1 });
  expect(await waiting).toMatchObject({ state: "done", result: "done" });
  expect(await api.collect((await during).taskId)).toMatchObject({ state: "done" });
  expect([made.length, living.settings]).toEqual([2, LATER]);
  await living.runtime.close();
});

test("what is under way may end first, and what was paused stays so", async () => {
  const { clock, living } = rig();
  const api = living.as(OPERATOR);
  const { taskId } = await api.delegate({ goal: "look", model: "child" });
  await api.pause(true);
  const changing = living.change({ settings: LATER, graceMs: 5_000 });
  await clock.advance(10_000);
  expect(await changing).toEqual({ resumed: 0, queued: 0, failed: 0 });
  expect(await api.check(taskId)).toMatchObject({ state: "done" });
  expect(await api.status()).toMatchObject({ paused: true });
  await living.runtime.close();
});

test.each([true, false])(
  "paused: %s, said while what is under way ends, is true of the next one",
  async (paused) => {
    const { clock, living } = rig();
    const api = living.as(OPERATOR);
    await api.delegate({ goal: "look", model: "child" });
    await api.pause(!paused);
    const changing = living.change({ settings: LATER, graceMs: 5_000 });
    await clock.advance(500);
    expect(await api.pause(paused)).toEqual({ paused });
    await clock.advance(10_000);
    await changing;
    expect(await api.status()).toMatchObject({ paused });
    await living.runtime.close();
  },
);

test("one that drains begins nothing, though a person lets it go on", async () => {
  const { clock, living } = rig();
  const api = living.as(OPERATOR);
  await api.delegate({ goal: "look", model: "child" });
  await clock.advance(10);
  await api.pause(true);
  const { taskId } = await api.delegate({ goal: "look too", model: "child" });
  const drained = living.runtime.drain(5_000);
  await api.pause(false);
  await clock.advance(10_000);
  expect(await drained).toEqual({ parked: 1 });
  expect(await api.check(taskId)).toMatchObject({ state: "spawned" });
  await living.runtime.close();
});

test("events go on from a cursor with the next one, and end with the one they were of", async () => {
  const { clock, living } = rig();
  const api = living.as(OPERATOR);
  const { taskId } = await api.delegate({ goal: "look", model: "child" });
  const types = async (): Promise<readonly string[]> => {
    const seen: string[] = [];
    for await (const frame of api.events({ after: 0, taskId }))
      if (frame.kind === "event") seen.push(frame.event.type);
    return seen;
  };
  const before = types();
  const changing = living.change({ settings: LATER, graceMs: 5_000 });
  await clock.advance(10_000);
  await changing;
  const after = types();
  await clock.advance(10);
  await living.runtime.close();
  expect((await before).at(0)).toBe("task.spawned");
  expect((await after).slice(0, 3)).toEqual((await before).slice(0, 3));
});
