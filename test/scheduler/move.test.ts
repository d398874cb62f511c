import { describe, expect, it } from "vitest";
import { Desk, thrownBy } from "./desk.ts";

/** Two backends with one slot and one place each. */
function desk(): Desk {
  const made = new Desk({ maxChildren: 1 });
  made.backend({ backend: "cloud", gpu: null, maxChildren: 1 });
  return made;
}

describe("a move", () => {
  it("gives the place and what it waits for back, and gets both where it goes, ahead of new children", () => {
    const at = desk();
    expect(at.admit("a")).toEqual(["admitted a"]);
    expect(at.admit("b")).toEqual([]);
    expect(at.admit("c", { backend: "cloud" })).toEqual(["admitted c"]);
    expect(at.admit("d", { backend: "cloud" })).toEqual([]);
    at.ask("a");
    at.release("a");
    at.ask("c");
    expect(at.move("a", "cloud")).toEqual(["admitted b"]);
    expect(at.ask("a")).toEqual([]);
    at.release("c");
    expect(at.end("c")).toEqual(["granted a"]);
    expect(at.position("d")).toBe(1);
  });

  it("V1 keeps its child slot: no sibling comes in between", () => {
    const at = desk();
    const one = { parentSlots: 1 };
    at.admit("a", one);
    expect(at.admit("sibling", one)).toEqual([]);
    expect(at.move("a", "cloud")).toEqual([]);
    expect(at.position("sibling")).toBe(1);
    expect(at.ask("a")).toEqual(["granted a"]);
    expect(at.end("a")).toEqual(["admitted sibling"]);
  });

  it("V2 takes a turn that waits along", () => {
    const at = desk();
    at.admit("a");
    at.admit("s", { parentId: null, needsPlace: false, class: "interactive" });
    at.ask("s", { class: "interactive" });
    expect(at.ask("a")).toEqual([]);
    expect(at.move("a", "cloud")).toEqual(["granted a"]);
    expect(at.position("a")).toBeUndefined();
  });

  it("V2 takes an admission that waits along", () => {
    const at = desk();
    at.admit("a");
    at.admit("b");
    expect(at.move("b", "cloud")).toEqual(["admitted b"]);
    expect(at.end("a")).toEqual([]);
  });

  it("goes to another profile of the same backend too", () => {
    const at = desk();
    at.admit("a", { profile: "small@1" });
    at.admit("b", { profile: "small@1" });
    expect(at.move("b", "local", "big@1")).toEqual(["admitted b"]);
  });

  it("takes a session along, which has no place, and leaves nothing behind", () => {
    const at = desk();
    at.session("s");
    at.move("s", "cloud");
    at.admit("a", { backend: "cloud" });
    expect(at.ask("s", { class: "interactive" })).toEqual(["granted s"]);
    at.end("s");
    at.end("a");
    for (const backend of at.state.backends.values())
      for (const { doors, places, leases } of backend.lanes.values())
        expect([doors.held, places.held, leases.held]).toEqual([0, 0, 0]);
  });

  it("does nothing where the task is already, nor for one that is not known", () => {
    const at = desk();
    at.admit("a");
    at.ask("a");
    expect(at.move("a", "local")).toEqual([]);
    expect(at.move("nobody", "cloud")).toEqual([]);
  });

  it("V3 renews where else the task may run, also where it already is, and while it waits", () => {
    const at = desk();
    const elsewhere = { alternatives: [{ backend: "cloud" }] };
    at.admit("hog");
    at.admit("there", { backend: "cloud" });
    at.admit("gone", elsewhere);
    at.admit("comes");
    expect(at.move("gone", "local")).toEqual([]);
    expect(at.run({ type: "move", taskId: "comes", to: { backend: "local", ...elsewhere } })).toEqual([]);
    expect(at.end("there")).toEqual(["moved comes to cloud", "admitted comes"]);
    expect(at.end("comes")).toEqual([]);
    expect(at.end("hog")).toEqual(["admitted gone"]);
  });

  it("is refused with a lease in hand, and to a backend that is not there; nothing is changed", () => {
    const at = desk();
    at.admit("a");
    at.ask("a");
    expect(thrownBy(() => at.move("a", "cloud")).code).toBe("lease_held");
    at.release("a");
    expect(thrownBy(() => at.move("a", "nowhere")).code).toBe("unknown_backend");
    expect(at.ask("a")).toEqual(["granted a"]);
  });
});
