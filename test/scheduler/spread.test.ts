import { describe, expect, it } from "vitest";
import { Desk, sample, thrownBy } from "./desk.ts";
import type { AdmitRequest, BackendCaps } from "../../src/scheduler/scheduler.ts";
import { SICK_MS } from "../../src/scheduler/roamers.ts";

const PROFILE = "m@1";
const SWAP_MS = 8_000;

/** `local` and `other`, which serve alike; what is managed there loads at our command. */
function desk(changes: Partial<BackendCaps> = {}): Desk {
  const made = new Desk({ slots: 1, maxChildren: 1, ...changes });
  made.backend({ backend: "other", gpu: "gpu1", slots: 1, maxChildren: 1, ...changes });
  return made;
}

const EQUALS = { alternatives: [{ backend: "other" }] } as const;
const LOADED: Partial<AdmitRequest> = {
  profile: PROFILE,
  alternatives: [{ backend: "other", profile: PROFILE }],
};
const MANAGED = { residency: { vramBytes: null } };

function arrives(at: Desk, backend: string, profile = PROFILE): string[] {
  return at.run({ type: "set_residency", report: { backend, profile, state: "resident" } });
}

/** A first turn on `local` that took so long to read. */
function generates(at: Desk, task: string, promptMs: number): void {
  at.ask(task);
  at.run({
    type: "observe",
    sample: { ...sample(task, "parent", 10), promptMs, promptTokens: 100, outputTokens: 0 },
  });
  at.release(task);
}

describe("a new child that waits for a place", () => {
  it("goes at once to an equal that has room, and is told before it is admitted", () => {
    const at = desk();
    at.admit("a", EQUALS);
    expect(at.admit("b", EQUALS)).toEqual(["moved b to other", "admitted b"]);
    expect(at.admit("c", EQUALS)).toEqual([]);
    expect(at.end("b")).toEqual(["moved c to other", "admitted c"]);
  });

  it("stays where nobody said that another would do, and so does a session", () => {
    const at = desk({ maxChildren: 1 });
    at.admit("a");
    expect(at.admit("b")).toEqual([]);
    at.ask("a");
    at.admit("s", { ...EQUALS, parentId: null, needsPlace: false, class: "interactive" });
    expect(at.ask("s", { class: "interactive" })).toEqual([]);
  });

  it("does not pass those who wait there, nor its own parent's cap", () => {
    const at = desk();
    at.admit("there", { backend: "other" });
    at.admit("waits", { backend: "other" });
    at.admit("a", EQUALS);
    at.admit("b", EQUALS);
    expect(at.end("there")).toEqual(["admitted waits"]);
    expect(at.end("waits")).toEqual(["moved b to other", "admitted b"]);
    const one = { ...EQUALS, parentId: "strict", parentSlots: 1 };
    at.admit("c", one);
    at.admit("d", one);
    expect(at.end("b")).toEqual(["moved c to other", "admitted c"]);
    expect(at.position("d")).toBe(1);
  });

  it("does not go to a server that is known to be away, however long, and goes when it is back (E4)", () => {
    const at = desk();
    at.admit("a", EQUALS);
    expect(at.run({ type: "set_away", backend: "other", away: true })).toEqual([]);
    expect(at.admit("b", EQUALS)).toEqual([]);
    expect(at.after(10 * SICK_MS)).toEqual([]);
    expect(at.run({ type: "set_away", backend: "nobody", away: false })).toEqual([]);
    expect(at.run({ type: "set_away", backend: "other", away: false })).toEqual([
      "moved b to other",
      "admitted b",
    ]);
  });

  it("goes nowhere while the box is paused, and where it may when it goes on", () => {
    const at = desk();
    at.admit("a", EQUALS);
    at.run({ type: "pause", paused: true });
    expect(at.admit("b", EQUALS)).toEqual([]);
    expect(at.run({ type: "pause", paused: false })).toEqual(["moved b to other", "admitted b"]);
  });

  it("is of the parent that has had least, on both lanes together (F3)", () => {
    const at = desk();
    at.admit("a", { ...EQUALS, parentId: "p" });
    at.admit("b", { ...EQUALS, parentId: "p" });
    for (const nth of [1, 2, 3, 4]) {
      at.admit(`p${nth}`, { ...EQUALS, parentId: "p" });
      at.admit(`q${nth}`, { ...EQUALS, parentId: "q" });
    }
    const order: string[] = [];
    const costMs = (task: string): number => (task.startsWith("q") ? 2_000 : 1_000);
    for (let on = "b"; order.length < 6; order.push(on)) {
      const parent = on.startsWith("q") ? "q" : "p";
      at.run({ type: "observe", sample: { ...sample(on, parent, costMs(on)), backend: "other" } });
      on = at.end(on)[0]?.split(" ")[1] as string;
    }
    // A child of q costs as much as two of p; that p had b first does not count against q, which came later.
    expect(order).toEqual(["p1", "q1", "p2", "p3", "q2", "p4"]);
  });

  it("waits as long as loading takes before it goes to where its model is not, unless others work there", () => {
    const at = desk(MANAGED);
    arrives(at, "local");
    at.admit("a", LOADED);
    expect(at.admit("b", LOADED)).toEqual([]);
    expect(at.after(SWAP_MS - 1)).toEqual([]);
    expect(at.after(1)).toEqual(["moved b to other", "admitted b"]);
    expect(at.ask("b")).toEqual([`load ${PROFILE}`]);
  });

  it("does not go to where its model would swap out one in use", () => {
    const at = desk(MANAGED);
    arrives(at, "local");
    arrives(at, "other", "busy@1");
    at.admit("worker", { backend: "other", profile: "busy@1" });
    at.admit("a", LOADED);
    at.admit("b", LOADED);
    expect(at.after(10 * SWAP_MS)).toEqual([]);
    expect(at.end("worker")).toEqual(["moved b to other", "admitted b"]);
  });

  it("prefers where its model is loaded: it leaves one that would have to load it before that begins", () => {
    const at = desk(MANAGED);
    arrives(at, "other");
    at.admit("a", LOADED);
    expect(at.ask("a")).toEqual(["moved a to other", "granted a"]);
  });

  it("does not go to where a generation has failed lately, nor to where its model cannot be had", () => {
    const at = desk();
    at.run({ type: "observe", sample: { ...sample("x", null, 1), backend: "other", outcome: "error" } });
    at.admit("a", EQUALS);
    expect(at.admit("b", EQUALS)).toEqual([]);
    expect(at.after(SICK_MS - 1)).toEqual([]);
    expect(at.after(1)).toEqual(["moved b to other", "admitted b"]);
    const gone = desk(MANAGED);
    arrives(gone, "local");
    const report = { backend: "other", profile: PROFILE, state: "absent", passing: true } as const;
    gone.run({ type: "set_residency", report });
    gone.admit("a", LOADED);
    gone.admit("b", LOADED);
    expect(gone.after(100 * SWAP_MS)).toEqual([]);
  });
});

describe("a turn that waits", () => {
  it("goes to an idle equal once it has waited as long as reading its prompt anew takes", () => {
    const at = desk({ maxChildren: 2 });
    at.admit("a", EQUALS);
    at.admit("b", EQUALS);
    generates(at, "a", 900);
    generates(at, "b", 900);
    at.ask("a");
    expect(at.ask("b")).toEqual([]);
    expect(at.after(899)).toEqual([]);
    expect(at.after(1)).toEqual(["moved b to other", "granted b"]);
  });

  it("stays where it is when its turn comes before that", () => {
    const at = desk({ maxChildren: 2 });
    at.admit("a", EQUALS);
    at.admit("b", EQUALS);
    generates(at, "a", 900);
    generates(at, "b", 900);
    at.ask("a");
    at.ask("b");
    at.after(500);
    expect(at.release("a")).toEqual(["granted b"]);
  });

  it("takes no slot from a child there that runs a tool", () => {
    const at = desk({ maxChildren: 2 });
    at.admit("there", { backend: "other" });
    generates(at, "there", 10);
    at.admit("a", EQUALS);
    at.admit("b", EQUALS);
    at.ask("a");
    at.ask("b");
    expect(at.after(60_000)).toEqual([]);
    expect(at.end("there")).toEqual(["moved b to other", "granted b"]);
  });

  it("goes at once when it has no prompt yet, or comes back parked to a full lane", () => {
    const at = desk({ maxChildren: 2 });
    at.admit("a", EQUALS);
    at.admit("b", EQUALS);
    at.ask("a");
    expect(at.ask("b")).toEqual(["moved b to other", "granted b"]);
    const full = desk();
    full.admit("a", EQUALS);
    full.park("a");
    full.admit("b");
    expect(full.ask("a")).toEqual(["moved a to other", "granted a"]);
  });
});

describe("a task that was sent elsewhere", () => {
  it("comes back by the same rule, and does not go to and fro", () => {
    const at = desk({ maxChildren: 2 });
    at.admit("a", EQUALS);
    at.admit("b", EQUALS);
    at.ask("a");
    at.ask("b");
    at.release("b");
    at.admit("there", { backend: "other" });
    at.ask("there", { class: "interactive" });
    at.run({
      type: "observe",
      sample: { ...sample("b", "parent", 1), backend: "other", promptMs: 50, promptTokens: 1 },
    });
    at.end("a");
    expect(at.ask("b")).toEqual([]);
    expect(at.after(99)).toEqual([]);
    expect(at.after(1)).toEqual(["moved b to local", "granted b"]);
  });

  it("keeps to where somebody who decides sends it, and to the alternatives of there", () => {
    const at = desk();
    at.backend({ backend: "third" });
    at.admit("a", EQUALS);
    at.admit("b", { backend: "other" });
    at.admit("c", EQUALS);
    const to = { backend: "other", alternatives: [{ backend: "third" }] };
    expect(at.run({ type: "move", taskId: "c", to })).toEqual(["moved c to third", "admitted c"]);
  });

  it("is refused an alternative that is not there, before anything is changed", () => {
    const at = desk();
    const asked = { alternatives: [{ backend: "nowhere" }] };
    expect(thrownBy(() => at.admit("a", asked)).code).toBe("unknown_backend");
    expect(at.state.tasks.size).toBe(0);
    at.admit("a");
    const to = { backend: "other", ...asked };
    expect(thrownBy(() => at.run({ type: "move", taskId: "a", to })).code).toBe("unknown_backend");
  });
});
