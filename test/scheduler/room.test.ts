import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { checkRoom } from "../../src/scheduler/room.ts";
import type { AdmitRequest } from "../../src/scheduler/scheduler.ts";
import { counts } from "../../src/scheduler/view.ts";
import { admission, Desk } from "./desk.ts";

const NOBODY = new Map<string, AdmitRequest>();

/** The code of what it throws, or `fits`. */
function codeOf(act: () => unknown): string {
  try {
    act();
    return "fits";
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

const check = (desk: Desk, requests: readonly AdmitRequest[], ahead = NOBODY): string =>
  codeOf(() => checkRoom(desk.state, requests, ahead));

const asMap = (requests: readonly AdmitRequest[]) =>
  new Map(requests.map((request) => [request.taskId, request]));

describe("checkRoom", () => {
  it("takes what gets a place at once and what may wait, and not one more", () => {
    const desk = new Desk({ maxChildren: 2, maxQueued: 1 });
    const batch = ["a", "b", "c", "d"].map((id) => admission(id));
    expect(check(desk, batch.slice(0, 3))).toBe("fits");
    expect(check(desk, batch)).toBe("queue_full");
  });

  it("changes nothing", () => {
    const desk = new Desk({ maxChildren: 1, maxQueued: 1 });
    desk.admit("a");
    const before = counts(desk.state);
    check(desk, [admission("b", { parentId: "new" }), admission("c")]);
    expect(counts(desk.state)).toEqual(before);
    expect(desk.state.parents.has("new")).toBe(false);
  });

  it("counts those ahead, and needs no room for tasks that are known", () => {
    const desk = new Desk({ maxChildren: 1, maxQueued: 1 });
    const [first, second, third] = ["a", "b", "c"].map((id) => admission(id)) as [
      AdmitRequest,
      AdmitRequest,
      AdmitRequest,
    ];
    expect(check(desk, [third], asMap([first]))).toBe("fits");
    expect(check(desk, [third], asMap([first, second]))).toBe("queue_full");
    desk.admit("a");
    desk.admit("b");
    expect(check(desk, [first, second])).toBe("fits");
  });

  it("refuses a backend that is not there, also while there is room", () => {
    expect(check(new Desk(), [admission("a", { backend: "moon" })])).toBe("unknown_backend");
  });

  it("says what admitting one after another says, whatever stands where", () => {
    const random = seededRandom(7);
    const upTo = (count: number): number => Math.floor(random.next() * count);
    for (let round = 0; round < 400; round++) {
      const desk = new Desk({ maxChildren: 1 + upTo(3), maxQueued: 1 + upTo(4) });
      if (upTo(4) === 0) desk.run({ type: "pause", paused: true });
      const requests = Array.from({ length: 1 + upTo(9) }, (_, index) =>
        admission(`t${index}`, {
          parentId: [null, "a", "b"][upTo(3)] as string | null,
          parentSlots: 2,
          needsPlace: upTo(5) > 0,
          ...(upTo(3) === 0 && { agentLimit: { key: "coder", limit: 1 } }),
        }),
      );
      const before = upTo(requests.length);
      for (const request of requests.slice(0, before)) codeOf(() => desk.run({ type: "admit", request }));
      const known = desk.state.tasks;
      const rest = requests.slice(before).filter(({ taskId }) => !known.has(taskId));
      const cut = upTo(rest.length + 1);
      const foretold = check(desk, rest.slice(cut), asMap(rest.slice(0, cut)));
      const codes = rest.map((request) => codeOf(() => desk.run({ type: "admit", request })));
      expect(foretold, `round ${round}`).toBe(
        cut === rest.length ? "fits" : (codes.find((code) => code !== "fits") ?? "fits"),
      );
    }
  });
});
