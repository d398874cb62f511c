import { describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { AgentEvent } from "../../machines/agent.ts";
import { Journal } from "../../src/runtime/journal.ts";
import { TargetHealth } from "../../src/runtime/target-health.ts";
import { TurnState } from "../../src/runtime/turn-state.ts";
import { WaitForecast } from "../../src/runtime/wait-forecast.ts";
import { firstRecord } from "../../src/store/commit.ts";
import { LeaseHolder, type LeaseHost } from "../../src/runtime/lease-holder.ts";
import { Mailbox } from "../../src/runtime/mailbox.ts";
import { WorkInFlight } from "../../src/runtime/work-in-flight.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import { desk, specOf, steer } from "./specimens.ts";
import { testSettings } from "./rig.ts";

/** A holder for `task_1` over the real scheduler with one slot, and a rival `task_2` for it. */
async function make() {
  const { clock, store, patience, claim } = await desk();
  const journal = new Journal({ store, patience, claim, onBroken: () => {} });
  const mailbox = new Mailbox({ store, patience, taskId: "task_1" });
  const sent: AgentEvent[] = [];
  const work = new WorkInFlight();
  const rivals: string[] = [];
  const scheduler = new LocalScheduler({
    clock,
    random: seededRandom(1),
    interactivePatienceMs: 5_000,
    onSignal: (signal) => {
      if (signal.type !== "granted") return;
      if (signal.lease.taskId === "task_1") return holder.granted(signal.lease);
      rivals.push(signal.lease.leaseId);
    },
  });
  scheduler.setBackend({
    backend: "gpu",
    provider: "gpu",
    gpu: null,
    slots: 1,
    maxChildren: 4,
    maxQueued: 9,
  });
  for (const taskId of ["task_1", "task_2"])
    scheduler.admit({
      taskId,
      parentId: null,
      parentSlots: 1,
      backend: "gpu",
      class: "background",
      needsPlace: true,
    });
  const host: LeaseHost & { ending: boolean } = {
    id: "task_1",
    spec: specOf(),
    turn: new TurnState(firstRecord(specOf())),
    ring: { line: () => {} },
    stored: () => null,
    services: {
      scheduler,
      residency: { profileOf: () => null, sizeOf: () => null, outages: { isAway: () => false } },
      clock,
      settings: testSettings({ cancelDeadlineMs: 1_000 }),
      isDraining: () => false,
      health: new TargetHealth(clock),
      forecast: new WaitForecast(),
      redact: (text) => text,
      logger: silentLogger,
    },
    journal,
    mailbox,
    ending: false,
    schedulingClass: "background",
    work,
    send: (event) => void sent.push(event),
  };
  const holder = new LeaseHolder(host);
  await settle();
  const events = async (): Promise<string[]> => {
    await journal.flush();
    return (await store.events({ after: 0, taskId: "task_1" })).map(({ type }) => type).slice(1);
  };
  return { clock, store, mailbox, sent, work, rivals, scheduler, host, holder, events };
}

describe("LeaseHolder", () => {
  test("asks, is granted, and gives back, each with its event", async () => {
    const it = await make();
    it.holder.request("normal");
    await settle();
    expect([it.sent, it.scheduler.counts().leases]).toEqual([[{ type: "lease.granted" }], 1]);
    it.holder.drop();
    it.holder.drop();
    expect([it.holder.held, it.scheduler.counts().leases]).toEqual([null, 0]);
    expect(await it.events()).toEqual(["lease.requested", "lease.granted", "lease.released"]);
  });

  test("S3 keeps the lease until the generation that used it has let go, and asks again only then", async () => {
    const it = await make();
    it.holder.request("normal");
    await settle();
    const generation = Promise.withResolvers<void>();
    void it.work.trackGeneration(generation.promise);
    it.holder.drop();
    it.holder.request("front");
    await settle();
    expect([it.scheduler.counts().leases, it.sent.length]).toEqual([1, 1]);
    generation.resolve();
    await settle();
    expect([it.scheduler.counts().leases, it.sent.length]).toEqual([1, 2]);
  });

  test("gives it back after the deadline when a generation never lets go, and not twice", async () => {
    const it = await make();
    it.holder.request("normal");
    await settle();
    const generation = Promise.withResolvers<void>();
    void it.work.trackGeneration(generation.promise);
    it.holder.drop();
    await it.clock.advance(1_000);
    expect(it.scheduler.counts().leases).toBe(0);
    it.scheduler.requestLease({ taskId: "task_2", class: "background" });
    await settle();
    generation.resolve();
    await settle();
    expect([it.rivals.length, it.scheduler.counts().leases, it.clock.pending]).toEqual([1, 1, 0]);
  });

  test("S2 gives its place back only once the lease is", async () => {
    const it = await make();
    it.holder.request("normal");
    await settle();
    const generation = Promise.withResolvers<void>();
    void it.work.trackGeneration(generation.promise);
    it.holder.drop();
    it.holder.park();
    expect(it.scheduler.counts().places).toBe(2);
    generation.resolve();
    await settle();
    expect(it.scheduler.counts()).toMatchObject({ places: 1, leases: 0 });
  });

  test("a grant that comes when it is no longer wanted goes back at once", async () => {
    const it = await make();
    it.scheduler.requestLease({ taskId: "task_2", class: "background" });
    await settle();
    it.holder.request("normal");
    it.holder.withdraw();
    it.scheduler.release(it.rivals[0] as string);
    await settle();
    expect([it.sent, it.scheduler.counts().leases, it.scheduler.counts().waiting]).toEqual([[], 0, 0]);
    it.holder.request("normal");
    it.host.ending = true;
    await settle();
    expect([it.sent, it.scheduler.counts().leases]).toEqual([[], 0]);
  });

  test("a turn that a person waits for goes first, and one that resumes before the rest", async () => {
    const it = await make();
    it.scheduler.requestLease({ taskId: "task_2", class: "background" });
    await settle();
    const waitsAs = (): string | undefined =>
      it.scheduler.lanes()[0]?.waiting.find(({ taskId }) => taskId === "task_1")?.class;
    it.holder.request("resuming");
    expect(waitsAs()).toBe("resuming");
    it.holder.hurry();
    expect(waitsAs()).toBe("interactive");
    it.holder.withdraw();
    it.holder.request("normal");
    expect(waitsAs()).toBe("background");
    it.holder.withdraw();
    await it.store.send("task_1", steer("s"));
    await it.mailbox.read(() => {});
    it.holder.request("normal");
    expect(waitsAs()).toBe("interactive");
  });

  test("forgets everything at the end of its task: nothing that comes later acts", async () => {
    const it = await make();
    it.holder.request("normal");
    await settle();
    it.holder.forget();
    it.scheduler.end("task_1");
    it.holder.drop();
    await settle();
    expect(it.scheduler.counts()).toMatchObject({ leases: 0, places: 1, waiting: 0 });
  });

  test("owns what it holds and what it gives back, and is parked once its place is gone", async () => {
    const it = await make();
    it.holder.request("normal");
    await settle();
    const { leaseId } = it.holder.held as { leaseId: string };
    const generation = Promise.withResolvers<void>();
    void it.work.trackGeneration(generation.promise);
    expect([it.holder.owns(leaseId), it.holder.owns("lease_other"), it.holder.parked]).toEqual([
      true,
      false,
      false,
    ]);
    it.holder.drop();
    it.holder.park();
    expect([it.holder.owns(leaseId), it.holder.parked]).toEqual([true, false]);
    generation.resolve();
    await settle();
    expect([it.holder.owns(leaseId), it.holder.parked]).toEqual([false, true]);
    it.holder.request("normal");
    expect(it.holder.parked).toBe(false);
  });
});
