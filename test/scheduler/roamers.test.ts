import { describe, expect, it } from "vitest";
import type { GenerationSample } from "../../src/scheduler/scheduler.ts";
import { isNobody, SICK_MS } from "../../src/scheduler/roamers.ts";
import type { Lane } from "../../src/scheduler/state.ts";
import { Desk, sample } from "./desk.ts";

const EQUALS = { alternatives: [{ backend: "local" }, { backend: "other" }] };

function desk(): { desk: Desk; local: Lane } {
  const made = new Desk({ slots: 1, maxChildren: 1 });
  made.backend({ backend: "other", slots: 1, maxChildren: 1 });
  return { desk: made, local: made.state.backends.get("local")?.lanes.get("") as Lane };
}

describe("who waits and may run elsewhere", () => {
  it("stands in the books while it waits for the lane, as a new child or for a turn", () => {
    const { desk: at, local } = desk();
    for (const task of ["a", "b", "c"])
      at.admit(task, { ...EQUALS, ...(task === "b" && { backend: "other" }) });
    expect([...local.roamers.fresh.values()].map(({ size }) => size)).toEqual([1]);
    at.end("c");
    expect(isNobody(local.roamers)).toBe(true);
    at.session("s");
    at.ask("s", { class: "interactive" });
    at.run({ type: "observe", sample: { ...sample("a", "parent", 10), promptMs: 90, promptTokens: 9 } });
    at.ask("a");
    expect(local.roamers.turns.size).toBe(1);
    at.release("s");
    expect(isNobody(local.roamers)).toBe(true);
  });

  it("is nobody who waits for its parent, or has nowhere else to go", () => {
    const { desk: at, local } = desk();
    at.admit("a", { ...EQUALS, parentSlots: 1 });
    at.admit("b", { ...EQUALS, parentSlots: 1 });
    at.admit("c", { parentId: "q" });
    expect(isNobody(local.roamers)).toBe(true);
  });
});

describe("a generation", () => {
  const told = (changes: Partial<GenerationSample>): GenerationSample => ({
    ...sample("a", "parent", 10),
    ...changes,
  });

  it("tells what reading the whole conversation anew would take", () => {
    const { desk: at, local } = desk();
    at.admit("a", EQUALS);
    const readMs = (): number | undefined => at.state.tasks.get("a")?.readMs;
    at.run({ type: "observe", sample: told({ promptMs: 200, promptTokens: 100, outputTokens: 50 }) });
    expect(local.readTokenMs).toBe(2);
    expect(readMs()).toBe(300);
    // What is cached takes no time, and teaches nothing.
    at.run({ type: "observe", sample: told({ promptMs: 1, promptTokens: 400, outputTokens: 100 }) });
    expect(readMs()).toBe(1_000);
  });

  it("goes by the first token where the server tells no times, and by nothing where there was none", () => {
    const { desk: at, local } = desk();
    at.admit("a", EQUALS);
    at.run({ type: "observe", sample: told({ promptTokens: 0, firstTokenMs: 500 }) });
    expect(local.readTokenMs).toBe(0);
    at.admit("b", EQUALS);
    at.run({ type: "observe", sample: { ...told({ promptTokens: 100, firstTokenMs: 500 }), taskId: "b" } });
    expect(local.readTokenMs).toBe(0);
  });

  it.each(["busy", "oom", "timeout", "error"] as const)(
    "that ended as %s makes its lane sick for a while",
    (outcome) => {
      const { desk: at, local } = desk();
      at.now = 7;
      at.run({ type: "observe", sample: told({ outcome }) });
      expect(local.sickUntil).toBe(7 + SICK_MS);
      at.run({ type: "observe", sample: told({ outcome: "aborted" }) });
      expect(local.sickUntil).toBe(7 + SICK_MS);
      at.run({ type: "observe", sample: told({}) });
      expect(local.sickUntil).toBe(-Infinity);
    },
  );
});
