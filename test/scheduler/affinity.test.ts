// Which model is loaded and which goes, decision by decision. A swap is taken to cost 8 s until one was seen.

import { describe, expect, it } from "vitest";
import { nextWake } from "../../src/scheduler/patience.ts";
import { placeOf } from "../../src/scheduler/view.ts";
import { BOUND_SWAPS, FORCE_EVERY_MS, FORCED_STAY_MS, STAY_SWAPS } from "../../src/scheduler/affinity.ts";
import { Desk } from "./desk.ts";

const SWAP_MS = 8_000;
const LINGER_MS = 5_000;

/** Children `a1`, `a2` of profile `a`, which is resident, and so on for `b`; nothing is known of memory. */
function desk(vramBytes: number | null = 1): Desk {
  const made = new Desk({ residency: { vramBytes }, slots: 2, maxChildren: 9 });
  for (const profile of ["a", "b"]) {
    for (const child of ["1", "2"]) made.admit(profile + child, { profile, sizeBytes: 40 });
  }
  return made;
}

/** `a` has been loaded, and `a1` generates. */
function busy(vramBytes?: number | null): Desk {
  const made = desk(vramBytes);
  made.ask("a1");
  made.report("a", "resident");
  return made;
}

describe("a profile that turns wait for", () => {
  it("is loaded where nothing else is, once", () => {
    const made = desk();
    expect(made.ask("a1")).toEqual(["load a"]);
    expect(made.ask("a2")).toEqual([]);
    expect(made.report("a", "loading")).toEqual([]);
    expect(made.report("a", "resident")).toEqual(["granted a1", "granted a2"]);
  });

  it("waits while another one is in use, and takes its turn after so many swaps", () => {
    const made = busy();
    made.ask("b1");
    expect(placeOf(made.state, "b1")?.reason).toBe(
      "b is not loaded on gpu0: a is, with 1 generation in flight",
    );
    expect(nextWake(made.state)).toBe(BOUND_SWAPS * SWAP_MS);
    expect(made.after(BOUND_SWAPS * SWAP_MS - 1)).toEqual([]);
    expect(made.after(1)).toEqual([]);
    // It drains: what is under way ends, and nothing begins.
    expect(made.ask("a2")).toEqual([]);
    expect(placeOf(made.state, "a2")?.reason).toBe(
      "a is draining on gpu0 for b, with 1 generation in flight",
    );
    expect(made.release("a1")).toEqual(["unload a"]);
    expect(made.report("a", "absent")).toEqual(["load b"]);
    expect(made.report("b", "resident")).toEqual(["granted b1"]);
  });

  it("waits until the other has been there for some swaps, however long it has waited itself", () => {
    const made = desk();
    made.ask("a1");
    made.ask("b1");
    made.now = BOUND_SWAPS * SWAP_MS - 1;
    expect(made.report("a", "resident")).toEqual(["granted a1"]);
    expect(made.after(1)).toEqual([]);
    expect(nextWake(made.state)).toBe(BOUND_SWAPS * SWAP_MS - 1 + STAY_SWAPS * SWAP_MS);
  });

  it("gets the room at once when nobody of the other is expected back", () => {
    const made = busy();
    made.ask("b1");
    made.end("a2");
    expect(made.end("a1")).toEqual(["unload a"]);
  });

  it("leaves a tool its time", () => {
    const made = busy();
    made.ask("b1");
    made.release("a1");
    expect(nextWake(made.state)).toBe(LINGER_MS);
    expect(made.after(LINGER_MS - 1)).toEqual([]);
    expect(made.after(1)).toEqual(["unload a"]);
  });

  it("does not wait for those who wait for others themselves", () => {
    const made = busy();
    made.ask("b1");
    made.release("a1");
    made.park("a2");
    expect(made.park("a1")).toEqual(["unload a"]);
  });

  it("keeps nobody away when its turn is withdrawn", () => {
    const made = busy();
    made.ask("b1");
    made.after(BOUND_SWAPS * SWAP_MS);
    expect(made.ask("a2")).toEqual([]);
    expect(made.run({ type: "withdraw", taskId: "b1" })).toEqual(["granted a2"]);
    expect(made.release("a1")).toEqual([]);
  });
});

describe("a person's turn", () => {
  it("swaps out a profile in use, every half minute", () => {
    const made = busy();
    for (const task of ["b1", "b2"]) made.end(task);
    made.admit("chat", { parentId: null, needsPlace: false, profile: "b", class: "interactive" });
    made.now = 10;
    expect(made.ask("chat", { class: "interactive" })).toEqual([]);
    expect(made.release("a1")).toEqual(["unload a"]);
    made.ask("a1");
    made.report("a", "absent");
    expect(made.report("b", "resident")).toEqual(["granted chat"]);
    made.release("chat");
    expect(made.park("chat")).toEqual(["unload b"]);
    made.report("b", "absent");
    expect(made.report("a", "resident")).toEqual(["granted a1"]);
    made.ask("chat", { class: "interactive" });
    expect(made.ask("a2")).toEqual(["granted a2"]);
    expect(made.after(FORCE_EVERY_MS)).toEqual(["preempt a1 for chat", "preempt a2 for chat"]);
  });
});

describe("a model that a person had swapped out", () => {
  it("works for a while when it is back, however often the person asks", () => {
    const made = busy();
    for (const task of ["b1", "b2"]) made.end(task);
    made.admit("chat", { parentId: null, needsPlace: false, profile: "b", class: "interactive" });
    made.now = 10;
    made.ask("chat", { class: "interactive" });
    made.release("a1");
    made.ask("a1");
    made.report("a", "absent");
    made.report("b", "resident");
    // The person's answer takes as long as the half minute that must pass.
    made.after(FORCE_EVERY_MS);
    made.release("chat");
    made.park("chat");
    made.report("b", "absent");
    expect(made.report("a", "resident")).toEqual(["granted a1"]);
    made.ask("chat", { class: "interactive" });
    const back = made.now;
    expect(nextWake(made.state)).toBeLessThanOrEqual(back + FORCED_STAY_MS);
    expect(made.after(FORCED_STAY_MS - 1)).toEqual([]);
    expect(made.after(1)).toEqual(["preempt a1 for chat"]);
  });
});

describe("memory", () => {
  it("takes another profile beside the first while both fit by their sizes", () => {
    expect(busy(100).ask("b1")).toEqual(["load b"]);
    expect(busy(99).ask("b1")).toEqual([]);
  });

  it("is tried while the other rests where nobody knows, and both stay if the server keeps them", () => {
    const made = busy(null);
    made.ask("b1");
    made.after(BOUND_SWAPS * SWAP_MS);
    expect(made.release("a1")).toEqual(["load b"]);
    expect(made.ask("a1")).toEqual([]);
    expect(made.report("b", "resident")).toEqual(["granted b1", "granted a1"]);
    expect([made.ask("a2"), made.ask("b2")]).toEqual([["granted a2"], ["granted b2"]]);
  });

  it("is not tried again with what did not fit", () => {
    const made = busy(null);
    made.ask("b1");
    made.end("a2");
    expect(made.end("a1")).toEqual(["load b"]);
    made.report("a", "absent");
    made.report("b", "resident");
    for (const task of ["b1", "b2"]) made.end(task);
    made.admit("a3", { profile: "a" });
    expect(made.ask("a3")).toEqual(["unload b"]);
  });
});

describe("a load that fails", () => {
  it("is tried again later and later, and the turns know", () => {
    const made = desk();
    expect(made.ask("a1")).toEqual(["load a"]);
    expect(made.report("a", "absent")).toEqual([]);
    expect(placeOf(made.state, "a1")?.reason).toBe(
      "a could not be loaded on gpu0 in a try; it is tried again",
    );
    expect(made.after(4_999)).toEqual([]);
    expect(made.after(1)).toEqual(["load a"]);
    made.report("a", "absent");
    expect(placeOf(made.state, "a1")?.reason).toContain("2 tries");
    expect(made.after(9_999)).toEqual([]);
    expect(made.after(1)).toEqual(["load a"]);
  });

  it("lets the others go on meanwhile, and what rested for it too", () => {
    const made = busy(null);
    made.ask("b1");
    made.after(BOUND_SWAPS * SWAP_MS);
    made.release("a1");
    made.ask("a1");
    expect(made.report("b", "absent")).toEqual(["granted a1"]);
  });

  it("is the turns' own to hear of where the owner lets them pass", () => {
    const made = desk();
    made.ask("a1");
    expect(made.report("a", "absent", { passing: true })).toEqual(["granted a1"]);
    expect(made.ask("a2")).toEqual(["granted a2"]);
    made.end("a1");
    expect(made.report("a", "absent")).toEqual([]);
    expect(made.ask("b1")).toEqual(["load b"]);
  });
});

describe("several profiles", () => {
  it("load and unload one at a time, whoever waits longest first", () => {
    const made = desk();
    made.admit("c1", { profile: "c", sizeBytes: 40 });
    expect(made.ask("c1")).toEqual(["load c"]);
    made.now = 1;
    expect(made.ask("b1")).toEqual([]);
    made.now = 2;
    expect(made.ask("a1")).toEqual([]);
    expect(made.end("c1")).toEqual([]);
    expect(made.report("c", "resident")).toEqual(["unload c"]);
    expect(made.report("c", "absent")).toEqual(["load b"]);
  });

  it("come back by themselves when the server has let one go", () => {
    const made = busy();
    made.ask("a2");
    expect(made.report("a", "absent")).toEqual([]);
    expect(made.release("a1")).toEqual([]);
    expect(made.ask("a1")).toEqual(["load a"]);
  });
});
