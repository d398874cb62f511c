import { expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { KeyPatience } from "../../src/runtime/key-patience.ts";

test("counts from the first asking, until the wait is over", async () => {
  const clock = new SimulatedClock();
  const patience = new KeyPatience(clock, 1000);
  expect(patience.left("a")).toBe(1000);
  await clock.advance(700);
  expect(patience.left("a")).toBe(300);
  expect(patience.left("b")).toBe(1000);
  await clock.advance(700);
  expect(patience.left("a")).toBe(0);
  patience.over("a");
  expect(patience.left("a")).toBe(1000);
});

test("begins anew for who went away without a word, and came back for another answer", async () => {
  const clock = new SimulatedClock();
  const patience = new KeyPatience(clock, 1000);
  patience.left("a");
  await clock.advance(900);
  expect(patience.left("a")).toBe(100);
  await clock.advance(2_001);
  expect(patience.left("a")).toBe(1000);
});

test("forgets who began to wait first when there are too many", async () => {
  const clock = new SimulatedClock();
  const patience = new KeyPatience(clock, 1000);
  patience.left("first");
  await clock.advance(500);
  for (let nth = 0; nth < 4096; nth++) patience.left(`${nth}`);
  expect(patience.left("first")).toBe(1000);
  expect(patience.left("4095")).toBe(1000);
});
