// The actor that sleeps: the real machine, effects that the test settles by hand, and a host that writes down what it
// is told.

import { createActor, fromPromise } from "xstate";
import { describe, expect, it } from "vitest";
import { SimulatedClock, settle } from "../../src/base/clock.ts";
import {
  agentMachine,
  type AgentInput,
  type AgentSnapshot,
  type PrepareOutput,
} from "../../machines/agent.ts";
import { say } from "../../providers/script.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { Dormitory } from "../../src/runtime/dormitory.ts";
import { UNWATCHED } from "../../src/runtime/inspection.ts";
import { TaskActor } from "../../src/runtime/task-actor.ts";
import { rig } from "./rig.ts";
import { specimen } from "../store/specimens.ts";

function bench(spec: TaskSpec = specimen("ses_1", { kind: "session" })) {
  const clock = new SimulatedClock();
  const prepared = Promise.withResolvers<PrepareOutput>();
  const seen: AgentSnapshot[] = [];
  const machine = agentMachine.provide({ actors: { prepare: fromPromise(() => prepared.promise) } });
  const actor = new TaskActor({
    spec,
    turn: { reroutes: [] },
    services: { machine, dormitory: new Dormitory(clock), inspection: UNWATCHED },
    follow: (snapshot) => seen.push(snapshot),
    show: () => {},
    defect: (error) => {
      throw error;
    },
  });
  const value = (): unknown => seen.at(-1)?.value;
  return { actor, clock, prepared, seen, value };
}

describe("TaskActor", () => {
  it("begins as an actor that is entered anew begins, whatever the task", () => {
    const limits = { ...DEFAULT_TASK_LIMITS, maxTurns: 7, retryOnFailure: true, retryLimit: 4 };
    const specs = [
      specimen("task_a"),
      specimen("ses_b", { kind: "session" }),
      specimen("task_c", { limits }),
    ];
    for (const spec of specs) {
      const input: AgentInput = {
        taskId: spec.id,
        kind: spec.kind,
        maxTurns: spec.limits.maxTurns,
        generationTries: 5,
        retryLimit: spec.limits.retryOnFailure ? spec.limits.retryLimit : 0,
      };
      const anew = createActor(agentMachine, { input }).start();
      const { actor, seen } = bench(spec);
      const event = { type: "children.changed", live: 1 } as const;
      anew.send(event);
      actor.send(event);
      expect(seen.at(-1)?.toJSON()).toEqual(anew.getSnapshot().toJSON());
    }
  });

  it("makes no actor before the first event", () => {
    const { actor, seen, value } = bench();
    expect(seen).toHaveLength(0);
    actor.send({ type: "admitted" });
    expect(value()).toEqual({ spawned: "starting" });
  });

  it("Z1 stays awake while an effect is in flight, whoever asks it to sleep", async () => {
    const { actor, clock, prepared, value } = bench();
    actor.send({ type: "admitted" });
    await clock.advance(10_000);
    actor.sleep();
    prepared.resolve({ outcome: "ready" });
    await settle();
    expect(value()).toEqual({ running: "waiting_input" });
  });

  it("Z2 wakes as it fell asleep, with what it knew, and goes on", async () => {
    const { actor, clock, prepared, seen, value } = bench();
    actor.send({ type: "mail.arrived", position: 3, interrupt: false, person: false });
    actor.send({ type: "admitted" });
    prepared.resolve({ outcome: "ready" });
    await settle();
    actor.send({ type: "stop" });
    expect(value()).toEqual({ running: "waiting_input" });
    const before = seen.at(-1)?.context;
    await clock.advance(10_000);
    const woken = seen.length;
    actor.send({ type: "children.changed", live: 2 });
    // The snapshot that it was woken from comes first, then the event.
    expect(seen[woken]?.value).toEqual({ running: "waiting_input" });
    expect(seen[woken]?.context).toEqual(before);
    expect(seen.at(-1)?.context).toEqual({ ...before, liveChildren: 2 });
    actor.send({ type: "mail.arrived", position: 4, interrupt: false, person: true });
    expect(value()).toEqual({ running: "waiting_slot" });
  });

  it("Z2 gives the store the same snapshot awake and asleep", async () => {
    const { actor, clock } = bench();
    actor.send({ type: "mail.arrived", position: 1, interrupt: false, person: true });
    const awake = structuredClone(actor.persist());
    await clock.advance(10_000);
    expect(actor.persist()).toEqual(awake);
  });

  it("Z3 drops what comes after its end, and after it was stopped", async () => {
    const ended = bench();
    ended.actor.send({ type: "cancel", reason: "enough" });
    expect(ended.seen.at(-1)?.status).toBe("done");
    const stopped = bench();
    stopped.actor.stop();
    for (const { actor, seen } of [ended, stopped]) {
      const told = seen.length;
      actor.send({ type: "admitted" });
      expect(seen).toHaveLength(told);
    }
  });

  it("Z2 lets a session answer after an hour of silence", async () => {
    const { api, clock, runtime } = rig({ reply: () => [say("Yes.")] });
    const { taskId } = await api.createSession();
    await clock.advance(3_600_000);
    await api.sendMessage(taskId, { text: "Are you there?" });
    await clock.advance(1_000);
    const { items } = await api.transcript(taskId);
    expect(items.at(-1)?.message.parts).toEqual([{ type: "text", text: "Yes." }]);
    expect((await api.check(taskId)).phase).toBe("waiting_input");
    await runtime.close();
  });
});
