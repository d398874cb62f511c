import { expect, test } from "vitest";
import { SUPPORT, supportOf } from "../../src/cli/support.ts";

test("Linux whole; macOS and Windows without sandbox and cgroups; others are not promised", () => {
  expect(SUPPORT.map(({ name, support }) => `${name}: ${support}`)).toEqual([
    "Linux: whole",
    "macOS: without sandbox and cgroups",
    "Windows: without sandbox and cgroups",
  ]);
  expect(supportOf("linux")?.name).toBe("Linux");
  expect(supportOf("freebsd")).toBeUndefined();
});
