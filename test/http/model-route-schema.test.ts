import { expect, test } from "vitest";
import { modelRoute } from "../../src/http/model-route-schema.ts";

const ROUTE = {
  candidates: ["gpu/a", "cloud/b"],
  skipped: [{ model: "gpu/c", reason: "it cannot call tools" }],
  reroutes: [{ from: "gpu/a", to: "cloud/b", code: "network", reason: "It was down.", time: 5 }],
};

test("a route is told with all that can serve, what was passed over, and where the task went", () => {
  expect(modelRoute.parse(ROUTE)).toEqual(ROUTE);
  expect(modelRoute.safeParse({ ...ROUTE, reroutes: [{ from: "gpu/a", to: "cloud/b" }] }).success).toBe(
    false,
  );
});
