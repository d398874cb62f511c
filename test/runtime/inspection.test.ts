import { createActor, fromPromise, setup } from "xstate";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { lineLogger } from "../../src/base/log.ts";
import type { InspectionFrame } from "../../src/core/inspection.ts";
import { say, wait } from "../../providers/script.ts";
import { enrolAwake, Inspection, standingOf, UNWATCHED } from "../../src/runtime/inspection.ts";

import { rig } from "./rig.ts";

const machine = setup({ actors: { work: fromPromise(async ({ input }) => input) } }).createMachine({
  id: "toy",
  context: { secret: "in the context" },
  initial: "idle",
  states: {
    idle: { on: { begin: "busy" } },
    busy: { invoke: { id: "job", src: "work", input: "in the input", onDone: "ready" } },
    ready: { type: "final", output: "in the output" },
  },
  output: "in the output",
});

function stage() {
  const logged: string[] = [];
  const inspection = new Inspection({
    clock: new SimulatedClock(),
    logger: lineLogger((line) => logged.push(line)),
  });
  const seen: InspectionFrame[] = [];
  const toy = (actorId = "box/toy") => {
    const actor = createActor(machine);
    enrolAwake(inspection, actorId, actor as never);
    actor.start();
    return actor;
  };
  const words = (): readonly unknown[] =>
    seen.map((frame) => {
      const what = frame.kind === "event" ? frame.event : frame.state.value;
      return [frame.kind, frame.actorId, what];
    });
  return { inspection, seen, toy, words, logged, watch: () => inspection.watch((frame) => seen.push(frame)) };
}

describe("Inspection", () => {
  it("I1 observes no actor while nobody watches", () => {
    const { inspection, toy, seen, watch } = stage();
    const actor = toy();
    let observers = 0;
    const { system } = actor;
    const { inspect } = system;
    system.inspect = (observer) => {
      observers += 1;
      const subscription = inspect(observer);
      return { unsubscribe: () => ((observers -= 1), subscription.unsubscribe()) };
    };
    expect(observers).toBe(0);
    const [stop, stopToo] = [watch(), watch()];
    expect(observers).toBe(1);
    stop();
    expect(observers).toBe(1);
    stopToo();
    expect(observers).toBe(0);
    actor.send({ type: "begin" });
    expect(seen).toEqual([]);
    expect(inspection.actors()).toMatchObject([{ actorId: "box/toy", state: { value: "busy" } }]);
  });

  it("shows what is there, and then events, states and effects as they come", async () => {
    const { inspection, toy, words, watch } = stage();
    const actor = toy();
    expect(inspection.actors()).toMatchObject([
      {
        kind: "actor",
        actorId: "box/toy",
        parentId: null,
        machine: "residency",
        state: { status: "active", value: "idle" },
      },
    ]);
    watch();
    actor.send({ type: "begin" });
    await Promise.resolve();
    await Promise.resolve();
    expect(words()).toEqual(
      expect.arrayContaining([
        ["event", "box/toy", "begin"],
        ["actor", "box/toy#job", null],
        ["snapshot", "box/toy", "busy"],
        ["event", "box/toy", "xstate.done.actor.job"],
        ["snapshot", "box/toy", "ready"],
      ]),
    );
  });

  it("I2 shows no context, input, output or text", async () => {
    const { toy, seen, watch } = stage();
    watch();
    const actor = toy();
    actor.send({ type: "begin", text: "in the event" } as never);
    await Promise.resolve();
    await Promise.resolve();
    expect(actor.getSnapshot().status).toBe("done");
    expect(seen.length).toBeGreaterThan(5);
    expect(JSON.stringify(seen)).not.toContain("in the");
  });

  it("I3 does nothing to an actor when a watcher fails, and says so once", () => {
    const { inspection, toy, logged } = stage();
    inspection.watch(() => {
      throw new Error("a defect of the watcher");
    });
    const actor = toy();
    actor.send({ type: "begin" });
    expect(actor.getSnapshot().value).toBe("busy");
    actor.send({ type: "begin" });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain("a defect of the watcher");
  });

  it("knows every machine, with its config as text", () => {
    const { inspection } = stage();
    const machines = inspection.machines();
    expect(machines.map((each) => each.machine)).toEqual(["agent", "residency"]);
    for (const { config, version } of machines) {
      expect(Object.keys(JSON.parse(config).states).length).toBeGreaterThan(3);
      expect(version).toBeGreaterThan(0);
    }
  });

  it("is nothing to hosts that nobody can watch", () => {
    expect(() => enrolAwake(UNWATCHED, "a", createActor(machine) as never)).not.toThrow();
    expect(standingOf({ status: "active", value: "idle" })).toEqual({ status: "active", value: "idle" });
  });
});

describe("a runtime that is watched", () => {
  it("I4 shows a task from its spawn to its end under one id, and holds nothing of it afterwards", async () => {
    const { runtime, api, clock } = rig({ reply: () => [wait(20), say("a text that nobody is shown")] });
    const seen: InspectionFrame[] = [];
    const stop = runtime.inspection.watch((frame) => seen.push(frame));
    const { taskId } = await api.delegate({ goal: "a goal that nobody is shown" });
    await clock.advance(5_000);
    expect((await api.check(taskId)).state).toBe("done");
    const mine = seen.filter(({ actorId }) => actorId === taskId);
    expect(mine[0]).toMatchObject({ kind: "actor", machine: "agent", parentId: null });
    const values = mine.flatMap((frame) => (frame.kind === "snapshot" ? [frame.state.value] : []));
    expect(values).toContainEqual({ running: "generating" });
    expect(values.at(-1)).toBe("done");
    expect(seen.some(({ actorId }) => actorId.startsWith(`${taskId}#`))).toBe(true);
    expect(JSON.stringify(seen)).not.toContain("nobody is shown");
    expect(runtime.inspection.actors()).toEqual([]);
    stop();
    await runtime.close();
  });

  it("I4 shows whom it finds waiting, and goes on when they wake", async () => {
    const { runtime, api, clock } = rig({ reply: () => [say("well")] });
    const session = await api.createSession();
    await clock.advance(60_000);
    const [found] = runtime.inspection.actors();
    expect(found).toMatchObject({ actorId: session.taskId, state: { value: { running: "waiting_input" } } });
    const seen: InspectionFrame[] = [];
    const stop = runtime.inspection.watch((frame) => seen.push(frame));
    await api.sendMessage(session.taskId, { text: "hello" });
    await clock.advance(5_000);
    expect(seen.some((frame) => frame.kind === "snapshot" && frame.actorId === session.taskId)).toBe(true);
    stop();
    await runtime.close();
    expect(runtime.inspection.actors()).toEqual([]);
  });
});
