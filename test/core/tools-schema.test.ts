import { expect, test } from "vitest";
import { toolsSchema } from "../../src/core/tools-schema.ts";

test("grants nothing to anybody by itself, and knows no other key", () => {
  expect(toolsSchema.parse(undefined)).toMatchObject({ grants: [], web: { ports: [80, 443] } });
  expect(toolsSchema.safeParse({ grant: ["session"] }).success).toBe(false);
  expect(toolsSchema.safeParse({ web: { private: true } }).success).toBe(false);
  expect(toolsSchema.safeParse({ grants: "session" }).success).toBe(false);
});
