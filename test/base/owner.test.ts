import { expect, test } from "vitest";
import { currentPid, currentUid, distrust, isOwnOrRoots, processorCount } from "../../src/base/owner.ts";

test.each([
  [{ uid: 1000, mode: 0o100644 }, 1000, null],
  [{ uid: 0, mode: 0o100644 }, 1000, null],
  [{ uid: 1001, mode: 0o100644 }, 1000, "belongs to user 1001, and you are user 1000"],
  [{ uid: 1000, mode: 0o100644 }, 0, "belongs to user 1000, and you are user 0"],
  [{ uid: 1000, mode: 0o100664 }, 1000, "can be written by others (mode 0664)"],
  [{ uid: 1000, mode: 0o100602 }, 1000, "can be written by others (mode 0602)"],
  [{ uid: 1001, mode: 0o100666 }, null, null],
])("of %j user %j has the distrust %j", (facts, me, why) => {
  expect(distrust(facts, me)).toBe(why);
});

test("without owners every file is one's own", () => {
  expect(isOwnOrRoots({ uid: 7 }, null)).toBe(true);
  expect(isOwnOrRoots({ uid: 7 }, 8)).toBe(false);
});

test("knows the user of this process where there is one", () => {
  expect(currentUid()).toBe(process.geteuid?.() ?? null);
});

test("knows the number of this process", () => {
  expect(currentPid()).toBe(process.pid);
});

test("processorCount is a whole number, and never none", () => {
  expect(Number.isInteger(processorCount()) && processorCount() >= 1).toBe(true);
});
