// A gate hands out its units and no more.

import { describe, expect, it } from "vitest";
import { Gate } from "../../src/scheduler/gate.ts";
import type { QueueEntry } from "../../src/scheduler/queue.ts";

const entry = (rank: number): QueueEntry => ({
  rank,
  tie: 0,
  level: 0,
  group: "",
  heapIndex: -1,
  orderIndex: 0,
  orderEpoch: -1,
});

describe("Gate", () => {
  it("S1 gives nothing out at its limit, nor above it after the limit was lowered", () => {
    const gate = new Gate<string, QueueEntry>({ kind: "lease", limit: 2, levels: 1 });
    const waiting = [entry(1), entry(2), entry(3), entry(4)];
    for (const each of waiting) gate.queue.push(each);
    expect(gate.next()).toBe(waiting[0]);
    gate.hold("a");
    expect(gate.next()).toBe(waiting[1]);
    gate.hold("b");
    expect(gate.next()).toBeUndefined();

    gate.limit = 1;
    expect(gate.free("a")).toBe(true);
    expect(gate.next()).toBeUndefined();
    expect(gate.held).toBe(1);
    gate.free("b");
    expect(gate.next()).toBe(waiting[2]);
  });

  it("counts a holder once, however often it holds or frees", () => {
    const gate = new Gate<string, QueueEntry>({ kind: "slot", limit: 3, levels: 1 });
    gate.hold("a");
    gate.hold("a");
    gate.hold("b");
    expect([gate.held, gate.hasRoom, gate.holds("a")]).toEqual([2, true, true]);
    expect(gate.free("a")).toBe(true);
    expect(gate.free("a")).toBe(false);
    expect([...gate.holders()]).toEqual(["b"]);
  });

  it("is idle only without holders and without anybody waiting", () => {
    const gate = new Gate<string, QueueEntry>({ kind: "slot", limit: 0, levels: 1 });
    const waiting = entry(1);
    expect(gate.idle).toBe(true);
    gate.queue.push(waiting);
    expect(gate.idle).toBe(false);
    gate.queue.remove(waiting);
    gate.hold("a");
    expect(gate.idle).toBe(false);
  });

  it("gives nobody a unit while it is shut, and takes none back", () => {
    const gate = new Gate<string, QueueEntry>({ kind: "lease", limit: 2, levels: 1 });
    const waiting = entry(1);
    gate.hold("a");
    gate.queue.push(waiting);
    gate.shut = true;
    expect([gate.hasRoom, gate.next(), gate.holds("a")]).toEqual([false, undefined, true]);
    gate.shut = false;
    expect(gate.next()).toBe(waiting);
  });
});
