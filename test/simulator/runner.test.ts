import { expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { GpuTime } from "../../src/simulator/batch.ts";
import { Runner, runnerKey } from "../../src/simulator/runner.ts";
import { model, NEVER } from "./fixtures.ts";

const runner = () =>
  new Runner({
    model: model("a"),
    setup: { contextTokens: 4_096, autoContext: true, options: {} },
    slots: 2,
    bytes: 90,
    placement: new Map([
      ["gpu0", 40],
      ["gpu1", 30],
    ]),
    keepAliveMs: 1_000,
    batch: new GpuTime(new SimulatedClock(), { batchSlowdown: 0, modelSlowdown: 0 }).batch(["gpu0", "gpu1"]),
    cache: null,
  });

test("R1 is idle when the last user has left, and tells it once", () => {
  const loaded = runner();
  let idle = 0;
  const uses = [loaded.use(() => (idle += 1)), loaded.use(() => (idle += 1))];
  uses[0]?.leave();
  expect([loaded.users, idle]).toEqual([1, 0]);
  uses[1]?.leave();
  expect([loaded.users, idle]).toEqual([0, 1]);
});

test("a runner that fails ends what works on it and what waits for a slot", async () => {
  const loaded = runner();
  const failed: string[] = [];
  loaded.working.add({ fail: (error) => failed.push(error.message) });
  await Promise.all([1, 2].map(() => loaded.slots.acquire(NEVER)));
  const waiting = loaded.slots.acquire(NEVER).catch((error: unknown) => failed.push(String(error)));
  loaded.fail(new Error("gone"));
  await waiting;
  expect(failed).toEqual(["gone", "Error: gone"]);
});

test("names of one file share a runner", () => {
  expect(runnerKey(model("a"))).toBe("a");
  expect(runnerKey(model("a", { blob: "file" }))).toBe(runnerKey(model("b", { blob: "file" })));
});

test("R2 a use ends once", () => {
  const loaded = runner();
  const use = loaded.use(() => {});
  loaded.use(() => {});
  use.leave();
  use.leave();
  expect(loaded.users).toBe(1);
});

test("what does not lie on a GPU is not counted as VRAM", () => {
  expect([runner().bytes, runner().vramBytes]).toEqual([90, 70]);
});
