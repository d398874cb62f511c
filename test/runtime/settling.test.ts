import { describe, expect, test } from "vitest";
import { delay, SimulatedClock } from "../../src/base/clock.ts";
import { Settling } from "../../src/runtime/settling.ts";

function make(workMs: number) {
  const clock = new SimulatedClock();
  const concluded: [number, boolean][] = [];
  const settling = new Settling({
    clock,
    deadlineMs: 1_000,
    work: delay(clock, workMs),
    conclude: (settled) => concluded.push([clock.monotonic(), settled]),
  });
  return { clock, settling, concluded };
}

describe("Settling", () => {
  test("concludes when the work has let go, and leaves no timer", async () => {
    const { clock, concluded } = make(300);
    await clock.advance(5_000);
    expect(concluded).toEqual([[300, true]]);
    expect(clock.pending).toBe(0);
  });

  test("concludes at the deadline without it, and not again when it lets go late", async () => {
    const { clock, concluded } = make(2_000);
    await clock.advance(5_000);
    expect(concluded).toEqual([[1_000, false]]);
  });

  test("concludes at once when somebody forces it, and only once", async () => {
    const { clock, settling, concluded } = make(300);
    settling.force();
    settling.force();
    await clock.advance(5_000);
    expect(concluded).toEqual([[0, false]]);
  });
});
