import { expect, test } from "vitest";
import { ChangeBell } from "../../src/cli/change-bell.ts";

test("a ring that nobody waited for is kept until somebody looks", async () => {
  const bell = new ChangeBell();
  bell.ring();
  await bell.wait();
  bell.quiet();
  let woken = false;
  const waiting = bell.wait().then(() => (woken = true));
  await Promise.resolve();
  expect(woken).toBe(false);
  bell.ring();
  await waiting;
  expect(woken).toBe(true);
});

test("closing it wakes who waits, and nobody waits after that", async () => {
  const bell = new ChangeBell();
  const waiting = bell.wait();
  bell.close();
  await waiting;
  bell.quiet();
  await bell.wait();
  expect(bell.closed).toBe(true);
});
