import { expect, test } from "vitest";
import { Runner } from "../../src/simulator/runner.ts";
import { model } from "./fixtures.ts";

const runner = () =>
  new Runner({
    model: model("a"),
    contextTokens: 4_096,
    slots: 2,
    bytes: 90,
    placement: new Map([
      ["gpu0", 40],
      ["gpu1", 30],
    ]),
    keepAliveMs: 1_000,
  });

test("R1 is idle when the last user has left, and tells it once", async () => {
  const loaded = runner();
  let idle = 0;
  const uses = [loaded.use(() => (idle += 1)), loaded.use(() => (idle += 1))];
  let resolved = false;
  const waiting = loaded.whenIdle().then(() => (resolved = true));
  uses[0]?.leave();
  await Promise.resolve();
  expect([loaded.users, idle, resolved]).toEqual([1, 0, false]);
  uses[1]?.leave();
  await waiting;
  expect([loaded.users, idle]).toEqual([0, 1]);
  await expect(loaded.whenIdle()).resolves.toBeUndefined();
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
