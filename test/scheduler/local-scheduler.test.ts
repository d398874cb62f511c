// The shell: when signals come, in which order, which ones no longer do, and its one timer.

import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { Lease, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { admission, caps, subjectOf } from "./desk.ts";

interface Office {
  readonly clock: SimulatedClock;
  readonly scheduler: LocalScheduler;
  readonly signals: SchedulerSignal[];
  readonly leases: Map<string, Lease>;
  on: (signal: SchedulerSignal) => void;
}

function office(slots = 1, interactivePatienceMs = 5000): Office {
  const clock = new SimulatedClock();
  const signals: SchedulerSignal[] = [];
  const leases = new Map<string, Lease>();
  const opened: Office = {
    clock,
    signals,
    leases,
    on: () => {},
    scheduler: new LocalScheduler({
      clock,
      random: seededRandom(7),
      interactivePatienceMs,
      onSignal: (signal) => {
        signals.push(signal);
        if (signal.type === "granted") leases.set(signal.lease.taskId, signal.lease);
        opened.on(signal);
      },
    }),
  };
  opened.scheduler.setBackend(caps({ slots, maxChildren: 9 }));
  return opened;
}

const words = (signals: readonly SchedulerSignal[]): string[] =>
  signals.map((signal) => `${signal.type} ${subjectOf(signal)}`);

const microtasks = async (): Promise<void> => {
  for (let index = 0; index < 10; index++) await Promise.resolve();
};

describe("signals", () => {
  it("L1 come after the call that caused them, before any timer", async () => {
    const { scheduler, signals, clock } = office();
    scheduler.admit(admission("a"));
    scheduler.requestLease({ taskId: "a", class: "background" });
    expect(signals).toEqual([]);
    await microtasks();
    expect(words(signals)).toEqual(["admitted a", "granted a"]);
    expect([clock.monotonic(), clock.pending]).toEqual([0, 0]);
  });

  it("L2 keep their order when a handler calls the scheduler again", async () => {
    const opened = office(2);
    const { scheduler, signals } = opened;
    let inside = 0;
    opened.on = (signal) => {
      expect(inside++).toBe(0);
      if (signal.type === "admitted") scheduler.requestLease({ taskId: signal.taskId, class: "background" });
      inside--;
    };
    scheduler.admit(admission("a"));
    scheduler.admit(admission("b"));
    await microtasks();
    expect(words(signals)).toEqual(["admitted a", "admitted b", "granted a", "granted b"]);
  });

  it("L2 are all delivered when a handler throws, which is not hidden", async () => {
    const opened = office();
    const thrown: unknown[] = [];
    const catcher = (error: unknown): void => void thrown.push(error);
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", catcher);
    try {
      opened.on = (signal) => {
        if (signal.type === "admitted" && signal.taskId === "a") throw new Error("handler");
      };
      for (const taskId of ["a", "b", "c"]) opened.scheduler.admit(admission(taskId));
      await opened.clock.advance(0);
    } finally {
      process.off("uncaughtException", catcher);
      for (const other of others) process.on("uncaughtException", other);
    }
    expect(words(opened.signals)).toEqual(["admitted a", "admitted b", "admitted c"]);
    expect(thrown).toEqual([new Error("handler")]);
  });

  it("L3 of a task that ended meanwhile are not delivered, even if its id was admitted again", async () => {
    const { scheduler, signals } = office();
    scheduler.admit(admission("a"));
    scheduler.requestLease({ taskId: "a", class: "background" });
    scheduler.end("a");
    scheduler.admit(admission("a"));
    await microtasks();
    expect(words(signals)).toEqual(["admitted a"]);
    expect(scheduler.counts()).toEqual({ slots: 1, places: 1, leases: 0, waiting: 0 });
  });

  it("L3 of a lease that was let go before its owner heard that it must stop are not delivered", async () => {
    const { scheduler, signals, leases } = office(1, 0);
    scheduler.admit(admission("a"));
    scheduler.admit(admission("chat", { parentId: null, needsPlace: false }));
    scheduler.requestLease({ taskId: "a", class: "background" });
    await microtasks();
    scheduler.requestLease({ taskId: "chat", class: "interactive" });
    scheduler.release(leases.get("a")?.leaseId as string);
    await microtasks();
    expect(words(signals).slice(2)).toEqual(["granted a", "granted chat"]);
  });

  it("of a turn are not lost when the task moves before its owner heard of the grant", async () => {
    const { scheduler, signals, leases } = office();
    scheduler.setBackend(caps({ backend: "other" }));
    scheduler.admit(admission("a"));
    scheduler.requestLease({ taskId: "a", class: "background" });
    scheduler.move("a", { backend: "other" });
    await microtasks();
    expect(words(signals)).toEqual(["admitted a", "granted a"]);
    expect(leases.get("a")?.backend).toBe("other");
    expect(scheduler.counts()).toEqual({ slots: 1, places: 1, leases: 1, waiting: 0 });
  });

  it("hand the slot on without a timer when it becomes free", async () => {
    const { scheduler, signals, leases, clock } = office();
    for (const taskId of ["a", "b"]) {
      scheduler.admit(admission(taskId));
      scheduler.requestLease({ taskId, class: "background" });
    }
    await microtasks();
    scheduler.release(leases.get("a")?.leaseId as string);
    await microtasks();
    expect(words(signals).at(-1)).toBe("granted b");
    expect(clock.monotonic()).toBe(0);
  });
});

describe("a grant that its owner was not told of", () => {
  it.each(["withdraw", "park"] as const)("is given back by %s, and the next gets it", async (way) => {
    const { scheduler, signals } = office();
    for (const taskId of ["a", "b"]) scheduler.admit(admission(taskId));
    await microtasks();
    scheduler.requestLease({ taskId: "a", class: "background" });
    scheduler.requestLease({ taskId: "b", class: "background" });
    scheduler[way]("a");
    await microtasks();
    expect(words(signals).slice(2)).toEqual(["granted b"]);
    expect(scheduler.counts().leases).toBe(1);
  });

  it("S2 is a held lease once it was told: then parking is refused", async () => {
    const { scheduler } = office();
    scheduler.admit(admission("a"));
    scheduler.requestLease({ taskId: "a", class: "background" });
    await microtasks();
    scheduler.withdraw("a");
    expect(scheduler.counts().leases).toBe(1);
    expect(() => scheduler.park("a")).toThrow(/release it first/);
  });
});

describe("lease ids", () => {
  it("have the form of other ids, differ within a box and between boxes, and repeat with the seed", async () => {
    const ids = async (seed: number): Promise<string[]> => {
      const found: string[] = [];
      const scheduler = new LocalScheduler({
        clock: new SimulatedClock(),
        random: seededRandom(seed),
        interactivePatienceMs: 0,
        onSignal: (signal) => signal.type === "granted" && found.push(signal.lease.leaseId),
      });
      scheduler.setBackend(caps({ slots: 2 }));
      for (const taskId of ["a", "b"]) {
        scheduler.admit(admission(taskId));
        scheduler.requestLease({ taskId, class: "background" });
      }
      await microtasks();
      return found;
    };
    const [first, again, other] = [await ids(1), await ids(1), await ids(2)];
    for (const id of first) expect(id).toMatch(/^lease_[0-9a-f]{32}$/);
    expect(again).toEqual(first);
    expect(new Set([...first, ...other]).size).toBe(4);
  });
});

describe("the timer", () => {
  it("fires when patience ends, and is not armed while nobody waits", async () => {
    const { scheduler, signals, leases, clock } = office();
    scheduler.admit(admission("a"));
    scheduler.admit(admission("chat", { parentId: null, needsPlace: false }));
    scheduler.requestLease({ taskId: "a", class: "background" });
    await microtasks();
    expect(clock.pending).toBe(0);
    scheduler.requestLease({ taskId: "chat", class: "interactive" });
    expect(clock.pending).toBe(1);
    await clock.advance(4999);
    expect(words(signals).at(-1)).toBe("granted a");
    await clock.advance(1);
    expect(signals.at(-1)).toEqual({
      type: "preempt",
      leaseId: leases.get("a")?.leaseId,
      taskId: "a",
      by: "chat",
    });
    expect(clock.pending).toBe(0);
  });

  it("is disarmed when the waiting turn is served, and by close", async () => {
    const { scheduler, signals, leases, clock } = office();
    scheduler.admit(admission("a"));
    scheduler.admit(admission("chat", { parentId: null, needsPlace: false }));
    scheduler.requestLease({ taskId: "a", class: "background" });
    await microtasks();
    scheduler.requestLease({ taskId: "chat", class: "interactive" });
    scheduler.release(leases.get("a")?.leaseId as string);
    expect(clock.pending).toBe(0);
    scheduler.requestLease({ taskId: "a", class: "interactive" });
    await microtasks();
    expect(clock.pending).toBe(1);
    scheduler.close();
    const told = signals.length;
    scheduler.release(leases.get("chat")?.leaseId as string);
    await clock.advance(60_000);
    expect([clock.pending, signals.length]).toEqual([0, told]);
  });

  it("asks the clock again when it fires early", async () => {
    const { scheduler, signals, clock } = office();
    const early = new SimulatedClock();
    const drifting = new LocalScheduler({
      clock: {
        now: () => early.now(),
        monotonic: () => early.monotonic(),
        after: (delayMs, callback) => early.after(delayMs * 0.9, callback),
      },
      random: seededRandom(1),
      interactivePatienceMs: 5000,
      onSignal: (signal) => signals.push(signal),
    });
    drifting.setBackend(caps());
    drifting.admit(admission("a"));
    drifting.admit(admission("chat", { parentId: null, needsPlace: false }));
    drifting.requestLease({ taskId: "a", class: "background" });
    drifting.requestLease({ taskId: "chat", class: "interactive" });
    await early.advance(4990);
    expect(words(signals)).not.toContain("preempt a");
    await early.advance(100);
    expect(words(signals).at(-1)).toBe("preempt a");
    scheduler.close();
    expect(clock.pending).toBe(0);
  });
});
