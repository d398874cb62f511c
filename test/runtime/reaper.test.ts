import { describe, expect, test } from "vitest";
import { hang, say } from "../../providers/script.ts";
import { settle, SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { lineLogger, silentLogger } from "../../src/base/log.ts";
import { leaksIn, Reaper, type Holder } from "../../src/runtime/reaper.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { Lease } from "../../src/scheduler/scheduler.ts";
import { admission, caps } from "../scheduler/desk.ts";
import { NOTHING_HELD, rig } from "./rig.ts";

/** A task that says that it owns these leases. */
function holder(owned: readonly string[] = [], rest: { ending?: boolean; parked?: boolean } = {}): Holder {
  return {
    ending: rest.ending ?? false,
    leases: { owns: (leaseId) => owned.includes(leaseId), parked: rest.parked ?? false },
  };
}

describe("leaksIn", () => {
  const held = (taskId: string, leaseId: string | null, place = true) => ({
    taskId,
    leaseId,
    place,
    slot: true,
  });

  test.each<[string, Holder | undefined, readonly string[]]>([
    ["a task that does not live here", undefined, ["task"]],
    ["a lease that its task has let go of", holder(["another"]), ["lease"]],
    ["a lease that its task holds or gives back", holder(["l"]), []],
    ["R2 whatever a task that ends still has", holder([], { ending: true, parked: true }), []],
  ])("%s", (_, found, what) => {
    expect(leaksIn([held("t", "l")], () => found).map((leak) => leak.what)).toEqual(what);
  });

  test("the place of a parked task, and of no other", () => {
    const parked = holder([], { parked: true });
    expect(leaksIn([held("t", null)], () => parked)).toEqual([{ taskId: "t", what: "place", leaseId: null }]);
    expect(leaksIn([held("t", null, false)], () => parked)).toEqual([]);
    expect(leaksIn([held("t", null)], () => holder())).toEqual([]);
  });
});

describe("Reaper", () => {
  async function make() {
    const leases = new Map<string, Lease>();
    const hosts = new Map<string, Holder>();
    const lines: string[] = [];
    const scheduler = new LocalScheduler({
      clock: new SimulatedClock(),
      random: seededRandom(1),
      interactivePatienceMs: 5_000,
      onSignal: (signal) => void (signal.type === "granted" && leases.set(signal.lease.taskId, signal.lease)),
    });
    scheduler.setBackend(caps({ slots: 1, maxChildren: 9 }));
    for (const taskId of ["a", "b"]) {
      scheduler.admit(admission(taskId));
      scheduler.requestLease({ taskId, class: "background" });
      hosts.set(taskId, holder());
    }
    await settle();
    const reaper = new Reaper({
      scheduler,
      logger: lineLogger((line) => lines.push(line)),
      holderOf: (taskId) => hosts.get(taskId),
    });
    return { leases, hosts, lines, scheduler, reaper };
  }

  test("R1 gives a lease back that two looks found, says so with its ids, and lets the next one in", async () => {
    const { leases, lines, scheduler, reaper } = await make();
    const leaseId = leases.get("a")?.leaseId;
    expect([reaper.look(), lines]).toEqual([[], []]);
    expect(reaper.look()).toEqual([{ taskId: "a", what: "lease", leaseId }]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^error: .*task="a" what="lease" lease="${leaseId}"`));
    await settle();
    expect([...leases.keys()]).toEqual(["a", "b"]);
    expect(scheduler.counts().leases).toBe(1);
  });

  test("R1 forgives what the second look does not find, and does not count two leases as one", async () => {
    const { leases, hosts, lines, scheduler, reaper } = await make();
    reaper.look();
    scheduler.release(leases.get("a")?.leaseId ?? "");
    await settle();
    // Now another task has a lease that its host knows nothing of yet.
    expect(reaper.look()).toEqual([]);
    hosts.set("b", holder([leases.get("b")?.leaseId ?? ""]));
    for (let look = 0; look < 5; look++) expect(reaper.look()).toEqual([]);
    expect(lines).toEqual([]);
  });

  test("gives everything back that is held for a task without a host, and the place of a parked one", async () => {
    const { leases, hosts, scheduler, reaper } = await make();
    hosts.delete("a");
    hosts.set("b", holder([leases.get("b")?.leaseId ?? ""], { parked: true }));
    scheduler.withdraw("b");
    reaper.look();
    expect(reaper.look().map(({ taskId, what }) => [taskId, what])).toEqual([
      ["a", "task"],
      ["b", "place"],
    ]);
    expect(scheduler.counts()).toEqual({ slots: 1, places: 0, leases: 0, waiting: 0 });
    expect([reaper.look(), reaper.look()]).toEqual([[], []]);
  });

  test("never parks a task that owns a lease, whatever else it says of itself", async () => {
    const { leases, hosts, scheduler } = await make();
    hosts.set("a", holder([leases.get("a")?.leaseId ?? ""], { parked: true }));
    hosts.set("b", holder());
    const reaper = new Reaper({ scheduler, logger: silentLogger, holderOf: (id) => hosts.get(id) });
    expect([reaper.look(), reaper.look()]).toEqual([[], []]);
  });
});

describe("the heartbeat", () => {
  test("reaps what a defect left behind, so that the next task gets it", async () => {
    const lines: string[] = [];
    const it = rig({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 1, local: true }],
      },
      logger: lineLogger((line) => lines.push(line), "error"),
      reply: () => [say("done")],
    });
    it.scheduler.admit({ ...admission("ghost"), backend: "gpu" });
    it.scheduler.requestLease({ taskId: "ghost", class: "background" });
    await settle();
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(20_000);
    expect((await it.api.check(taskId)).phase).toBe("queued");
    await it.clock.advance(21_000);
    expect((await it.api.check(taskId)).state).toBe("done");
    expect(lines).toEqual([expect.stringContaining('task="ghost" what="task"')]);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("leaves a task alone that holds its lease for an hour, and one that will not let go of it", async () => {
    const lines: string[] = [];
    const it = rig({
      settings: { cancelDeadlineMs: 300_000 },
      logger: lineLogger((line) => lines.push(line), "error"),
      reply: () => [hang()],
      toolsets: [],
    });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(600_000);
    expect([it.runtime.counts().leases, lines]).toEqual([1, []]);
    expect(it.runtime.reap()).toEqual([]);
    await it.api.cancel(taskId);
    await it.clock.advance(600_000);
    expect([it.runtime.counts(), lines]).toEqual([NOTHING_HELD, []]);
  });
});
