// Runs that begin again by themselves: with a pause that differs from task to task, and not for ever.

import { describe, expect, test } from "vitest";
import type { EffectFailure } from "../../machines/agent.ts";
import { call, fail, failWith, finish, say } from "../../providers/script.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import type { NewEvent, StoredEvent } from "../../src/core/event.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import type { Reroute, TaskSpec } from "../../src/core/task.ts";
import { furtherRunsOf, judged, type FailedTry } from "../../src/runtime/failed-run.ts";
import { GENERATION_TRIES } from "../../src/runtime/generation.ts";
import { RestartIntensity } from "../../src/runtime/restart-intensity.ts";
import { agentNamed, rig, type Rig } from "./rig.ts";
import { specOf } from "./specimens.ts";

const RETRYING = { ...DEFAULT_TASK_LIMITS, retryOnFailure: true, retryLimit: 5 };

const PLACE = { provider: "gpu", model: "m", backend: "gpu" };

const failure = { code: "x", message: "Broken.", retryable: true };
const failed = { outcome: "failed", failure, transient: false, retryInMs: 0 } as const;

function desk(failures = 1, spec: Partial<TaskSpec> = {}) {
  const events: NewEvent[] = [];
  const restarts = new RestartIntensity(new SimulatedClock(), { failures, periodMs: 60_000 });
  const host = {
    spec: specOf({ limits: RETRYING, ...spec }),
    turn: { reroutes: [] as readonly Reroute[] },
    services: { random: seededRandom(1), restarts },
    journal: { event: (...news: readonly NewEvent[]) => void events.push(...news) },
  };
  return { events, host };
}

describe("judged", () => {
  test.each<{
    readonly what: string;
    readonly spec?: Partial<TaskSpec>;
    readonly rest?: Partial<EffectFailure>;
    readonly at?: FailedTry;
  }>([
    { what: "a session, which has one run", spec: { kind: "session" } },
    { what: "a task that is not to run again", spec: { limits: DEFAULT_TASK_LIMITS } },
    { what: "the last run", at: { run: 6, tries: 0 } },
    { what: "what no other run would mend", rest: { failure: { ...failure, retryable: false } } },
    {
      what: "a try that is made again in its run",
      rest: { transient: true },
      at: { run: 1, tries: GENERATION_TRIES - 2 },
    },
    {
      what: "a try that others held up",
      rest: { transient: true, heldUp: true },
      at: { run: 1, tries: GENERATION_TRIES - 1 },
    },
  ])("leaves alone and does not count $what", ({ spec, rest, at }) => {
    const { host, events } = desk(1, spec);
    const given = { ...failed, ...rest };
    for (let time = 0; time < 5; time++) expect(judged(host, given, at ?? { run: 1, tries: 0 })).toBe(given);
    expect(events).toEqual([]);
  });

  test("counts the run of a stronger model beside the retries", () => {
    const reroutes = [{ from: PLACE, to: PLACE, code: "empty_answer", reason: "", time: 0, costMicros: 0 }];
    const { host } = desk(1);
    const stronger = { ...host, turn: { reroutes } };
    const judge = (run: number) => judged(stronger, failed, { run, tries: 0 });
    expect([judge(7), judge(6)].map(({ retryInMs }) => retryInMs > 0)).toEqual([false, true]);
    expect([furtherRunsOf(host), furtherRunsOf(stronger)]).toEqual([5, 6]);
  });

  test("counts the last try of a generation", () => {
    const { host } = desk(1);
    const given = { ...failed, transient: true };
    const at = { run: 1, tries: GENERATION_TRIES - 1 };
    expect([judged(host, given, at), judged(host, given, at)].map((each) => each.failure.retryable)).toEqual([
      true,
      false,
    ]);
  });

  test("pauses before each run, longer each time and spread, and never shorter than the server asked", () => {
    const { host } = desk(99);
    const pauses = [1, 2, 3, 4, 5].map((run) => judged(host, failed, { run, tries: 0 }).retryInMs);
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThan(1_000 * 2 ** index);
      expect(pause).toBeLessThan(1_100 * 2 ** index);
    }
    expect(judged(host, { ...failed, retryInMs: 40_000 }, { run: 1, tries: 0 }).retryInMs).toBe(40_000);
  });

  test("I20 makes the failure final, says why and what to do, and escalates once", () => {
    const { host, events } = desk(1);
    const said = [1, 2, 3].map(() => judged(host, failed, { run: 1, tries: 0 }).failure);
    expect(said.map(({ retryable }) => retryable)).toEqual([true, false, false]);
    expect(said[1]?.message).toBe(
      "Broken. No further run is begun: runs of the agent child failed more than 1 times within 60 s " +
        "(delegation.restart_intensity). Mend the cause and wait 60 s, then delegate it again.",
    );
    expect(events).toEqual([
      { type: "agent.escalated", data: { agent: "child", failures: 2, periodMs: 60_000 } },
    ]);
  });
});

async function eventsOf({ store }: Rig, type: string): Promise<readonly StoredEvent[]> {
  return (await store.events({ after: 0, limit: 100_000 })).filter((event) => event.type === type);
}

const ROOMY = [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 99, maxChildren: 99, local: true }];

describe("tasks of one agent that fail again and again", () => {
  const settings = {
    backends: ROOMY,
    restartIntensity: { failures: 4, periodMs: 60_000 },
    limits: RETRYING,
    agents: [agentNamed("digger"), agentNamed("painter")],
  };

  test("I20 are begun again as often as the limit says over all of them, then end, and one escalation is told", async () => {
    const it = rig({ settings, reply: () => [finish("length")] });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++)
      ids.push((await it.api.delegate({ goal: `dig ${n}`, agent: "digger" })).taskId);
    await it.clock.advance(50_000);
    const ends = await Promise.all(ids.map((id) => it.api.collect(id, { timeoutMs: 0 })));
    expect(ends.map(({ failure }) => failure?.code)).toEqual([
      "empty_answer",
      "empty_answer",
      "empty_answer",
    ]);
    for (const { failure } of ends) expect(failure?.message).toContain("delegation.restart_intensity");
    expect(await eventsOf(it, "run.started")).toHaveLength(4);
    const told = await eventsOf(it, "agent.escalated");
    expect(told.map(({ data }) => data)).toEqual([{ agent: "digger", failures: 5, periodMs: 60_000 }]);
    expect(ids).toContain(told[0]?.taskId);
  });

  test("I20 leave the tasks of another agent their runs, and get theirs back when it was quiet for a while", async () => {
    let broken = true;
    const it = rig({ settings, reply: () => (broken ? [finish("length")] : [say("done")]) });
    await Promise.all([1, 2, 3].map((n) => it.api.delegate({ goal: `dig ${n}`, agent: "digger" })));
    await it.clock.advance(50_000);
    const stateOf = async (agent: string) => {
      broken = true;
      const { taskId } = await it.api.delegate({ goal: "go", agent });
      await it.clock.advance(100);
      broken = false;
      await it.clock.advance(10_000);
      return (await it.api.check(taskId)).state;
    };
    expect(await stateOf("painter")).toBe("done");
    expect(await stateOf("digger")).toBe("failed");
    await it.clock.advance(60_000);
    expect(await stateOf("digger")).toBe("done");
    expect(await eventsOf(it, "agent.escalated")).toHaveLength(1);
  });

  test("a run that its tools ended pauses before the next", async () => {
    let asked = 0;
    const it = rig({ settings, reply: () => (++asked <= 3 ? [call("nothing", {})] : [say("done")]) });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(900);
    expect(await it.api.check(taskId)).toMatchObject({ phase: "backing_off", run: 2 });
    await it.clock.advance(300);
    expect((await it.api.check(taskId)).state).toBe("done");
  });
});

const SLOW_DOWN = new ProviderError({ kind: "rate_limited", code: "slow_down" }, "Wait.", {
  retryAfterMs: 10_000,
});

describe("simultaneous failures", () => {
  test.each([
    {
      what: "tries of a generation",
      reply: () => [fail("overloaded", "busy", "Busy.")],
      type: "generation.retried",
      widthMs: 100,
    },
    {
      what: "tries that the server told to wait",
      reply: () => [failWith(SLOW_DOWN)],
      type: "generation.retried",
      widthMs: 1_000,
    },
    { what: "whole runs", reply: () => [finish("length")], type: "run.failed", widthMs: 100 },
  ])("are not made good all at once: $what", async ({ reply, type, widthMs }) => {
    const it = rig({
      settings: { backends: ROOMY, limits: RETRYING, restartIntensity: { failures: 999, periodMs: 60_000 } },
      reply,
    });
    for (let n = 0; n < 99; n++) await it.api.delegate({ goal: `dig ${n}` });
    await it.clock.advance(50);
    const pauses = (await eventsOf(it, type)).map(({ data }) => (data as { retryInMs: number }).retryInMs);
    expect(pauses).toHaveLength(99);
    const [least, most] = [Math.min(...pauses), Math.max(...pauses)];
    expect(most - least).toBeGreaterThan(0.8 * widthMs);
    expect(most - least).toBeLessThanOrEqual(widthMs);
    expect(new Set(pauses).size).toBeGreaterThan(20);
  });
});
