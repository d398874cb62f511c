import { expect, test } from "vitest";
import { WaitForecast } from "../../src/runtime/wait-forecast.ts";

test("foretells from how long leases were held, the newest counting a fifth, shared by the slots", () => {
  const forecast = new WaitForecast();
  forecast.observe("gpu", 1_000);
  expect(forecast.waitMs("gpu", 6, 2)).toBe(3_000);
  forecast.observe("gpu", 2_000);
  expect(forecast.waitMs("gpu", 1, 1)).toBe(1_200);
  expect([forecast.waitMs("gpu", 0, 1), forecast.waitMs("gpu", 1, 0)]).toEqual([0, 1_200]);
});

test("X1 foretells no wait where nothing is known", () => {
  expect(new WaitForecast().waitMs("gpu", 100, 1)).toBe(0);
});
