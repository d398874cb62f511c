import { expect, test } from "vitest";
import { configSchema } from "../../src/core/config-schema.ts";
import { DEFAULT_ROUTING, FALLBACKS } from "../../src/core/routing.ts";

test("what is routed by default is what an empty config says, and sends nothing to a cloud", () => {
  const { routing, models } = configSchema.parse({});
  expect(DEFAULT_ROUTING).toEqual({
    fallback: routing.fallback,
    maxCostMicros: routing.max_cost_micros,
    maxWaitMs: routing.max_wait_s,
    maxOutageMs: routing.max_outage_s,
    aliases: models,
  });
  expect(FALLBACKS.filter((word) => word === "both" || word.endsWith("to_cloud"))).not.toContain(
    DEFAULT_ROUTING.fallback,
  );
});
